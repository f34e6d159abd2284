"""What ends with a block: for what every request enters, where a generator's context manager would cost as much as what
it surrounds."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Surrounds(Generic[T]):
    """A context manager.

    Args:
        inside: what `with` names.
        end: called when the block is left, however that is. What the block raises goes on.
    """

    __slots__ = ("_end", "_inside")

    def __init__(self, inside: T, end: Callable[[], object]) -> None:
        self._inside = inside
        self._end = end

    def __enter__(self) -> T:
        return self._inside

    def __exit__(self, *raised: object) -> None:
        self._end()
