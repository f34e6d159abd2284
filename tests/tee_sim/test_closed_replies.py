"""`replies = "closed"`: what an application could answer is looked at when it loads, and held to afterwards.

Here, too: the quota of objects, which the store keeps.
"""

from dataclasses import dataclass, replace
from typing import Annotated

import pytest

from tee_sim.normal.client import Context, Session
from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.normal.supplicant.service import Service
from tee_sim.secure.closed_replies import OpenReplyError, held_to
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.manifest import Manifest, Replies
from tee_sim.shared.params import Param, operation
from tee_sim.shared.schema import AtMost, Fixed, Items, Record, Text, UpTo, max_bytes
from tee_sim.shared.ta_api import Command, CommandApp, Opened, TaEnv
from tee_sim.testing.in_memory import MemoryBlobs, MemoryMedium
from tee_sim.testing.in_process import InProcessTee


@dataclass(frozen=True, slots=True, kw_only=True)
class Put(Record):
    name: Annotated[bytes, Fixed(1)]
    size_bytes: Annotated[int, UpTo(100_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Record):
    number: Annotated[int, UpTo(9)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bytes(Record):
    data: Annotated[bytes, AtMost(4)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words(Record):
    inner: Annotated[tuple[str, ...], Items(2, Text(3))]


PUT, LATE, AGAIN = Command(1, Put, Done), Command(2, Put, Done), Command(3, Put, Done)


class Closed(CommandApp):
    def create(self, env: TaEnv) -> None:
        self.env = env
        self.handle(PUT, self.put)
        self.handle(AGAIN, self.declare)

    def put(self, _session: object, request: Put) -> Done:
        with self.env.store.transaction() as transaction:
            transaction.put(request.name, bytes(request.size_bytes), kind="x")
        return Done(number=1)

    def declare(self, session: object, request: Put) -> Done:
        self.handle(LATE, self.put)
        return Done(number=2)


class FreeBytes(Closed):
    def create(self, env: TaEnv) -> None:
        super().create(env)
        self.handle(Command(7, Put, Bytes), lambda _session, _request: Bytes(data=b"1234"))


class FreeText(Closed):
    def create(self, env: TaEnv) -> None:
        super().create(env)
        self.handle(Command(7, Put, Words), lambda _session, _request: Words(inner=("a",)))


class OtherNumber(Closed):
    def create(self, env: TaEnv) -> None:
        super().create(env)
        self.handlers[9] = self.handlers[1]


class OwnInvoke(Closed):
    def invoke(self, session, command, params):
        return super().invoke(session, command, params)


class NoCommands:
    def create(self, env: TaEnv) -> None: ...

    def open_session(self, params):
        return None


class LongRecord(Done):
    """A Done that writes more than a Done can be."""

    def to_bytes(self) -> bytes:
        return bytes(30)


class OtherForm(Done):
    """A Done that is written as no encoder of ours writes one: which of the forms it is would say something."""

    def to_bytes(self) -> bytes:
        return b"\x81\x18\x01"


class SessionOutput(Closed):
    def open_session(self, params):
        return Opened(context=None, params=params)


class AnswersWithRefusal(Closed):
    def put(self, _session, _request):
        params = operation(Param.none(), Param.output(9).filled(b"free"))
        raise TeeError(TeeResult.NO_DATA, "and some bytes", params=params)


class LongReply(Closed):
    def create(self, env: TaEnv) -> None:
        super().create(env)
        self.handlers[1] = (Command(1, Put, LongRecord), lambda _session, _request: LongRecord(number=1))


class FormedReply(Closed):
    def create(self, env: TaEnv) -> None:
        super().create(env)
        self.handlers[1] = (Command(1, Put, OtherForm), lambda _session, _request: OtherForm(number=1))


def manifest(app: type, **changes: object) -> Manifest:
    return replace(
        Manifest(
            uuid=bytes(range(16)),
            name="closed",
            entry=f"{__name__}:{app.__name__}",
            code=(__name__,),
            flags=("single_instance", "multi_session", "keep_alive"),
        ),
        **changes,  # type: ignore[arg-type]
    )


def session(app: type, **changes: object) -> Session:
    made = manifest(app, **changes)
    tee = InProcessTee([made], Service(MemoryBlobs(), RpmbDevice(MemoryMedium())))
    return Context(tee).open_session(made.ta_uuid)


def put(size_bytes: int = 1, name: bytes = b"a") -> Put:
    return Put(name=name, size_bytes=size_bytes)


def test_an_application_that_keeps_to_it_works() -> None:
    assert session(Closed).call(PUT, put()) == Done(number=1)


OPEN = [
    (FreeBytes, f"command 7 of {__name__}:FreeBytes: Bytes can hold free bytes or text; bound every field"),
    (FreeText, f"command 7 of {__name__}:FreeText: Words can hold free bytes or text; bound every field"),
    (OtherNumber, f"command 1 of {__name__}:OtherNumber is declared as 9"),
    (OwnInvoke, f"{__name__}:OwnInvoke is no CommandApp that keeps its invoke, so nothing declares what it answers"),
    (NoCommands, f"{__name__}:NoCommands is no CommandApp that keeps its invoke, so nothing declares what it answers"),
]


@pytest.mark.parametrize(("app", "said"), OPEN, ids=[app.__name__ for app, _ in OPEN])
def test_one_that_could_answer_with_free_bytes_does_not_load(
    app: type, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(TeeError) as caught:
        session(app)
    assert caught.value.result is TeeResult.TARGET_DEAD
    assert said in capfd.readouterr().err
    session(app, replies=Replies.FREE)


def test_a_free_one_is_itself() -> None:
    app = OwnInvoke()
    assert held_to(manifest(OwnInvoke, replies=Replies.FREE), app) is app
    with pytest.raises(OpenReplyError, match='or write replies = "free" in its manifest'):
        held_to(manifest(OwnInvoke), app)


def test_what_is_declared_later_is_not_answered(capfd: pytest.CaptureFixture[str]) -> None:
    open_session = session(Closed)
    with pytest.raises(TeeError) as caught:
        open_session.call(LATE, put())
    assert caught.value.result is TeeResult.NOT_SUPPORTED
    open_session.call(AGAIN, put())
    with pytest.raises(TeeError) as caught:
        open_session.call(LATE, put())
    assert caught.value.result is TeeResult.TARGET_DEAD
    assert f"command 2 of {__name__}:Closed was declared after it was loaded" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("app", "said"),
    [(LongReply, "answers with more than its record can hold"), (FormedReply, "not in its shortest form")],
)
def test_an_answer_that_is_not_its_record_ends_it(app: type, said: str, capfd: pytest.CaptureFixture[str]) -> None:
    open_session = session(app)
    with pytest.raises(TeeError) as caught:
        open_session.invoke(1, (Param.memref(put().to_bytes()), Param.output(100), Param.none(), Param.none()))
    assert caught.value.result is TeeResult.TARGET_DEAD
    assert said in capfd.readouterr().err


def test_outputs_of_a_session_end_it(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TeeError) as caught:
        session(SessionOutput)
    assert caught.value.result is TeeResult.TARGET_DEAD
    assert f"{__name__}:SessionOutput fills outputs of a session, which nothing declares" in capfd.readouterr().err


def test_a_refusal_says_how_much_room_is_needed_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TeeError) as caught:
        session(AnswersWithRefusal).call(PUT, put())
    assert caught.value.result is TeeResult.TARGET_DEAD
    assert f"{__name__}:AnswersWithRefusal fills outputs with a refusal" in capfd.readouterr().err
    with pytest.raises(TeeError) as caught:
        session(Closed).invoke(1, operation(Param.memref(put().to_bytes()), Param.output(0)))
    assert caught.value.result is TeeResult.SHORT_BUFFER
    assert caught.value.params is not None
    assert caught.value.params[1].size_bytes == max_bytes(Done)


@pytest.mark.parametrize(
    ("quota", "allowed", "refused"),
    [
        ({"max_objects": 2}, [put(name=b"a"), put(name=b"b"), put(9, name=b"b")], put(name=b"c")),
        ({"max_object_bytes": 10}, [put(10)], put(11)),
        ({"max_objects": 0}, [], put()),
    ],
)
def test_one_object_or_byte_above_the_quota_is_no_space(
    quota: dict[str, int], allowed: list[Put], refused: Put
) -> None:
    open_session = session(Closed, **quota)
    for request in allowed:
        open_session.call(PUT, request)
    with pytest.raises(TeeError) as caught:
        open_session.call(PUT, refused)
    assert caught.value.result is TeeResult.STORAGE_NO_SPACE
    for request in allowed:
        open_session.call(PUT, request)
