"""The NumPy twin of the compiled kernel: same results, no compiler needed."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.match.arrays import HEAD_BITS

CHUNK_BYTES: Final = 1 << 18
"""Codes compared at once: the chunk and its counts stay in a second-level cache."""


class NumpyCodes:
    """Codes in rows of uint64. Implements `bioguard.match.kernels.CodeStore`."""

    def __init__(self, n_bytes: int) -> None:
        self._words = np.zeros((0, n_bytes // 8), np.uint64)
        self._live = np.zeros(0, np.bool_)
        self._rows = 0
        self._chunk = max(16, CHUNK_BYTES // n_bytes)

    @property
    def _n_bits(self) -> int:
        return 64 * self._words.shape[1]

    def append(self, codes: NDArray[np.uint8]) -> None:
        """See `CodeStore.append`."""
        start, end = self._rows, self._rows + len(codes)
        if end > len(self._words):
            grown = np.zeros((max(end, 2 * len(self._words)), self._words.shape[1]), np.uint64)
            live = np.zeros(len(grown), np.bool_)
            grown[:start], live[:start] = self._words[:start], self._live[:start]
            self._words.fill(0)
            self._words, self._live = grown, live
        self._words.view(np.uint8)[start:end] = codes
        self._live[start:end] = True
        self._rows = end

    def clear(self, positions: NDArray[np.int64]) -> None:
        """See `CodeStore.clear`."""
        self._words[positions] = 0
        self._live[positions] = False

    def keep(self, positions: NDArray[np.int64]) -> None:
        """See `CodeStore.keep`."""
        n = len(positions)
        self._words[:n] = self._words[positions]
        self._live[:n] = self._live[positions]
        self._words[n:] = 0
        self._live[n:] = False
        self._rows = n

    def _line(self, probe: NDArray[np.uint64]) -> NDArray[np.uint16]:
        line = np.empty(self._rows, np.uint16)
        for start in range(0, self._rows, self._chunk):
            stop = min(start + self._chunk, self._rows)
            counts = np.bitwise_count(self._words[start:stop] ^ probe)
            np.sum(counts, axis=1, dtype=np.uint16, out=line[start:stop])
        return line

    def _near(self, probe: NDArray[np.uint64], head_radius: int) -> NDArray[np.bool_]:
        """Live rows whose heads differ in no more bits, bool [rows]."""
        words, live = HEAD_BITS // 64, self._live[: self._rows]
        if head_radius == HEAD_BITS:
            return live
        counts = np.bitwise_count(self._words[: self._rows, :words] ^ probe[:words])
        near: NDArray[np.bool_] = counts.sum(axis=1, dtype=np.uint16) <= head_radius
        return live & near

    def search(
        self, probes: NDArray[np.uint8], k: int, threads: int, head_radius: int = HEAD_BITS
    ) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
        """See `CodeStore.search`. `threads` changes nothing here."""
        distances = np.empty((len(probes), k), np.uint16)
        positions = np.empty((len(probes), k), np.int64)
        live = np.flatnonzero(self._live[: self._rows])
        for row, probe in enumerate(_words(probes)):
            near = np.flatnonzero(self._near(probe, head_radius))
            rows = near if near.size >= k else live
            # distance above, position below: one key that orders as (distance, position)
            keys = self._line(probe)[rows].astype(np.int64) << 32 | rows
            nearest = np.sort(np.partition(keys, k - 1)[:k])
            distances[row], positions[row] = nearest >> 32, nearest & 0xFFFFFFFF
        return distances, positions

    def distances(self, probes: NDArray[np.uint8], threads: int) -> NDArray[np.uint16]:
        """See `CodeStore.distances`. `threads` changes nothing here."""
        result = np.empty((len(probes), self._rows), np.uint16)
        for row, probe in enumerate(_words(probes)):
            result[row] = self._line(probe)
        return result

    def histogram(self, probes: NDArray[np.uint8], threads: int) -> NDArray[np.int64]:
        """See `CodeStore.histogram`. `threads` changes nothing here."""
        counts = np.zeros(self._n_bits + 1, np.int64)
        live = self._live[: self._rows]
        for probe in _words(probes):
            counts += np.bincount(self._line(probe)[live], minlength=self._n_bits + 1)
        return counts

    def within(
        self, probes: NDArray[np.uint8], radius: int
    ) -> tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.int64]]:
        """See `CodeStore.within`."""
        bounds = np.zeros(len(probes) + 1, np.int64)
        distances, positions = [np.zeros(0, np.uint16)], [np.zeros(0, np.int64)]
        for row, probe in enumerate(_words(probes)):
            line = self._line(probe)
            hits = np.flatnonzero((line <= radius) & self._live[: self._rows])
            distances.append(line[hits])
            positions.append(hits)
            bounds[row + 1] = bounds[row] + hits.size
        return bounds, np.concatenate(distances), np.concatenate(positions)


def _words(probes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(probes).view(np.uint64)
