"""The ladder of rates on a source: what was counted, the safe table, a site's shift, a device's cohort.

Thresholds come from a profile; the source has no part in it. The first two rungs take every comparison; a claim is the
best of three views, each held to a third of the rate, as a device decides; the others calibrate on five fingers with
three views and try the rest, for several splits of each set. The cohort rung is the rule of a device: the safe
threshold or that of normalized scores and the penalty, whichever is higher.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bench.calibration.finger_scores import ScoreMatrix
from bench.calibration.impostors import Impostors, PairScores
from bench.calibration.splits import enrolled, splits, tried_pairs
from bench.calibration.tables import SITE_PEOPLE, SITE_VIEWS, Same, counted_threshold, site_shift
from bench.calibration.tally import Tally
from bioguard.match.fingerprint.cohort import SCALES, CohortSize
from bioguard.match.thresholds import threshold_for_fmr
from bioguard.records.comparison_profile import ComparisonProfile
from bioguard.records.scores import Score
from bioguard.trusted.biometric.device_cohort import CODE_VIEWS

RATES = (1e-2, 1e-3, 1e-4)
RUNGS = ("counted", "safe", "claim", "site", "cohort")
VIEWS = 3
COHORTS = {Score.LIKELIHOOD_RATIO: CohortSize(5, 3), Score.PROTECTED: CohortSize(5, CODE_VIEWS)}
"""What a device compares with once five people have enrolled three touches each."""
Rows = list[dict[str, Any]]


def ladder(
    score: Score,
    profile: ComparisonProfile,
    names: Sequence[str],
    matrices: Sequence[ScoreMatrix],
    tried: Callable[[PairScores], PairScores],
) -> dict[str, Rows]:
    """Rows of `Tally` by rung.

    Args:
        score: what is compared by.
        profile: whose tables are tried; what a site added to it is left out.
        names: of the people.
        matrices: scores of the source, one an extractor.
        tried: which of its comparisons count.
    """
    profile = replace(profile, site=())
    table = next(t for t in profile.tables if t.score is score and not t.cohort)
    plain = {rate: counted_threshold(table, rate) for rate in RATES}
    safe = {rate: threshold_for_fmr(rate, profile=profile, score=score) for rate in RATES}
    of_views = {rate: threshold_for_fmr(rate / VIEWS, profile=profile, score=score) for rate in RATES}
    size = COHORTS[score]
    cohort = profile.table(score, size.templates) and {
        rate: threshold_for_fmr(rate, profile=profile, score=score, cohort=size.templates) for rate in RATES
    }
    rungs = {name: Tally(len(names), RATES) for name in RUNGS}
    for matrix in matrices:
        pairs = tried(matrix.pairs(names))
        rungs["counted"].add(pairs, plain)
        rungs["safe"].add(pairs, safe)
        rungs["claim"].add(tried(claims(names, matrix)), of_views)
        for split in splits(matrix, SITE_PEOPLE, SITE_VIEWS):
            local = Impostors.of(enrolled(matrix, split).pairs(names))
            shift = site_shift(table, local)
            shifted = {rate: value + shift for rate, value in safe.items()}
            pairs = tried(tried_pairs(names, matrix, split))
            rungs["site"].add(pairs, shifted)
            if cohort:
                held = replace(split, chosen=split.chosen[:, : size.views])
                penalty = pairs.scores - tried(tried_pairs(names, matrix, held, SCALES[score])).scores
                rungs["cohort"].add(pairs, {rate: np.maximum(safe[rate], cohort[rate] + penalty) for rate in RATES})
    once = float(rungs["safe"].compared.sum())
    return {
        name: tally.rows(times=max(1.0, float(tally.compared.sum()) / once))
        for name, tally in rungs.items()
        if tally.compared.any()
    }


def claims(names: Sequence[str], matrix: ScoreMatrix) -> PairScores:
    """Claims as a device decides them: the best of a finger's first three views; probes are all its other samples and
    every sample of other fingers.
    """
    probe, reference, best = [], [], []
    for person in np.unique(matrix.people):
        own = np.flatnonzero(matrix.people == person)
        if own.size > VIEWS:
            probes = np.setdiff1d(np.arange(len(matrix.people)), own[:VIEWS])
            probe.append(probes)
            reference.append(np.full(probes.size, own[0]))
            best.append(matrix.scores[np.ix_(probes, own[:VIEWS])].max(axis=1))
    if not probe:
        return matrix.only(np.zeros(0, np.int64)).pairs(names)
    at, against = np.concatenate(probe), np.concatenate(reference)
    within = matrix.sets[at] == matrix.sets[against]
    return PairScores(
        names, np.concatenate(best), matrix.people[at], matrix.people[against], matrix.sets[against], within,
        np.full(at.size, matrix.extractor),
    )  # fmt: skip


def all_but(same: Same) -> Callable[[PairScores], PairScores]:
    """Every comparison but those of people that are probably one."""
    return lambda pairs: pairs.without(same)
