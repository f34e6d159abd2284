"""The short way of an invocation's messages against the general one, on right and wrong bytes."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tee_sim.secure.hosts import messages
from tee_sim.secure.hosts.invocations import read_host_return, read_invoke, write_return, write_run
from tee_sim.shared import codec, wire
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.limits import MAX_PARAM_BYTES
from tee_sim.shared.login import PUBLIC, ClientIdentity, Login
from tee_sim.shared.params import NO_PARAMS, Param, Params, ParamType
from tee_sim.shared.task import Task
from tee_sim.shared.wire import HEAD_BYTES, Invoke, NoFrameError, Return

NUMBERS = (0, 1, 23, 24, 255, 256, 65_535, 65_536, 0xFFFF_FFFF)
VALUES = (ParamType.VALUE_INPUT, ParamType.VALUE_OUTPUT, ParamType.VALUE_INOUT)
MEMREFS = (ParamType.MEMREF_INPUT, ParamType.MEMREF_OUTPUT, ParamType.MEMREF_INOUT)
LENGTHS = (0, 1, 23, 24, 255, 256, 65_536)
TASKS = (
    Task(client=PUBLIC),
    Task(client=ClientIdentity(login=Login.TRUSTED_APP, uuid=b"T" * 16), cancellable=True),
    Task(client=ClientIdentity(login=Login.USER_APPLICATION, uuid=b"U" * 16)),
)


def param(choose: random.Random) -> Param:
    match choose.randrange(4):
        case 0:
            return Param.none()
        case 1:
            return Param(kind=choose.choice(VALUES), a=choose.choice(NUMBERS), b=choose.choice(NUMBERS))
        case 2:
            return Param.null(choose.choice(MEMREFS))
        case _:
            buffer = choose.randbytes(choose.choice(LENGTHS))
            return Param(kind=choose.choice(MEMREFS), buffer=buffer, size_bytes=choose.choice(NUMBERS))


def params(choose: random.Random) -> Params:
    return (param(choose), param(choose), param(choose), param(choose))


def invoke(choose: random.Random) -> Invoke:
    session, command = choose.choice(NUMBERS), choose.choice(NUMBERS)
    return Invoke(session=session, command=command, params=params(choose), cancellable=choose.random() < 0.5)


def host_return(choose: random.Random) -> messages.HostReturn:
    return messages.HostReturn(context=choose.choice(NUMBERS), params=params(choose))


Make = Callable[[random.Random], Any]
Read = Callable[[bytes], Any]
READ = (
    pytest.param(invoke, wire.pack, read_invoke, lambda body: wire.unpack(body, wire.REQUESTS), id="invoke"),
    pytest.param(
        host_return,
        messages.pack,
        read_host_return,
        lambda body: messages.unpack(body, messages.FROM_HOST),
        id="host-return",
    ),
)


def general(read: Read, body: bytes) -> Any:
    try:
        return read(body)
    except (NoFrameError, TeeError):
        return None


@pytest.mark.parametrize(("make", "pack", "short", "whole"), READ)
def test_what_is_right_is_read_the_short_way(make: Make, pack: Read, short: Read, whole: Read) -> None:
    choose = random.Random(21)
    for _ in range(300):
        message = make(choose)
        body = pack(message)[HEAD_BYTES:]
        assert short(body) == message == whole(body)


@pytest.mark.parametrize(("make", "pack", "short", "whole"), READ)
def test_what_was_changed_is_read_as_the_general_way_does_or_not_at_all(
    make: Make, pack: Read, short: Read, whole: Read
) -> None:
    choose = random.Random(22)
    refused = 0
    for _ in range(6000):
        body = bytearray(pack(make(choose))[HEAD_BYTES:][:400])
        for _ in range(choose.randrange(1, 3)):
            at = choose.randrange(min(len(body), 80))
            match choose.randrange(3):
                case 0:
                    body[at] = choose.choice((0, 4, 23, 24, 25, 26, 27, 31, 0x40, 0x58, 0x86, 0xF4, 0xF5, 0xF6, 0xFF))
                case 1:
                    del body[at]
                case _:
                    body.insert(at, choose.randrange(256))
        found = short(bytes(body))
        refused += found is None
        assert found is None or found == general(whole, bytes(body))
    assert 3000 < refused < 6000


@pytest.mark.parametrize(("make", "pack", "short", "whole"), READ)
def test_no_beginning_of_a_message_is_read(make: Make, pack: Read, short: Read, whole: Read) -> None:
    body = pack(make(random.Random(23)))[HEAD_BYTES:]
    assert [short(body[:size]) for size in range(min(len(body), 300))] == [None] * min(len(body), 300)
    assert short(body + b"\0") is None
    assert whole(body) is not None


WRONG = {
    "a number in more bytes than it needs": b"\x86\x01\x18\x17\x00\x40\x00\xf4",
    "a number of 64 bits": b"\x86\x01\x1b\x00\x00\x00\x01\x00\x00\x00\x00\x00\x40\x00\xf4",
    "a kind that there is none of": b"\x86\x04\x00\x00\x40\x00\xf4",
    "a value with bytes": b"\x86\x01\x00\x00\x41\x00\x00\xf4",
    "a memory reference with numbers": b"\x86\x05\x01\x00\x40\x00\xf4",
    "null with room": b"\x86\x06\x00\x00\x40\x01\xf5",
    "neither true nor false": b"\x86\x06\x00\x00\x40\x01\xf6",
    "text for bytes": b"\x86\x06\x00\x00\x60\x01\xf4",
    "five fields": b"\x85\x06\x00\x00\x40\x01",
    "more bytes than a parameter may have": b"\x86\x05\x00\x00"
    + codec.encode(bytes(MAX_PARAM_BYTES + 1))
    + codec.encode(MAX_PARAM_BYTES + 1)
    + b"\xf4",
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=[*WRONG])
def test_a_parameter_that_is_wrong_is_left_to_the_general_way_which_refuses_it(wrong: bytes) -> None:
    nothing = codec.encode(Param.none().to_plain())
    for at in range(4):
        body = b"\x85\x07\x01\x01\x84" + nothing * at + wrong + nothing * (3 - at) + b"\xf4"
        assert read_invoke(body) is None
        with pytest.raises((NoFrameError, TeeError)):
            wire.unpack(body, wire.REQUESTS)


def test_three_or_five_parameters_are_left_to_the_general_way() -> None:
    nothing = codec.encode(Param.none().to_plain())
    assert read_invoke(b"\x85\x07\x01\x01\x83" + nothing * 3 + b"\xf4") is None
    assert read_invoke(b"\x85\x07\x01\x01\x85" + nothing * 5 + b"\xf4") is None
    assert read_invoke(b"\x85\x07\x01\x01\x84" + nothing * 4 + b"\xf4") == Invoke(
        session=1, command=1, params=NO_PARAMS
    )


def test_what_is_written_are_the_bytes_of_the_general_way() -> None:
    choose = random.Random(24)
    for _ in range(300):
        given, task = params(choose), choose.choice(TASKS)
        numbers = [choose.choice(NUMBERS) for _ in range(3)]
        run = messages.Run(instance=numbers[0], context=numbers[1], task=task, command=numbers[2], params=given)
        assert write_run(numbers[0], numbers[1], task, numbers[2], given) == messages.pack(run)
        answer = Return(
            result=choose.choice((TeeResult.SUCCESS, TeeResult.SHORT_BUFFER, TeeResult(0x1234_5678))),
            origin=choose.choice([*Origin]),
            session=numbers[0],
            params=given,
            host_end=choose.choice([*HostEnd]),
            bits=numbers[1],
        )
        assert write_return(answer) == wire.pack(answer)


def test_what_has_no_place_in_a_message_is_left_to_the_general_way() -> None:
    odd = Task(client=ClientIdentity(login=Login.PUBLIC, uuid=b"short"))
    assert write_run(1, 1, odd, 1, NO_PARAMS) is None
    assert write_run(1 << 32, 1, TASKS[0], 1, NO_PARAMS) is None
    assert write_run(1, -1, TASKS[0], 1, NO_PARAMS) is None
    answer = Return(result=TeeResult.SUCCESS, origin=Origin.TRUSTED_APP, params=NO_PARAMS)
    assert write_return(replace(answer, params=())) is None
    assert write_return(replace(answer, bits=1 << 32)) is None
    large = Param(kind=ParamType.MEMREF_INOUT, buffer=bytes(MAX_PARAM_BYTES), size_bytes=MAX_PARAM_BYTES)
    too_long = replace(answer, params=(large, large, large, large))
    assert write_return(too_long) is None
    with pytest.raises(TeeError, match="larger than a frame"):
        wire.pack(too_long)
