"""The codec accepts exactly what it writes."""

import cbor2
import pytest
from hypothesis import given
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
}


@given(PLAIN)
def test_round_trip(value: object) -> None:
    assert codec.decode(codec.encode(value)) == value


@given(PLAIN)
def test_another_encoder_agrees_on_the_meaning(value: object) -> None:
    assert cbor2.loads(codec.encode(value)) == value


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
