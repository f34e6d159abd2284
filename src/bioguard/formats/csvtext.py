"""Embeddings as text: one view a line, numbers separated by commas, `#` starts a comment line."""

import re

import numpy as np
from numpy.typing import NDArray

from bioguard.formats.errors import refuse
from bioguard.formats.limits import MAX_VIEWS
from bioguard.records.features import MAX_DIMENSION, MIN_DIMENSION

__all__ = ["read_csv"]

_NUMBER = re.compile(r"[ \t]*[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?[ \t]*")
MAX_LINE = MAX_DIMENSION * 64


def read_csv(octets: bytes) -> NDArray[np.generic]:
    """Parse to float64 [views, dimension].

    Raises:
        InputRefused: `format.csv_text`, `format.csv_number` or `format.csv_columns` with the line number.
    """
    try:
        text = octets.decode("ascii")
    except UnicodeDecodeError as error:
        raise refuse("csv_text", "csv file is not plain ASCII text", "give numbers separated by commas") from error
    rows: list[NDArray[np.float64]] = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split(",", MAX_DIMENSION + 1) if len(line) <= MAX_LINE else []
        if not MIN_DIMENSION <= len(cells) <= MAX_DIMENSION or (rows and len(cells) != rows[0].size):
            expected = rows[0].size if rows else f"{MIN_DIMENSION} to {MAX_DIMENSION}"
            raise refuse(
                "csv_columns",
                f"line {number} has {len(cells)} values, expected {expected}",
                "one view a line, the same number of values in each",
            )
        if not all(_NUMBER.fullmatch(cell) for cell in cells):
            raise refuse(
                "csv_number", f"line {number} holds something that is not a number", "remove header and labels"
            )
        if len(rows) == MAX_VIEWS:
            raise refuse("too_many_views", f"more than {MAX_VIEWS} views", "split the file")
        rows.append(np.array([float(cell) for cell in cells]))
    if not rows:
        raise refuse("no_views", "csv file has no numbers", "one view a line")
    return np.stack(rows)
