"""Two-stage identification: codes name a few candidates, exact scores decide.

Pure: what opens a record, and wipes it, is the caller's. Runs inside the secure world, where the list of candidates and
their scores stay.

    best = identify(probe, coder.encode(probe), code_gallery, open_views, threshold)
"""

import math
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioguard.match.arrays import HEAD_BITS, float_rows, unit_rows
from bioguard.match.codes import CodeGallery
from bioguard.match.kernels import unit_probes
from tee_sim.shared.dataclass import dataclass

SMALL_LIST: Final = 64
"""No true match of 3 615 lost at 5 722 enrolled real faces, none of 1 680 at 100 000 (1024-bit codes)."""
LARGE_LIST: Final = 128
"""No true match of 1 680 lost at 400 000."""
LARGE_GALLERY: Final = 100_000

HEAD_LOSS: Final = 1e-4
"""A view whose cosine is just at the threshold is passed over in a large gallery with at most this chance, drawn with
the device's secret; better ones with less (`head_radius_for`)."""
WIDEST_HEAD: Final = 136
"""With a larger radius so many heads of other people are within that reading all of every code takes no longer."""

Opener = Callable[[NDArray[np.int64]], Iterable[ArrayLike]]
"""Takes gallery indices, gives the embedding of each in the same order, float [d]."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The one answer of an identification: the gallery index, and the score that decided. The score stays inside."""

    index: int
    score: float


def candidates_for(n: int) -> int:
    """Length of the candidate list for n enrolled views: 64, or 128 above 100 000."""
    return SMALL_LIST if n <= LARGE_GALLERY else LARGE_LIST


@lru_cache(maxsize=256)
def head_radius_for(cosine: float, loss: float = HEAD_LOSS) -> int:
    """The smallest radius that the heads of views of at least this cosine are within, but for a share `loss` at most.

    Each bit of a sign code differs with chance angle / pi, and the bits of a code taken together deviate less than
    independent ones would (its directions are at right angles), so the binomial tail bounds the loss.
    """
    differs = math.acos(min(max(cosine, -1.0), 1.0)) / math.pi
    beyond = 0.0
    for radius in range(HEAD_BITS, 0, -1):
        beyond += math.comb(HEAD_BITS, radius) * differs**radius * (1 - differs) ** (HEAD_BITS - radius)
        if beyond > loss:
            return radius
    return 0


def _radius(n: int, least: float) -> int:
    """How a gallery of n views is searched for those of at least this cosine: heads first, or all at once."""
    radius = head_radius_for(least)
    return radius if n > LARGE_GALLERY and radius <= WIDEST_HEAD else HEAD_BITS


def candidates(
    probe: ArrayLike, code: ArrayLike, gallery: CodeGallery, open_views: Opener, least: float = -1.0
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return indices int64 [k] and exact cosines float32 [k] of the views whose codes are nearest.

    Args:
        probe: float [d].
        code: uint8 [n_bytes], the code of the probe.
        gallery: codes of all enrolled views.
        open_views: called once, with ascending indices, at most `candidates_for(len(gallery))`: their order tells
            nobody who watches the disk which one is nearest. The copies made here are overwritten; the opener wipes its
            own.
        least: the lowest cosine that matters. In a large gallery a view of at least this cosine that would be a
            candidate is missed with a chance of HEAD_LOSS at most; without it none is.

    Raises:
        InputRefused: probe, code or an opened view has the wrong shape.
    """
    n = len(gallery)
    _, nearest = gallery.search(code, candidates_for(n), head_radius=_radius(n, least))
    if nearest.size == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    indices = np.sort(nearest[0])
    wanted = unit_rows(probe)
    stacked = np.stack([np.asarray(view) for view in open_views(indices)])
    opened = float_rows(stacked, wanted.shape[1])
    views = unit_probes(opened, gallery.kernel)
    scores = views @ wanted[0]
    for copy in (stacked, opened, views):
        copy.fill(0)
    return indices, scores


def identify(
    probe: ArrayLike, code: ArrayLike, gallery: CodeGallery, open_views: Opener, threshold: float
) -> Accepted | None:
    """Return the best candidate whose exact cosine is at least `threshold`, or None.

    Arguments and errors as `candidates`; threshold: for a search over all views,
    `bioguard.match.thresholds.threshold_for_fpir`.
    """
    indices, scores = candidates(probe, code, gallery, open_views, threshold)
    if not indices.size:
        return None
    best = int(np.argmax(scores))  # of equal ones the lowest index
    score = float(scores[best])  # compared as float64: NumPy would round the threshold to float32 first
    return Accepted(int(indices[best]), score) if score >= threshold else None
