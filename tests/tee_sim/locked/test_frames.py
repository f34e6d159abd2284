"""What is no frame ends the secure world with 70, the end of the pipe with 0; a wrong request ends nothing."""

import contextlib
import os
import struct
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import cbor2
import pytest
from counter.commands import ADD, COUNTER_UUID, READ, Add, Nothing
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tee_sim.normal.client import Context
from tee_sim.normal.secure_process import SecureProcess
from tee_sim.normal.supplicant import Supplicant
from tee_sim.secure.world import SecureWorld
from tee_sim.shared.clock import ClockKind
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.limits import MAX_DEADLINE_MS, MAX_FRAME_BYTES
from tee_sim.shared.params import Param
from tee_sim.shared.reserve import Condition
from tee_sim.shared.rng import RandomnessKind
from tee_sim.shared.wire import (
    AdvanceClock,
    Boot,
    BootFailed,
    CloseSession,
    FrameReader,
    Invoke,
    Locked,
    LockProfile,
    NoFrameError,
    OpenSession,
    Provision,
    Ready,
    RenewKeys,
    Return,
    StorageCall,
    StorageReply,
    Wait,
    Waited,
    pack,
    unpack,
)
from tee_sim.testing.in_process import InProcessTee
from tests.tee_sim.locked.conftest import World, counter

FOUR = (Param.none(),) * 4


def frame(body: bytes) -> bytes:
    return struct.pack("<I", len(body)) + body


def cbor_body(value: object) -> bytes:
    return cbor2.dumps(value, canonical=True)


def cbor(value: object) -> bytes:
    return frame(cbor_body(value))


READY = Ready(
    anti_rollback_level=0,
    epoch=0,
    clock=ClockKind.HOST,
    randomness=RandomnessKind.SYSTEM,
    condition=Condition.WRITABLE,
)
NO_FRAMES: dict[str, bytes] = {
    "a length above the limit": struct.pack("<I", MAX_FRAME_BYTES + 1) + bytes(100),
    "the greatest length": b"\xff" * 64,
    "an empty body": frame(b""),
    "garbage": frame(b"\x00garbage\xff" * 20),
    "text": frame(b"GET / HTTP/1.1\r\n\r\n"),
    "indefinite length": frame(b"\x9f\x06\xff"),
    "a long integer": frame(bytes.fromhex("82180800")),
    "trailing bytes": frame(cbor2.dumps([8, 1], canonical=True) + b"\0"),
    "a float": frame(bytes.fromhex("8208fb3ff0000000000000")),
    "nested too deep": frame(b"\x81" * 9 + b"\x00"),
    "no list": cbor({1: 2}),
    "an empty list": cbor([]),
    "an unknown tag": cbor([99]),
    "a tag that is a flag": cbor([True, 1]),
    "a tag that is bytes": cbor([b"\x08", 1]),
    "a provision": pack(Provision(huk=bytes(32), device_id=bytes(16), create=True)),
    "a boot": pack(Boot(manifests=(), profile=LockProfile.OFF)),
    "an answer to nothing asked": pack(StorageReply(result=TeeResult.SUCCESS, reply=[])),
    "a ready": pack(READY),
    "a return": pack(Return(result=TeeResult.SUCCESS, origin=Origin.TEE)),
    "a storage call": pack(StorageCall(operation=1, request=[])),
    "a question about a cancellation": pack(Wait(timeout_ms=1)),
    "an answer about a cancellation": pack(Waited(cancelled=True)),
    "a lock report": pack(Locked(report=b"", measurements=())),
    "a failed boot": pack(BootFailed(stage="", detail="")),
}

REFUSED: dict[str, tuple[bytes, TeeResult]] = {
    "a field too few": (cbor([8]), TeeResult.BAD_FORMAT),
    "a field too many": (cbor([8, 1, 1]), TeeResult.BAD_FORMAT),
    "a negative session": (cbor([8, -1]), TeeResult.BAD_FORMAT),
    "a session of 64 bits": (cbor([8, 1 << 40]), TeeResult.BAD_FORMAT),
    "a session in text": (cbor([8, "1"]), TeeResult.BAD_FORMAT),
    "no such session": (pack(CloseSession(session=77)), TeeResult.BAD_PARAMETERS),
    "a command below zero": (cbor([7, 1, -1, [], False]), TeeResult.BAD_FORMAT),
    "no parameters": (cbor([7, 1, 1, [], False]), TeeResult.BAD_PARAMETERS),
    "five parameters": (cbor([7, 1, 1, [[0, 0, 0, b"", 0, False]] * 5, False]), TeeResult.BAD_FORMAT),
    "a parameter of no kind": (cbor([7, 1, 1, [[4, 0, 0, b"", 0, False]] * 4, False]), TeeResult.BAD_FORMAT),
    "numbers in nothing": (cbor([7, 1, 1, [[0, 1, 0, b"", 0, False]] * 4, False]), TeeResult.BAD_PARAMETERS),
    "bytes in a number": (cbor([7, 1, 1, [[1, 0, 0, b"x", 1, False]] * 4, False]), TeeResult.BAD_PARAMETERS),
    "a memory reference of 600 KiB": (
        cbor([7, 1, 1, [[5, 0, 0, bytes(600 << 10), 0, False], *[[0, 0, 0, b"", 0, False]] * 3], False]),
        TeeResult.BAD_FORMAT,
    ),
    "outputs of more than a frame": (
        pack(Invoke(session=1, command=1, params=(Param.output(512 << 10),) * 4)),
        TeeResult.BAD_PARAMETERS,
    ),
    "an identity of four bytes": (cbor([6, b"abcd", [], [0, bytes(16)], False]), TeeResult.BAD_FORMAT),
    "a client that says it is an application": (
        cbor([6, b"n" * 16, [[0, 0, 0, b"", 0, False]] * 4, [0xF0000000, bytes(16)], False]),
        TeeResult.ACCESS_DENIED,
    ),
    "a client of no login": (
        cbor([6, b"n" * 16, [[0, 0, 0, b"", 0, False]] * 4, [7, bytes(16)], False]),
        TeeResult.BAD_FORMAT,
    ),
    "a null reference with room": (
        cbor([7, 1, 1, [[6, 0, 0, b"", 1, True], *[[0, 0, 0, b"", 0, False]] * 3], False]),
        TeeResult.BAD_PARAMETERS,
    ),
    "an output of 600 KiB": (
        cbor([7, 1, 1, [[6, 0, 0, b"", 600 << 10, False], *[[0, 0, 0, b"", 0, False]] * 3], False]),
        TeeResult.BAD_FORMAT,
    ),
    "cancellable, perhaps": (cbor([7, 1, 1, [[0, 0, 0, b"", 0, False]] * 4, 1]), TeeResult.BAD_FORMAT),
    "an identity of nobody": (pack(OpenSession(uuid=b"n" * 16, params=FOUR)), TeeResult.ITEM_NOT_FOUND),
    "a step of a clock that does not step": (pack(AdvanceClock(ms=1)), TeeResult.ACCESS_DENIED),
    "keys with a field": (cbor([13, 1]), TeeResult.BAD_FORMAT),
}
"""Well-framed and wrong: what the secure world answers."""

STILL_RIGHT = pack(RenewKeys())


def send(process: SecureProcess, data: bytes) -> None:
    """Past everything that the normal world checks before it sends."""
    with contextlib.suppress(TeeError):  # the other end may be gone before all of it is written
        process._write(data, _soon())


def _soon() -> float:
    return time.monotonic() + 20


def ended(process: SecureProcess) -> int:
    """Close the pipe and wait: how it ended on its own."""
    os.close(process._write_fd)
    process._write_fd = -1
    return process._process.wait(20)


@pytest.fixture
def in_process(tmp_path: Path) -> Iterator[SecureWorld]:
    with closing(Supplicant(tmp_path)) as supplicant:
        yield InProcessTee([counter()], supplicant)._world


def answered(inside: SecureWorld, data: bytes) -> bytes:
    """What the loop of the launcher does with the first frame of some bytes."""
    body = FrameReader().feed(data)
    return inside.answer(body) if body is not None else b""


@pytest.mark.parametrize("name", NO_FRAMES)
def test_what_is_no_frame_is_told_from_a_wrong_request(in_process: SecureWorld, name: str) -> None:
    with pytest.raises(NoFrameError):
        answered(in_process, NO_FRAMES[name])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.lists(st.integers(-3, 20) | st.binary(max_size=9), max_size=5).map(cbor_body))
def test_any_body_is_answered_or_no_frame(in_process: SecureWorld, body: bytes) -> None:
    try:
        answer = in_process.answer(body)
    except NoFrameError:
        return
    assert isinstance(unpack(answer[4:]), Return)


@pytest.mark.parametrize("error", [MemoryError, RecursionError])
def test_a_core_without_memory_says_so(
    in_process: SecureWorld, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def exhausted(_message: object) -> None:
        raise error

    body = pack(RenewKeys())[4:]
    with monkeypatch.context() as during:
        during.setattr(in_process, "handle", exhausted)
        answer = unpack(in_process.answer(body)[4:])
    assert answer == Return(result=TeeResult.OUT_OF_MEMORY, origin=Origin.TEE)
    assert unpack(in_process.answer(body)[4:]) == Return(result=TeeResult.SUCCESS, origin=Origin.TEE)


@pytest.mark.parametrize("name", ["a length above the limit", "garbage", "a provision", "an answer to nothing asked"])
def test_what_is_no_frame_ends_it_with_70(world: World, name: str) -> None:
    process = world(counter())
    send(process, NO_FRAMES[name])
    assert ended(process) == 70


def test_the_same_before_the_root_secret(world: World) -> None:
    for data in (pack(RenewKeys()), cbor([4, 1]), frame(b"x")):
        process = world(counter(), provisioned=False)
        send(process, data)
        assert ended(process) == 70


@pytest.mark.parametrize("reply", ["another message", "an unknown result", "no array"])
def test_what_is_no_answer_of_the_disk_ends_it_under_the_application(world: World, reply: str) -> None:
    process = world(counter())
    session = Context(process).open_session(COUNTER_UUID)
    add = Invoke(session=session._number, command=ADD.number, params=(Param.memref(Add(step=1).to_bytes()), *FOUR[1:]))
    add = replace(add, params=(add.params[0], Param.output(100), *FOUR[2:]))
    send(process, pack(add))
    assert isinstance(process._receive(_soon()), StorageCall)
    send(process, {"another message": pack(add), "an unknown result": cbor([11, 1, []])}.get(reply, cbor([11, 0, 0])))
    assert ended(process) == 70


@pytest.mark.parametrize("cut", [0, 3, 9])
def test_an_end_within_a_frame_is_an_end(world: World, cut: int) -> None:
    process = world(counter())
    send(process, pack(CloseSession(session=1))[:cut])
    assert ended(process) == 0


def test_what_is_well_framed_and_wrong_is_refused(world: World) -> None:
    process = world(counter())
    session = Context(process).open_session(COUNTER_UUID)
    for name, (data, result) in REFUSED.items():
        send(process, data)
        answer = process._pump(_soon())
        assert isinstance(answer, Return)
        assert answer.result is result, name
        assert answer.origin in (Origin.TEE, Origin.TRUSTED_APP), name
        assert session.call(READ, Nothing()).value == 0, name
    assert process.close() == 0


def test_a_caller_s_mistake_is_told_to_the_caller_before_anything_is_sent(world: World) -> None:
    frames: list[str] = []
    process = world(counter())
    session = Context(process).open_session(COUNTER_UUID)
    process._tap = lambda direction, _frame: frames.append(direction)
    big = Param.memref(bytes(512 << 10))
    none = Param.none()
    mistakes = {
        "parameter 0, buffer: expected at most 524288 bytes": (1, (Param.memref(bytes(600 << 10)), none, none, none)),
        "parameter 2, size_bytes: expected an integer from 0 to 524288": (1, (none, none, Param.output(1 << 20), none)),
        "command: expected an integer from 0 to 4294967295": (-1, FOUR),
        "the parameters are larger than 1048320 bytes together": (1, (big, big, none, none)),
        "the outputs are larger than 1048320 bytes together": (1, (Param.output(512 << 10),) * 4),
        "an operation has four parameters": (1, FOUR[:3]),
    }
    for text, (command, params) in mistakes.items():
        with pytest.raises(TeeError) as caught:
            session.invoke(command, params)  # type: ignore[arg-type]
        assert (caught.value.message, caught.value.result) == (text, TeeResult.BAD_PARAMETERS)
        assert (caught.value.origin, caught.value.hint) == (Origin.API, "nothing was sent")
    for message in (READY, StorageReply(result=TeeResult.SUCCESS, reply=[])):
        with pytest.raises(TeeError, match=f"^{type(message).__name__} is no request") as caught:
            process.exchange(message)
        assert caught.value.origin is Origin.API
    for timeout_ms in (0, -1):
        with pytest.raises(TeeError, match="not above 0"):
            session.invoke(1, FOUR, timeout_ms=timeout_ms)
    for timeout_ms in (MAX_DEADLINE_MS + 1, 1 << 62):
        with pytest.raises(TeeError, match=f"^timeout_ms is {timeout_ms}, above 1000000000 ") as caught:
            session.invoke(1, FOUR, timeout_ms=timeout_ms)
        assert (caught.value.result, caught.value.origin) == (TeeResult.BAD_PARAMETERS, Origin.API)
    assert frames == []
    assert session.call(READ, Nothing(), timeout_ms=MAX_DEADLINE_MS).value == 0


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(data=STILL_RIGHT * 3)
@given(
    st.lists(
        st.binary(max_size=40)
        | st.binary(max_size=40).map(frame)
        | st.lists(st.integers(-3, 20) | st.binary(max_size=9) | st.lists(st.integers(0, 9)), max_size=4).map(cbor)
        | st.sampled_from([*NO_FRAMES.values(), *(data for data, _ in REFUSED.values()), STILL_RIGHT]),
        max_size=5,
    ).map(b"".join)
)
def test_any_bytes_end_it_with_0_or_70(world: World, data: bytes) -> None:
    process = world(counter())
    send(process, data)
    assert ended(process) in (0, 70)
