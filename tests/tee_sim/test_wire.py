"""Frames: whole or byte by byte, a message or our error."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tee_sim.shared.codec import encode
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.limits import MAX_FRAME_BYTES
from tee_sim.shared.login import ClientIdentity, Login
from tee_sim.shared.params import Param, ParamType
from tee_sim.shared.wire import (
    FROM_SECURE_WORLD,
    AdvanceClock,
    BootFailed,
    CloseSession,
    FrameReader,
    Invoke,
    Locked,
    Message,
    OpenSession,
    Provision,
    Return,
    StorageCall,
    StorageReply,
    Wait,
    Waited,
    pack,
    unpack,
)

PARAMS = (Param.memref(b"abc"), Param.output(100), Param.value(1, 2), Param.none())
MESSAGES: list[Message] = [
    Invoke(session=1, command=2, params=PARAMS),
    Return(result=TeeResult.SUCCESS, origin=Origin.TRUSTED_APP, session=1, params=PARAMS),
    StorageCall(operation=3, request=[[b"a", b"x" * 1000]]),
    StorageReply(result=TeeResult.STORAGE_NO_SPACE, reply=[]),
    CloseSession(session=9),
    OpenSession(
        uuid=bytes(16), params=PARAMS, client=ClientIdentity(login=Login.GROUP, uuid=b"g" * 16), cancellable=True
    ),
    Invoke(session=1, command=2, params=(Param.null(), *PARAMS[1:]), cancellable=True),
    Return(result=TeeResult(0xC0DE0001), origin=Origin.TRUSTED_APP, params=PARAMS),
    Wait(timeout_ms=60_000),
    Waited(cancelled=True),
    AdvanceClock(ms=5),
    Provision(huk=bytes(32), device_id=bytes(16), create=True),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_round_trip_byte_by_byte(message: Message) -> None:
    reader = FrameReader()
    bodies = [body for byte in pack(message) if (body := reader.feed(bytes([byte]))) is not None]
    assert [unpack(b) for b in bodies] == [message]


def test_reader_asks_for_what_is_missing() -> None:
    frame = pack(MESSAGES[0])
    reader = FrameReader()
    position = 0
    body = None
    while body is None:
        n = reader.wanted()
        body = reader.feed(frame[position : position + n])
        position += n
    assert position == len(frame)
    assert unpack(body) == MESSAGES[0]


def test_what_follows_a_frame_is_kept_for_the_next() -> None:
    reader = FrameReader()
    first, second = (reader.feed(data) for data in (pack(MESSAGES[0]) + pack(MESSAGES[1]), b""))
    assert (unpack(first or b""), unpack(second or b"")) == (MESSAGES[0], MESSAGES[1])
    assert reader.is_empty


NOTHING = [0, 0, 0, b"", 0, False]


@pytest.mark.parametrize("at", range(len(NOTHING)))
def test_an_empty_slot_has_one_form(at: int) -> None:
    """Python takes False for 0, and either for 0.0."""
    for other in (0, False, 0.0, None):
        raw: list[object] = [*NOTHING[:at], other, *NOTHING[at + 1 :]]
        if type(other) is not type(NOTHING[at]):
            with pytest.raises(TeeError):
                Param.from_plain(raw)
    Param.none().to_plain().clear()
    assert Param.none().to_plain() == NOTHING


def test_a_length_above_the_limit_is_refused_at_once() -> None:
    with pytest.raises(TeeError, match="is larger than"):
        FrameReader().feed(struct.pack("<I", MAX_FRAME_BYTES + 1))


def test_a_message_larger_than_a_frame_is_not_sent() -> None:
    with pytest.raises(TeeError) as caught:
        pack(StorageCall(operation=1, request=[bytes(MAX_FRAME_BYTES)]))
    assert caught.value.result is TeeResult.EXCESS_DATA


@given(st.binary(max_size=80))
def test_any_body_is_a_message_or_our_error(body: bytes) -> None:
    try:
        message = unpack(body)
    except TeeError:
        return
    assert pack(message)[4:] == body


STORAGE = [
    [10],
    [10, 1],
    [10, 1, b""],
    [10, 1, [], 0],
    [10, -1, []],
    [10, 256, []],
    [10, True, []],
    [10, "1", []],
    [10, 1, {}],
    [11, 0],
    [11, 1, []],
    [11, False, []],
    [11, 0, None],
    [11, 0, b""],
    [11, 0, [], []],
]


@pytest.mark.parametrize("plain", STORAGE, ids=repr)
def test_a_storage_message_of_another_shape_is_refused(plain: list[object]) -> None:
    with pytest.raises(TeeError, match="record does not fit its type") as caught:
        unpack(encode(plain))
    assert caught.value.result is TeeResult.BAD_FORMAT


def test_a_locked_secure_world_has_no_free_text() -> None:
    assert not {BootFailed, Locked} & FROM_SECURE_WORLD


def test_kinds_of_parameters_have_the_numbers_of_globalplatform() -> None:
    assert [param.kind for param in PARAMS] == [5, 6, 1, 0]
    assert Param.output(3).filled(b"abc").buffer == b"abc"
    with pytest.raises(TeeError, match="output needs 4 bytes") as caught:
        Param.output(3).filled(b"abcd")
    assert caught.value.result is TeeResult.SHORT_BUFFER
    with pytest.raises(TeeError, match="only value parameters carry numbers"):
        Param(kind=ParamType.NONE, a=1)
    with pytest.raises(TeeError, match="only memory references carry bytes"):
        Param(kind=ParamType.VALUE_INPUT, buffer=b"x")


GOLDEN = {
    "OPEN": "440000008506507474747474747474747474747474747484860000004000f48600000040"
    "00f4860000004000f4860000004000f482015075757575757575757575757575757575f5",
    "INVOKE": "220000008507030484860500004000f5860600004005f4860101004000f4860000004000f4f4",
    "RETURN": "0c00000087091ac0de00010400800000",
    "WAIT": "05000000820f1903e8",
    "WAITED": "030000008210f5",
}


def test_the_bytes_of_the_frames_of_an_operation() -> None:
    """As they are on the pipe: whoever speaks this protocol in another language compares with these."""
    values = (Param.null(), Param.output(5), Param.value(1), Param.none())
    client = ClientIdentity(login=Login.USER, uuid=b"u" * 16)
    frames = {
        pack(OpenSession(uuid=b"t" * 16, params=(Param.none(),) * 4, client=client, cancellable=True)): "OPEN",
        pack(Invoke(session=3, command=4, params=values)): "INVOKE",
        pack(Return(result=TeeResult(0xC0DE0001), origin=Origin.TRUSTED_APP, session=0)): "RETURN",
        pack(Wait(timeout_ms=1000)): "WAIT",
        pack(Waited(cancelled=True)): "WAITED",
    }
    assert {name: frame.hex() for frame, name in frames.items()} == GOLDEN
