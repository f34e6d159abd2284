"""Some fingers of a set are enrolled, the others are tried: what a site calibration or a device cohort meets.

Both see a few views of a few fingers of the same sensor and are judged on other fingers of it. Sets are small, so a set
is split several times, and the comparisons of all splits are pooled.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.calibration.finger_scores import ScoreMatrix
from bench.calibration.impostors import PairScores
from bioguard.match.fingerprint.cohort import CohortScale, cohort_statistic, normalized

Numbers = NDArray[np.int64]
SPLITS = 10
SEED = 20240612


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Samples of one set and of the others.

    Attributes:
        chosen: int64 [fingers, views], of fingers that are enrolled.
        tried: int64 [t], all samples of the other fingers of the set.
        others: int64 [o], samples of other sets: probes, never references.
    """

    chosen: Numbers
    tried: Numbers
    others: Numbers


def splits(matrix: ScoreMatrix, fingers: int, views: int, *, count: int = SPLITS, seed: int = SEED) -> Iterator[Split]:
    """`count` splits of every set that holds more fingers than are enrolled; fingers need that many views."""
    rng = np.random.default_rng(seed)
    for one in np.unique(matrix.sets):
        samples = np.flatnonzero(matrix.sets == one)
        people, number = np.unique(matrix.people[samples], return_counts=True)
        able = people[number >= views]
        if able.size < fingers or people.size < fingers + 2:
            continue
        for _ in range(count):
            enrolled = rng.permutation(able)[:fingers]
            chosen = np.stack([rng.permutation(samples[matrix.people[samples] == p])[:views] for p in enrolled])
            tried = samples[~np.isin(matrix.people[samples], enrolled)]
            yield Split(chosen, tried, np.flatnonzero(matrix.sets != one))


def enrolled(matrix: ScoreMatrix, split: Split) -> ScoreMatrix:
    """What a site is calibrated by: scores of the chosen samples."""
    return matrix.only(split.chosen.reshape(-1))


def tried_pairs(
    names: Sequence[str], matrix: ScoreMatrix, split: Split, scale: CohortScale | None = None
) -> PairScores:
    """Comparisons of the tried samples with each other, and of probes of other sets with them.

    Args:
        names: of the people.
        matrix: scores.
        split: of its samples.
        scale: hold the scores against the chosen fingers as a cohort.
    """
    i, j = np.triu_indices(split.tried.size, 1)
    probe = np.concatenate([split.tried[i], np.repeat(split.others, split.tried.size)])
    reference = np.concatenate([split.tried[j], np.tile(split.tried, split.others.size)])
    scores = matrix.scores[probe, reference]
    if scale is not None:
        statistic = cohort_statistic(matrix.scores[:, split.chosen])
        scores = normalized(scores, statistic[probe], statistic[reference], scale)
    within = np.arange(probe.size) < i.size
    extractor = np.full(probe.size, matrix.extractor)
    return PairScores(
        names, scores, matrix.people[probe], matrix.people[reference], matrix.sets[reference], within, extractor
    )
