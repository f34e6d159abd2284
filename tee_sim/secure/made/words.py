"""The numbers and ids in what an application was given: of these it may have one stated or put, and of no other bytes.

A word has 8 bytes. A number of 64 bits is the word with its little-endian bytes; a byte string of 8, 16, 24 or 32 bytes
is its words, one after the other. A longer string is none: out of a long one an application could choose what it likes.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from tee_sim.shared import codec
from tee_sim.shared.errors import TeeError
from tee_sim.shared.object_header import ID_BYTES, MAX_IDS
from tee_sim.shared.params import Param

NONE: Final = bytes(ID_BYTES)
"""No id, or no echo. It says nothing, so nobody asks where it comes from."""


def split(data: bytes) -> tuple[bytes, ...]:
    """The words of a string of ids; none if it is no such string."""
    if len(data) % ID_BYTES or len(data) > MAX_IDS * ID_BYTES:
        return ()
    return tuple(data[at : at + ID_BYTES] for at in range(0, len(data), ID_BYTES))


def words_of(params: Iterable[Param]) -> frozenset[bytes]:
    """All words of parameters, and of the records in them."""
    found: set[bytes] = set()
    for param in params:
        found.add((param.a << 32 | param.b).to_bytes(ID_BYTES, "little"))
        found.update(split(param.buffer))
        found.update(_inside(_plain(param.buffer)))
    return frozenset(found - {NONE})


def _plain(buffer: bytes) -> object:
    try:
        return codec.decode(buffer)
    except TeeError:
        return None


def _inside(value: object) -> Iterator[bytes]:
    match value:
        case bool() | None:
            return
        case int():
            if value >= 0:
                yield value.to_bytes(ID_BYTES, "little")
        case bytes():
            yield from split(value)
        case list():
            for item in value:
                yield from _inside(item)
        case dict():
            for pair in value.items():
                yield from _inside(list(pair))
