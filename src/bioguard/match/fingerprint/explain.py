"""Which minutiae of two prints correspond, for people who want to see a comparison (`bioguard match explain`).

For files outside the secure world: the answer names minutiae and must not be made of enrolled templates.
"""

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.match.fingerprint.backends import score
from bioguard.match.fingerprint.pairing import Block, relax, select_pairs, similarities, starting_weights, support
from bioguard.match.fingerprint.prepared import prepare
from bioguard.match.thresholds import builtin_profile, threshold_for_fmr
from bioguard.records import FingerprintTemplate
from bioguard.records.modality import Modality
from bioguard.records.scores import Score
from tee_sim.shared.dataclass import dataclass

MIN_SHOWN_WEIGHT = 0.15
"""Weight from which a pair is shown. On the four development databases the strongest pair of two different fingers
stays below 0.152 (rect) and 0.147 (sa) in 99 of 100 comparisons; same fingers show 16 to 19 pairs (median)."""
BANDS = (100, 1_000, 10_000, 100_000)


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Pairs of a comparison, strongest first.

    Attributes:
        pairs: int64 [n, 2], index into the first and into the second template.
        weights: float32 [n], 0..1, agreement with the other pairs after relaxation.
        score_fmr_band: how rare such a score is between different fingers by the built-in profile, in words; never the
            score.
    """

    pairs: NDArray[np.int64]
    weights: NDArray[np.float32]
    score_fmr_band: str


def _band(value: float) -> str:
    reached, profile = 0, builtin_profile(Modality.FINGERPRINT)
    for inverse in BANDS:
        try:
            threshold = threshold_for_fmr(1 / inverse, profile=profile, score=Score.LIKELIHOOD_RATIO)
        except InputRefused:  # the calibration data do not reach this far
            break
        if value < threshold:
            break
        reached = inverse
    if not reached:
        return f"no more alike than 1 in {BANDS[0]} different fingers"
    return f"more alike than all but 1 in {reached:,} different fingers".replace(",", " ")


def _file_order(template: FingerprintTemplate) -> NDArray[np.int64]:
    """Position in the template of each minutia of its prepared form, which is sorted (`prepared.canonical`)."""
    return np.lexsort((template.angle_rad, template.y_px500, template.x_px500)).astype(np.int64)


def explain(a: FingerprintTemplate, b: FingerprintTemplate) -> Explanation:
    """Compare two templates and tell which minutiae speak for it."""
    first, second = prepare(a), prepare(b)
    one, other = Block.of([first]), Block.of([second])
    pairs = select_pairs(similarities(one, other))
    weights = relax(support(one, other, pairs), starting_weights(pairs), pairs.count)[0, : int(pairs.count[0])]
    shown = np.flatnonzero(weights >= np.float32(MIN_SHOWN_WEIGHT))
    ranked = shown[np.argsort(-weights[shown], kind="stable")]
    indices = np.stack([_file_order(a)[pairs.probe[0, ranked]], _file_order(b)[pairs.other[0, ranked]]], axis=1)
    # Equal prints may exceed 1 by rounding in the support of the pairs.
    return Explanation(indices, np.minimum(weights[ranked], np.float32(1)), _band(score(first, second)))
