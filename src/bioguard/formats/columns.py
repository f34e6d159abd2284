"""Columns of a table of embeddings that are no part of an embedding: row numbers, labels, times.

Taken for a dimension, such a column decides every comparison: different people match. Two signs are looked for, and
each is refused with the column's number.

* One column holds most of the length of every row. The components of an embedding of 64 or more numbers share it.
* One column holds whole numbers in all rows, and that would not happen by chance: the numbers of the other columns are
  whole too rarely, lie on too fine a grid, or are far smaller. What is rounded to four decimals, or kept as float16, is
  whole now and then; a float32 next to never, so that one row is enough for its first and its last number.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import InputRefused

MOST: Final = 0.5
"""Share of the squared length of a row. Gaussian components at 64 dimensions: the largest of a row holds under 0.3."""
CHANCE: Final = 1e-5
"""A table is refused wrongly less often than this, if its components are whole independently of each other."""
FAR: Final = 8.0
"""Times the root mean square of the other components: no component of an embedding lies there."""
GRIDS: Final = (4096, 10_000)
"""Steps of 1/4096 and 1/10000: of numbers that lie on one of them by chance, no more than each 4096th is whole."""
MAX_FOREIGN: Final = 4
"""So many columns of a table may be row numbers, labels, ages."""
BLOCK_ROWS: Final = 64
MIN_COUNTED: Final = 3
"""Rows from which 4, 5, 6, ... is a row number also among whole numbers."""


def check_columns(rows: NDArray[np.generic]) -> None:
    """Raises InputRefused `input.foreign_column` if a column of finite `rows` [views, dimension] is no feature."""
    views, dimension = rows.shape
    whole, used, far = np.ones(dimension, np.bool_), np.zeros(dimension, np.bool_), np.ones(dimension, np.bool_)
    share, wholes, on_grid = np.full(dimension, np.inf), 0, dict.fromkeys(GRIDS, 0)
    unit_peak = np.ones(dimension, np.bool_)
    for start in range(0, views, BLOCK_ROWS):
        block = rows[start : start + BLOCK_ROWS].astype(np.float64)
        is_whole = np.rint(block) == block
        whole &= is_whole.all(axis=0)
        wholes += int(is_whole.sum())
        for grid in GRIDS:
            on_grid[grid] += _on_grid(block, grid)
        unit_peak &= ((np.abs(block) == 1) & (np.abs(block).max(axis=1, keepdims=True) == 1)).all(axis=0)
        block /= np.maximum(np.abs(block).max(axis=1, keepdims=True), np.finfo(np.float64).tiny)
        squares = np.square(block, out=block)
        total = squares.sum(axis=1, keepdims=True)
        share = np.minimum(share, (squares / np.maximum(total, 1)).min(axis=0))
        far &= (squares * (dimension - 1) > FAR**2 * (total - squares)).all(axis=0)
        used |= squares.any(axis=0)
    if share.max() > MOST:
        raise foreign_column(int(share.argmax()), f"makes more than {MOST:.0%} of the length of every row")
    ends = np.zeros(dimension, np.bool_)
    ends[[0, -1]] = True
    others = views * (dimension - 1) + 1
    elsewhere = (wholes - views + 1) / others
    by_grid = max((count - views + 1) / others / grid for grid, count in on_grid.items())
    # few whole numbers besides are columns of the same kind; many say that the numbers of this writer are often whole
    by_grid = max(by_grid, (wholes - MAX_FOREIGN * views) / others)
    chance = elsewhere**views * np.where(ends, 2, dimension)
    # numbers divided by the largest have a 1 among them wherever they come from
    fine = (by_grid**views * np.where(ends, 2, dimension) < CHANCE) & ~unit_peak
    # a component that is always zero adds nothing, wherever it comes from
    foreign = whole & used & (far | (chance < CHANCE) | fine)
    if foreign.any():
        raise foreign_column(int(foreign.argmax()), "holds whole numbers where the others do not")
    for column in (0, dimension - 1):
        if views >= MIN_COUNTED and (np.diff(rows[:, column].astype(np.float64)) == 1).all():
            raise foreign_column(column, "counts the rows")


def _on_grid(block: NDArray[np.float64], grid: int) -> int:
    """How many numbers are multiples of 1/`grid`, as far as float32 can tell."""
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is a multiple of anything
        scaled = block * grid
        off = np.abs(scaled - np.rint(scaled)) > 1e-4 + 1e-7 * np.abs(scaled)
    return int(off.size - np.count_nonzero(off))


def foreign_column(column: int, what: str) -> InputRefused:
    """The error for the column with this index, from 0."""
    return InputRefused(
        f"column {column + 1} of the embeddings {what}: a row number, a label or another measure",
        hint="save the numbers of the model alone; pandas: to_csv(path, header=False, index=False)",
        code="input.foreign_column",
    )
