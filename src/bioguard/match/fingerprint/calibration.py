"""From the evidence of a comparison to one score that means the same for small and large prints."""

import numpy as np
from numpy.typing import NDArray

from bioguard.match.fingerprint.parameters import ALIGNMENT, SCORE

FACTORS = (
    "log_consistency",
    "log_together",
    "share_together",
    "log_shared",
    "log_matched",
    "share_matched",
    "mean_similarity",
)


def factors(evidence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Evidence [n, 6] to the inputs of the regression, float32 [n, 7], in the order of `FACTORS`."""
    consistency, matched, shared, shared_back, similar, together = evidence.T
    area = np.sqrt((shared + 1) * (shared_back + 1))
    columns = (
        np.log(consistency + np.float32(0.02)),
        np.log1p(together),
        together / area,
        np.log(area),
        np.log1p(matched),
        matched / area,
        similar / (matched + 1),
    )
    return np.stack(columns, axis=1).astype(np.float32)


def bounded(fitted: NDArray[np.float32], evidence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keep a score within `SCORE.lowest` and what so few matched minutiae can prove at most."""
    most = np.float32(SCORE.most_per_minutia) * (evidence[:, 1] - np.float32(SCORE.free_minutiae))
    within: NDArray[np.float32] = np.maximum(np.minimum(fitted, most), np.float32(SCORE.lowest))
    return within


def calibrated(evidence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Evidence float32 [n, 6] to scores float32 [n]: decimal logarithm of the likelihood ratio, higher is more alike.

    A comparison that did not pass the gate scores below every one that did: `SCORE.lowest` - 1 at no consistency.
    """
    consistency = evidence[:, 0]
    aligned = consistency >= np.float32(ALIGNMENT.gate)
    out = np.float32(SCORE.lowest - 1) + consistency * np.float32(1 / ALIGNMENT.gate)
    weights = np.array([getattr(SCORE, name) for name in FACTORS], np.float32)
    fitted = factors(evidence[aligned]) @ weights + np.float32(SCORE.intercept)
    out[aligned] = bounded(fitted, evidence[aligned])
    return out.astype(np.float32)
