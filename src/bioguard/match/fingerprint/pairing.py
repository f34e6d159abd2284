"""Which minutiae correspond: greedy one-to-one selection and relaxation, for one probe and a block of templates.

This is the NumPy twin of `native/fingers/compare.c`. The selection works on exact integers and is the same to the last
pair; the relaxation is float32 and agrees to rounding.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bioguard.match.fingerprint.parameters import CYLINDER, PAIRING, PairingParameters
from bioguard.match.fingerprint.prepared import DIRECTION_SCALE, POSITION_STEPS_PER_PX, PreparedTemplate
from tee_sim.shared.dataclass import dataclass

_SIMILARITY_SCALE = np.float32(1.0 / CYLINDER.code_scale**2)


@dataclass(frozen=True, slots=True)
class Block:
    """Templates padded to one size.

    codes float32 [g, m, d]; places float32 [g, m, 4] (x, y in px at 500 dpi, unit direction); counts int64 [g].
    """

    codes: NDArray[np.float32]
    places: NDArray[np.float32]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, templates: Sequence[PreparedTemplate]) -> "Block":
        counts = np.array([len(t) for t in templates], np.int64)
        m = max(1, int(counts.max(initial=0)))
        codes = np.zeros((len(templates), m, templates[0].codes.shape[1]), np.float32)
        places = np.zeros((len(templates), m, 4), np.float32)
        for row, t in enumerate(templates):
            codes[row, : len(t)] = t.codes
            places[row, : len(t)] = t.places
        places[..., :2] /= POSITION_STEPS_PER_PX
        places[..., 2:] /= DIRECTION_SCALE
        return cls(codes, places, counts)

    def take(self, rows: NDArray[np.int64]) -> "Block":
        return Block(self.codes[rows], self.places[rows], self.counts[rows])


@dataclass(frozen=True, slots=True)
class Pairs:
    """Up to K pairs per template of a block, best first; rows beyond `count` are zero.

    probe, other int64 [g, K]: minutia numbers; similarity float32 [g, K], about -1..1; count int64 [g].
    """

    probe: NDArray[np.int64]
    other: NDArray[np.int64]
    similarity: NDArray[np.float32]
    count: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> "Pairs":
        return Pairs(self.probe[rows], self.other[rows], self.similarity[rows], self.count[rows])


def similarities(probe: Block, block: Block) -> NDArray[np.int32]:
    """Exact integer similarity of every minutia pair, int32 [g, n, m]; -1 for padding."""
    g, m, d = block.codes.shape
    n = int(probe.counts[0])
    product = probe.codes[0, :n] @ block.codes.reshape(g * m, d).T
    table = product.reshape(n, g, m).transpose(1, 0, 2).astype(np.int32)
    table[np.broadcast_to((np.arange(m) >= block.counts[:, None])[:, None, :], table.shape)] = -1
    return table


def select_pairs(table: NDArray[np.int32], p: PairingParameters = PAIRING) -> Pairs:
    """Take the most similar pair, strike its row and column, and again, while similarity is above the floor.

    Equal similarities: lowest column, then lowest row. `table` is used up.
    """
    g, n, m = table.shape
    k = p.max_pairs
    probe, other = np.zeros((g, k), np.int64), np.zeros((g, k), np.int64)
    similarity, count = np.zeros((g, k), np.float32), np.zeros(g, np.int64)
    if n == 0:
        return Pairs(probe, other, similarity, count)
    table <<= 8
    table += 255 - np.arange(m, dtype=np.int32)
    best = table.max(axis=2)
    rows = np.arange(g)
    floor = int(p.floor * CYLINDER.code_scale**2)
    for step in range(min(k, n, m)):
        i = best.argmax(axis=1)
        key = best[rows, i]
        good = (key >> 8) > floor
        if not good.any():
            break
        j = 255 - (key & 255)
        probe[:, step], other[:, step] = np.where(good, i, 0), np.where(good, j, 0)
        similarity[:, step] = np.where(good, (key >> 8).astype(np.float32) * _SIMILARITY_SCALE, 0)
        count += good
        table[rows, :, np.minimum(j, m - 1)] = -1
        best[rows, i] = -1
        table[rows, i] = -1
        stale_g, stale_i = np.nonzero((best & 255) == (255 - j)[:, None])
        best[stale_g, stale_i] = table[stale_g, stale_i].max(axis=1)
    return Pairs(probe, other, similarity, count)


def _ramp(value: NDArray[np.float32], none: float, full: float) -> NDArray[np.float32]:
    ramp: NDArray[np.float32] = np.clip((value - np.float32(none)) * np.float32(1 / (full - none)), 0, 1)
    return ramp


def support(probe: Block, block: Block, pairs: Pairs, p: PairingParameters = PAIRING) -> NDArray[np.float32]:
    """How far pair k agrees with pair t, seen in the frame of t: float32 [g, t, k], 0..1.

    Two pairs agree when both prints show the same displacement and the same turn between their minutiae.
    """
    g, k = pairs.probe.shape
    rows = np.arange(g)[:, None]
    valid = np.arange(k) < pairs.count[:, None]
    a = probe.places[0][pairs.probe] if probe.counts[0] else np.zeros((g, k, 4), np.float32)
    b = block.places[rows, pairs.other]
    turn_cos = a[..., 2] * b[..., 2] + a[..., 3] * b[..., 3]
    turn_sin = a[..., 2] * b[..., 3] - a[..., 3] * b[..., 2]
    ax, ay = a[:, None, :, 0] - a[:, :, None, 0], a[:, None, :, 1] - a[:, :, None, 1]
    bx, by = b[:, None, :, 0] - b[:, :, None, 0], b[:, None, :, 1] - b[:, :, None, 1]
    length = ax * ax + ay * ay + bx * bx + by * by
    c, s = turn_cos[:, :, None], turn_sin[:, :, None]
    error = length - 2 * ((c * ax - s * ay) * bx + (s * ax + c * ay) * by)
    tolerance = np.float32(p.tolerance_px500_squared) + np.float32(0.5 * p.tolerance_growth) * length
    near = np.clip(p.near_gain * (1 - error / tolerance), 0, 1)
    agreement = near * _ramp(c * turn_cos[:, None, :] + s * turn_sin[:, None, :], p.turn_none_cos, p.turn_full_cos)
    agreement *= valid[:, None, :] & valid[:, :, None]
    agreement[:, np.arange(k), np.arange(k)] = 0
    result: NDArray[np.float32] = agreement
    return result


def starting_weights(pairs: Pairs, p: PairingParameters = PAIRING) -> NDArray[np.float32]:
    """Weight of every pair before relaxation, float32 [g, K]."""
    valid = np.arange(pairs.probe.shape[1]) < pairs.count[:, None]
    weight = (np.float32(p.offset) + pairs.similarity) * np.float32(1 / (p.offset + 1))
    return np.where(valid, weight, np.float32(0))


def relax(
    agreement: NDArray[np.float32], start: NDArray[np.float32], count: NDArray[np.int64], p: PairingParameters = PAIRING
) -> NDArray[np.float32]:
    """Weight of every pair after letting agreeing pairs support each other, float32 [g, K]."""
    share = np.float32(0.5) / np.maximum(count - 1, 1).astype(np.float32)
    weight = start
    for _ in range(p.iterations):
        weight = np.float32(0.5) * weight + share[:, None] * np.einsum("gtk,gk->gt", agreement, weight)
    return weight
