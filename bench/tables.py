"""CSV files of others, row by row with their line: of spreadsheets too, with a byte order mark or semicolons."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bioguard.errors import InputRefused

MAX_CELL = 4096
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def rows_of(
    path: Path, needed: Sequence[str], code: str, *, others: bool = True
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Line number and cells by column name, for each row.

    Commas, semicolons or tabs separate; the first line, which names the columns, decides which.

    Args:
        needed: columns that must be there.
        others: whether there may be more.
        code: of the refusals.

    Raises:
        InputRefused: no UTF-8 text, a column is missing, or a row has more or fewer cells than the first line.
    """
    with path.open("rb") as raw:
        if raw.read(2) in _UTF16:
            raise InputRefused(f"{path} is UTF-16 text", hint="save it as CSV UTF-8", code=code)
    limit = csv.field_size_limit(MAX_CELL)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            head = file.readline(1 << 16)
            file.seek(0)
            separator = max(",;\t", key=head.count)
            reader = csv.reader(file, delimiter=separator, strict=True)
            columns = [name.strip() for name in next(reader, [])]
            wrong = _wrong_columns(columns, needed, others=others)
            if wrong:
                raise InputRefused(
                    f"{path} {wrong}; the first line reads {head.strip()[:60]!r}",
                    hint=f"name the columns {', '.join(needed)} in the first line",
                    code=code,
                )
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(columns):
                    raise InputRefused(
                        f"{path} line {reader.line_num}: {len(cells)} cells, expected {len(columns)}",
                        hint="the first line names one column a cell; a decimal point is no comma",
                        code=code,
                    )
                yield reader.line_num, dict(zip(columns, cells, strict=True))
    except UnicodeDecodeError as error:
        raise InputRefused(f"{path} is no UTF-8 text", hint="save it as CSV UTF-8", code=code) from error
    except csv.Error as error:
        raise InputRefused(f"{path} line {reader.line_num}: {error}", hint="write it as CSV", code=code) from error
    finally:
        csv.field_size_limit(limit)


def _wrong_columns(columns: Sequence[str], needed: Sequence[str], *, others: bool) -> str:
    missing = [name for name in needed if name not in columns]
    if not others and set(columns) != set(needed):
        return f"line 1: the columns are not {', '.join(needed)}"
    if missing:
        return f"has no column{'s' * (len(missing) > 1)} {', '.join(missing)}"
    return "names a column twice" if len(set(columns)) != len(columns) else ""
