"""Enrolling one finger from several touches: which touches are good enough, and whether the finger is known already.

All views are kept side by side and the best score counts. On the development sets four views lose 2.8 % of genuine
probes at FMR 1e-3, one template merged of the same four loses 4.1 %, one view 4.7 %
(`python -m bench.experiments.fingerprint_touches`).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bioguard.match.clusters import main_cluster
from bioguard.match.fingerprint.backends import scores_of
from bioguard.match.fingerprint.parameters import ENROLLMENT
from bioguard.match.fingerprint.prepared import PreparedTemplate, prepare_all
from bioguard.match.thresholds import threshold_for_fmr
from bioguard.records import FingerprintTemplate
from bioguard.records.acquired import AcquiredCode
from bioguard.records.comparison_profile import ComparisonProfile
from bioguard.records.scores import Score
from tee_sim.shared.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class TouchReport:
    """Judgement of several touches of one finger.

    Attributes:
        acquired: one code for each touch.
        consistent: bool [n], whether the touch hangs together with most of the others: a chain of touches, each
            matching the next at `ENROLLMENT.consistency_fmr`. That it matches one other would let two fingers in, two
            touches each.
        usable: every touch is GOOD, there are enough of them, and all are consistent.
        reasons: lower-case sentences for what is wrong; empty when usable.
    """

    acquired: tuple[AcquiredCode, ...]
    consistent: NDArray[np.bool_]
    usable: bool
    reasons: tuple[str, ...]


def touch_quality(template: FingerprintTemplate) -> AcquiredCode:
    """Judge one touch by the number and spread of its minutiae."""
    if len(template) < ENROLLMENT.min_minutiae:
        return AcquiredCode.INSUFFICIENT
    points = np.stack([template.x_px500, template.y_px500], axis=1).astype(np.float64)
    spread = np.sqrt(np.maximum(np.linalg.eigvalsh(np.cov(points.T)), 0))
    return AcquiredCode.PARTIAL if spread[0] < ENROLLMENT.min_spread_px500 else AcquiredCode.GOOD


def _score_table(prepared: Sequence[PreparedTemplate]) -> NDArray[np.float32]:
    """Scores between all touches, the lower of both directions, float32 [n, n]; -inf on the diagonal."""
    table = np.stack([scores_of(p, prepared) for p in prepared])
    both: NDArray[np.float32] = np.minimum(table, table.T)
    np.fill_diagonal(both, -np.inf)
    return both


def _same_touch(one: FingerprintTemplate, other: FingerprintTemplate) -> bool:
    """Whether two records hold the same minutiae: in another order, moved, or with other qualities and types."""
    if len(one) != len(other) or not len(one):
        return len(one) == len(other)
    (x, y, angle), (x2, y2, angle2) = (
        (t.x_px500 - t.x_px500.mean(), t.y_px500 - t.y_px500.mean(), t.angle_rad) for t in (one, other)
    )
    apart = np.maximum(np.abs(x[:, None] - x2), np.abs(y[:, None] - y2))
    turned = np.abs((angle[:, None] - angle2 + np.pi) % (2 * np.pi) - np.pi)
    same = (apart <= ENROLLMENT.same_touch_px500) & (turned <= ENROLLMENT.same_touch_rad)
    return bool(same.any(axis=0).all() and same.any(axis=1).all())


def check_touches(
    templates: Sequence[FingerprintTemplate], profile: ComparisonProfile, *, wanted: int = 1
) -> TouchReport:
    """Whether these touches of one finger can be enrolled together.

    Args:
        templates: in the order of capture.
        profile: of their extractor.
        wanted: least number of touches.
    """
    acquired = [touch_quality(t) for t in templates]
    consistent = np.ones(len(templates), bool)
    if len(templates) > 1:
        table = _score_table(prepare_all(templates))
        rate = ENROLLMENT.consistency_fmr
        consistent = main_cluster(table, threshold_for_fmr(rate, profile=profile, score=Score.LIKELIHOOD_RATIO))
        for i, template in enumerate(templates):
            if any(_same_touch(template, earlier) for earlier in templates[:i]):
                acquired[i] = AcquiredCode.IMMOBILE
    reasons = [f"touch {i + 1} is {a.word}" for i, a in enumerate(acquired) if a is not AcquiredCode.GOOD]
    reasons += [f"touch {i + 1} does not look like the others" for i in np.flatnonzero(~consistent)]
    if len(templates) < wanted:
        reasons.append(f"{wanted} touches are wanted, {len(templates)} were given")
    return TouchReport(tuple(acquired), consistent, not reasons, tuple(reasons))


def best_score(probe: PreparedTemplate, views: Sequence[PreparedTemplate]) -> float:
    """Score of a probe against a finger enrolled with several views: the best of them."""
    return float(scores_of(probe, views).max())


def is_duplicate(
    touches: Sequence[PreparedTemplate],
    others: Sequence[PreparedTemplate],
    profile: ComparisonProfile,
    *,
    fmr: float = ENROLLMENT.duplicate_fmr,
) -> bool:
    """Whether any touch matches any view of another finger so well that it must be the same finger.

    The rate is for the whole question: it is divided by the number of comparisons.
    """
    if not touches or not others:
        return False
    rate = fmr / (len(touches) * len(others))
    threshold = threshold_for_fmr(rate, profile=profile, score=Score.LIKELIHOOD_RATIO)
    return any(best_score(touch, others) >= threshold for touch in touches)
