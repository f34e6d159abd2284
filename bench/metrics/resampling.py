"""Confidence intervals: of independent trials by Clopper and Pearson, of pairs of scores by drawing people again.

Pairs of scores depend on each other, people do not.

A draw takes as many people as there are, with replacement. A person drawn w times gives its genuine pairs the weight
w; an impostor pair of two people weighs the product of both. Draws say how far a figure spreads: half the width of
their middle 68 %. The interval is that of Student's t on the logarithm of the odds:

    logit(rate) +- t(0.975, f) * spread / (rate * (1 - rate))

f are the degrees of freedom of the spread (Satterthwaite), 2 n / (k - 1) between 3 and n - 1, k the kurtosis of what
the rate becomes when each of n groups of people is left out: where few people make the errors, their number decides.

The percentiles of the draws are no interval here: they hold the truth 85 to 97 times of 100, and it is their upper end
that fails. `python -m bench coverage` measures both; docs/benchmarks.md says what else was tried.

Where nobody erred all draws are zero and say nothing. Then the rule of 3 over people is given: were so many people of a
hundred to err, one of those seen would have, 19 times of 20.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import beta, t

from bench.wording import NOT_MEASURABLE, RULE_OF_3
from bioguard.simulate.people.counter_rng import uniforms

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Statistic = Callable[[Floats], Floats]
DOMAIN = 0x500
GROUPS = 50
"""People are left out in at most so many groups: more of them would not change Student's t."""
MIDDLE = (0.1587, 0.8413)
"""One standard deviation of a normal distribution to both sides."""
TAIL_PAIRS = 1_000_000
"""Below this many impostor pairs all are drawn again; above it, only the highest scores that can decide a figure."""


def proportion(errors: int, trials: int) -> tuple[float, float]:
    """95 % Clopper-Pearson interval of a rate; (0, 1) without trials."""
    if trials == 0:
        return 0.0, 1.0
    low = beta.ppf(0.025, errors, trials - errors + 1) if errors else 0.0
    high = beta.ppf(0.975, errors + 1, trials - errors) if errors < trials else 1.0
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Scores of pairs and whom they are of, people numbered 0 .. people - 1.

    `impostor` may hold the highest scores only; `impostor_weight(w)` gives the weight of all of them.
    """

    people: int
    genuine: NDArray[np.float32]
    genuine_person: Ints
    impostor: NDArray[np.float32]
    impostor_a: Ints
    impostor_b: Ints
    impostor_weight: Callable[[Floats], float]


@unique
class Basis(StrEnum):
    """What an interval over people rests on."""

    DRAWS = "people drawn again"
    RULE_OF_3 = RULE_OF_3
    NONE = NOT_MEASURABLE
    """The draws say nothing, and somebody erred: one person only, or a draw in which none has an impostor."""


@dataclass(frozen=True, slots=True)
class Interval:
    """95 % interval of a rate; without a basis both ends are NaN."""

    low: float
    high: float
    basis: Basis = Basis.DRAWS


@dataclass(frozen=True, slots=True)
class SubjectIntervals:
    """95 % intervals over people."""

    eer: Interval
    fnmr: Mapping[float, Interval]
    replicates: int


def subject_intervals(pairs: Pairs, targets: Sequence[float], *, seed: int, replicates: int = 200) -> SubjectIntervals:
    """Draw people again `replicates` times; the same seed gives the same draws on any machine."""
    tables = Tables(pairs)
    erring = int(np.unique(pairs.genuine_person).size)

    def statistic(weights: Floats) -> Floats:
        eer, fnmrs = tables.figures(weights, targets)
        return np.array([eer, *fnmrs])

    eer, *fnmrs = rate_intervals(statistic, pairs.people, at_zero=erring, seed=seed, replicates=replicates)
    return SubjectIntervals(eer, dict(zip(targets, fnmrs, strict=True)), replicates)


def rate_intervals(
    statistic: Statistic, people: int, *, at_zero: int, seed: int, replicates: int = 200
) -> list[Interval]:
    """Interval of each rate that a draw gives.

    Args:
        statistic: rates [k] of weights [people]; NaN where a draw says nothing.
        people: how many are drawn.
        at_zero: how many people, or pairs of people, could have erred: for the rule of 3.
        seed: of the draws.
        replicates: number of draws.
    """
    return intervals_of(drawings(statistic, people, seed=seed, replicates=replicates), at_zero=at_zero)


@dataclass(frozen=True, slots=True, eq=False)
class Drawings:
    """Figures of everybody [k], of each draw [replicates, k], and of all but one group of people [groups, k]."""

    point: Floats
    drawn: Floats
    left_out: Floats


def drawings(statistic: Statistic, people: int, *, seed: int, replicates: int) -> Drawings:
    """All that an interval is made from."""
    point = statistic(np.ones(people))
    drawn = [statistic(_drawn(people, seed, r)) for r in range(replicates)]
    groups = min(people, GROUPS)
    left_out = [statistic((np.arange(people) % groups != group).astype(np.float64)) for group in range(groups)]
    return Drawings(point, np.reshape(drawn, (replicates, point.size)), np.reshape(left_out, (groups, point.size)))


def intervals_of(found: Drawings, *, at_zero: int) -> list[Interval]:
    """Interval of each rate; `at_zero` as in `rate_intervals`."""
    return [
        _interval(float(rate), found.drawn[:, i], found.left_out[:, i], at_zero) for i, rate in enumerate(found.point)
    ]


def rule_of_3(n: int) -> float:
    """Share above which one of n would have erred with 95 % probability: close to 3 / n."""
    return float(1 - 0.05 ** (1 / n)) if n else 1.0


def _interval(rate: float, drawn: Floats, left_out: Floats, at_zero: int) -> Interval:
    if rate == 0:
        return Interval(0.0, rule_of_3(at_zero), Basis.RULE_OF_3)
    if rate == 1:
        return Interval(1 - rule_of_3(at_zero), 1.0, Basis.RULE_OF_3)
    reach = _reach(drawn, left_out) / (rate * (1 - rate))
    if not np.isfinite(reach) or reach == 0:  # every draw came to the same: that they vary by nothing is no finding
        return Interval(float("nan"), float("nan"), Basis.NONE)
    odds = np.log(rate / (1 - rate))
    return Interval(float(expit(odds - reach)), float(expit(odds + reach)))


def _reach(drawn: Floats, left_out: Floats) -> float:
    """How far from the point the ends of the interval lie; NaN if the draws do not say."""
    known = drawn[np.isfinite(drawn)]  # with very few people a draw can hold one person alone, who has no impostors
    if known.size < 2 or left_out.size < 2:
        return float("nan")
    low, high = np.quantile(known, MIDDLE)
    spread = (high - low) / 2 or float(known.std())
    away = left_out[np.isfinite(left_out)]
    away = away - away.mean() if away.size else away
    fourth = float((away**4).sum())
    kurtosis = away.size * fourth / float((away**2).sum()) ** 2 if fourth else np.inf
    freedom = 2 * left_out.size / (kurtosis - 1) if kurtosis > 1 else np.inf
    return float(t.ppf(0.975, np.clip(freedom, min(3, left_out.size - 1), left_out.size - 1))) * spread


def differences(
    statistic: Statistic, people: int, *, seed: int, replicates: int = 200
) -> list[tuple[float, float, float]]:
    """Differences of two rates with their 95 % intervals over people, by Student's t on the spread of the draws.

    Args:
        statistic: differences [k] of weights [people], drawn once for both sides.
        people: how many are drawn.
        seed: of the draws.
        replicates: number of draws.
    """
    found = drawings(statistic, people, seed=seed, replicates=replicates)
    reaches = [_reach(found.drawn[:, i], found.left_out[:, i]) for i in range(found.point.size)]
    return [(point, point - reach, point + reach) for point, reach in zip(found.point.tolist(), reaches, strict=True)]


def fnmr_loss(
    reference: Pairs, other: Pairs, target: float, *, seed: int, replicates: int = 200
) -> tuple[float, float, float]:
    """By how much the FNMR at this FMR is higher with the other score: estimate and 95 % interval over people.

    Each score has its own threshold; a draw takes the same people for both.
    """
    before, after = Tables(reference), Tables(other)

    def loss(weights: Floats) -> Floats:
        return np.subtract(after.figures(weights, [target])[1], before.figures(weights, [target])[1])

    return differences(loss, reference.people, seed=seed, replicates=replicates)[0]


def _drawn(people: int, seed: int, replicate: int) -> Floats:
    """How often each person is drawn."""
    drawn = (uniforms(seed, DOMAIN, replicate, 0, people)[0] * people).astype(np.int64)
    return np.bincount(drawn, minlength=people).astype(np.float64)


class Tables:
    """What stays the same from draw to draw: orders, and positions of all observed scores."""

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs
        order = np.argsort(pairs.genuine, kind="stable")
        genuine = pairs.genuine[order]
        self._person = pairs.genuine_person[order]
        order = np.argsort(-pairs.impostor, kind="stable")
        impostor = pairs.impostor[order]
        self._a, self._b = pairs.impostor_a[order], pairs.impostor_b[order]
        starts = np.flatnonzero(np.append(True, impostor[1:] != impostor[:-1]))
        self._ends = np.append(starts[1:], impostor.size)
        levels = impostor[starts]  # distinct impostor scores, descending
        self._missed_above = np.searchsorted(genuine, levels, "right")
        # thresholds of the EER: every observed score and infinity, as the rule of the point value has them
        thresholds = np.append(np.unique(np.concatenate([genuine, impostor])), np.inf)
        self._cut_off = bool(pairs.impostor_weight(np.ones(pairs.people)) > impostor.size)
        if self._cut_off:
            thresholds = thresholds[thresholds >= impostor[-1]]  # below the highest scores nothing is known
        self._missed = np.searchsorted(genuine, thresholds, "left")
        self._matched = np.searchsorted(-impostor, -thresholds, "right")

    def figures(self, weights: Floats, targets: Sequence[float]) -> tuple[float, list[float]]:
        """EER and FNMR at each target under one draw."""
        genuine = np.append(0.0, np.cumsum(weights[self._person]))
        impostor = np.append(0.0, np.cumsum(weights[self._a] * weights[self._b]))
        total, all_genuine = self._pairs.impostor_weight(weights), genuine[-1]
        if total <= 0 or all_genuine <= 0:
            return float("nan"), [float("nan")] * len(targets)
        eer = self._eer(impostor, total, genuine)
        return eer, self._fnmr_at(np.asarray(targets) * total, impostor, genuine)

    def _fnmr_at(self, allowed: Floats, impostor: Floats, genuine: Floats) -> list[float]:
        """Smallest threshold with at most this impostor weight: just above the first level that is too much."""
        level = np.searchsorted(impostor[self._ends], allowed + 1e-9, "right")
        missed = np.append(self._missed_above, 0)[level]
        found = genuine[missed] / genuine[-1]
        if self._cut_off:  # thresholds of this draw that lie below the highest scores
            found[level == self._missed_above.size] = np.nan
        return [float(rate) for rate in found]

    def _eer(self, impostor: Floats, total: float, genuine: Floats) -> float:
        """The rule of `Scores.eer`. A score that was not drawn has the rates of the next one above that was."""

        def rates(place: int) -> tuple[float, float]:
            return float(impostor[self._matched[place]] / total), float(genuine[self._missed[place]] / genuine[-1])

        places = range(self._missed.size)
        after = bisect_left(places, True, key=lambda place: rates(place)[0] <= rates(place)[1])
        if after == 0 and self._cut_off:
            return float("nan")  # as above
        before = max(after - 1, 0)
        return min(sum(rates(place)) / 2 for place in (before, after))
