"""How often the intervals over people hold the truth, on people whose truth is known.

A person has an offset of its genuine and one of its impostor scores, a sample has one, a comparison has noise, all
normal: the rates of the population follow from the normal distribution, and each repetition draws people from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from bench.metrics.comparisons import Comparisons, pairs_of, scores_of
from bench.metrics.resampling import Floats, Tables, drawings, intervals_of

TARGETS = (1e-2, 1e-3)
FIGURES = ("eer", "fnmr_at_1e-2", "fnmr_at_1e-3", "fmr_at_threshold")
LABEL = 1e-2
"""Rate of the threshold whose FMR is measured."""


@dataclass(frozen=True, slots=True)
class Population:
    """Standard deviations of the offsets; a comparison's noise is 1, the mean genuine score `separation`."""

    separation: float
    genuine: float
    impostor: float
    sample: float

    @property
    def _spreads(self) -> tuple[float, float]:
        noise = 2 * self.sample**2 + 1
        return float(np.sqrt(self.genuine**2 + noise)), float(np.sqrt(2 * self.impostor**2 + noise))

    def threshold(self, fmr: float) -> float:
        """Of the whole population."""
        return float(norm.isf(fmr)) * self._spreads[1]

    def truth(self) -> list[float]:
        """The figures of the whole population."""
        genuine, impostor = self._spreads

        def fnmr(threshold: float) -> float:
            return float(norm.cdf((threshold - self.separation) / genuine))

        crossing = brentq(lambda x: float(norm.sf(x / impostor)) - fnmr(x), -20, 20)
        return [fnmr(crossing), *(fnmr(self.threshold(target)) for target in TARGETS), LABEL]

    def drawn(self, people: int, samples: int, rng: np.random.Generator) -> Comparisons:
        """A set of so many people."""
        subject = np.arange(people).repeat(samples)
        n = subject.size
        own, other = rng.normal(0, self.genuine, people)[subject], rng.normal(0, self.impostor, people)[subject]
        sample = rng.normal(0, self.sample, n)
        noise = np.triu(rng.normal(0, 1, (n, n)), 1)
        same = subject[:, None] == subject
        scores = np.where(same, self.separation + own[:, None], other[:, None] + other) + noise + noise.T
        scores += sample[:, None] + sample
        return Comparisons("drawn", scores.astype(np.float32), subject, [str(i) for i in range(n)])


POPULATIONS = {"alike": Population(4.6, 0.3, 0.2, 0.2), "unlike": Population(5.5, 0.8, 0.4, 0.3)}
"""Equal error rates of 1.6 %; people differ little, or by much of what comparisons of one person differ by."""


def coverage(
    population: Population, *, people: int, samples: int, repetitions: int, replicates: int, seed: int,
    advance: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:  # fmt: skip
    """Share of repetitions in which the interval holds the truth, below it and above it, for each figure.

    `percentile` is the plain interval of the percentiles of the same draws, for comparison.
    """
    truth = np.array(population.truth())
    ours, plain = (np.zeros((len(FIGURES), 3)) for _ in range(2))
    for repetition in range(repetitions):
        one = population.drawn(people, samples, np.random.default_rng([seed, people, repetition]))
        pairs = pairs_of([one], scores_of([one]))
        tables, limit = Tables(pairs), population.threshold(LABEL)
        a, b = (side[pairs.impostor >= limit] for side in (pairs.impostor_a, pairs.impostor_b))

        def figures(weights: Floats) -> Floats:
            eer, fnmrs = tables.figures(weights, TARGETS)  # noqa: B023  # called before the next repetition
            total = pairs.impostor_weight(weights)  # noqa: B023
            fmr = weights[a] @ weights[b] / total if total > 0 else np.nan  # noqa: B023
            return np.array([eer, *fnmrs, fmr])

        found = drawings(figures, people, seed=seed + repetition, replicates=replicates)
        for i, interval in enumerate(intervals_of(found, at_zero=people)):
            ours[i] += _where(truth[i], interval.low, interval.high)
            low, high = np.nanquantile(found.drawn[:, i], [0.025, 0.975])
            plain[i] += _where(truth[i], low, high)
        advance(1)
    return {
        "people": people, "samples": samples, "repetitions": repetitions,
        "figures": {
            name: {"truth": float(truth[i]), **_shares(ours[i], repetitions),
                   "percentile": _shares(plain[i], repetitions)}
            for i, name in enumerate(FIGURES)
        },
    }  # fmt: skip


def _where(truth: float, low: float, high: float) -> list[bool]:
    return [bool(low <= truth <= high), bool(truth < low), bool(truth > high)]


def _shares(counts: Floats, repetitions: int) -> dict[str, float]:
    held, below, above = (counts / repetitions).tolist()
    return {"held": held, "truth_below": below, "truth_above": above}
