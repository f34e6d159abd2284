"""Frames of version 2: what is none, what is refused, and that every method is carried out by somebody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.errors import InputRefused
from bioguard.serve.v2 import wire
from bioguard.serve.v2.conversation import HANDLERS
from bioguard.serve.v2.table import BY_NAME, METHODS
from tee_sim.shared import codec


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "frame of 0 bytes is no request"),
        (b"\xff", "frame is not canonical CBOR"),
        (b"\x84\x18\x02\x01\x01\x80", "frame is not canonical CBOR"),
        (codec.encode([2, 1, 1]), "frame is not [version, id, method, fields]"),
        (codec.encode([2, 1, 1, [], 0]), "frame is not [version, id, method, fields]"),
        (codec.encode([2, True, 1, []]), "frame is not [version, id, method, fields]"),
        (codec.encode({0: 2}), "frame is not [version, id, method, fields]"),
        (codec.encode([1, 1, 1, [b"a"]]), "protocol version 2 is spoken here"),
        (codec.encode([2, 0, 1, [b"a"]]), "the id is not from 1 to 2^32-1"),
        (codec.encode([2, 1 << 32, 1, [b"a"]]), "the id is not from 1 to 2^32-1"),
        (codec.encode([2, -1, 1, [b"a"]]), "the id is not from 1 to 2^32-1"),
    ],
)
def test_what_is_no_frame_says_why(body: bytes, message: str) -> None:
    with pytest.raises(InputRefused) as caught:
        wire.parse_frame(body)
    assert (caught.value.code, caught.value.message) == ("serve.malformed", message)


@pytest.mark.parametrize(
    ("number", "fields", "code", "message"),
    [
        (7, [], "serve.method", "there is no method 7"),
        (1, [], "serve.request", "add_user: expected a list of 1 fields"),
        (1, [b"a", 0], "serve.request", "add_user: expected a list of 1 fields"),
        (1, ["a"], "serve.request", "add_user: name has the wrong type"),
        (1, {}, "serve.request", "add_user: expected a list of 1 fields"),
        (
            1,
            [bytes(257)],
            "serve.request",
            "add_user: name: expected at most 256 bytes",
        ),
        (
            20,
            [b"a", 16],
            "serve.request",
            "create_session: sensor: expected an integer from 0 to 15",
        ),
        (20, [b"a", True], "serve.request", "create_session: sensor has the wrong type"),
        (
            4,
            [b"a", 3, [1], 1, True, b""],
            "serve.request",
            "consent: modality has an unknown value",
        ),
        (
            4,
            [b"a", 1, [0], 1, True, b""],
            "serve.request",
            "consent: purposes has an unknown value",
        ),
    ],
)
def test_bad_requests_say_which_field(number: int, fields: object, code: str, message: str) -> None:
    with pytest.raises(InputRefused) as caught:
        wire.read_request(wire.RequestFrame(1, number, fields))
    assert (caught.value.code, caught.value.message) == (code, message)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_frame_or_malformed(body: bytes) -> None:
    try:
        frame = wire.parse_frame(body)
    except InputRefused as error:
        assert error.code == "serve.malformed"
    else:
        assert codec.encode([2, *frame]) == body


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**64 - 1) | st.binary(max_size=4) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from(METHODS), st.lists(_PLAIN, max_size=9))
def test_any_fields_are_a_request_as_it_would_be_written_or_refused(method: object, fields: list[object]) -> None:
    frame = wire.RequestFrame(1, method.number, fields)
    try:
        known, request = wire.read_request(frame)
    except InputRefused as error:
        assert error.code == "serve.request"
        assert error.message.startswith(f"{method.name}: ")
    else:
        assert (known, request.to_plain()) == (method, fields)


def test_every_method_has_a_handler_and_no_other_has() -> None:
    assert set(HANDLERS) == set(BY_NAME)
