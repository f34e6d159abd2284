"""Canonical CBOR, strictly: one pass that refuses whatever `encode` would not have written byte for byte.

Rules (a subset of RFC 8949 section 4.2):
* allowed: integers of 64 bits, byte strings, text, arrays, maps, booleans, null; no tags, floats or indefinite lengths;
* no array or map as a key of a map: which type it would become depends on the library's version;
* shortest integers and lengths, map keys shortest encoding first and then bytewise (section 4.2.3; the same as 4.2.1
  for the maps written here, whose keys are all non-negative integers), no duplicate keys, no trailing bytes;
* depth, counts and lengths are compared with the bytes that are there before anything of that size is built.

Reading is done here and not by cbor2, which forgives duplicate keys, long integers and trailing bytes, and differs
between its versions in what lies outside these rules (docs/formats/cbor.md). Writing is cbor2's.
"""

from collections.abc import Callable, Sequence
from typing import Final

import cbor2

from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.limits import MAX_DEPTH, MAX_FRAME_BYTES


def _malformed(why: str) -> TeeError:
    return TeeError(TeeResult.BAD_FORMAT, f"message is not canonical: {why}")


def encode(value: object) -> bytes:
    """Encode a plain value (int, bytes, str, bool, None, list, tuple, dict) canonically."""
    return cbor2.dumps(value, canonical=True)


def array_of(items: Sequence[bytes]) -> bytes:
    """`encode` of a list whose items are encoded already."""
    head = cbor2.dumps(len(items))  # a length is written as a number is, but for its major type
    return b"".join((bytes([head[0] | _ARRAY << 5]), head[1:], *items))


def decode(data: bytes, *, max_bytes: int = MAX_FRAME_BYTES) -> object:
    """Decode canonical CBOR.

    Raises:
        TeeError: BAD_FORMAT for anything that `encode` would not have written byte for byte; OUT_OF_MEMORY.
    """
    if len(data) > max_bytes:
        raise _malformed(f"{len(data)} bytes, at most {max_bytes} are allowed")
    try:
        value, end = _read_item(data, 0, MAX_DEPTH)
    except MemoryError:
        raise TeeError(TeeResult.OUT_OF_MEMORY, "no memory to decode a message") from None
    if end != len(data):
        raise _malformed("bytes are left over")
    return value


_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_TAG_HEAD: Final = _TAG << 5
_SIMPLE_VALUES: Final = {0xF4: False, 0xF5: True, 0xF6: None}
_ARGUMENTS: Final = {24: (1, 24), 25: (2, 1 << 8), 26: (4, 1 << 16), 27: (8, 1 << 32)}
"""Additional information: bytes of the argument, and the least value that needs as many (RFC 8949 section 4.2.1)."""
_EQUAL_KEYS: Final = {b"\xf4": b"\x00", b"\xf5": b"\x01"}
"""False is 0 and true is 1 as keys of a Python dictionary: one of the two entries would be lost."""

_Read = tuple[object, int]
"""An item, and the position after it."""


def _read_item(data: bytes, position: int, depth: int) -> _Read:
    """Read one item with at most `depth` levels of containers in it."""
    if position >= len(data):
        raise _malformed("it is truncated")
    head = data[position]
    major, argument = head >> 5, head & 31
    if major >= _TAG:
        if head not in _SIMPLE_VALUES:
            raise _malformed("tag, float or simple value")
        return _SIMPLE_VALUES[head], position + 1
    position += 1
    if argument >= 24:
        argument, position = _read_argument(data, position, argument)
    return _READERS[major](data, position, argument, depth)


def _read_argument(data: bytes, position: int, info: int) -> tuple[int, int]:
    if info not in _ARGUMENTS:
        raise _malformed("indefinite length or reserved header")
    width, least = _ARGUMENTS[info]
    end = position + width
    if end > len(data):
        raise _malformed("it is truncated")
    argument = int.from_bytes(data[position:end], "big")
    if argument < least:
        raise _malformed("an integer or a length is not in its shortest form")
    return argument, end


def _read_unsigned(data: bytes, position: int, argument: int, depth: int) -> _Read:
    return argument, position


def _read_negative(data: bytes, position: int, argument: int, depth: int) -> _Read:
    return -1 - argument, position


def _read_bytes(data: bytes, position: int, argument: int, depth: int) -> tuple[bytes, int]:
    end = position + argument
    if end > len(data):
        raise _malformed("a string runs past the end")
    return data[position:end], end


def _read_text(data: bytes, position: int, argument: int, depth: int) -> _Read:
    octets, end = _read_bytes(data, position, argument, depth)
    try:
        return octets.decode("utf-8"), end
    except UnicodeDecodeError:
        raise _malformed("text is not UTF-8") from None


def _enter(data: bytes, position: int, children: int, depth: int) -> int:
    """Bound a container before anything of it is built; return the depth that is left. Each child has a byte."""
    if children > len(data) - position:
        raise _malformed("a container runs past the end")
    if depth < 1:
        raise _malformed(f"nested deeper than {MAX_DEPTH}")
    return depth - 1


def _read_array(data: bytes, position: int, argument: int, depth: int) -> _Read:
    depth = _enter(data, position, argument, depth)
    items: list[object] = []
    size = len(data)
    for _ in range(argument):
        # Most items are short: read here, as `_read_item` would. A head that is none of theirs is its business.
        head = data[position] if position < size else _TAG_HEAD
        end = position + head - 0x3F
        if head < 24:
            items.append(head)
            position += 1
        elif 0x40 <= head < 0x58 and end <= size:
            items.append(data[position + 1 : end])
            position = end
        elif head in _SIMPLE_VALUES:
            items.append(_SIMPLE_VALUES[head])
            position += 1
        else:
            item, position = _read_item(data, position, depth)
            items.append(item)
    return items, position


def _read_map(data: bytes, position: int, argument: int, depth: int) -> _Read:
    depth = _enter(data, position, 2 * argument, depth)
    found: dict[object, object] = {}
    keys: set[bytes] = set()
    last = b""
    for _ in range(argument):
        start = position
        if position < len(data) and data[position] >> 5 in (_ARRAY, _MAP):
            raise _malformed("an array or a map as a key")
        key, position = _read_item(data, position, depth)
        octets = data[start:position]
        if (len(octets), octets) <= (len(last), last) or _EQUAL_KEYS.get(octets) in keys:
            raise _malformed("keys of a map are out of order, or one occurs twice")
        last = octets
        keys.add(octets)
        found[key], position = _read_item(data, position, depth)
    return found, position


_READERS: Final[tuple[Callable[[bytes, int, int, int], _Read], ...]] = (
    _read_unsigned,
    _read_negative,
    _read_bytes,
    _read_text,
    _read_array,
    _read_map,
)
