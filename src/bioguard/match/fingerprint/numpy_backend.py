"""The comparison in NumPy: two prepared templates to one score, one probe against many, and the rows of a gallery.

It is the reference for the compiled backend, and runs where that was not built. For identification a quick look at all
rows, one matrix product, decides which deserve the full comparison.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bioguard.match.fingerprint.alignment import align, group_motion
from bioguard.match.fingerprint.calibration import calibrated
from bioguard.match.fingerprint.pairing import (
    Block,
    Pairs,
    relax,
    select_pairs,
    similarities,
    starting_weights,
    support,
)
from bioguard.match.fingerprint.parameters import ALIGNMENT, CASCADE, CYLINDER, PAIRING, PairingParameters
from bioguard.match.fingerprint.prepared import PreparedTemplate

N_EVIDENCE = 6

_BLOCK = 64
"""Templates per NumPy pass: the largest intermediate (64 x 32 x 32 floats, eight of them) stays in the L2 cache."""
_SLAB = 4096
"""Template minutiae per product: probe x slab floats stay in the L2 cache."""


def kept_count(smaller: NDArray[np.int64], p: PairingParameters = PAIRING) -> NDArray[np.int64]:
    """How many surviving pairs make the score, int64 like `smaller` (the smaller minutia count of the two prints)."""
    grown = (p.max_kept - p.min_kept) / (1 + np.exp(-p.kept_slope * (smaller - p.kept_center)))
    kept: NDArray[np.int64] = np.rint(p.min_kept + grown).astype(np.int64)
    return kept


def _consistency(
    pairs: Pairs, start: NDArray[np.float32], weight: NDArray[np.float32], smaller: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Mean weight of the pairs that lost least in relaxation, float32 [g]."""
    k = np.arange(PAIRING.max_pairs)
    efficiency = np.where(k < pairs.count[:, None], weight / np.maximum(start, np.float32(1e-6)), -1)
    order = np.argsort(-efficiency, axis=1, kind="stable")
    kept = kept_count(smaller)
    ranked = np.take_along_axis(weight, order, axis=1)
    total = np.where(k < kept[:, None], ranked, 0).sum(axis=1)
    mean: NDArray[np.float32] = (total / kept).astype(np.float32)
    return mean


def evidence_block(probe: PreparedTemplate, templates: Sequence[PreparedTemplate]) -> NDArray[np.float32]:
    """Evidence of one probe against templates, float32 [n, 6].

    Consistency of the pairs, then what `alignment.align` finds where the consistency passes the gate.
    """
    out = np.zeros((len(templates), N_EVIDENCE), np.float32)
    one = Block.of([probe])
    for first in range(0, len(templates), _BLOCK):
        block = Block.of(templates[first : first + _BLOCK])
        table = similarities(one, block)
        pairs = select_pairs(table.copy())
        start = starting_weights(pairs)
        agreement = support(one, block, pairs)
        weight = relax(agreement, start, pairs.count)
        consistency = _consistency(pairs, start, weight, np.minimum(block.counts, len(probe)))
        rows = out[first : first + _BLOCK]
        rows[:, 0] = consistency
        good = np.flatnonzero((consistency >= np.float32(ALIGNMENT.gate)) & (pairs.count > 0))
        if good.size:
            near, pairs = block.take(good), pairs.take(good)
            motion = group_motion(one, near, pairs, agreement[good], weight[good])
            rows[good, 1:] = align(one, near, table[good], motion)[0]
    return out


def score_block(probe: PreparedTemplate, templates: Sequence[PreparedTemplate]) -> NDArray[np.float32]:
    """Scores of one probe against templates, float32 [n]; quick when the templates are of similar size."""
    return calibrated(evidence_block(probe, templates))


def quick_scores(
    probe: PreparedTemplate, leading: NDArray[np.int8], starts: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.float32]:
    """How much each template looks like the probe at first sight, float32 [n].

    For each template minutia the most similar probe minutia counts, by how much it exceeds a floor; the leading
    dimensions of the code carry most of what tells minutiae apart and are used alone.

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


class NumpyRows:
    """Templates as they are, and the leading code columns of all of them in one matrix for the cascade."""

    def __init__(self, dimensions: int) -> None:
        self._rows: list[PreparedTemplate] = []
        self._leading = np.zeros((0, min(CASCADE.dimensions, dimensions)), np.int8)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def nbytes(self) -> int:
        return int(self._leading.nbytes) + sum(t.codes.nbytes + t.places.nbytes for t in self._rows)

    def add(self, templates: Sequence[PreparedTemplate]) -> None:
        self._rows.extend(templates)
        new = [t.codes[:, : CASCADE.dimensions] for t in templates]
        self._leading = np.concatenate([self._leading, *new])

    def keep(self, mask: NDArray[np.bool_]) -> None:
        self._leading = self._leading[np.repeat(mask, self._counts())]
        self._rows = [t for t, kept in zip(self._rows, mask, strict=True) if kept]

    def template(self, row: int) -> PreparedTemplate:
        return self._rows[row]

    def evidence(self, probe: PreparedTemplate) -> NDArray[np.float32]:
        return self.evidence_of(probe, np.arange(len(self._rows)))

    def shortlist(self, probe: PreparedTemplate, k: int) -> NDArray[np.int64] | None:
        wanted = max(CASCADE.at_least, k, int(np.ceil(CASCADE.share * len(self._rows))))
        return None if wanted >= len(self._rows) else self.first_look(probe, wanted)

    def first_look(self, probe: PreparedTemplate, wanted: int) -> NDArray[np.int64]:
        """The rows that look most like the probe at first sight, ascending, int64 [wanted]."""
        counts = self._counts()
        quick = quick_scores(probe, self._leading, np.cumsum(counts) - counts, counts)
        return np.sort(np.argpartition(quick, -wanted)[-wanted:])

    def evidence_of(self, probe: PreparedTemplate, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        rows = rows[np.argsort(self._counts()[rows], kind="stable")]
        out = np.zeros((len(self._rows), N_EVIDENCE), np.float32)
        out[rows] = evidence_block(probe, [self._rows[r] for r in rows])
        return out[np.sort(rows)]

    def _counts(self) -> NDArray[np.int64]:
        return np.fromiter((len(t) for t in self._rows), np.int64, len(self._rows))
