"""Columns of a table of embeddings that are no part of an embedding: row numbers, labels, times.

Taken for a dimension, such a column decides every comparison: different people match. Two signs are looked for, and
each is refused with the column's number.

* One column holds most of the length of every row. The components of an embedding of 64 or more numbers share it.
* One column holds whole numbers in all rows, and that would not happen by chance: the numbers of the other columns are
  whole too rarely, or far smaller.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import InputRefused

__all__ = ["check_columns", "foreign_column"]

MOST: Final = 0.5
"""Share of the squared length of a row. Gaussian components at 64 dimensions: the largest of a row holds under 0.3."""
CHANCE: Final = 1e-5
"""A table is refused wrongly less often than this, if its components are whole independently of each other."""
FAR: Final = 8.0
"""Times the root mean square of the other components: no component of an embedding lies there."""
BLOCK_ROWS: Final = 64
MIN_COUNTED: Final = 3
"""Rows from which 4, 5, 6, ... is a row number also among whole numbers."""


def check_columns(rows: NDArray[np.generic]) -> None:
    """Raises InputRefused `input.foreign_column` if a column of finite `rows` [views, dimension] is no feature."""
    views, dimension = rows.shape
    whole, used, far = np.ones(dimension, np.bool_), np.zeros(dimension, np.bool_), np.ones(dimension, np.bool_)
    share, wholes = np.full(dimension, np.inf), 0
    for start in range(0, views, BLOCK_ROWS):
        block = rows[start : start + BLOCK_ROWS].astype(np.float64)
        is_whole = np.rint(block) == block
        whole &= is_whole.all(axis=0)
        wholes += int(is_whole.sum())
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
    elsewhere = (wholes - views + 1) / (views * (dimension - 1) + 1)
    chance = elsewhere**views * np.where(ends, 2, dimension)
    # a component that is always zero adds nothing, wherever it comes from
    foreign = whole & used & (far | (chance < CHANCE))
    if foreign.any():
        raise foreign_column(int(foreign.argmax()), "holds whole numbers where the others do not")
    for column in (0, dimension - 1):
        if views >= MIN_COUNTED and (np.diff(rows[:, column].astype(np.float64)) == 1).all():
            raise foreign_column(column, "counts the rows")


def foreign_column(column: int, what: str) -> InputRefused:
    """The error for the column with this index, from 0."""
    return InputRefused(
        f"column {column + 1} of the embeddings {what}: a row number, a label or another measure",
        hint="save the numbers of the model alone; pandas: to_csv(path, header=False, index=False)",
        code="input.foreign_column",
    )
