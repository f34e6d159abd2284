"""Confidence intervals of the benches."""

from scipy.stats import beta


def proportion(errors: int, trials: int) -> tuple[float, float]:
    """95 % Clopper-Pearson interval of a rate; (0, 1) without trials."""
    if trials == 0:
        return 0.0, 1.0
    low = beta.ppf(0.025, errors, trials - errors + 1) if errors else 0.0
    high = beta.ppf(0.975, errors + 1, trials - errors) if errors < trials else 1.0
    return float(low), float(high)
