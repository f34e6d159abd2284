"""docs/examples/pin and safe in a locked machine: what they promise, with faults played."""

import struct
from collections.abc import Iterator

import pytest

from tee_sim.normal.client import Session
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.params import Param, Params, ParamType
from tee_sim.testing.machine_fixture import Tee
from tests.native.builds import EXAMPLES, Builds
from tests.native.conftest import machine_of

SET, VERIFY, CHECK = 0, 1, 2
WAIT = 0x0001_0001
HANDLE_BYTES, TOKEN_BYTES = 62, 54
NONE = Param.none()
CREATE, READ, REPLACE, WRITE, RESIZE, RENAME, DELETE, LIST = range(8)


def inout(a: int, b: int = 0) -> Param:
    return Param(kind=ParamType.VALUE_INOUT, a=a, b=b)


def verification(handle: bytes, pin: bytes, challenge: int = 1) -> Params:
    return (inout(challenge), Param.memref(handle), Param.memref(pin), Param.output(TOKEN_BYTES))


class Pin:
    """A client of the PIN application."""

    def __init__(self, tee: Tee) -> None:
        self.tee = tee

    def set(self, pin: bytes, old: bytes = b"", user: int = 7) -> bytes:
        answer = self._asked(SET, (inout(user), Param.memref(pin), Param.memref(old), Param.output(HANDLE_BYTES)))
        return answer[3].buffer

    def verify(self, handle: bytes, pin: bytes, challenge: int = 1) -> bytes:
        return self._asked(VERIFY, verification(handle, pin, challenge))[3].buffer

    def check(self, token: bytes, challenge: int = 1) -> None:
        self._asked(CHECK, (Param.value(challenge, 0), Param.memref(token), NONE, NONE))

    def result(self, handle: bytes, pin: bytes) -> tuple[int, int]:
        """The result, and the milliseconds to wait."""
        try:
            self.verify(handle, pin)
        except TeeError as error:
            return int(error.result), error.params[0].a if error.params else 0
        return 0, 0

    def _asked(self, command: int, params: Params) -> Params:
        with self.tee.session() as session:
            return session.invoke(command, params)


@pytest.fixture
def pin(builds: Builds) -> Iterator[Pin]:
    with machine_of(builds.ta(EXAMPLES / "pin/ta")) as tee:
        yield Pin(tee)


def test_a_right_pin_gives_a_token_that_answers_its_challenge(pin: Pin) -> None:
    handle = pin.set(b"2580")
    token = pin.verify(handle, b"2580", challenge=5)
    pin.check(token, challenge=5)
    for wrong, challenge in ((token, 6), (token[:-1] + bytes([token[-1] ^ 1]), 5)):
        with pytest.raises(TeeError):
            pin.check(wrong, challenge)
    assert pin.result(handle, b"2581")[0] == TeeResult.ACCESS_DENIED
    assert pin.result(handle, b"258")[0] == TeeResult.ACCESS_DENIED


def test_guesses_are_slowed_down_and_a_restart_does_not_help(pin: Pin) -> None:
    handle = pin.set(b"2580")
    assert [pin.result(handle, b"0000") for _ in range(5)] == [(TeeResult.ACCESS_DENIED, 0)] * 4 + [
        (TeeResult.ACCESS_DENIED, 30_000)
    ]
    assert pin.result(handle, b"2580")[0] == WAIT
    pin.tee.restart()
    result, wait_ms = pin.result(handle, b"2580")
    assert (result, 29_000 < wait_ms <= 30_000) == (WAIT, True)
    pin.tee.advance_clock(30_000)
    assert pin.result(handle, b"2580")[0] == 0


@pytest.mark.parametrize("action", ["die-before", "die-after"])
def test_a_power_cut_at_the_count_saves_no_guess(pin: Pin, action: str) -> None:
    handle = pin.set(b"2580")
    for _ in range(5):
        session = pin.tee.session()  # a machine that starts again writes too
        pin.tee.fault(f"commit@1: {action}")
        with pytest.raises(TeeError):
            session.invoke(VERIFY, verification(handle, b"0000"))
        assert pin.tee.fired == (f"commit: {action}",)
    pin.tee.fault("")
    counted = pin.result(handle, b"2580")[0]
    assert counted == (WAIT if action == "die-after" else 0)


def test_a_handle_of_before_a_change_is_refused_and_so_is_another_users(pin: Pin) -> None:
    old = pin.set(b"2580")
    with pytest.raises(TeeError, match="ACCESS_DENIED"):
        pin.set(b"1379")
    new = pin.set(b"1379", old=old + b"2580")
    assert pin.result(old, b"2580")[0] == TeeResult.ACCESS_DENIED
    assert pin.result(new, b"1379")[0] == 0
    other = pin.set(b"2580", user=8)
    moved = other[:2] + struct.pack("<I", 7) + other[6:]
    assert pin.result(moved, b"2580")[0] == TeeResult.ACCESS_DENIED


@pytest.fixture
def safe(builds: Builds) -> Iterator[Tee]:
    with machine_of(builds.ta(EXAMPLES / "safe/ta")) as tee:
        yield tee


def put(session: Session, command: int, name: bytes, data: bytes) -> None:
    session.invoke(command, (Param.memref(name), Param.memref(data), NONE, NONE))


def read(session: Session, name: bytes, room: int = 100_000) -> bytes:
    return session.invoke(READ, (Param.memref(name), Param.output(room), NONE, NONE))[1].buffer


def test_objects_are_made_changed_and_taken_out(safe: Tee) -> None:
    session = safe.session()
    put(session, CREATE, b"a", b"one")
    with pytest.raises(TeeError, match="ACCESS_CONFLICT"):
        put(session, CREATE, b"a", b"two")
    put(session, REPLACE, b"a", b"two")
    session.invoke(WRITE, (Param.memref(b"a"), Param.memref(b"!"), Param.value(5, 0), NONE))
    assert read(session, b"a") == b"two\0\0!"
    with pytest.raises(TeeError, match="SHORT_BUFFER") as short:
        read(session, b"a", room=2)
    assert short.value.params
    assert short.value.params[1].size_bytes == 6
    session.invoke(RESIZE, (Param.memref(b"a"), Param.value(2, 0), NONE, NONE))
    put(session, RENAME, b"a", b"b")
    put(session, CREATE, b"c", bytes(70_000))
    safe.power_cut()
    session = safe.session()
    (listed, *_) = session.invoke(LIST, (Param.output(1000), NONE, NONE, NONE))
    lines = {b"\x02\0\0\0\x01b", struct.pack("<IB", 70_000, 1) + b"c"}
    assert {listed.buffer[:6], listed.buffer[6:]} == lines
    assert read(session, b"b") == b"tw"
    session.invoke(DELETE, (Param.memref(b"b"), NONE, NONE, NONE))
    with pytest.raises(TeeError, match="ITEM_NOT_FOUND"):
        read(session, b"b")
