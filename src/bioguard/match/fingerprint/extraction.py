"""From minutiae to integer descriptors, many templates at once, compiled where possible."""

from collections.abc import Sequence
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from bioguard.match.fingerprint.cylinders import N_VALUES, cylinders, shape
from bioguard.match.fingerprint.parameters import CYLINDER
from bioguard.match.fingerprint.projection import Projection, projection
from bioguard.records import FingerprintTemplate

try:
    from bioguard.match import _cylinders  # type: ignore[attr-defined]
except ImportError:  # no compiler when it was installed
    _cylinders = None
NATIVE: ModuleType | None = _cylinders
"""The compiled fingerprint kernel, where it was built."""

CODE_LIMIT = 63
"""Codes are -63..63: four products of a shifted code (1..127) and a code fit a signed 16-bit sum on AVX2."""
_BATCH = 64
"""Templates per matrix product: 64 x 35 x 312 floats stay in the L2 cache."""


def describe(
    templates: Sequence[FingerprintTemplate], using: Projection | None = None, *, compiled: bool = True
) -> list[NDArray[np.int8]]:
    """Integer descriptors of many templates at once.

    Args:
        templates: any number.
        using: another projection than the shipped one, for training.
        compiled: use the kernel if it was built; a code may then differ by 1 from NumPy where it lies on the edge.

    Returns:
        One int8 array [minutiae, dimensions] per template, values -63..63.
    """
    trained = using or projection()
    centered = _centered_native if compiled and NATIVE is not None else _centered_numpy
    out: list[NDArray[np.int8]] = []
    for first in range(0, len(templates), _BATCH):
        batch = templates[first : first + _BATCH]
        scaled = trained.apply(centered(batch, trained.mean)) * np.float32(CYLINDER.code_scale)
        codes = np.clip(np.rint(scaled), -CODE_LIMIT, CODE_LIMIT).astype(np.int8)
        edges = np.cumsum([len(t) for t in batch])[:-1]
        out.extend(part.copy() for part in np.split(codes, edges))
    return out


def _centered_native(batch: Sequence[FingerprintTemplate], mean: NDArray[np.float32]) -> NDArray[np.float32]:
    counts = np.array([len(t) for t in batch], np.uint8)
    out = np.empty((int(counts.sum(dtype=np.int64)), N_VALUES), np.float32)
    angle = np.concatenate([t.angle_rad for t in batch])
    x, y = np.concatenate([t.x_px500 for t in batch]), np.concatenate([t.y_px500 for t in batch])
    points = np.stack([x, -y, np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    assert NATIVE is not None  # noqa: S101 - chosen by the caller
    NATIVE.describe(np.concatenate([shape(), mean]), points, counts, out)
    return out


def _centered_numpy(batch: Sequence[FingerprintTemplate], mean: NDArray[np.float32]) -> NDArray[np.float32]:
    counts = np.array([len(t) for t in batch], np.int64)
    starts = np.cumsum(counts) - counts
    out = np.empty((int(counts.sum()), N_VALUES), np.float32)
    for indices, values, valid in cylinders(batch):
        for row, index in enumerate(indices):
            n, start = counts[index], starts[index]
            flat = values[row, :n].reshape(n, N_VALUES) - mean
            masked = flat.reshape(n, -1, CYLINDER.angle_cells) * valid[row, :n, :, None]
            out[start : start + n] = masked.reshape(n, N_VALUES)
    return out
