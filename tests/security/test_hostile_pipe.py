"""A host that sends the core what is no message, speaks out of turn, asks what it may not, or does not read.

It ends alone, by one of six words; the core and the application next to it go on as if nothing had been.
"""

import struct
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import cbor2
import pytest

from tee_sim.normal.client import Session
from tee_sim.secure.hosts.messages import (
    Ask,
    Close,
    CoreAnswer,
    Destroy,
    HostLocked,
    HostMessage,
    HostRefusal,
    HostReturn,
    Panicked,
    pack,
)
from tee_sim.secure.hosts.questions import MAX_FETCH, MAX_KEY_BYTES, MAX_RANDOM_BYTES, Question
from tee_sim.shared.debug_report import DebugReport
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.host_end import NO_HOST_LEFT, HostEnd
from tee_sim.shared.limits import MAX_FRAME_BYTES
from tee_sim.shared.params import Param, Params, ParamType
from tests.security.applications.hostile import app
from tests.security.hostile import HOSTILE, KEEPER, Pair, keep, pair

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")


def frame(body: bytes) -> bytes:
    return struct.pack("<I", len(body)) + body


def cbor(value: object) -> bytes:
    return frame(cbor2.dumps(value, canonical=True))


ASK = 8
NO_MESSAGES: dict[str, bytes] = {
    "a length above the limit": struct.pack("<I", MAX_FRAME_BYTES + 1),
    "the greatest length": b"\xff" * 4,
    "an empty body": frame(b""),
    "garbage": frame(b"\x00garbage\xff"),
    "indefinite length": frame(b"\x9f\x08\xff"),
    "trailing bytes": frame(cbor2.dumps([11], canonical=True) + b"\0"),
    "a float": frame(bytes.fromhex("8208fb3ff0000000000000")),
    "nested too deep": frame(b"\x81" * 40 + b"\x00"),
    "no list": cbor({1: 2}),
    "an empty list": cbor([]),
    "an unknown tag": cbor([99]),
    "a tag that is a flag": cbor([True, b""]),
    "its report once more": pack(HostLocked(report=b"")),
    "a message to a host": pack(Destroy(instance=1, panicked=False)),
    "a close": cbor([5, 1, 1, []]),
    "an answer": pack(CoreAnswer(result=TeeResult.SUCCESS, value=[])),
    "a return with five parameters": cbor([9, 0, [[0, 0, 0, b"", 0, False]] * 5]),
    "a return to a session below zero": cbor([9, -1, []]),
    "a refusal of no origin": cbor([10, 1, 99, []]),
    "a refusal of 64 bits": cbor([10, 1 << 40, 4, []]),
    "a panic with words": cbor([11, "why"]),
}
_PARAM = [0, 0, 0, b"", 0, False]
BAD_QUESTIONS: dict[str, list[object]] = {
    "no question": [0, []],
    "a question above all": [200, []],
    "a question below zero": [-1, []],
    "a question that is a flag": [True, [b"x"]],
    "words that are none": [int(Question.GET), b"x"],
    "an id in text": [int(Question.GET), ["a"]],
    "two ids": [int(Question.GET), [b"a", b"b"]],
    "headers with a word": [int(Question.HEADERS), [1]],
    "a kind in bytes": [int(Question.LOAD), [b"k"]],
    "a walk that was never begun": [int(Question.NEXT), [77]],
    "a state of somewhere": [int(Question.STATE), [b"other"]],
    "an unknown reserve": [int(Question.BEGIN), [9]],
    "half a put": [int(Question.PUT), [b"a", b"b"]],
    "a transaction of anything": [int(Question.TRANSACT), [0, [b"a"]]],
    "too much to fetch": [int(Question.FETCH), [b"a"] * (MAX_FETCH + 1)],
    "nothing to fetch": [int(Question.FETCH), []],
    "a label of any length": [int(Question.DERIVE), ["l" * 65, b"", 32]],
    "a label with an accent": [int(Question.DERIVE), ["é", b"", 32]],
    "a key without a size": [int(Question.DERIVE), ["l", b"", 0]],
    "a key too long": [int(Question.DERIVE), ["l", b"", MAX_KEY_BYTES + 1]],
    "a key that is not a name": [int(Question.MAKE_STATEMENT), [b"auth-token", b"a", bytes(8)]],
    "a name too long to state": [int(Question.MAKE_STATEMENT), ["n" * 33, b"a", bytes(8)]],
    "an echo of seven bytes": [int(Question.MAKE_STATEMENT), ["one", b"a", bytes(7)]],
    "an echo that is a number": [int(Question.MAKE_STATEMENT), ["one", b"a", 7]],
    "a statement with a time of its own": [int(Question.MAKE_STATEMENT), ["one", b"a", bytes(8), 1]],
    "a statement about ids of its own": [int(Question.MAKE_STATEMENT), ["one", [bytes(8)], bytes(8)]],
    "a name too long to check": [int(Question.CHECK_STATEMENT), ["n" * 33, b""]],
    "a check without a name": [int(Question.CHECK_STATEMENT), [b"token"]],
    "a check in text": [int(Question.CHECK_STATEMENT), ["one", "token"]],
    "a digest under a salt of its own": [int(Question.MAKE_DIGEST), [b"message", bytes(16)]],
    "a digest of a text": [int(Question.MAKE_DIGEST), ["message"]],
    "a digest of nothing": [int(Question.MAKE_DIGEST), []],
    "a check without a digest": [int(Question.CHECK_DIGEST), [bytes(16), b"message"]],
    "a check of a text": [int(Question.CHECK_DIGEST), [bytes(16), "message", bytes(32)]],
    "the time of somewhere": [int(Question.TIME), [1]],
    "too much randomness": [int(Question.RANDOM), [MAX_RANDOM_BYTES + 1, False]],
    "randomness below zero": [int(Question.RANDOM), [-1, True]],
    "randomness of nobody": [int(Question.RANDOM), [16]],
    "randomness of a third": [int(Question.RANDOM), [16, 2]],
    "a peer of four bytes": [int(Question.OPEN_PEER), [b"abcd", [_PARAM] * 4]],
    "a peer with three parameters": [int(Question.OPEN_PEER), [KEEPER.uuid, [_PARAM] * 3]],
    "a session of another": [int(Question.INVOKE_PEER), [1, 1, [_PARAM] * 4]],
    "a close of another": [int(Question.CLOSE_PEER), [1]],
    "a mask that is a number": [int(Question.MASK), [1]],
    "a wait of less than nothing": [int(Question.LOOK), [-1]],
}
OUT_OF_TURN: dict[str, HostMessage] = {
    "a return": HostReturn(),
    "a return with a context": HostReturn(context=7),
    "a refusal": HostRefusal(result=TeeResult.ACCESS_DENIED, origin=Origin.TRUSTED_APP),
    "a panic": Panicked(),
    "a question": Ask(question=Question.TIME, words=[]),
}
"""Each of these may come; here it comes once more than it may."""


class Worlds:
    """One world after the other: each time the hostile application has used up its processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        self.current: tuple[Pair, Session] | None = None
        self._manager = pair(folder)

    def hostile(self) -> tuple[Session, Session]:
        """A session with the hostile application, and the one with its neighbor that stays open."""
        try:
            if self.current is not None:
                return self.current[0].open(HOSTILE), self.current[1]
        except TeeError as error:
            if NO_HOST_LEFT not in str(error):
                raise
        self.end()
        self.count += 1
        folder = self.folder / str(self.count)
        folder.mkdir()
        self._manager = pair(folder)
        world = self._manager.__enter__()
        neighbor = world.open(KEEPER)
        keep(neighbor, b"begin")
        self.current = world, neighbor
        return world.open(HOSTILE), neighbor

    def end(self) -> None:
        if self.current is not None:
            self._manager.__exit__(None, None, None)
            self.current = None


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    worlds = Worlds(tmp_path_factory.mktemp("pipe"))
    yield worlds
    worlds.end()


def asked(session: Session, command: int, raw: bytes = b"") -> int:
    params: Params = (Param.memref(raw), Param(kind=ParamType.VALUE_OUTPUT), Param.none(), Param.none())
    return session.invoke(command, params)[1].a


def goes_on(neighbor: Session) -> None:
    """It has its memory, and the core its session."""
    before = asked(neighbor, app.COUNT)
    assert before >= 5
    keep(neighbor, b"x")
    assert asked(neighbor, app.COUNT) == before + 1


def ends(worlds: Worlds, command: int, raw: bytes, why: HostEnd) -> float:
    """The hostile application says this; returns after how many seconds it had ended."""
    hostile, neighbor = worlds.hostile()
    began = time.monotonic()
    with pytest.raises(TeeError) as caught:
        asked(hostile, command, raw)
    took = time.monotonic() - began
    assert (caught.value.result, caught.value.origin) == (TeeResult.TARGET_DEAD, Origin.TEE)
    assert why.words in str(caught.value)
    goes_on(neighbor)
    return took


@pytest.mark.parametrize("name", NO_MESSAGES)
def test_what_is_no_message_ends_the_host_alone(worlds: Worlds, name: str) -> None:
    ends(worlds, app.SAY_AND_WAIT, NO_MESSAGES[name], HostEnd.OUT_OF_TURN)


@pytest.mark.parametrize("name", BAD_QUESTIONS)
def test_a_question_whose_words_do_not_fit_ends_the_host_alone(worlds: Worlds, name: str) -> None:
    ends(worlds, app.SAY_AND_WAIT, cbor([ASK, *BAD_QUESTIONS[name]]), HostEnd.OUT_OF_TURN)


@pytest.mark.parametrize("name", ["a question", "a return", "a panic"])
def test_a_report_for_debugging_is_no_message_of_a_locked_host(worlds: Worlds, name: str) -> None:
    raw = cbor([12, *[0] * len(DebugReport.__dataclass_fields__)])
    ends(worlds, app.SAY_AND_WAIT, raw + pack(OUT_OF_TURN[name]), HostEnd.OUT_OF_TURN)


@pytest.mark.parametrize("name", OUT_OF_TURN)
def test_a_message_out_of_turn_is_believed_once_at_most(worlds: Worlds, name: str) -> None:
    """The first is taken for the answer, as it might be; what the host sends after it ends the host at the next."""
    hostile, neighbor = worlds.hostile()
    outcomes = []
    for command, raw in ((app.SAY, pack(OUT_OF_TURN[name])), (app.COUNT, b""), (app.COUNT, b"")):
        try:
            outcomes.append(asked(hostile, command, raw))
        except TeeError as error:
            outcomes.append(error.result)
        time.sleep(0.1)
    assert outcomes[-1] is TeeResult.TARGET_DEAD
    goes_on(neighbor)
    again, _ = worlds.hostile()
    assert asked(again, app.COUNT) == 0, "another process, with nothing of the first"


def test_half_a_message_is_waited_for_as_long_as_the_manifest_says(worlds: Worlds) -> None:
    took = ends(worlds, app.SAY_AND_WAIT, struct.pack("<I", 1000) + bytes(10), HostEnd.TOO_SLOW)
    assert 0.4 < took < 5


def test_a_host_that_never_reads_is_ended(worlds: Worlds) -> None:
    """Questions without end whose answers it does not take: both pipes are full, and its time is over."""
    question = pack(Ask(question=Question.RANDOM, words=[MAX_RANDOM_BYTES, False]))
    took = ends(worlds, app.SAY_FOREVER, question, HostEnd.TOO_SLOW)
    assert took < 10


_MOST_SESSIONS = 20


def test_messages_without_end_do_not_keep_the_core(worlds: Worlds) -> None:
    """Each is an answer without parameters, which is a panic; at a next session the host is ended.

    Not always at the first: a host that is not on a processor just then has said nothing out of turn. What it says
    next answers its own question alone, and is a panic again.
    """
    hostile, neighbor = worlds.hostile()
    with pytest.raises(TeeError, match="panicked"):
        asked(hostile, app.SAY_FOREVER, pack(HostReturn()))
    goes_on(neighbor)
    for _ in range(_MOST_SESSIONS):
        with suppress(TeeError):
            again, neighbor = worlds.hostile()
            assert asked(again, app.COUNT) == 0
            return
        goes_on(neighbor)
    pytest.fail("the host was never ended")


def test_questions_without_end_come_to_one(worlds: Worlds) -> None:
    """What it waits for the core is not its own time, what it takes to ask is."""
    took = ends(worlds, app.ASK_FOREVER, b"", HostEnd.TOO_SLOW)
    assert took < 30


def test_close_and_refuse_know_their_own_instance_only() -> None:
    """Numbers of instances and sessions go from the core to a host and never back: it cannot name another's."""
    back = {Ask, HostReturn, HostRefusal, Panicked}
    assert not any("instance" in kind.__dataclass_fields__ for kind in back)
    assert "instance" in Close.__dataclass_fields__
