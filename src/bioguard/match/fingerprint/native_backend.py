"""The compiled comparison: templates packed for it, and the rows of a gallery that it compares.

One packed record per template, minutiae padded to a multiple of 8 lanes: codes [dimensions / 4][lanes][4] shifted by
+64 to uint8, then places [lanes][4] int16. `native/fingers/compare.h` reads exactly this.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.match.fingerprint.alignment import HULL
from bioguard.match.fingerprint.extraction import NATIVE
from bioguard.match.fingerprint.numpy_backend import N_EVIDENCE, kept_count
from bioguard.match.fingerprint.parameters import ALIGNMENT, CYLINDER, PAIRING
from bioguard.match.fingerprint.prepared import PreparedTemplate
from tee_sim.shared.dataclass import dataclass

Evidence: TypeAlias = NDArray[np.float32]

_CHUNK = 4096
"""Templates per chunk: adding copies at most one chunk (16 MB), removing only chunks that lose a row."""
_LANES = 8
_SHIFT = 64


@dataclass(frozen=True, slots=True)
class PackedTemplates:
    """data uint8 [bytes]; starts int64 [n], byte offset of each record; counts uint8 [n]; dimensions of a code."""

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    counts: NDArray[np.uint8]
    dimensions: int

    @classmethod
    def of(cls, templates: Sequence[PreparedTemplate], dimensions: int) -> "PackedTemplates":
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

    def joined(self, other: "PackedTemplates") -> "PackedTemplates":
        starts = np.concatenate([self.starts, other.starts + self.data.size])
        counts = np.concatenate([self.counts, other.counts])
        return PackedTemplates(np.concatenate([self.data, other.data]), starts, counts, self.dimensions)

    def kept(self, keep: NDArray[np.bool_]) -> "PackedTemplates":
        """Only the records marked in keep, bool [n]."""
        sizes = _sizes(self.counts, self.dimensions)
        starts = np.cumsum(sizes[keep]) - sizes[keep]
        return PackedTemplates(self.data[np.repeat(keep, sizes)], starts, self.counts[keep], self.dimensions)

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


def _constants() -> NDArray[np.float32]:
    """In the order of `fg_constants` in native/fingers/compare.h."""
    return np.array(
        [
            1 / CYLINDER.code_scale**2,
            int(PAIRING.floor * CYLINDER.code_scale**2),
            PAIRING.offset,
            1 / (1 + PAIRING.offset),
            PAIRING.tolerance_px500_squared,
            PAIRING.tolerance_growth,
            PAIRING.near_gain,
            PAIRING.turn_none_cos,
            1 / (PAIRING.turn_full_cos - PAIRING.turn_none_cos),
            PAIRING.iterations,
            ALIGNMENT.gate,
            *(t * t for t in ALIGNMENT.tolerances_px500),
            ALIGNMENT.direction_cos,
            ALIGNMENT.affine_ridge,
            ALIGNMENT.fit_floor,
            ALIGNMENT.min_matched,
            *HULL[0],
            *HULL[1],
        ],
        np.float32,
    )


_CONSTANTS = _constants()
_KEPT = kept_count(np.arange(256)).astype(np.int32)


def compare(probe: PreparedTemplate, parts: Sequence[PackedTemplates], backend: str, threads: int = 1) -> Evidence:
    """Evidence of one probe against packed records, float32 [n of all parts, 6], by a compiled variant.

    The interpreter lock is released; the threads share the rows out among themselves, whatever parts they lie in.
    """
    if NATIVE is None:
        raise InputRefused("the fingerprint kernel was not built", hint="use the numpy backend", code="input.backend")
    evidence = np.empty((sum(map(len, parts)), N_EVIDENCE), np.float32)
    NATIVE.compare(
        NATIVE.variants().index(backend),
        probe.codes.shape[1],
        threads,
        np.ascontiguousarray(probe.codes),
        np.ascontiguousarray(probe.places),
        _CONSTANTS,
        _KEPT,
        tuple((part.data, part.starts, part.counts) for part in parts),
        evidence,
    )
    return evidence


class NativeRows:
    """Chunks of packed records, compared by one compiled variant, on several threads if asked."""

    def __init__(self, backend: str, dimensions: int, threads: int) -> None:
        self._backend, self._dimensions, self._threads = backend, dimensions, threads
        self._chunks: list[PackedTemplates] = []

    def __len__(self) -> int:
        return sum(len(c) for c in self._chunks)

    @property
    def nbytes(self) -> int:
        return sum(c.nbytes for c in self._chunks)

    def add(self, templates: Sequence[PreparedTemplate]) -> None:
        waiting = list(templates)
        if self._chunks and len(self._chunks[-1]) < _CHUNK:
            room = _CHUNK - len(self._chunks[-1])
            self._chunks[-1] = self._chunks[-1].joined(PackedTemplates.of(waiting[:room], self._dimensions))
            waiting = waiting[room:]
        for first in range(0, len(waiting), _CHUNK):
            self._chunks.append(PackedTemplates.of(waiting[first : first + _CHUNK], self._dimensions))

    def keep(self, mask: NDArray[np.bool_]) -> None:
        edges = np.cumsum([len(c) for c in self._chunks])[:-1]
        parts = np.split(mask, edges)
        chunks = [c if part.all() else c.kept(part) for c, part in zip(self._chunks, parts, strict=True)]
        self._chunks = [c for c in chunks if len(c)]

    def template(self, row: int) -> PreparedTemplate:
        for chunk in self._chunks:
            if row < len(chunk):
                return chunk.template(row)
            row -= len(chunk)
        raise IndexError(row)

    def evidence(self, probe: PreparedTemplate) -> NDArray[np.float32]:
        return compare(probe, self._chunks, self._backend, self._threads)

    def shortlist(self, probe: PreparedTemplate, k: int) -> NDArray[np.int64] | None:
        del probe, k
        return None

    def evidence_of(self, probe: PreparedTemplate, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        picked = [self.template(int(r)) for r in rows]
        return compare(probe, [PackedTemplates.of(picked, self._dimensions)], self._backend)
