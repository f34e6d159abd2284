"""From two prepared templates to one score, and the same for one probe against many."""

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
from bioguard.match.fingerprint.parameters import ALIGNMENT, PAIRING, PairingParameters
from bioguard.match.fingerprint.prepared import PreparedTemplate

N_EVIDENCE = 6

_BLOCK = 64
"""Templates per NumPy pass: the largest intermediate (64 x 32 x 32 floats, eight of them) stays in the L2 cache."""


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
