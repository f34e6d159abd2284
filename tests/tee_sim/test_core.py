"""Instances, sessions and panics of the core, with trusted applications made for the purpose."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Annotated

import pytest

from tee_sim.secure.core import Core
from tee_sim.secure.hosting import LocalHosting
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.limits import MAX_SESSIONS
from tee_sim.shared.manifest import Manifest, Replies
from tee_sim.shared.params import Param, Params
from tee_sim.shared.schema import Record, UpTo, max_bytes
from tee_sim.shared.ta_api import Command, CommandApp, TaEnv
from tee_sim.shared.wire import CloseSession, Invoke, OpenSession, Return

NONE: Params = (Param.none(),) * 4
UUID_BYTES = bytes(range(16))
NO_ENV = TaEnv(None, None, None, None, bytes(16))  # type: ignore[arg-type]
COUNT, PANIC, REFUSE, SHORT = range(4)


class Probe:
    """A TA that counts its invocations and fails on request."""

    made = 0

    def __init__(self) -> None:
        Probe.made += 1
        self.count = 0
        self.destroyed = False

    def create(self, env: TaEnv) -> None:
        self.env = env

    def open_session(self, params: Params) -> object:
        if params[0].a == 99:
            raise TeeError(TeeResult.ACCESS_DENIED, "not you", origin=Origin.TRUSTED_APP)
        return object()

    def invoke(self, session: object, command: int, params: Params) -> Params:
        self.count += 1
        if command == PANIC:
            raise IndexError
        if command == REFUSE:
            raise TeeError(TeeResult.BAD_STATE, "no", origin=Origin.TRUSTED_APP)
        if command == SHORT:
            return (params[0].filled(b"too long"), *NONE[1:])
        return (Param(kind=params[0].kind, a=self.count), *NONE[1:])

    def close_session(self, session: object) -> None: ...

    def destroy(self) -> None:
        self.destroyed = True


def make(*flags: str) -> Core:
    manifest = Manifest(uuid=UUID_BYTES, name="p", entry="x:Y", code=(), flags=flags, replies=Replies.FREE)
    return Core((manifest,), LocalHosting(lambda m: Probe), lambda m, _call: NO_ENV)


def opened(core: Core) -> int:
    answer = core.dispatch(OpenSession(uuid=UUID_BYTES, params=NONE))
    assert answer.result is TeeResult.SUCCESS
    return answer.session


def count(core: Core, session: int) -> int:
    value = Param(kind=Param.value(0).kind.VALUE_OUTPUT)
    return core.dispatch(Invoke(session=session, command=COUNT, params=(value, *NONE[1:]))).params[0].a


def invoke(core: Core, session: int, command: int) -> Return:
    return core.dispatch(Invoke(session=session, command=command, params=NONE))


def test_unknown_application() -> None:
    answer = make().dispatch(OpenSession(uuid=bytes(16), params=NONE))
    assert (answer.result, answer.origin) == (TeeResult.ITEM_NOT_FOUND, Origin.TEE)


def test_each_session_gets_its_own_instance_unless_single() -> None:
    core = make()
    one, two = opened(core), opened(core)
    assert [count(core, one), count(core, two)] == [1, 1]
    core = make("single_instance", "multi_session")
    one, two = opened(core), opened(core)
    assert [count(core, one), count(core, two)] == [1, 2]


def test_single_session_application_is_busy() -> None:
    core = make("single_instance")
    first = opened(core)
    assert core.dispatch(OpenSession(uuid=UUID_BYTES, params=NONE)).result is TeeResult.BUSY
    core.dispatch(CloseSession(session=first))
    assert opened(core) > first


def test_keep_alive_keeps_state_between_sessions() -> None:
    for flags, expected in ((("single_instance", "keep_alive"), 2), (("single_instance",), 1)):
        core = make(*flags)
        session = opened(core)
        count(core, session)
        core.dispatch(CloseSession(session=session))
        assert count(core, opened(core)) == expected


def test_panic_kills_the_instance_and_all_its_sessions_and_nothing_else() -> None:
    core = make("single_instance", "multi_session", "keep_alive")
    one, two = opened(core), opened(core)
    answer = invoke(core, one, PANIC)
    assert (answer.result, answer.origin) == (TeeResult.TARGET_DEAD, Origin.TEE)
    assert invoke(core, one, COUNT).result is TeeResult.TARGET_DEAD
    assert invoke(core, two, COUNT).result is TeeResult.TARGET_DEAD
    assert core.dispatch(CloseSession(session=one)).result is TeeResult.SUCCESS
    assert count(core, opened(core)) == 1


def test_a_result_of_the_application_keeps_its_origin_and_its_session() -> None:
    core = make()
    session = opened(core)
    answer = invoke(core, session, REFUSE)
    assert (answer.result, answer.origin) == (TeeResult.BAD_STATE, Origin.TRUSTED_APP)
    assert count(core, session) == 2


def test_refused_session_is_not_opened() -> None:
    core = make()
    answer = core.dispatch(OpenSession(uuid=UUID_BYTES, params=(Param.value(99), *NONE[1:])))
    assert (answer.result, answer.origin, answer.session) == (TeeResult.ACCESS_DENIED, Origin.TRUSTED_APP, 0)


def test_short_buffer_and_foreign_sessions() -> None:
    core = make()
    session = opened(core)
    params = (Param.output(3), *NONE[1:])
    answer = core.dispatch(Invoke(session=session, command=SHORT, params=params))
    assert answer.result is TeeResult.SHORT_BUFFER
    assert invoke(core, session + 1, COUNT).result is TeeResult.BAD_PARAMETERS
    assert core.dispatch(Invoke(session=session, command=COUNT, params=(Param.none(),))).result is (
        TeeResult.BAD_PARAMETERS
    )


def test_input_parameters_are_not_echoed() -> None:
    core = make()
    session = opened(core)
    params = (Param.value(5), *NONE[1:])
    assert core.dispatch(Invoke(session=session, command=COUNT, params=params)).params[0] == Param.none()


@pytest.mark.parametrize("extra", [0, 1])
def test_sessions_are_bounded(extra: int) -> None:
    core = make()
    results = [core.dispatch(OpenSession(uuid=UUID_BYTES, params=NONE)).result for _ in range(MAX_SESSIONS + extra)]
    assert results.count(TeeResult.OUT_OF_MEMORY) == extra


@dataclass(frozen=True, slots=True, kw_only=True)
class Small(Record):
    number: Annotated[int, UpTo(9)]


class Answering(CommandApp):
    """Does what it is asked for, and answers with the number it was given, whatever its reply may hold."""

    carried_out = 0

    def create(self, env: TaEnv) -> None:
        self.handle(Command(1, Small, Small), self._answer)

    def _answer(self, _session: object, request: Small) -> Small:
        Answering.carried_out += 1
        return Small(number=request.number * 10)


def test_a_reply_outside_its_bounds_is_a_panic_and_not_the_caller_s_mistake() -> None:
    core = Core(
        (Manifest(uuid=UUID_BYTES, name="p", entry="x:Y", code=(), replies=Replies.FREE),),
        LocalHosting(lambda m: Answering),
        lambda m, _call: NO_ENV,
    )
    session = opened(core)

    def ask(number: int, room: int = 100) -> Return:
        params = (Param.memref(Small(number=number).to_bytes()), Param.output(room), *NONE[2:])
        return core.dispatch(Invoke(session=session, command=1, params=params))

    assert ask(0).result is TeeResult.SUCCESS
    before = Answering.carried_out
    short = ask(0, max_bytes(Small) - 1)
    assert (short.result, short.origin) == (TeeResult.SHORT_BUFFER, Origin.TRUSTED_APP)
    wrong = core.dispatch(
        Invoke(session=session, command=1, params=(Param.memref(b"\xff"), Param.output(99), *NONE[2:]))
    )
    assert (wrong.result, wrong.origin) == (TeeResult.BAD_FORMAT, Origin.TEE)
    assert Answering.carried_out == before, "a refusal comes before the command"
    answer = ask(1)
    assert (answer.result, answer.origin) == (TeeResult.TARGET_DEAD, Origin.TEE)
    assert ask(0).result is TeeResult.TARGET_DEAD


def test_outputs_that_no_answer_could_hold_are_refused_before_the_command() -> None:
    core = make()
    session = opened(core)
    count(core, session)
    params = (Param.output(512 << 10), Param.output(512 << 10), *NONE[2:])
    assert core.dispatch(Invoke(session=session, command=COUNT, params=params)).result is TeeResult.BAD_PARAMETERS
    assert count(core, session) == 2


def test_the_transaction_of_a_caller_further_up_the_stack_is_not_given_up() -> None:
    class Disk:
        writer: object | None = None
        abandoned = 0

        def abandon(self) -> None:
            self.writer, self.abandoned = None, self.abandoned + 1

        def request(self) -> AbstractContextManager[None]:
            return nullcontext()

    disk = Disk()
    core = Core(
        (Manifest(uuid=UUID_BYTES, name="p", entry="x:Y", code=(), replies=Replies.FREE),),
        LocalHosting(lambda m: Probe),
        lambda m, _call: NO_ENV,
        transactions=disk,
    )
    session = opened(core)
    disk.writer = mine = object()
    assert count(core, session) == 1
    assert (disk.writer, disk.abandoned) == (mine, 0)
    disk.writer = None
    instance = core._sessions[session].instance
    instance.app.invoke = lambda *_: setattr(disk, "writer", object()) or NONE  # type: ignore[method-assign]
    assert invoke(core, session, COUNT).result is TeeResult.TARGET_DEAD
    assert (disk.writer, disk.abandoned) == (None, 1)
