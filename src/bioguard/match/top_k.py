"""The k best of each probe while blocks of scores pass by: the NumPy twin of native/select.c."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

PENDING_SHARE: Final = 4
"""Candidates are sorted in when there are more than PENDING_SHARE * m * k of them."""


class NumpyLists:
    """Lists for m probes of the k highest scores; a lower position wins a tie.

    Blocks come by ascending position. So a score equal to the k-th best so far comes too late, and only scores above it
    are candidates.
    """

    def __init__(self, m: int, k: int) -> None:
        self._m, self._k = m, k
        self._floor = np.full(m, -np.inf, np.float32)
        self._rows = [np.zeros(0, np.int64)]
        self._places = [np.zeros(0, np.int64)]
        self._scores = [np.zeros(0, np.float32)]
        self._pending = 0

    def take(self, scores: NDArray[np.float32], start: int) -> None:
        """Take scores float32 [m, columns] of the positions from `start`; -inf marks what must not be listed."""
        first = start == 0
        floor = self._first_floor(scores) if first else self._floor
        flat = np.flatnonzero(scores > floor[:, np.newaxis])
        rows, columns = np.divmod(flat, scores.shape[1])
        self._rows.append(rows)
        self._places.append(columns + start)
        self._scores.append(scores[rows, columns] + np.float32(0))  # -0 counts as 0
        self._pending += flat.size
        if first or self._pending > PENDING_SHARE * self._m * self._k:
            self._merge()

    def finish(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return scores float32 [m, k] descending and positions int64 [m, k]. At least k scores were listed."""
        self._merge()
        shape = (self._m, self._k)
        return self._scores[0].reshape(shape), self._places[0].reshape(shape)

    def _first_floor(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """A bound just below the k-th best: at least k of 2k groups of columns reach the k-th highest group maximum."""
        groups = 2 * self._k
        width = scores.shape[1] // groups
        if width < 2:
            return self._floor
        maxima = scores[:, : groups * width].reshape(self._m, groups, width).max(axis=2)
        bound = np.partition(maxima, groups - self._k, axis=1)[:, groups - self._k]
        return np.nextafter(bound, np.float32(-np.inf))

    def _merge(self) -> None:
        rows, places, scores = (np.concatenate(part) for part in (self._rows, self._places, self._scores))
        order = np.lexsort((places, np.negative(scores), rows))
        rows = rows[order]
        starts = np.searchsorted(rows, np.arange(self._m + 1))
        kept = np.arange(rows.size) - starts[rows] < self._k
        order = order[kept]
        self._rows, self._places, self._scores = [rows[kept]], [places[order]], [scores[order]]
        self._pending = 0
        full = np.diff(starts) >= self._k
        ends = np.cumsum(np.minimum(np.diff(starts), self._k)) - 1
        self._floor[full] = self._scores[0][ends[full]]
