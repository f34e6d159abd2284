"""CSV files of others, row by row with their line: of spreadsheets too, with a byte order mark or semicolons."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from bioguard.errors import InputRefused

MAX_CELL = 4096
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def heading(path: Path, code: str) -> list[str]:
    """Cells of the first line, which may name the columns.

    Raises:
        InputRefused: no UTF-8 text, or no CSV.
    """
    with _text(path, code) as (file, separator):
        return [cell.strip() for cell in _cells(next(_reader(file, separator), []), separator)]


def lines_of(path: Path, width: int, code: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row of a file whose columns are not named: also of one with blanks between them.

    Raises:
        InputRefused: no UTF-8 text, or a row has more or fewer cells.
    """
    with _text(path, code) as (file, separator):
        reader = _reader(file, separator)
        for cells in reader:
            kept = [cell.strip() for cell in _cells(cells, separator)]
            if kept and len(kept) != width:
                raise InputRefused(
                    f"{path} line {reader.line_num}: {len(kept)} cells, expected {width}",
                    hint="a decimal point is no comma, and names with blanks need another separator",
                    code=code,
                )
            if kept:
                yield reader.line_num, kept


def rows_of(
    path: Path, needed: Sequence[str], code: str, *, others: bool = True
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Line number and cells by column name, for each row.

    Commas, semicolons, tabs or blanks separate; the first line, which names the columns, decides which.

    Args:
        needed: columns that must be there.
        others: whether there may be more.
        code: of the refusals.

    Raises:
        InputRefused: no UTF-8 text, a column is missing, or a row has more or fewer cells than the first line.
    """
    with _text(path, code) as (file, separator):
        reader = _reader(file, separator)
        columns = [name.strip() for name in _cells(next(reader, []), separator)]
        wrong = _wrong_columns(columns, needed, others=others)
        if wrong:
            file.seek(0)
            raise InputRefused(
                f"{path} {wrong}; the first line reads {file.readline(1 << 16).strip()[:60]!r}",
                hint=f"name the columns {', '.join(needed)} in the first line",
                code=code,
            )
        for row in reader:
            cells = _cells(row, separator)
            if not cells:
                continue
            if len(cells) != len(columns):
                raise InputRefused(
                    f"{path} line {reader.line_num}: {len(cells)} cells, expected {len(columns)}",
                    hint="the first line names one column a cell; a decimal point is no comma",
                    code=code,
                )
            yield reader.line_num, dict(zip(columns, cells, strict=True))


def _cells(row: list[str], separator: str) -> list[str]:
    """The cells of a row; several blanks separate like one."""
    return [cell for cell in row if cell] if separator == " " else row


class _reader:  # noqa: N801  # stands for csv.reader, and knows its line when it fails
    """Rows of cells; a fault of the text carries its line."""

    def __init__(self, file: TextIO, separator: str) -> None:
        self._rows = csv.reader(file, delimiter=separator, strict=True)

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        try:
            return next(self._rows)
        except csv.Error as error:
            raise _NoTableError(self.line_num, str(error)) from error

    @property
    def line_num(self) -> int:
        """Line of the row read last, from 1."""
        return self._rows.line_num


class _NoTableError(Exception):
    """Text that is no CSV: line, and what `csv` says."""


@contextmanager
def _text(path: Path, code: str) -> Iterator[tuple[TextIO, str]]:
    """The open file and what separates its cells."""
    with path.open("rb") as raw:
        if raw.read(2) in _UTF16:
            raise InputRefused(f"{path} is UTF-16 text", hint="save it as CSV UTF-8", code=code)
    limit = csv.field_size_limit(MAX_CELL)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            head = file.readline(1 << 16)
            file.seek(0)
            separator = max(",;\t", key=head.count)
            yield file, separator if separator in head or " " not in head.strip() else " "
    except UnicodeDecodeError as error:
        raise InputRefused(f"{path} is no UTF-8 text", hint="save it as CSV UTF-8", code=code) from error
    except _NoTableError as error:
        line, what = error.args
        raise InputRefused(f"{path} line {line}: {what}", hint="write it as CSV", code=code) from error
    finally:
        csv.field_size_limit(limit)


def _wrong_columns(columns: Sequence[str], needed: Sequence[str], *, others: bool) -> str:
    missing = [name for name in needed if name not in columns]
    if not others and set(columns) != set(needed):
        return f"line 1: the columns are not {', '.join(needed)}"
    if missing:
        return f"has no column{'s' * (len(missing) > 1)} {', '.join(missing)}"
    return "names a column twice" if len(set(columns)) != len(columns) else ""
