"""From two prepared templates to one score, and the same for one probe against many."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bioguard.match.fingerprint.pairing import Block, Pairs, relax, select_pairs, similarities
from bioguard.match.fingerprint.parameters import PAIRING, PairingParameters
from bioguard.match.fingerprint.prepared import PreparedTemplate, prepare
from bioguard.records import FingerprintTemplate

__all__ = ["score", "score_block"]

_BLOCK = 64
"""Templates per NumPy pass: the largest intermediate (64 x 32 x 32 floats, eight of them) stays in the L2 cache."""


def kept_count(smaller: NDArray[np.int64], p: PairingParameters = PAIRING) -> NDArray[np.int64]:
    """How many surviving pairs make the score, int64 like `smaller` (the smaller minutia count of the two prints)."""
    grown = (p.max_kept - p.min_kept) / (1 + np.exp(-p.kept_slope * (smaller - p.kept_center)))
    return np.rint(p.min_kept + grown).astype(np.int64)


def _consistency(pairs: Pairs, weight: NDArray[np.float32], smaller: NDArray[np.int64]) -> NDArray[np.float32]:
    """Mean weight of the pairs that lost least in relaxation, float32 [g]."""
    k = np.arange(PAIRING.max_pairs)
    start = (PAIRING.offset + pairs.similarity) * np.float32(1 / (PAIRING.offset + 1))
    efficiency = np.where(k < pairs.count[:, None], weight / np.maximum(start, np.float32(1e-6)), -1)
    order = np.argsort(-efficiency, axis=1, kind="stable")
    kept = kept_count(smaller)
    ranked = np.take_along_axis(weight, order, axis=1)
    total = np.where(k < kept[:, None], ranked, 0).sum(axis=1)
    return (total / kept).astype(np.float32)


def score_block(probe: PreparedTemplate, templates: Sequence[PreparedTemplate]) -> NDArray[np.float32]:
    """Scores of one probe against templates, float32 [n]; quick when the templates are of similar size."""
    out = np.zeros(len(templates), np.float32)
    one = Block.of([probe])
    for start in range(0, len(templates), _BLOCK):
        block = Block.of(templates[start : start + _BLOCK])
        pairs = select_pairs(similarities(one, block))
        weight = relax(one, block, pairs)
        out[start : start + _BLOCK] = _consistency(pairs, weight, np.minimum(block.counts, len(probe)))
    return out


def score(probe: FingerprintTemplate | PreparedTemplate, template: FingerprintTemplate | PreparedTemplate) -> float:
    """Score of two templates; higher is more alike."""
    a, b = (t if isinstance(t, PreparedTemplate) else prepare(t) for t in (probe, template))
    return float(score_block(a, [b])[0])
