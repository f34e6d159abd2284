"""What is not as the format says."""

from collections.abc import Callable


class Unreadable(Exception):
    """The directory does not hold what the format says: a file, a row or a byte that nothing accounts for."""


def demand(holds: object, what: str) -> None:
    """Raise Unreadable unless it holds."""
    if not holds:
        raise Unreadable(what)


def zeros(data: bytes, what: str) -> None:
    """Raise Unreadable unless every byte is zero."""
    demand(not any(data), f"{what} holds something that nothing accounts for")


class Cursor:
    """A byte string that is read from its beginning to its end."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data, self._at, self._what = data, 0, what

    def take(self, size: int) -> bytes:
        """The next bytes. Raises Unreadable if there are not as many."""
        piece = self._data[self._at : self._at + size]
        demand(len(piece) == size, f"{self._what} ends early")
        self._at += size
        return piece

    def number(self, size: int) -> int:
        """A big-endian number."""
        return int.from_bytes(self.take(size), "big")

    def rest(self) -> bytes:
        """What is left."""
        return self._data[self._at :]


def read_or_flaw(read: Callable[[], bytes], what: str, *errors: type[Exception]) -> bytes:
    """What a library reads, its errors as flaws."""
    try:
        return read()
    except errors as error:
        raise Unreadable(what) from error
