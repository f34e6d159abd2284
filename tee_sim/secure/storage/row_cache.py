"""Rows of objects as they lie on the disk, kept in memory: a decision asks the disk for no row that was used before.

What the disk is asked for, and how often, is seen by the normal world; what is answered from here is not. Rows stay
sealed, and one counts only for the very entry of the directory that it was opened, or written, by.

Not promised: that damage on the disk is noticed at once. It is when the row is next read from there: after the next
start, or when it has made room for others. An answer is never wrong for it.
"""

from collections import OrderedDict

MOST_BYTES = 256 << 20
"""174 000 rows of 1 KB, what a search in a large gallery has read for it, and half as much again. It is taken as rows
are read: a small store takes its own size."""

_OVERHEAD_BYTES = 400
"""Of the interpreter, for one row: three byte strings, a tuple, and a place in the order."""


class RowCache:
    """Sealed rows by name, the longest unused dropped first.

    Args:
        most_bytes: what all of them may take.

    Attributes:
        made_room: how many rows were dropped for others, or with all.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._size_bytes = 0
        self._rows: OrderedDict[bytes, tuple[bytes, bytes]] = OrderedDict()
        self.made_room = 0

    def get(self, name: bytes, entry: bytes) -> bytes | None:
        """Return the row of this name if it is the one of this entry."""
        known, row = self._rows.get(name, (None, None))
        if known != entry:
            return None
        self._rows.move_to_end(name)
        return row

    def keep(self, name: bytes, entry: bytes, row: bytes) -> None:
        """Keep a row that was written, or has opened."""
        self.drop(name)
        self._rows[name] = (entry, row)
        self._size_bytes += _cost(name, entry, row)
        while self._size_bytes > self._most_bytes:
            self.drop(next(iter(self._rows)))
            self.made_room += 1

    def drop(self, name: bytes) -> None:
        """Forget a row."""
        known = self._rows.pop(name, None)
        if known is not None:
            self._size_bytes -= _cost(name, *known)

    def clear(self) -> None:
        """Forget all."""
        self.made_room += len(self._rows)
        self._rows.clear()
        self._size_bytes = 0


def _cost(name: bytes, entry: bytes, row: bytes) -> int:
    return len(name) + len(entry) + len(row) + _OVERHEAD_BYTES
