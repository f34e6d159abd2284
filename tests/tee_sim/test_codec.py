"""The codec accepts exactly what it writes."""

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tee_sim.shared import codec
from tee_sim.shared.errors import TeeError, TeeResult

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=40) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers(0, 300), inner, max_size=4),
    max_leaves=12,
)

HOSTILE = {
    "integer not in shortest form": b"\x18\x01",
    "trailing byte": b"\x01\x01",
    "duplicate key": b"\xa2\x01\x01\x01\x02",
    "unsorted keys": b"\xa2\x02\x01\x01\x01",
    "indefinite array": b"\x9f\x01\xff",
    "float": b"\xfb" + bytes(8),
    "tag": b"\xc2\x41\x01",
    "undefined": b"\xf7",
    "too deep": b"\x81" * 20 + b"\x01",
    "string past the end": b"\x5a\xff\xff\xff\xff",
    "array past the end": b"\x9a\xff\xff\xff\xff",
    "map past the end": b"\xbb" + b"\xff" * 8,
    "reserved header": b"\x1c",
    "truncated argument": b"\x19\x01",
    "empty": b"",
    "not UTF-8": b"\x61\xff",
    "a surrogate": b"\x63\xed\xa0\x80",
    "negative not in shortest form": b"\x38\x17",
    "16 bits that fit in 8": b"\x19\x00\xff",
    "32 bits that fit in 16": b"\x1a\x00\x00\xff\xff",
    "64 bits that fit in 32": b"\x1b\x00\x00\x00\x00\xff\xff\xff\xff",
    "length of bytes not in shortest form": b"\x58\x01\x00",
    "length of text not in shortest form": b"\x78\x01a",
    "count of an array not in shortest form": b"\x98\x01\x01",
    "count of a map not in shortest form": b"\xb8\x01\x01\x01",
    "longer key first": b"\xa2\x18\x18\x01\x01\x01",
    "unsorted keys further in": b"\x81\xa3\x01\x01\x03\x01\x02\x01",
    "duplicate key further in": b"\x81\xa3\x01\x01\x02\x01\x02\x02",
    "duplicate key of text": b"\xa2\x61a\x01\x61a\x01",
    "true beside 1 as a key": b"\xa2\x01\x01\xf5\x02",
    "false beside 0 as a key": b"\xa2\x00\x01\xf4\x02",
    "array as a key": b"\xa1\x80\x01",
    "null in two bytes": b"\xf8\x16",
    "key without a value": b"\xa1\x01",
}


@given(PLAIN)
def test_round_trip(value: object) -> None:
    assert codec.decode(codec.encode(value)) == value


@given(PLAIN)
def test_another_encoder_agrees_on_the_meaning(value: object) -> None:
    assert cbor2.loads(codec.encode(value)) == value


def levels(value: object) -> int:
    """How deep containers are nested."""
    inner = value if isinstance(value, list) else value.values() if isinstance(value, dict) else None
    return 0 if inner is None else 1 + max(map(levels, inner), default=0)


def plain(value: object) -> bool:
    """Only what the rules allow, and no keys but numbers, strings, booleans and null."""
    if isinstance(value, dict):
        return all(not isinstance(k, tuple | frozenset) and plain(k) and plain(v) for k, v in value.items())
    return all(map(plain, value)) if type(value) is list else type(value) in (int, str, bytes, bool, type(None))


def read_by_cbor2(data: bytes) -> list[object]:
    """The value, if the other way finds it canonical: what cbor2 reads is plain and writes the same bytes again."""
    if any(byte >> 5 == 6 for byte in data) or len(data) > 4096:
        return []  # a tag, or something that may be one: tags have effects of their own
    try:
        value = cbor2.loads(data)
        again = cbor2.dumps(value, canonical=True) if plain(value) else None
    except Exception:  # another type in each version, also for the same bytes
        return []
    return [value] if again == data and levels(value) <= 8 else []


MADE = st.recursive(
    st.integers(-(2**64), 2**64 - 1)
    | st.binary(max_size=4)
    | st.text(max_size=4)
    | st.sampled_from((True, False, None)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.integers(-30, 300) | st.text(max_size=2) | st.binary(max_size=2) | st.booleans(), inner)
    ),
    max_leaves=8,
)
BYTES = st.sampled_from(
    b"\x00\x01\x17\x18\x19\x1a\x1b\x20\x38\x40\x41\x58\x61\x78\x80\x81\x82\x98\xa0\xa1\xa2\xb8\xf4\xf5\xf6\xf7"
)


@given(MADE, st.lists(st.tuples(st.integers(0, 60), st.sampled_from("isd"), BYTES), max_size=2))
@settings(max_examples=1000)
def test_the_strict_reader_and_encoding_again_agree(value: object, changes: list[tuple[int, str, int]]) -> None:
    """What is accepted, and as what, is what cbor2 reads and writes again byte for byte."""
    data = bytearray(cbor2.dumps(value, canonical=True))
    for place, change, byte in changes:
        at = place % (len(data) + 1)
        data[at : at + (change != "i")] = b"" if change == "d" else bytes([byte])
    expected = read_by_cbor2(bytes(data))
    try:
        found = [codec.decode(bytes(data))]
    except TeeError:
        found = []
    if any(byte >> 5 == 6 for byte in data):
        assert found == [] or codec.encode(found[0]) == bytes(data)
    else:
        assert repr(found) == repr(expected)


@given(st.lists(BYTES, max_size=12))
@settings(max_examples=1000)
def test_they_agree_on_bytes_that_nobody_wrote(octets: list[int]) -> None:
    try:
        found = [codec.decode(bytes(octets))]
    except TeeError:
        found = []
    assert repr(found) == repr(read_by_cbor2(bytes(octets)))


@given(st.binary(max_size=64))
def test_any_bytes_are_a_canonical_value_or_our_error(data: bytes) -> None:
    try:
        value = codec.decode(data)
    except TeeError as error:
        assert error.result is TeeResult.BAD_FORMAT
    else:
        assert codec.encode(value) == data


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_are_refused(name: str) -> None:
    with pytest.raises(TeeError, match="message is not canonical") as caught:
        codec.decode(HOSTILE[name])
    assert caught.value.result is TeeResult.BAD_FORMAT


def test_size_is_checked_before_anything_else() -> None:
    with pytest.raises(TeeError, match="message is not canonical: 11 bytes, at most 10 are allowed"):
        codec.decode(b"\xff" * 11, max_bytes=10)


def test_depth_limit_is_exact() -> None:
    assert codec.decode(b"\x81" * 8 + b"\x01") == [[[[[[[[1]]]]]]]]
    with pytest.raises(TeeError, match="nested deeper than 8"):
        codec.decode(b"\x81" * 9 + b"\x01")
