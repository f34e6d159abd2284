"""From impostor comparisons to the points of a table, on the strict side.

A threshold is the upper 97.5 % end of what it is when people are drawn again, and never below the value within sets
where that can be measured: across databases impostors are often easier. A rate is measured where at least MIN_PAIRS
different pairs of people lie beyond it. Below, the table goes on as a straight line over the logarithm of the rate, as
steep as the last measured decade of the points or of their upper ends, whichever is steeper. Measured on held-out
databases (docs/fingerprint-matching.md, "Thresholds"): such a line holds where synthetic people did not.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.calibration.impostors import Impostors
from bioguard.errors import InputRefused

RATES = (1e-1, 5e-2, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
MIN_PAIRS = 5
"""Fewer pairs of people beyond a threshold, and drawing people again says little about it."""
MISLABELED_SHARE = 0.01
"""Pairs beyond a threshold for each person of a set: large sets of photographs hold people under two names, and
relatives, and with fewer pairs than this they would be the tail. LFW: 26 and 14 were found in 5 749 people."""
MIN_HITS = 3
"""Expected false matches below which a rate is not measurable (rule of three)."""
MIN_PEOPLE = 10
"""Of fewer, one alone is in a fifth of all comparisons, and drawing them again says little about others. Chosen."""
DRAWS = 2000
SEED = 20240611


@dataclass(frozen=True, slots=True)
class MeasuredPoint:
    """One rate: the value itself, its interval over people, the threshold on the strict side, and what it counts.

    Attributes:
        point: threshold at which the rate was met.
        low, high: 95 % interval of it.
        threshold: what a table promises the rate with.
        false_matches, impostors: comparisons at that threshold.
        pairs: pairs of people beyond the point.
    """

    rate: float
    point: float
    low: float
    high: float
    threshold: float
    false_matches: int
    impostors: int
    pairs: int


@dataclass(frozen=True, slots=True)
class FittedTable:
    """Measured points by falling rate, and one beyond them on the straight line."""

    points: Sequence[MeasuredPoint]
    next_rate: float
    next_threshold: float

    def threshold(self, rate: float, *, plain: bool = False) -> float:
        """Threshold of a rate: strict, or of the points themselves; on straight lines over the logarithm of rates."""
        logs = [math.log10(p.rate) for p in self.points]
        values = [p.point if plain else p.threshold for p in self.points]
        if rate < self.points[-1].rate:
            slope = (values[-1] - values[-2]) / (logs[-2] - logs[-1])
            slope = slope if plain else self.next_threshold - values[-1]
            return float(values[-1] + slope * (logs[-1] - math.log10(rate)))
        return float(np.interp(math.log10(rate), logs[::-1], values[::-1]))


def fitted(
    impostors: Impostors,
    within: Impostors | None = None,
    *,
    least: Callable[[float], float] = lambda _: -math.inf,
    draws: int = DRAWS,
    seed: int = SEED,
) -> FittedTable:
    """Fit the points of one score.

    Args:
        impostors: all comparisons of different people.
        within: those within sets, if there are others.
        least: threshold of a rate that no threshold is below.
        draws, seed: of people.

    Raises:
        InputRefused: `bench.calibration`: too few people, fewer than two rates can be measured, or so many impostors
            share one score that no threshold lies between them.
    """
    if impostors.people < MIN_PEOPLE:
        raise too_little(
            f"{impostors.people} {'person' if impostors.people == 1 else 'people'}: a table of rates needs "
            f"{MIN_PEOPLE} at least",
            "calibrate with more people; for a shift of a profile that exists, --site-of PROFILE takes 5",
        )
    rates = [rate for rate in RATES if _is_measured(impostors, rate)]
    for rate in RATES:
        if rate not in rates and _is_expected(impostors, rate):
            pairs, score = impostors.same_score(rate)
            if pairs > _least_pairs(impostors):  # else the line would go on below them
                raise too_little(
                    f"{pairs} pairs of people score exactly {score:g}: a rate of {rate:g} has no threshold",
                    "leave out failures and copies that stand under several names",
                )
    if len(rates) < 2:
        raise too_little(
            f"{impostors.comparisons} impostor comparisons of {impostors.people} people: rates of {RATES[0]:g} and "
            f"{RATES[1]:g} cannot be measured",
            f"give so many that {MIN_PAIRS} pairs of people match at them",
        )
    drawn = impostors.drawn(rates, draws=draws, seed=seed)
    low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0)
    points: list[MeasuredPoint] = []
    own: list[float] = []
    for at, rate in enumerate(rates):
        point = impostors.threshold(rate)
        floor = within.threshold(rate) if within is not None and _is_measured(within, rate) else point
        own.append(max(float(high[at]), floor, point, own[-1] + 1e-6 if own else -math.inf))  # a table must rise
        strict = max(own[-1], least(rate), points[-1].threshold + 1e-6 if points else -math.inf)
        points.append(
            MeasuredPoint(
                rate, point, min(float(low[at]), point), strict, strict, impostors.above(strict)[0],
                impostors.comparisons, impostors.above(point)[1],
            )
        )  # fmt: skip
    last = points[-1]
    at = next((i for i in reversed(range(len(points))) if points[i].rate >= 9.99 * last.rate), 0)
    decades = math.log10(points[at].rate / last.rate)
    slope = max(own[-1] - own[at], last.point - points[at].point) / decades  # raised points are no line of these data
    following = max(last.threshold + max(slope, 1e-3), least(last.rate / 10))
    return FittedTable(points, last.rate / 10, following)


def _is_measured(impostors: Impostors, rate: float) -> bool:
    if not _is_expected(impostors, rate):
        return False
    return impostors.above(impostors.threshold(rate))[1] >= _least_pairs(impostors)


def _is_expected(impostors: Impostors, rate: float) -> bool:
    return rate * impostors.comparisons >= MIN_HITS * (1 - 1e-9) and impostors.reaches(rate)


def _least_pairs(impostors: Impostors) -> float:
    return max(MIN_PAIRS, MISLABELED_SHARE * impostors.people)


def too_little(what: str, hint: str) -> InputRefused:
    """The error for data that cannot carry a table or a shift."""
    return InputRefused(what, hint=hint, code="bench.calibration")
