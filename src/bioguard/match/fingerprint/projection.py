"""The trained linear map from cylinder cells to a short descriptor, and its integer form.

`projection.bin` (written by `python -m bench.calibration.train_projection`) holds aggregate constants only: the mean of
every cell and one matrix. Layout, little endian: magic "BGFP", uint16 version 1, uint16 values per cylinder, uint16
dimensions, uint16 zero, float32 mean [values], float32 matrix [values, dimensions].
"""

import pkgutil
import struct

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import IntegrityFailure
from bioguard.match.fingerprint.cylinders import N_VALUES
from tee_sim.shared.dataclass import dataclass

_HEADER = struct.Struct("<4sHHHH")


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

    def apply(self, centered: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cells less their mean, zero where not seen, float32 [n, N_VALUES], to unit descriptors [n, dimensions]."""
        projected: NDArray[np.float32] = centered @ self.matrix
        norm = np.sqrt(np.einsum("nd,nd->n", projected, projected))
        projected /= np.maximum(norm, np.float32(1e-6))[:, None]
        return projected


def _load() -> Projection:
    data = pkgutil.get_data("bioguard.match.fingerprint", "projection.bin")
    return Projection.from_bytes(data or b"")


_shipped: list[Projection] = []


def projection() -> Projection:
    """The shipped projection, read once."""
    if not _shipped:
        _shipped.append(_load())
    return _shipped[0]
