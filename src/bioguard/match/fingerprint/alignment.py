"""Laying one print on the other: motion from the best group of pairs, refined on all minutiae, then evidence.

NumPy twin of `align` in `native/fingers/compare_body.h`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioguard.match.fingerprint.pairing import Block, Pairs
from bioguard.match.fingerprint.parameters import ALIGNMENT, CYLINDER

_FAR = np.float32(1e9)
_UNIT = np.float32(1 / CYLINDER.code_scale**2)
_TURNS = 2 * np.pi * np.arange(ALIGNMENT.hull_directions) / ALIGNMENT.hull_directions
HULL = np.stack([np.cos(_TURNS), np.sin(_TURNS)]).astype(np.float32)

F32 = NDArray[np.float32]


class Motion(NamedTuple):
    """Rigid part (cosine, sine, shift) and full affine matrix of a map from probe to template, all float32 [g]."""

    c: F32
    s: F32
    tx: F32
    ty: F32
    matrix: F32  # [g, 2, 3]


def _rigid(x: F32, y: F32, u: F32, v: F32, w: F32) -> tuple[F32, F32, F32, F32]:
    """Weighted least squares rigid motion (x, y) -> (u, v); all [g, k]."""
    total = w.sum(axis=1, keepdims=True) + np.float32(1e-9)
    mx, my, mu, mv = ((w * q).sum(axis=1, keepdims=True) / total for q in (x, y, u, v))
    x, y, u, v = x - mx, y - my, u - mu, v - mv
    c, s = (w * (x * u + y * v)).sum(axis=1), (w * (x * v - y * u)).sum(axis=1)
    norm = np.sqrt(c * c + s * s) + np.float32(1e-9)
    c, s = c / norm, s / norm
    return c, s, mu[:, 0] - c * mx[:, 0] + s * my[:, 0], mv[:, 0] - s * mx[:, 0] - c * my[:, 0]


def group_motion(probe: Block, block: Block, pairs: Pairs, agreement: F32, weight: F32) -> Motion:
    """Motion of the heaviest pair together with the pairs that agree with it."""
    rows = np.arange(block.counts.size)
    seed = weight.argmax(axis=1)
    group = agreement[rows, seed] * weight
    group[rows, seed] = weight[rows, seed]
    a, b = probe.places[0][pairs.probe], block.places[rows[:, None], pairs.other]
    return _motion(*_rigid(a[..., 0], a[..., 1], b[..., 0], b[..., 1], group))


def _motion(c: F32, s: F32, tx: F32, ty: F32) -> Motion:
    return Motion(c, s, tx, ty, np.stack([c, -s, tx, s, c, ty], axis=1).reshape(-1, 2, 3))


def _moved(motion: Motion, places: F32) -> tuple[F32, F32, F32, F32]:
    m = motion.matrix[:, :, :, None]
    x, y, pc, ps = places.T
    c, s = motion.c[:, None], motion.s[:, None]
    return (
        m[:, 0, 0] * x + m[:, 0, 1] * y + m[:, 0, 2],
        m[:, 1, 0] * x + m[:, 1, 1] * y + m[:, 1, 2],
        c * pc - s * ps,
        s * pc + c * ps,
    )


def match(motion: Motion, probe: F32, block: Block, tolerance: float) -> tuple[NDArray[np.bool_], F32]:
    """Mutually nearest minutiae: matched bool [g, n, m] and squared distance."""
    x, y, c, s = _moved(motion, probe)
    b = block.places[:, None]
    dx, dy = x[:, :, None] - b[..., 0], y[:, :, None] - b[..., 1]
    # whole numbers of 16 significant bits, as the kernel keeps them beside the number of the minutia
    bits = (dx * dx + dy * dy).view(np.int32) & ~255
    far = np.float32(tolerance * tolerance).view(np.int32) & ~255
    same = c[:, :, None] * b[..., 2] + s[:, :, None] * b[..., 3]
    there = (np.arange(b.shape[2]) < block.counts[:, None])[:, None]
    near = there & (same > np.float32(ALIGNMENT.direction_cos)) & (bits < far)
    ranked = np.where(near, bits, far)
    by_row, by_column = ranked.argmin(axis=2), ranked.argmin(axis=1)
    _, n, m = ranked.shape
    matched = (by_row[:, :, None] == np.arange(m)) & (by_column[:, None, :] == np.arange(n)[:, None]) & near
    distance: F32 = bits.view(np.float32)
    return matched, distance


def _refit(motion: Motion, probe: F32, block: Block, matched: NDArray[np.bool_], similarity: F32) -> Motion:
    """Rigid motion and a stretched version of it from matched minutiae; unchanged where too few match."""
    g, n, _ = matched.shape
    found, other = matched.any(axis=2), matched.argmax(axis=2)
    rows = np.arange(g)[:, None]
    b = block.places[rows, other]
    w = np.maximum(similarity[rows, np.arange(n), other], 0) + np.float32(ALIGNMENT.fit_floor)
    w = np.where(found, w, np.float32(0))
    x, y = np.broadcast_to(probe[:, 0], (g, n)), np.broadcast_to(probe[:, 1], (g, n))
    u, v = b[..., 0], b[..., 1]
    fitted = _motion(*_rigid(x, y, u, v, w))
    rx, ry, _, _ = _moved(fitted, probe)
    total = w.sum(axis=1, keepdims=True) + np.float32(1e-9)
    mx, my = (w * x).sum(axis=1, keepdims=True) / total, (w * y).sum(axis=1, keepdims=True) / total
    qx, qy = x - mx, y - my
    ridge = np.float32(ALIGNMENT.affine_ridge)
    xx, yy, xy = (w * qx * qx).sum(axis=1) + ridge, (w * qy * qy).sum(axis=1) + ridge, (w * qx * qy).sum(axis=1)
    scale = 1 / (xx * yy - xy * xy)
    matrix = fitted.matrix.copy()
    for row, rest in enumerate((u - rx, v - ry)):
        px, py = (w * qx * rest).sum(axis=1), (w * qy * rest).sum(axis=1)
        along, across = (px * yy - py * xy) * scale, (py * xx - px * xy) * scale
        matrix[:, row, 0] += along
        matrix[:, row, 1] += across
        matrix[:, row, 2] -= along * mx[:, 0] + across * my[:, 0]
    enough = found.sum(axis=1) >= ALIGNMENT.min_matched
    new = Motion(*fitted[:4], matrix)
    return Motion(*(np.where(enough.reshape(-1, *[1] * (a.ndim - 1)), a, b) for a, b in zip(new, motion, strict=True)))


def _inside(x: F32, y: F32, places: F32, there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which points [g, k] lie within the hull of places [g, m, 4]."""
    reach = places[..., :1] * HULL[0] + places[..., 1:2] * HULL[1]
    support = np.where(there[..., None], reach, -_FAR).max(axis=1)
    inside: NDArray[np.bool_] = (x[..., None] * HULL[0] + y[..., None] * HULL[1] <= support[:, None]).all(axis=2)
    return inside


def align(
    probe: Block, block: Block, similarity: NDArray[np.int32], motion: Motion
) -> tuple[F32, NDArray[np.bool_], Motion]:
    """Refine the motion and gather evidence.

    Returns:
        evidence float32 [g, 5]: matched minutiae; probe and template minutiae in the shared area; sums over the matched
        of similarity and of similarity times nearness (each 0..1). Then matched bool [g, n, m] and the final motion.
    """
    own = probe.places[0][: int(probe.counts[0])]
    similar = similarity.astype(np.float32) * _UNIT
    wide, last = ALIGNMENT.tolerances_px500
    matched, _ = match(motion, own, block, wide)
    motion = _refit(motion, own, block, matched, similar)
    matched, distance = match(motion, own, block, last)

    def total(values: F32) -> F32:
        summed: F32 = np.where(matched, values, np.float32(0)).sum(axis=(1, 2), dtype=np.float32)
        return summed

    near = 1 - distance * np.float32(1 / (last * last))
    alike = np.maximum(similar, 0).astype(np.float32)
    there = np.arange(block.places.shape[1]) < block.counts[:, None]
    x, y, _, _ = _moved(motion, own)
    dx, dy = block.places[..., 0] - motion.tx[:, None], block.places[..., 1] - motion.ty[:, None]
    c, s = motion.c[:, None], motion.s[:, None]
    everywhere = np.ones((1, own.shape[0]), bool)
    count = matched.sum(axis=(1, 2)).astype(np.float32)
    shared = _inside(x, y, block.places, there).sum(axis=1)
    shared_back = (_inside(c * dx + s * dy, c * dy - s * dx, own[None], everywhere) & there).sum(axis=1)
    evidence = [count, np.maximum(shared, count), np.maximum(shared_back, count), total(alike), total(near * alike)]
    return np.stack(evidence, axis=1).astype(np.float32), matched, motion
