"""Which row of a gallery is whose: stable indices over growing and shrinking storage.

Rules:
* An index is given when a row is added, counts up from 0 and is never used again.
* Rows stay in index order, so "the lowest position wins a tie" is "the lowest index wins a tie".
* Removing marks a row dead and costs O(1); when more than a quarter of the rows are dead they are squeezed out, so
  storage stays within 4/3 of what is needed and removing costs O(1) amortized.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioguard.errors import InputRefused
from bioguard.match.arrays import checked_indices

DEAD_SHARE = 4
"""Squeeze when dead * DEAD_SHARE > rows."""


class RowIndex:
    """The index of every stored position, and whether it is live."""

    def __init__(self) -> None:
        self._ids = np.zeros(0, np.int64)
        self._live = np.zeros(0, np.bool_)
        self._rows = 0
        self._dead = 0
        self._next = 0

    def __len__(self) -> int:
        return self._rows - self._dead

    @property
    def rows(self) -> int:
        """Stored positions, dead ones included."""
        return self._rows

    @property
    def dead(self) -> int:
        """Stored positions that were removed."""
        return self._dead

    @property
    def live(self) -> NDArray[np.bool_]:
        """bool [rows], False where removed."""
        return self._live[: self._rows]

    @property
    def indices(self) -> NDArray[np.int64]:
        """int64 [len(self)], the live indices, ascending."""
        return self._ids[: self._rows][self.live]

    def ids_at(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Translate positions to indices."""
        if self._next == self._rows:  # nothing was ever squeezed out
            return positions
        return self._ids[: self._rows][positions]

    def add(self, count: int) -> NDArray[np.int64]:
        """Append `count` live rows. Returns their indices, int64 [count]."""
        end = self._rows + count
        if end > self._ids.size:
            room = max(end, 2 * self._ids.size)
            self._ids = np.concatenate([self._ids, np.zeros(room - self._ids.size, np.int64)])
            self._live = np.concatenate([self._live, np.zeros(room - self._live.size, np.bool_)])
        new = np.arange(self._next, self._next + count, dtype=np.int64)
        self._ids[self._rows : end] = new
        self._live[self._rows : end] = True
        self._rows, self._next = end, self._next + count
        return new

    def remove(self, indices: int | Sequence[int] | ArrayLike) -> NDArray[np.int64]:
        """Mark rows dead. Returns their positions.

        Raises:
            InputRefused: an index is no whole number, was never given, is removed already, or is named twice; nothing
                is removed.
        """
        wanted = np.unique(checked_indices(indices))
        positions = np.searchsorted(self._ids[: self._rows], wanted)
        known = positions < self._rows
        known[known] = (self._ids[positions[known]] == wanted[known]) & self._live[positions[known]]
        if not known.all() or wanted.size != np.size(indices):
            raise InputRefused(
                "an index is not in this gallery",
                hint="use the indices that add returned, each once",
                code="input.index",
            )
        self._live[positions] = False
        self._dead += positions.size
        return positions

    def squeeze(self) -> NDArray[np.int64] | None:
        """Drop dead rows if they are too many. Returns the positions that stay, ascending, or None."""
        if self._dead * DEAD_SHARE <= self._rows:
            return None
        kept = np.flatnonzero(self.live)
        self._ids[: kept.size] = self._ids[kept]
        self._live[: kept.size] = True
        self._rows, self._dead = int(kept.size), 0
        return kept
