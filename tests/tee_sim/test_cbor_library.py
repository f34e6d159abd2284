"""cbor2 5.6, 5.9 and 6 differ; what we read and write does not: `make test-cbor`, docs/formats/cbor.md."""

import array
import os
from importlib.metadata import version

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tee_sim.shared import codec
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.schema import AtMost, Fixed

KNOWN: dict[str, object] = {
    "00": 0,
    "17": 23,
    "1818": 24,
    "1bffffffffffffffff": 2**64 - 1,
    "20": -1,
    "3bffffffffffffffff": -(2**64),
    "40": b"",
    "4401020304": b"\x01\x02\x03\x04",
    "6161": "a",
    "62c3bc": "\u00fc",
    "80": [],
    "83010203": [1, 2, 3],
    "8201820203": [1, [2, 3]],
    "a0": {},
    "a201020304": {1: 2, 3: 4},
    "a20a011903e802": {10: 1, 1000: 2},
    "a101a1028103": {1: {2: [3]}},
    "83f5f4f6": [True, False, None],
    "8f" + "00" * 15: [0] * 15,
    "9818" + "00" * 24: [0] * 24,
}
"""RFC 8949 appendix A, as far as our rules reach, and maps of more than one level."""


def test_the_lane_runs_the_version_it_was_made_for() -> None:
    wanted = os.environ.get("BIOGUARD_CBOR2", "")
    assert version("cbor2").startswith(wanted)


@pytest.mark.parametrize("octets", KNOWN)
def test_known_answers(octets: str) -> None:
    assert codec.encode(KNOWN[octets]).hex() == octets
    assert codec.decode(bytes.fromhex(octets)) == KNOWN[octets]


def plain(value: object) -> bool:
    """Lists and dictionaries, never the tuples and frozen maps that version 6 makes inside tags and keys."""
    if type(value) is list:
        return all(map(plain, value))
    if type(value) is dict:
        return all(plain(k) and plain(v) for k, v in value.items())
    return type(value) in (int, str, bytes, bool, type(None))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=9) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers(0, 300) | st.text(max_size=3), inner),
    max_leaves=12,
)


@given(PLAIN)
@settings(max_examples=300)
def test_what_is_decoded_is_plain(value: object) -> None:
    decoded = codec.decode(codec.encode(value))
    assert decoded == value
    assert plain(decoded)


@given(
    st.binary(max_size=40)
    | st.lists(st.sampled_from(b"\x00\x18\x40\x61\x81\x82\xa1\xc0\xd8\xf4\xf9\xff\x01"), max_size=12)
)
@settings(max_examples=1000)
def test_bytes_are_a_plain_value_or_our_error(data: bytes | list[int]) -> None:
    try:
        value = codec.decode(bytes(data))
    except TeeError as error:
        assert error.result is TeeResult.BAD_FORMAT
    else:
        assert plain(value)
        assert codec.encode(value) == bytes(data)


OUTSIDE = {
    "tagged array": "d82881 01",
    "message": "d2840102 0304",
    "big float": "c5821a0098968001",
    "decimal fraction": "c4821a0098968001",
    "big number": "c249010000000000000000",
    "pattern": "d823612a",
    "mail": "d82464613a200a",
    "date": "c11a514b67b0",
    "set": "d901028101",
    "shared value": "d81c8100",
    "reference": "d81d00",
    "array as a key": "a1810102",
    "map as a key": "a1a1010203",
    "half float": "f93c00",
    "undefined": "f7",
    "simple value": "e0",
    "break": "ff",
    "indefinite": "9f01ff",
    "nested": "81" * 2000 + "01",
    "array past the end": "9b0fffffffffffffff",
    "string past the end": "5b0fffffffffffffff",
    "bad text": "61ff",
    "truncated": "8201",
}
"""Where versions differ in type, error or effect."""


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_versions_read_differently_is_refused(name: str) -> None:
    with pytest.raises(TeeError) as caught:
        codec.decode(bytes.fromhex(OUTSIDE[name].replace(" ", "")))
    assert caught.value.result is TeeResult.BAD_FORMAT


@pytest.mark.parametrize(
    "value", [memoryview(b"ab"), array.array("B", b"ab"), bytearray(b"ab")], ids=lambda v: type(v).__name__
)
def test_a_buffer_does_not_pass_for_bytes(value: object) -> None:
    """Version 6 writes a memoryview as an array of integers, version 5 refuses it; no record lets it get that far."""
    assert Fixed(2).misfit(value) == "expected 2 bytes"
    assert AtMost(2).misfit(value) == "expected at most 2 bytes"
