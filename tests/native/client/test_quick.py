"""What is passed on in C: two pipes on each side, and the test plays both the program and the secure world."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tee_sim.normal.dev_kit import kit_folder
from tee_sim.normal.quick_relay import SMALL_NUMBERS, Quick, QuickState
from tee_sim.shared import codec
from tee_sim.shared.errors import Origin, TeeResult
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.limits import MAX_FRAME_BYTES, MAX_PARAM_BYTES
from tee_sim.shared.params import NO_PARAMS, Param, operation
from tee_sim.shared.wire import Invoke, Message, OpenSession, Return, Wait, framed, pack

PROCESS = 77
BEFORE = codec.encode([60_000, 1 << 32, None])[:-10]
LOOK_MS = 20


class Ends:
    """The other ends of the four pipes."""

    def __init__(self, quick_ms: int = 1000) -> None:
        self.from_program, self.program_write = os.pipe()
        self.program_read, self.to_program = os.pipe()
        self.from_core, self.core_write = os.pipe()
        self.core_read, self.to_core = os.pipe()
        os.set_blocking(self.from_core, False)
        os.set_blocking(self.to_core, False)
        self.quick = Quick(kit_folder(), self.from_program, self.to_program, LOOK_MS)
        inner = bytearray(SMALL_NUMBERS)
        inner[1], inner[2] = 9, 2
        self.quick.begin((self.from_core, self.to_core), bytes(inner), BEFORE, quick_ms, PROCESS)

    def ask(self, message: Message, number: int = PROCESS << 32 | 5, ms: int = 60_000) -> bytes:
        """Write a request as a program; return its bytes."""
        data = framed(codec.encode([ms, number, None])) + pack(message)
        threading.Thread(target=os.write, args=(self.program_write, data), daemon=True).start()
        return data

    def close(self) -> None:
        for fd in (self.from_program, self.program_write, self.program_read, self.to_program):
            os.close(fd)
        for fd in (self.from_core, self.core_write, self.core_read, self.to_core):
            if fd >= 0:
                os.close(fd)


@pytest.fixture
def ends(libteec: Path) -> Iterator[Ends]:
    made = Ends()
    yield made
    made.close()


def invoke(session: int = 1, size_bytes: int = 3) -> Invoke:
    params = operation(Param.memref(bytes(size_bytes)))
    return Invoke(session=session, command=4, params=params, cancellable=True)


HEAD = framed(codec.encode([60_000, PROCESS << 32, None]))


def answer(**fields: object) -> Return:
    plain = {"result": TeeResult.SUCCESS, "origin": Origin.TRUSTED_APP, "session": 9, "params": NO_PARAMS, "bits": 385}
    return Return(**(plain | fields))  # type: ignore[arg-type]


def read_all(fd: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += os.read(fd, size - len(data))
    return data


def test_nothing_comes(ends: Ends) -> None:
    assert ends.quick.serve() is QuickState.LOOK
    assert not ends.quick.working


@pytest.mark.parametrize("size_bytes", [0, 3, 100, MAX_PARAM_BYTES])
def test_a_request_and_its_answer_pass(ends: Ends, size_bytes: int) -> None:
    number = PROCESS << 32 | 0x01020304
    out = pack(answer(params=operation(Param.output(size_bytes).filled(bytes(size_bytes)))))
    seen: list[bytes] = []

    def core() -> None:
        seen.append(read_all(ends.core_read, len(pack(invoke(9, size_bytes)))))
        os.write(ends.core_write, out)

    def program() -> None:
        seen.append(read_all(ends.program_read, 14 + len(out)))

    threads = [threading.Thread(target=core), threading.Thread(target=program)]
    for thread in threads:
        thread.start()
    ends.ask(invoke(1, size_bytes), number)
    while threads[1].is_alive():
        assert ends.quick.serve() is QuickState.LOOK
    assert seen == [pack(invoke(9, size_bytes)), framed(codec.encode([number])) + out]


REQUESTS: dict[str, Callable[[Ends], bytes]] = {
    "another deadline": lambda ends: ends.ask(invoke(), ms=60_001),
    "another process": lambda ends: ends.ask(invoke(), (PROCESS + 1) << 32),
    "a short number": lambda ends: ends.ask(invoke(), 5),
    "a session that is none": lambda ends: ends.ask(invoke(3)),
    "a session of more bytes": lambda ends: ends.ask(invoke(24)),
    "another message": lambda ends: ends.ask(OpenSession(uuid=bytes(16), params=NO_PARAMS)),
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_what_is_not_known_is_given_back_as_it_came(ends: Ends, request_: Callable[[Ends], bytes]) -> None:
    data = request_(ends)
    assert ends.quick.serve() is QuickState.REQUEST
    taken = ends.quick.taken_request()
    assert data.startswith(taken)
    assert taken
    assert not ends.quick.working
    os.set_blocking(ends.core_read, False)
    with pytest.raises(BlockingIOError):
        os.read(ends.core_read, 1)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff" * 8,
        b"\0" * 4,
        framed(codec.encode([])),
        framed(codec.encode([0, 5])),
        HEAD + (MAX_FRAME_BYTES + 1).to_bytes(4, "little") + b"\x85\x07\x01",
        HEAD + pack(invoke()) + framed(codec.encode([0, PROCESS << 32])),
    ],
    ids=["no frame", "an empty one", "kill", "cancel", "too long", "more behind it"],
)  # fmt: skip
def test_other_bytes_are_given_back(ends: Ends, data: bytes) -> None:
    os.write(ends.program_write, data)
    assert ends.quick.serve() is QuickState.REQUEST
    assert data.startswith(ends.quick.taken_request())


def test_a_request_in_pieces_passes(ends: Ends) -> None:
    data = framed(codec.encode([60_000, PROCESS << 32 | 1, None])) + pack(invoke(2))

    def slowly() -> None:
        for byte in data:
            os.write(ends.program_write, bytes([byte]))
            time.sleep(0.0005)

    threading.Thread(target=slowly, daemon=True).start()
    os.write(ends.core_write, pack(answer()))
    assert ends.quick.serve() is QuickState.LOOK
    assert read_all(ends.core_read, len(pack(invoke(2)))) == pack(invoke(2))


ANSWERS = {
    "a refusal": answer(result=TeeResult.GENERIC),
    "a dead process": answer(host_end=HostEnd.FORBIDDEN_CALL),
    "a dead process, and a count of two bytes": answer(host_end=HostEnd.SIGNAL, bits=200),
    "a dead process, and one of three": answer(host_end=HostEnd.BUDGET, bits=0x1234),
    "a dead process, and one of five": answer(host_end=HostEnd.EXITED, bits=0x12345678),
    "a question": Wait(timeout_ms=5),
}


@pytest.mark.parametrize("said", ANSWERS.values(), ids=ANSWERS)
def test_what_is_no_plain_answer_is_given_back(ends: Ends, said: Message) -> None:
    ends.ask(invoke())
    os.write(ends.core_write, pack(said))
    assert ends.quick.serve() is QuickState.ANSWER
    assert (ends.quick.working, ends.quick.number) == (True, PROCESS << 32 | 5)
    assert ends.quick.taken_answer() == pack(said)
    assert not ends.quick.working


def test_two_answers_are_given_back(ends: Ends) -> None:
    ends.ask(invoke())
    os.write(ends.core_write, pack(answer()) + b"\x05")
    assert ends.quick.serve() is QuickState.ANSWER
    assert ends.quick.taken_answer() == pack(answer()) + b"\x05"


def test_a_secure_world_that_ends_or_is_late_is_the_callers_to_see(libteec: Path) -> None:
    ends = Ends(quick_ms=60)
    ends.ask(invoke())
    began = time.monotonic()
    assert ends.quick.serve() is QuickState.ANSWER
    assert time.monotonic() - began >= 0.06
    assert abs(ends.quick.deadline_s - time.monotonic()) < 5
    assert ends.quick.taken_answer() == b""
    ends.ask(invoke())
    os.write(ends.core_write, pack(answer())[:7])
    os.close(ends.core_write)
    ends.core_write = -1
    assert ends.quick.serve() is QuickState.ANSWER
    assert ends.quick.taken_answer() == pack(answer())[:7]
    ends.close()


def test_a_request_to_one_that_is_gone_is_given_back_whole(libteec: Path) -> None:
    ends = Ends()
    os.close(ends.core_read)
    ends.core_read = -1
    data = ends.ask(invoke())
    assert ends.quick.serve() is QuickState.REQUEST
    assert ends.quick.taken_request() == data
    ends.close()


def test_a_program_that_closes_ends_it(ends: Ends) -> None:
    os.close(ends.program_write)
    assert ends.quick.serve() is QuickState.END
    ends.program_write = os.open("/dev/null", os.O_RDONLY)
