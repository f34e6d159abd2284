"""Canonical CBOR, strictly: decode, bound, re-encode, compare.

Rules (a subset of RFC 8949 section 4.2):
* allowed: integers of 64 bits, byte strings, text, arrays, maps, booleans, null; no tags, floats or indefinite lengths;
* no array or map as a key of a map: which type it would become depends on the library's version;
* shortest integers, map keys shortest encoding first and then bytewise (section 4.2.3; the same as 4.2.1 for the maps
  written here, whose keys are all non-negative integers), no duplicate keys, no trailing bytes;
* size and depth are bounded before anything is built.

What cbor2 forgives (duplicate keys, long integers, trailing bytes) does not survive the comparison. It differs between
its versions in what lies outside these rules, docs/formats/cbor.md.
"""

import cbor2

from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.limits import MAX_DEPTH, MAX_FRAME_BYTES


def _malformed(why: str) -> TeeError:
    return TeeError(TeeResult.BAD_FORMAT, f"message is not canonical: {why}")


def encode(value: object) -> bytes:
    """Encode a plain value (int, bytes, str, bool, None, list, tuple, dict) canonically."""
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes, *, max_bytes: int = MAX_FRAME_BYTES, max_depth: int = MAX_DEPTH) -> object:
    """Decode canonical CBOR.

    Raises:
        TeeError: BAD_FORMAT for anything that `encode` would not have written byte for byte; OUT_OF_MEMORY.
    """
    if len(data) > max_bytes:
        raise _malformed(f"{len(data)} bytes, at most {max_bytes} are allowed")
    _check_structure(data, max_depth)
    try:
        value = cbor2.loads(data)
        again = encode(value)
    except MemoryError:
        raise TeeError(TeeResult.OUT_OF_MEMORY, "no memory to decode a message") from None
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise _malformed("it does not decode") from error
    if again != data:
        raise _malformed("it does not encode to the same bytes")
    return value


_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_ALLOWED_SIMPLE = frozenset({20, 21, 22})  # false, true, null
_ARGUMENT_BYTES = {24: 1, 25: 2, 26: 4, 27: 8}


def _read_header(data: bytes, position: int) -> tuple[int, int, int, int]:
    """Return major type, additional info, argument and the position after the header."""
    if position >= len(data):
        raise _malformed("it is truncated")
    major, info = data[position] >> 5, data[position] & 31
    position += 1
    if info < 24:
        return major, info, info, position
    width = _ARGUMENT_BYTES.get(info)
    if width is None:
        raise _malformed("indefinite length or reserved header")
    if position + width > len(data):
        raise _malformed("it is truncated")
    return major, info, int.from_bytes(data[position : position + width], "big"), position + width


def _check_structure(data: bytes, max_depth: int) -> None:
    """Walk the headers without building anything, so that depth, counts and lengths are bounded first."""
    position = 0
    open_items, in_map = [1], [False]
    while open_items:
        if open_items[-1] == 0:
            open_items.pop()
            in_map.pop()
            continue
        is_key = in_map[-1] and open_items[-1] % 2 == 0
        open_items[-1] -= 1
        major, info, argument, position = _read_header(data, position)
        left = len(data) - position
        if major in (_BYTES, _TEXT):
            if argument > left:
                raise _malformed("a string runs past the end")
            position += argument
        elif major in (_ARRAY, _MAP):
            if is_key:
                raise _malformed("an array or a map as a key")
            children = argument * (2 if major == _MAP else 1)
            if children > left:
                raise _malformed("a container runs past the end")
            if len(open_items) > max_depth:
                raise _malformed(f"nested deeper than {max_depth}")
            open_items.append(children)
            in_map.append(major == _MAP)
        elif major == _TAG or (major == _SIMPLE and info not in _ALLOWED_SIMPLE):
            raise _malformed("tag, float or simple value")
    if position != len(data):
        raise _malformed("bytes are left over")
