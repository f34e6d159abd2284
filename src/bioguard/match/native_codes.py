"""What the compiled kernel works on, and the calls into it.

Layout (native/scan.h): blocks of 16 rows; a block holds, for each 32-bit word of a code, that word of its 16 rows side
by side. The first HEAD words of all blocks lie in one plane, the others in another, each at a multiple of 64 bytes.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.match import _kernels
from bioguard.match.arrays import HEAD_BITS, aligned_zeros

LANES: Final = 16
LIST_SHARE: Final = 4
"""A list holds up to this many times k before it is cut back to k."""
MIN_LIST: Final = 64
HEAD: Final = HEAD_BITS // 32
"""Words of a code in the first plane."""
BITS: Final = (1 << np.arange(LANES)).astype(np.uint16)


class PackedCodes:
    """Interleaved codes. Implements `bioguard.match.kernels.CodeStore`."""

    def __init__(self, n_bytes: int, variant: int) -> None:
        self._steps = n_bytes // 4
        self._variant = variant
        self._planes = self._empty(0)
        self._live = np.zeros(0, np.uint16)
        self._set_rows(0)

    def _empty(self, blocks: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Planes of zeros for so many blocks."""
        head = min(self._steps, HEAD)
        return (
            aligned_zeros((blocks, head, LANES), np.uint32),
            aligned_zeros((blocks, self._steps - head, LANES), np.uint32),
        )

    def _parts(self, words: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """What of codes [n, steps] lies in each plane."""
        return words[:, :HEAD], words[:, HEAD:]

    def append(self, codes: NDArray[np.uint8]) -> None:
        """See `CodeStore.append`."""
        start, end = self._rows, self._rows + len(codes)
        needed = -(-end // LANES)
        if needed > len(self._live):
            grown = self._empty(max(needed, 2 * len(self._live)))
            live = np.zeros(len(grown[0]), np.uint16)
            used = -(-start // LANES)
            for old, new in zip(self._planes, grown, strict=True):
                new[:used] = old[:used]
                old.fill(0)
            live[:used] = self._live[:used]
            self._planes, self._live = grown, live
        self._write(start, np.ascontiguousarray(codes).view(np.uint32))
        self._mark(np.arange(start, end), alive=True)
        self._set_rows(end)

    def _write(self, start: int, words: NDArray[np.uint32]) -> None:
        """Interleave rows: whole blocks by a transposed copy, the ragged ends row by row."""
        end = start + len(words)
        first, last = -(-start // LANES), end // LANES
        ragged = (*range(start, min(first * LANES, end)), *range(max(last * LANES, first * LANES), end))
        for plane, part in zip(self._planes, self._parts(words), strict=True):
            if first < last:
                inner = part[first * LANES - start : last * LANES - start]
                plane[first:last] = inner.reshape(last - first, LANES, plane.shape[1]).transpose(0, 2, 1)
            for position in ragged:
                plane[position // LANES, :, position % LANES] = part[position - start]

    def _mark(self, positions: NDArray[np.int64], *, alive: bool) -> None:
        block, bit = positions // LANES, BITS[positions % LANES]
        if alive:
            np.bitwise_or.at(self._live, block, bit)
        else:
            np.bitwise_and.at(self._live, block, ~bit)

    def clear(self, positions: NDArray[np.int64]) -> None:
        """See `CodeStore.clear`."""
        for plane in self._planes:
            plane[positions // LANES, :, positions % LANES] = 0
        self._mark(positions, alive=False)

    def keep(self, positions: NDArray[np.int64]) -> None:
        """See `CodeStore.keep`."""
        words = np.concatenate([plane[positions // LANES, :, positions % LANES] for plane in self._planes], axis=1)
        for plane in self._planes:
            plane.fill(0)
        self._live.fill(0)
        self._write(0, words)
        self._mark(np.arange(len(words)), alive=True)
        self._set_rows(len(words))

    def _set_rows(self, rows: int) -> None:
        """Fix the number of rows and the part of the storage that a call sees."""
        used = -(-rows // LANES)
        self._rows = rows
        heads, tails = self._planes
        self._used = (heads[:used], tails[:used], self._live[:used])

    def search(
        self, probes: NDArray[np.uint8], k: int, threads: int, head_radius: int = HEAD_BITS
    ) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
        """See `CodeStore.search`."""
        m = len(probes)
        distances, positions = np.empty((m, k), np.uint16), np.empty((m, k), np.int64)
        _kernels.search(
            self._variant,
            self._rows,
            self._steps,
            m,
            k,
            threads,
            head_radius,
            *self._used,
            probes,
            distances,
            positions,
        )
        return distances, positions

    def distances(self, probes: NDArray[np.uint8], threads: int) -> NDArray[np.uint16]:
        """See `CodeStore.distances`."""
        m = len(probes)
        distances = np.empty((m, self._rows), np.uint16)
        _kernels.distances(self._variant, self._rows, self._steps, m, threads, *self._used, probes, distances)
        return distances

    def histogram(self, probes: NDArray[np.uint8], threads: int) -> NDArray[np.int64]:
        """See `CodeStore.histogram`."""
        counts = np.zeros(32 * self._steps + 1, np.int64)
        _kernels.histogram(self._variant, self._rows, self._steps, len(probes), threads, *self._used, probes, counts)
        return counts

    def within(
        self, probes: NDArray[np.uint8], radius: int
    ) -> tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.int64]]:
        """See `CodeStore.within`."""
        head = (self._variant, self._rows, self._steps, len(probes), radius)
        counts = np.zeros(len(probes), np.int64)
        _kernels.count_within(*head, *self._used, probes, counts)
        bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        distances, positions = np.empty(bounds[-1], np.uint16), np.empty(bounds[-1], np.int64)
        _kernels.list_within(*head, *self._used, probes, bounds, distances, positions)
        return bounds, distances, positions


class PackedLists:
    """Lists of the k highest scores. Implements `bioguard.match.kernels.ScoreLists`."""

    def __init__(self, m: int, k: int) -> None:
        self._m, self._k = m, k
        self._room = max(LIST_SHARE * k, MIN_LIST) + LANES
        self._keys = np.empty((m, self._room), np.uint64)
        self._sizes = np.zeros(m, np.uint64)
        self._floors = np.full(m, -np.inf, np.float32)

    def take(self, scores: NDArray[np.float32], start: int) -> None:
        """See `ScoreLists.take`."""
        _kernels.select_scores(
            self._m, scores.shape[1], start, self._k, self._room, scores, self._keys, self._sizes, self._floors
        )

    def finish(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """See `ScoreLists.finish`."""
        scores, positions = np.empty((self._m, self._k), np.float32), np.empty((self._m, self._k), np.int64)
        _kernels.select_finish(self._m, self._k, self._room, self._keys, self._sizes, scores, positions)
        return scores, positions
