"""A square matrix of scores of which some rows exist at a time: for sets whose matrix would fill the memory."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
ROWS = 256
"""Rows made at once. A row is always made together with the same others: its scores do not depend on who asks."""
KEPT = 3
"""Blocks of rows kept: 150 MB of 50 000 samples."""


class ComputedScores:
    """Indexed like float32 [n, n] by arrays: `[np.ix_(rows, columns)]`, `[rows, columns]`, `[rows]`."""

    def __init__(self, n: int, make: Callable[[slice], Floats]) -> None:
        """Nothing made yet.

        Args:
            n: samples.
            make: scores of some rows against all samples, float32 [rows, n]; rows are ROWS, from a multiple of it.
        """
        self.shape = (n, n)
        self._make = make
        self._blocks: dict[int, Floats] = {}

    def __getitem__(self, index: Any) -> Floats:
        """Scores of the rows, and of all columns if none are given."""
        rows, columns = index if isinstance(index, tuple) else (index, slice(None))
        rows = np.asarray(rows)
        if isinstance(columns, slice) or (rows.ndim == 2 and rows.shape[1] == 1 and columns.shape[0] == 1):
            taken: Any = columns if isinstance(columns, slice) else columns[0]
            width = self.shape[1] if isinstance(columns, slice) else taken.size
            flat = rows.ravel()
            found = np.empty((flat.size, width), np.float32)
            for block, places in _by_block(flat):
                found[places] = self._block(block)[flat[places] - block * ROWS][:, taken]
            return found.reshape((*(rows.shape if isinstance(columns, slice) else rows.shape[:1]), width))
        i, j = np.broadcast_arrays(rows, np.asarray(columns))
        one = np.empty(i.size, np.float32)
        i, j, shape = i.ravel(), j.ravel(), i.shape
        for block, places in _by_block(i):
            one[places] = self._block(block)[i[places] - block * ROWS, j[places]]
        return one.reshape(shape)

    def _block(self, number: int) -> Floats:
        if number not in self._blocks:
            while len(self._blocks) >= KEPT:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[number] = self._make(slice(number * ROWS, (number + 1) * ROWS))
        return self._blocks[number]


def _by_block(rows: NDArray[np.int64]) -> list[tuple[int, NDArray[np.int64]]]:
    """Number of each block that is needed, and the places of its rows."""
    of = rows // ROWS
    return [(int(block), np.flatnonzero(of == block)) for block in np.unique(of)]
