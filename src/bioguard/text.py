"""Values as people read and type them: times, names of enumerations, hexadecimal digits, columns."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from bioguard.printable import printable


def iso(ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601 UTC, to the second."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def word(value: object) -> str:
    """An enumeration's name as people write it: `digest-only` for DIGEST_ONLY."""
    return str(getattr(value, "name", value)).lower().replace("_", "-")


def hex_bytes(digits: str, *sizes_bytes: int) -> bytes:
    """The bytes of hexadecimal digits.

    Args:
        sizes_bytes: how many there may be.

    Raises:
        ValueError: other characters, or another size.
    """
    try:
        value = bytes.fromhex(digits)
    except TypeError as error:
        raise ValueError from error
    if len(value) not in sizes_bytes:
        raise ValueError
    return value


def columns(rows: Sequence[Sequence[object]], *, right: Collection[int] = ()) -> list[str]:
    """Lay out rows in aligned columns, one row a line.

    Args:
        right: numbers of the columns that are aligned on the right.
    """
    cells = [[printable(str(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
