"""Local descriptors: what each minutia sees of its neighbors, in its own frame.

A grid of space and direction cells is laid on a minutia along its direction. Every neighbor within reach adds a
smooth bump to the cells around its relative position and direction. Cells that lie outside the hull of the print
cannot have been seen and are marked invalid. The family of descriptors was published by Cappelli, Ferrara and
Maltoni (2010); this form differs in its smooth kernels, its hull test and its projection
(docs/fingerprint-matching.md).

Everything is relative to the minutia, so a rigid motion of the print changes nothing but rounding.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bioguard.match.fingerprint.parameters import CYLINDER
from bioguard.records import FingerprintTemplate

_GROUP = 16
"""Templates per batch: the largest intermediate (16 x 40 x 40 x 48 floats) stays near the size of an L2 cache."""


def _grid() -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]:
    step = 2 * CYLINDER.radius_px500 / CYLINDER.cells_per_side
    axis = ((np.arange(CYLINDER.cells_per_side) - (CYLINDER.cells_per_side - 1) / 2) * step).astype(np.float32)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    disc = np.hypot(x, y) <= CYLINDER.radius_px500
    return axis, disc, np.stack([x[disc], y[disc]], axis=1)


def _directions(n: int, offset: float) -> NDArray[np.float32]:
    angle = 2 * np.pi * (np.arange(n) + offset) / n
    return np.stack([np.cos(angle), np.sin(angle)]).astype(np.float32)


_AXIS, _DISC, _CENTERS = _grid()
_DISC_INDEX = np.flatnonzero(_DISC)
_ANGLES = -_directions(CYLINDER.angle_cells, 0.5)
_HULL = _directions(CYLINDER.hull_directions, 0.0)
_REACH = _CENTERS @ _HULL

N_CELLS = int(_DISC.sum())
N_VALUES = N_CELLS * CYLINDER.angle_cells


def shape() -> NDArray[np.float32]:
    """All constants of the compiled form but the mean: `fd_shape` in native/fingers/describe.h."""
    lanes = np.zeros((2, 8), np.float32)
    lanes[:, : CYLINDER.angle_cells] = _ANGLES
    scalars = [
        -0.5 / CYLINDER.spatial_sigma_px500**2,
        CYLINDER.angle_concentration,
        CYLINDER.saturation,
        CYLINDER.hull_margin_px500,
        CYLINDER.reach_px500,
        CYLINDER.min_neighbors,
    ]
    parts = (np.array(scalars), _AXIS, lanes, _HULL, _REACH, _DISC)
    return np.concatenate([np.asarray(p, np.float32).reshape(-1) for p in parts])


def frames(template: FingerprintTemplate) -> NDArray[np.float32]:
    """float32 [n, 4]: x, y (upward, pixels at 500 dpi) and the cosine and sine of the direction."""
    return np.stack(
        [template.x_px500, -template.y_px500, np.cos(template.angle_rad), np.sin(template.angle_rad)], axis=1
    ).astype(np.float32)


def _batch(points: NDArray[np.float32], counts: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Values and validity of a padded batch. points float32 [g, m, 4], counts int64 [g]."""
    g, m, _ = points.shape
    present = np.arange(m) < counts[:, None]
    x, y, c, s = (points[:, :, i] for i in range(4))
    dx = x[:, None, :] - x[:, :, None]
    dy = y[:, None, :] - y[:, :, None]
    ci, si = c[:, :, None], s[:, :, None]
    along = dx * ci + dy * si
    across = dy * ci - dx * si
    turn_cos = c[:, None, :] * ci + s[:, None, :] * si
    turn_sin = s[:, None, :] * ci - c[:, None, :] * si

    far = ~present[:, None, :]
    narrow = np.float32(-0.5 / CYLINDER.spatial_sigma_px500**2)
    kappa = np.float32(CYLINDER.angle_concentration)
    seen = np.exp(kappa * (turn_cos[..., None] * _ANGLES[0] + turn_sin[..., None] * _ANGLES[1] - 1))
    beyond = np.maximum(np.abs(along), np.abs(across)) > np.float32(CYLINDER.reach_px500)
    skipped = far | beyond | np.eye(m, dtype=bool)
    seen[skipped] = 0
    in_x = np.exp(narrow * (along[..., None] - _AXIS) ** 2)
    in_y = np.exp(narrow * (across[..., None] - _AXIS) ** 2)
    weights = (in_y[..., None] * seen[..., None, :]).reshape(g, m, m, -1)
    cells = np.swapaxes(in_x, 2, 3) @ weights
    values = cells.reshape(g, m, -1, CYLINDER.angle_cells)[:, :, _DISC_INDEX]
    values /= values + np.float32(CYLINDER.saturation)

    extent = along[..., None] * _HULL[0] + across[..., None] * _HULL[1]
    extent[np.broadcast_to(far, along.shape)] = -np.inf
    support = extent.max(axis=2) + np.float32(CYLINDER.hull_margin_px500)
    valid = (support[:, :, None, :] >= _REACH).all(axis=3)
    valid &= ((~skipped).sum(axis=2) >= CYLINDER.min_neighbors)[:, :, None]
    return values, valid.astype(np.float32)


def cylinders(
    templates: Sequence[FingerprintTemplate],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]]:
    """Yield batches of templates of similar size.

    Yields:
        indices int64 [g] into `templates`; values float32 [g, m, N_CELLS, angle cells], 0..1, padded rows are
        meaningless; valid float32 [g, m, N_CELLS], 0 or 1.
    """
    counts = np.array([len(t) for t in templates], np.int64)
    order = np.argsort(counts, kind="stable")
    order = order[counts[order] > 0]
    for start in range(0, order.size, _GROUP):
        group = order[start : start + _GROUP]
        points = np.zeros((group.size, int(counts[group[-1]]), 4), np.float32)
        for row, index in enumerate(group):
            points[row, : counts[index]] = frames(templates[index])
        values, valid = _batch(points, counts[group])
        yield group, values, valid
