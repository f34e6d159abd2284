"""The tables of a comparison profile from scores, and what a site adds to them."""

import math
from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from bench.calibration.finger_scores import ScoreMatrix, pairs_of
from bench.calibration.impostors import Impostors, PairScores
from bench.calibration.rate_points import FittedTable, fitted, too_little
from bench.calibration.splits import splits, tried_pairs
from bioguard.match.fingerprint.cohort import SCALES, SIZES, CohortSize
from bioguard.match.thresholds import threshold_for_fmr
from bioguard.records.comparison_profile import ComparisonProfile, RatePoint, ScoreTable
from bioguard.records.scores import Basis, Score

Same = Sequence[tuple[str, str, float]]

COHORT_DRAWS = 300
"""Of people, for a table of a cohort: its scores are those of several splits, ten times as many."""
SITE_RATE = 0.05
"""Rate at which a site is compared with a table: 90 scores of 5 fingers with 3 views hold 4 or 5 beyond it. At 0.1 the
same 90 scores moved a threshold down by a factor of ten of the rate."""
SITE_PEOPLE = 5
SITE_VIEWS = 3


def table_of(
    score: Score, fit: FittedTable, *, cohort: int = 0, basis: Basis = Basis.MEASURED, repeated: float = 1.0
) -> ScoreTable:
    """The table of the strict thresholds, and one point on the line beyond: from there on a table goes on as steeply.

    Args:
        repeated: how often each comparison was scored (against another cohort each time); counts are of one time.
    """
    points = [
        RatePoint.of(
            p.rate, p.threshold, basis, low=p.low, high=p.high,
            false_matches=round(p.false_matches / repeated), impostors=round(p.impostors / repeated),
        )
        for p in fit.points
    ]  # fmt: skip
    points.append(RatePoint.of(fit.next_rate, fit.next_threshold, Basis.EXTRAPOLATED))
    return ScoreTable(score=score, cohort=cohort, points=tuple(points))


def finger_tables(
    score: Score, names: Sequence[str], matrices: Sequence[ScoreMatrix], same: Same,
    sizes: Sequence[CohortSize] = SIZES, least: ComparisonProfile | None = None,
) -> list[ScoreTable]:  # fmt: skip
    """The plain table of a score and those of its cohorts; a cohort that the sets are too small for has none.

    Args:
        same: people that are probably one, see `PairScores.same_fingers`.
        sizes: of the cohorts.
        least: a profile below whose thresholds none may lie.

    Raises:
        InputRefused: as `rate_points.fitted`.
    """
    pairs = pairs_of(names, matrices).without(same)
    tables = [table_of(score, fitted(Impostors.of(pairs), _within(pairs), least=_least(least, score, 0)))]
    for size in sizes:
        normalized = cohort_pairs(score, names, matrices, size)
        if normalized is not None:
            held = Impostors.of(normalized.without(same))
            repeated = max(1.0, held.comparisons / np.count_nonzero(pairs.impostor))
            fit = fitted(held, least=_least(least, score, size.templates), draws=COHORT_DRAWS)
            tables.append(table_of(score, fit, cohort=size.templates, repeated=repeated))
    return tables


def _least(profile: ComparisonProfile | None, score: Score, cohort: int) -> Callable[[float], float]:
    if profile is None or profile.table(score, cohort) is None:
        return lambda _: -math.inf
    return lambda rate: threshold_for_fmr(rate, profile=profile, score=score, cohort=cohort)


def _within(pairs: PairScores) -> Impostors | None:
    return None if pairs.within.all() else Impostors.of(pairs.only(pairs.within))


def cohort_pairs(
    score: Score, names: Sequence[str], matrices: Sequence[ScoreMatrix], size: CohortSize
) -> PairScores | None:
    """Comparisons held against cohorts of this size, of all splits of all sets; None if no set is large enough."""
    parts = [
        tried_pairs(names, matrix, split, SCALES[score])
        for matrix in matrices
        for split in splits(matrix, size.fingers, size.views)
    ]
    return reduce(PairScores.joined, parts) if parts else None


def counted_threshold(table: ScoreTable, rate: float) -> float:
    """The threshold at which this rate was counted, on a line between the counts of points: no safety in it.

    It is what a site is held against, and what a table would have promised without intervals.

    Raises:
        InputRefused: `bench.calibration`: the table tells no counts.
    """
    counts: dict[float, float] = {}
    for p in table.points:
        share = p.false_matches / max(p.impostors, 1)
        if 0 < share < min(counts, default=2.0):  # two points of one count have no line between them
            counts[share] = p.threshold
    if len(counts) < 2:
        raise too_little(
            f"the table of the score {table.score.word!r} tells no false matches that were counted",
            "calibrate a site on top of a profile that was measured",
        )
    logs = -np.log10(list(counts))  # rising
    values = np.array(list(counts.values()))
    at = -math.log10(rate)
    k = int(np.clip(np.searchsorted(logs, at), 1, len(counts) - 1))
    slope = (values[k] - values[k - 1]) / (logs[k] - logs[k - 1])
    return float(values[k] + slope * (at - logs[k]))


def site_shift(table: ScoreTable, local: Impostors) -> float:
    """What a site asks for on top of a table. Never downward: a few fingers show a fault and not its absence."""
    return max(0.0, local.threshold(SITE_RATE) - counted_threshold(table, SITE_RATE))


def site_views(people: NDArray[np.int64]) -> tuple[int, int]:
    """People of a site, and views that each of them has, from the person of each sample.

    Raises:
        InputRefused: `bench.calibration`: too few.
    """
    counts = np.unique(people, return_counts=True)[1]
    if counts.size < SITE_PEOPLE or counts.min() < SITE_VIEWS:
        raise too_little(
            f"{counts.size} people with {counts.min() if counts.size else 0} views each: a site needs {SITE_PEOPLE} "
            f"with {SITE_VIEWS}",
            "capture more; fewer show nothing about this sensor",
        )
    return counts.size, int(counts.min())
