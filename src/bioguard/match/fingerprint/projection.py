"""The trained linear map from cylinder cells to a short descriptor, and its integer form.

`projection.bin` (written by `python -m bench.train_projection`) holds aggregate constants only: the mean of every cell
and one matrix. Layout, little endian: magic "BGFP", uint16 version 1, uint16 values per cylinder, uint16
dimensions, uint16 zero, float32 mean [values], float32 matrix [values, dimensions].
"""

import pkgutil
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import IntegrityFailure
from bioguard.match.fingerprint.cylinders import N_VALUES, cylinders
from bioguard.match.fingerprint.parameters import CYLINDER
from bioguard.records import FingerprintTemplate

__all__ = ["CODE_LIMIT", "Projection", "describe", "projection"]

_HEADER = struct.Struct("<4sHHHH")
CODE_LIMIT = 63
"""Codes are -63..63: two products of a shifted code (0..126) and a code fit a signed 16-bit sum on AVX2."""


@dataclass(frozen=True, slots=True)
class Projection:
    """mean float32 [N_VALUES], matrix float32 [N_VALUES, dimensions]."""

    mean: NDArray[np.float32]
    matrix: NDArray[np.float32]

    @property
    def dimensions(self) -> int:
        return int(self.matrix.shape[1])

    def to_bytes(self) -> bytes:
        header = _HEADER.pack(b"BGFP", 1, *self.matrix.shape, 0)
        return header + self.mean.astype("<f4").tobytes() + self.matrix.astype("<f4").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Projection":
        """Raises IntegrityFailure when the data are not a projection of the shape this version computes."""
        magic, version, values, dimensions, _ = (
            _HEADER.unpack_from(data) if len(data) >= _HEADER.size else (b"", 0, 0, 0, 0)
        )
        size = _HEADER.size + 4 * values * (1 + dimensions)
        if (magic, version, values) != (b"BGFP", 1, N_VALUES) or dimensions % 8 or len(data) != size:
            raise IntegrityFailure(
                "the fingerprint projection is damaged", hint="reinstall bioguard", code="integrity.projection"
            )
        numbers = np.frombuffer(data, "<f4", offset=_HEADER.size).astype(np.float32)
        return cls(numbers[:values], numbers[values:].reshape(values, dimensions))

    def apply(self, values: NDArray[np.float32], valid: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unit descriptors float32 [..., dimensions]; cells that were not seen count as average."""
        centered = (values.reshape(*values.shape[:-2], N_VALUES) - self.mean).reshape(values.shape) * valid[..., None]
        projected: NDArray[np.float32] = centered.reshape(-1, N_VALUES) @ self.matrix
        norm = np.sqrt(np.einsum("nd,nd->n", projected, projected))
        projected /= np.maximum(norm, np.float32(1e-6))[:, None]
        return projected.reshape(*values.shape[:-2], self.dimensions)


def _load() -> Projection:
    data = pkgutil.get_data("bioguard.match.fingerprint", "projection.bin")
    return Projection.from_bytes(data or b"")


_shipped: list[Projection] = []


def projection() -> Projection:
    """The shipped projection, read once."""
    if not _shipped:
        _shipped.append(_load())
    return _shipped[0]


def describe(templates: Sequence[FingerprintTemplate], using: Projection | None = None) -> list[NDArray[np.int8]]:
    """Integer descriptors of many templates at once.

    Returns:
        One int8 array [minutiae, dimensions] per template, values -63..63.
    """
    trained = using or projection()
    out = [np.zeros((0, trained.dimensions), np.int8) for _ in templates]
    for indices, values, valid in cylinders(templates):
        scaled = trained.apply(values, valid) * np.float32(CYLINDER.code_scale)
        codes = np.clip(np.rint(scaled), -CODE_LIMIT, CODE_LIMIT).astype(np.int8)
        for row, index in enumerate(indices):
            out[index] = codes[row, : len(templates[index])].copy()
    return out
