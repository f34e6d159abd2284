"""Quick look at many templates with one matrix product: which ones deserve the full comparison.

Used by the NumPy backend for identification. For each template minutia the most similar probe minutia counts, by how
much it exceeds a floor; the leading dimensions of the code carry most of what tells minutiae apart and are used alone.
"""

import numpy as np
from numpy.typing import NDArray

from bioguard.match.fingerprint.parameters import CASCADE, CYLINDER
from bioguard.match.fingerprint.prepared import PreparedTemplate

_SLAB = 4096
"""Template minutiae per product: probe x slab floats stay in the L2 cache."""


def quick_scores(
    probe: PreparedTemplate, leading: NDArray[np.int8], starts: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.float32]:
    """How much the template looks like the probe at first sight, float32 [n].

    Args:
        probe: prepared template.
        leading: int8 [all minutiae, CASCADE.dimensions], the leading columns of every code.
        starts, counts: int64 [n], rows of each template in `leading`.
    """
    if not len(probe) or not leading.size:
        return np.zeros(counts.size, np.float32)
    own = probe.codes[:, : CASCADE.dimensions].astype(np.float32)
    best = np.empty(leading.shape[0] + 1, np.float32)
    best[-1] = 0
    for first in range(0, leading.shape[0], _SLAB):
        slab = leading[first : first + _SLAB].astype(np.float32)
        np.max(own @ slab.T, axis=0, out=best[first : first + slab.shape[0]])
    best -= np.float32(CASCADE.floor * CYLINDER.code_scale**2)
    np.maximum(best, 0, out=best)
    best *= best
    sums = np.add.reduceat(best, np.minimum(starts, leading.shape[0]))
    size = np.sqrt(np.maximum(counts, CASCADE.smallest))
    return np.where(counts > 0, sums / size, 0).astype(np.float32)
