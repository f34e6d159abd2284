"""One application in C calls another in a locked machine, each built for another version of the API."""

import re
import struct
import time
from collections.abc import Iterator
from uuid import UUID

import pytest

from tee_sim.normal.client import Session
from tee_sim.shared.errors import Origin, TeeResult
from tee_sim.shared.login import Login
from tee_sim.shared.params import Param, ParamType
from tests.native.builds import TAS, Builds
from tests.native.conftest import machine_of

RELAY, CALLED = UUID("2f7b1c90-63d4-4c1a-b6e8-95a0d3f18c27"), UUID("7e4c10d2-58ab-4f93-9d06-3b1fa2c7e851")
SOURCE = (TAS / "relay" / "relay.c").read_text("ascii")
DO = {name: int(number) for name, number in re.findall(r"^    ([A-Z_]+) = (\d+),$", SOURCE, re.MULTILINE)}
ANSWER, REFUSE, PANIC, WAIT, CALL_BACK, WHO = range(1, 7)
FOR_EVER = 0xFFFFFFFF


class Relayed:
    """A session with the caller, which has one with the other."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def do(self, name: str, data: bytes = b"", a: int = 0, b: int = FOR_EVER) -> tuple[TeeResult, Origin, bytes]:
        """Result and origin that the caller was given, and what came back."""
        params = (Param.memref(data), Param.value(a, b), Param.output(128), Param(kind=ParamType.VALUE_OUTPUT))
        done = self._session.invoke(DO[name], params)
        return TeeResult(done[3].a), Origin(done[3].b), done[2].buffer

    def call(self, command: int, data: bytes = b"", timeout_ms: int = FOR_EVER) -> tuple[TeeResult, Origin]:
        """The same of a command, without what came back."""
        return self.do("CALL", data, command, timeout_ms)[:2]


@pytest.fixture(params=[(11, 13), (13, 11)], ids=["1.1 calls 1.3.1", "1.3.1 calls 1.1"])
def relayed(builds: Builds, request: pytest.FixtureRequest) -> Iterator[Relayed]:
    caller, called = request.param
    with machine_of(builds.ta(TAS / "relay", caller), builds.ta(TAS / "called", called)) as tee:
        opened = Relayed(tee.context.open_session(RELAY))
        assert opened.do("OPEN", CALLED.bytes)[:2] == (TeeResult.SUCCESS, Origin.TRUSTED_APP)
        yield opened


def came_back(data: bytes) -> tuple[tuple[int, ...], bytes, bytes]:
    """The value, both sizes; the bytes of both references."""
    return struct.unpack_from("<4I", data), data[16:48], data[48:]


def test_what_goes_there_comes_back_changed(relayed: Relayed) -> None:
    result, origin, data = relayed.do("CALL", b"Hello", ANSWER)
    assert (result, origin) == (TeeResult.SUCCESS, Origin.TRUSTED_APP)
    assert came_back(data) == ((1070, FOR_EVER, 5, 8), b"hELLO" + b"\xee" * 27, b"answered" + b"\xee" * 24)
    result, origin, data = relayed.do("CALL", b"Hello", REFUSE)
    assert (int(result), origin) == (0xC0DE0001, Origin.TRUSTED_APP)
    assert came_back(data)[0] == (1, 2, 5, 900)
    assert relayed.call(99) == (TeeResult.NOT_SUPPORTED, Origin.TRUSTED_APP)


def test_who_calls_is_the_caller_by_the_core_s_word(relayed: Relayed) -> None:
    _, _, data = relayed.do("CALL", b"", WHO)
    assert came_back(data)[0][:2] == (Login.TRUSTED_APP, 0x2F7B1C90)


def test_a_panic_there_is_a_result_here(relayed: Relayed) -> None:
    for _ in range(2):
        assert relayed.call(PANIC) == (TeeResult.TARGET_DEAD, Origin.TEE)
    assert relayed.do("OPEN", CALLED.bytes)[0] is TeeResult.SUCCESS
    assert relayed.call(ANSWER) == (TeeResult.SUCCESS, Origin.TRUSTED_APP)


def test_who_waits_for_this_very_call_is_busy(relayed: Relayed) -> None:
    assert relayed.call(CALL_BACK) == (TeeResult.BUSY, Origin.TRUSTED_APP)
    assert relayed.do("OPEN", RELAY.bytes)[0] is TeeResult.BUSY
    assert relayed.do("OPEN", UUID(int=4).bytes)[0] is TeeResult.ITEM_NOT_FOUND


def test_a_call_whose_time_is_over_is_cancelled(relayed: Relayed) -> None:
    began = time.monotonic()
    assert relayed.call(WAIT, timeout_ms=150) == (TeeResult.CANCEL, Origin.TRUSTED_APP)
    assert 0.1 < time.monotonic() - began < 10
    assert relayed.call(ANSWER) == (TeeResult.SUCCESS, Origin.TRUSTED_APP)
