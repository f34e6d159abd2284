"""Embeddings as text: one view a line, numbers separated by commas, `#` starts a comment line.

Read line by line; a line, their number and what one may hold are bounded. A table of pandas, R or a spreadsheet has
more in it than the embeddings: names of columns, row numbers, labels. Read as numbers they would become dimensions that
decide every comparison, so each is refused by its name.
"""

import codecs
import itertools
import re
from array import array
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from bioguard.formats.columns import MAX_FOREIGN, foreign_column
from bioguard.formats.errors import refuse
from bioguard.formats.views import check_views
from bioguard.records.feature_limits import MAX_DIMENSION

_NUMBER = re.compile(r"[ \t]*[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?[ \t]*")
_LONG = re.compile(r"[+-]?[0-9]*\.?[0-9]*(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[ \t]*[+-]?[0-9]{1,20}[ \t]*")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+([;\t ]|$)")
MAX_LINE = MAX_DIMENSION * 64
MAX_EMPTY_LINES = 10_000
"""Empty lines and comments. Without a bound a file of line ends alone keeps a reader busy for minutes."""
SHORT_CELL = 4
_TABLE = "write the numbers alone; with pandas: to_csv(path, header=False, index=False)"
_WIDE = ((codecs.BOM_UTF32_LE, "UTF-32"), (codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"))
_NEITHER_NUMBER = frozenset({"nan", "+nan", "-nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"})


def read_csv(stream: BinaryIO, _: int, max_views: int) -> NDArray[np.generic]:
    """Parse to float64 [views, dimension].

    Args:
        stream: from its beginning.
        max_views: lines with numbers above which reading stops.

    Raises:
        InputRefused: `format.csv_text`, `format.csv_lines`, `format.csv_number`, `format.csv_columns`,
            `format.csv_header` with the line number, `input.foreign_column`, or what `check_views` raises.
    """
    values = array("d")
    width, edges = 0, _Edges()
    for number, line in _lines(stream):
        cells = line.split(",", MAX_DIMENSION + 1)
        if width and len(cells) != width:
            raise refuse(
                "csv_columns",
                f"line {number} has {len(cells)} values, expected {width}",
                "one view a line, the same number of values in each",
            )
        _check_numbers(number, line, cells)
        numbers = [float(cell) for cell in cells]
        if not width:
            _check_header(number, numbers)
        width = len(cells)
        edges.see(cells)
        check_views(len(values) // width + 1, width, max_views)
        values.extend(numbers)
    if not values:
        raise refuse("no_views", "csv file has no numbers", "one view a line")
    edges.check(width)
    return np.frombuffer(values).reshape(-1, width)


def _lines(stream: BinaryIO) -> Iterator[tuple[int, str]]:
    """Number and text of each line that is neither empty nor a comment."""
    number = empty = 0
    while octets := stream.readline(MAX_LINE + 2):
        number += 1
        if number == 1:
            for mark, name in _WIDE:
                if octets.startswith(mark):
                    raise refuse("csv_text", f"csv file is {name} text", "save it as plain text (ASCII or UTF-8)")
            octets = octets.removeprefix(codecs.BOM_UTF8)
        if len(octets) > MAX_LINE + 1:
            raise refuse("csv_columns", f"line {number} has more than {MAX_LINE} characters", "one view a line")
        try:
            line = octets.decode("ascii").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise refuse(
                "csv_text", f"line {number} is not plain ASCII text", "give numbers separated by commas"
            ) from error
        if line.strip() and not line.startswith("#"):
            yield number, line
            continue
        empty += 1
        if empty > MAX_EMPTY_LINES:
            raise refuse("csv_lines", f"more than {MAX_EMPTY_LINES} empty lines and comments", "one view a line")


def _check_numbers(number: int, line: str, cells: Sequence[str]) -> None:
    """Raises InputRefused unless every cell is a number; the message says which is not, and what it seems to be."""
    for column, cell in enumerate(cells, 1):
        if _NUMBER.fullmatch(cell):
            continue
        what, hint = _reason(line, cell.strip(), column, len(cells))
        raise refuse("csv_number", f"line {number}, column {column}: {what}", hint)


def _reason(line: str, cell: str, column: int, columns: int) -> tuple[str, str]:
    if "\r" in line:
        return "line ends are carriage returns alone", "save the file with LF or CRLF line ends"
    if _DECIMAL_COMMA.match(line) or ";" in line:
        return "numbers are separated by something else than commas", "separate numbers by commas, decimals by a point"
    if columns == 1 and len(cell.split()) > 1:
        return "numbers are separated by white space", "separate numbers by commas"
    if cell[:1] in ("[", "(", "{"):
        return "a bracket stands before the number", "write numbers and commas alone"
    if cell[:1] in ('"', "'"):
        return "the cell is quoted", "write numbers without quotes"
    if not cell and column == 1:
        return "the first cell is empty, as above the row numbers of a table", _TABLE
    if not cell and column == columns:
        return "the line ends with a comma", "remove the comma at the end of each line"
    if not cell:
        return "the cell is empty", "leave out a view that was not measured"
    if cell.lower() in _NEITHER_NUMBER:
        return f"{cell} is no number", "check the model that made it"
    if _LONG.fullmatch(cell):
        return "the number has too many digits", "write at most 20 before the point and 40 after it"
    return "text stands where a number is expected: a column name or a label", _TABLE


def _check_header(number: int, numbers: Sequence[float]) -> None:
    """The first line of `DataFrame(embeddings).to_csv(index=False)` counts the columns, from where they begin."""
    first = numbers[0]
    if (
        len(numbers) > 1
        and first >= -1
        and first.is_integer()
        and all(b - a == 1 for a, b in itertools.pairwise(numbers))
    ):
        raise refuse(
            "csv_header", f"line {number} counts {first:g}, {numbers[1]:g}, ...: it numbers the columns", _TABLE
        )


class _Edges:
    """Whether a few columns are written as whole numbers while every other number is a long decimal.

    `check_columns` judges values; a row number 0, or 7 beside numbers as large, shows by its writing alone. It needs no
    company: a row number and a label stand in front, or one at each end.
    """

    def __init__(self) -> None:
        self._whole: set[int] = set()
        self._not_zero: set[int] = set()
        self._rows = 0
        self._judged = True

    def see(self, cells: Sequence[str]) -> None:
        if not self._judged:
            return
        whole = {column for column, cell in enumerate(cells) if _WHOLE.fullmatch(cell)}
        same = not self._rows or whole == self._whole
        long = all(len(cell) > SHORT_CELL for column, cell in enumerate(cells) if column not in whole)
        self._judged = same and long and len(whole) <= MAX_FOREIGN
        self._whole = whole
        self._not_zero |= {column for column in whole if int(cells[column])}
        self._rows += 1

    def check(self, width: int) -> None:
        """Raises InputRefused. A component between others that is always 0 may be written so: it adds nothing."""
        front = next(column for column in itertools.count() if column not in self._whole)
        back = next(column for column in itertools.count(width - 1, -1) if column not in self._whole)
        if self._judged and all(not front <= c <= back or c in self._not_zero for c in self._whole):
            for column in sorted(self._whole):
                raise foreign_column(column, "is written as whole numbers, all others as decimals")
