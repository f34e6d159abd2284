"""Prepared templates packed for the compiled kernel.

One record per template, minutiae padded to a multiple of 8 lanes: codes [dimensions / 4][lanes][4] shifted by +64 to
uint8, then places [lanes][4] int16. `native/fingers/compare.h` reads exactly this.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioguard.match.fingerprint.prepared import PreparedTemplate

_LANES = 8
_SHIFT = 64


@dataclass(frozen=True, slots=True)
class Records:
    """data uint8 [bytes]; starts int64 [n], byte offset of each record; counts uint8 [n]; dimensions of a code."""

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    counts: NDArray[np.uint8]
    dimensions: int

    @classmethod
    def of(cls, templates: Sequence[PreparedTemplate], dimensions: int) -> "Records":
        counts = np.array([len(t) for t in templates], np.uint8)
        sizes = _sizes(counts, dimensions)
        data = np.empty(int(sizes.sum()), np.uint8)
        starts = np.cumsum(sizes) - sizes
        for template, start, size in zip(templates, starts.tolist(), sizes.tolist(), strict=True):
            lanes = size // (dimensions + 8)
            codes = np.full((lanes, dimensions), _SHIFT, np.uint8)
            codes[: len(template)] += template.codes.view(np.uint8)
            places = np.zeros((lanes, 4), "<i2")
            places[: len(template)] = template.places
            split = start + lanes * dimensions
            data[start:split].reshape(dimensions // 4, lanes, 4)[:] = codes.reshape(
                lanes, dimensions // 4, 4
            ).transpose(1, 0, 2)
            data[split : start + size] = places.reshape(-1).view(np.uint8)
        return cls(data, starts, counts, dimensions)

    def __len__(self) -> int:
        return int(self.counts.size)

    @property
    def nbytes(self) -> int:
        return int(self.data.nbytes + self.starts.nbytes + self.counts.nbytes)

    def joined(self, other: "Records") -> "Records":
        starts = np.concatenate([self.starts, other.starts + self.data.size])
        counts = np.concatenate([self.counts, other.counts])
        return Records(np.concatenate([self.data, other.data]), starts, counts, self.dimensions)

    def kept(self, keep: NDArray[np.bool_]) -> "Records":
        """Only the records marked in keep, bool [n]."""
        sizes = _sizes(self.counts, self.dimensions)
        starts = np.cumsum(sizes[keep]) - sizes[keep]
        return Records(self.data[np.repeat(keep, sizes)], starts, self.counts[keep], self.dimensions)

    def template(self, row: int) -> PreparedTemplate:
        n, start = int(self.counts[row]), int(self.starts[row])
        lanes = -(-n // _LANES) * _LANES
        split = start + lanes * self.dimensions
        codes = (
            self.data[start:split]
            .reshape(self.dimensions // 4, lanes, 4)
            .transpose(1, 0, 2)
            .reshape(lanes, self.dimensions)
        )
        places = self.data[split : split + lanes * 8].view("<i2").reshape(lanes, 4)
        return PreparedTemplate((codes[:n] - _SHIFT).view(np.int8), places[:n].astype(np.int16))


def _sizes(counts: NDArray[np.uint8], dimensions: int) -> NDArray[np.int64]:
    lanes = -(-counts.astype(np.int64) // _LANES) * _LANES
    return lanes * (dimensions + 8)
