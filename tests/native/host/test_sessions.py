"""Sessions of an application in C with another: what goes there and comes back, and what ends the caller."""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest

from tee_sim.secure.hosts.messages import HostReturn, Panicked
from tee_sim.secure.hosts.questions import Answers, Question
from tee_sim.shared.errors import AnswerError, Origin, TeeError, TeeResult
from tee_sim.shared.limits import MAX_PARAM_BYTES
from tee_sim.shared.params import Param, Params, ParamType, operation, replaced
from tee_sim.shared.task import CurrentTask, LimitedAsk, never
from tee_sim.shared.wire import NoFrameError
from tests.native.api.native import App
from tests.native.host.bare import Bare
from tests.native.host.conftest import TAS, built, needs

SOURCE = (TAS / "relay" / "relay.c").read_text("ascii")
DO = {name: int(number) for name, number in re.findall(r"^    ([A-Z_]+) = (\d+),$", SOURCE, re.MULTILINE)}
OTHER, ABSENT = UUID(int=11), UUID(int=12)
ROOM = 32
WORDS = struct.Struct("<4I")


@dataclass
class Session:
    """What the other application does; a `PeerSession`."""

    outputs: Params
    calls: list[tuple[int, Params]] = field(default_factory=list)
    does: Callable[[Params], Params] = lambda params: params
    closed: bool = False

    def invoke(self, command: int, params: Params) -> Params:
        self.calls.append((command, params))
        return self.does(params)

    def close(self) -> None:
        self.closed = True


class Others:
    """`Peers` with one other application."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self.refusal: TeeError | None = None

    def open_session(self, uuid: UUID, params: Params) -> Session:
        if uuid != OTHER:
            raise TeeError(TeeResult.ACCESS_DENIED, "the manifest does not name it")
        if self.refusal is not None:
            raise self.refusal
        given = params[0]
        answered = Param(kind=given.kind, a=given.a + 1, b=given.b)
        self.sessions.append(Session(replaced(params, 0, answered)))
        return self.sessions[-1]


class Relay:
    """The caller."""

    def __init__(self, runtime: Path, ta: Path) -> None:
        self.others = Others()
        self.task = CurrentTask(LimitedAsk(never))
        app = App(peers=self.others, cancellation=self.task)
        self.host = Bare(runtime, ta, answer=app.answer).started()

    def do(self, name: str, data: bytes = b"", a: int = 0, b: int = 0) -> tuple[TeeResult, int, bytes]:
        """Result, origin, and what came back. Raises Ended if it panics."""
        params = (
            Param.memref(data), Param.value(a, b), Param.output(128), Param(kind=ParamType.VALUE_OUTPUT)
        )  # fmt: skip
        done = self.host.invoke(DO[name], params)
        if isinstance(done, Panicked):
            raise Ended
        assert isinstance(done, HostReturn), done
        return TeeResult(done.params[3].a), done.params[3].b, done.params[2].buffer

    @property
    def session(self) -> Session:
        return self.others.sessions[-1]


class Ended(Exception):
    """The caller panicked."""


@pytest.fixture(scope="module", params=["1.3.1", "1.1"])
def ta(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs("gcc", "make")
    choice = "y" if request.param == "1.1" else "n"
    return built("relay", tmp_path_factory.mktemp("relay"), f"CFG_TA_OPTEE_CORE_API_COMPAT_1_1={choice}")


@pytest.fixture
def relay(runtime: Path, ta: Path) -> Iterator[Relay]:
    made = Relay(runtime, ta)
    with made.host:
        assert made.do("OPEN", OTHER.bytes)[:2] == (TeeResult.SUCCESS, Origin.TRUSTED_APP)
        yield made


def came_back(data: bytes) -> tuple[tuple[int, ...], bytes, bytes]:
    """The value, both sizes; the bytes of both references."""
    return WORDS.unpack_from(data), data[WORDS.size : WORDS.size + ROOM], data[WORDS.size + ROOM :]


def test_parameters_go_there_and_back(relay: Relay) -> None:
    def does(params: Params) -> Params:
        first = Param(kind=ParamType.MEMREF_INOUT, buffer=b"ABC", size_bytes=3)
        second = Param(kind=ParamType.VALUE_INOUT, a=0xFFFFFFFF, b=9)
        return (first, second, params[2].filled(b"12345678"), params[3])

    relay.session.does = does
    result, origin, data = relay.do("CALL", b"hello", a=0xFFFFFFFF)
    assert (result, origin) == (TeeResult.SUCCESS, Origin.TRUSTED_APP)
    ((command, params),) = relay.session.calls
    assert command == 0xFFFFFFFF
    assert params == (
        Param(kind=ParamType.MEMREF_INOUT, buffer=b"hello", size_bytes=5),
        Param(kind=ParamType.VALUE_INOUT, a=70, b=71),
        Param.output(8),
        Param.none(),
    )
    numbers, first, third = came_back(data)
    assert numbers == (0xFFFFFFFF, 9, 3, 8)
    assert first[:5] == b"ABClo", "what was not written stays"
    assert third == b"12345678" + b"\xee" * 24


def test_a_refusal_brings_its_result_its_origin_and_its_outputs(relay: Relay) -> None:
    def does(params: Params) -> Params:
        left = replaced(replaced(params, 2, params[2].needing(900)), 1, Param(kind=ParamType.VALUE_INOUT, a=1, b=2))
        raise AnswerError(TeeResult.SHORT_BUFFER, "", origin=Origin.TRUSTED_APP, params=left)

    relay.session.does = does
    result, origin, data = relay.do("CALL", b"hello")
    assert (result, origin) == (TeeResult.SHORT_BUFFER, Origin.TRUSTED_APP)
    numbers, _, third = came_back(data)
    assert numbers == (1, 2, 5, 900)
    assert third == b"\xee" * 32


@pytest.mark.parametrize("result", [TeeResult.TARGET_DEAD, TeeResult.BUSY, 0xC0DE0001, TeeResult.BAD_PARAMETERS])
def test_any_result_of_another_is_the_caller_s_to_read(relay: Relay, result: TeeResult) -> None:
    def does(_params: Params) -> Params:
        raise AnswerError(result, "", origin=Origin.TEE)

    relay.session.does = does
    answered = relay.do("CALL", b"")
    assert answered[:2] == (TeeResult(result), Origin.TEE)
    numbers, *_ = came_back(answered[2])
    assert numbers == (70, 71, 0, 8), "nothing was left in any"


def test_a_session_is_closed_once_and_then_is_none(relay: Relay) -> None:
    relay.do("CLOSE")
    assert relay.session.closed
    with pytest.raises(Ended):
        relay.do("CALL", b"")


@pytest.mark.parametrize("name", ["CALL_NOBODY", "CLOSE_NOBODY"])
def test_a_handle_that_is_none_is_a_panic_and_the_host_lives(relay: Relay, name: str) -> None:
    with pytest.raises(Ended):
        relay.do(name)
    relay.host.destroy(1, panicked=True)
    assert isinstance(relay.host.create(2), HostReturn)


def test_a_null_handle_is_closed_without_a_word(relay: Relay) -> None:
    asked = len(relay.host.asked)
    relay.do("OPEN_NULL")
    assert len(relay.host.asked) == asked


def test_who_is_not_there_is_not_found(relay: Relay) -> None:
    assert relay.do("OPEN", ABSENT.bytes)[:2] == (TeeResult.ITEM_NOT_FOUND, Origin.TEE)
    relay.others.refusal = AnswerError(TeeResult.ACCESS_DENIED, "", origin=Origin.TRUSTED_APP)
    assert relay.do("OPEN", OTHER.bytes)[:2] == (TeeResult.ACCESS_DENIED, Origin.TRUSTED_APP)


def test_sessions_have_an_end(relay: Relay) -> None:
    answers = [relay.do("OPEN", OTHER.bytes)[0] for _ in range(16)]
    assert answers == [TeeResult.SUCCESS] * 15 + [TeeResult.OUT_OF_MEMORY]


@pytest.mark.parametrize("kind", [ParamType.MEMREF_INPUT, ParamType.MEMREF_OUTPUT, ParamType.MEMREF_INOUT])
def test_a_reference_to_nothing_stays_one(relay: Relay, kind: ParamType) -> None:
    assert relay.do("NULL_REFERENCE", a=kind)[0] is TeeResult.SUCCESS
    assert relay.session.calls[-1][1][0] == Param.null(kind)


def test_more_bytes_than_a_parameter_may_have_are_not_sent(relay: Relay) -> None:
    assert relay.do("OF_SIZE", a=MAX_PARAM_BYTES)[0] is TeeResult.SUCCESS
    assert relay.session.calls[-1][1][0].size_bytes == MAX_PARAM_BYTES
    assert relay.do("OF_SIZE", a=MAX_PARAM_BYTES + 1)[:2] == (TeeResult.BAD_PARAMETERS, Origin.API)
    assert relay.do("BAD_TYPES")[:2] == (TeeResult.BAD_PARAMETERS, Origin.API)
    assert len(relay.session.calls) == 1


def test_a_timeout_is_that_call_s_and_for_ever_is_none(relay: Relay) -> None:
    limited: list[bool] = []

    def does(params: Params) -> Params:
        limited.append(relay.task.callee_listens)
        return params

    relay.session.does = does
    for timeout_ms in (0, 1000, 0xFFFFFFFE, 0xFFFFFFFF):
        relay.do("CALL", b"", b=timeout_ms)
        assert not relay.task.callee_listens
    assert limited == [True, True, True, False]


def test_a_timeout_is_among_the_words_of_a_native_application_alone() -> None:
    app = App(peers=Others())
    plain: list[object] = [param.to_plain() for param in operation(Param(kind=ParamType.VALUE_INOUT))]
    words: list[list[object]] = [[OTHER.bytes, plain], [OTHER.bytes, plain, -1], [OTHER.bytes, plain, 1 << 32]]
    for misfit in (*words, [OTHER.bytes, plain, 1, 1], [OTHER.bytes, plain, True]):
        with pytest.raises(NoFrameError):
            app.answers.answer(Question.OPEN_PEER, misfit)
    number, _ = app.answers.answer(Question.OPEN_PEER, [OTHER.bytes, plain, 0xFFFFFFFF])
    with pytest.raises(NoFrameError):
        app.answers.answer(Question.INVOKE_PEER, [number, 1, plain])
    python = Answers(app.api.instance.env)
    with pytest.raises(NoFrameError):
        python.answer(Question.OPEN_PEER, [OTHER.bytes, plain, 1])


def test_no_parameters_need_no_array(relay: Relay) -> None:
    assert relay.do("WITHOUT_PARAMETERS")[0] is TeeResult.SUCCESS
    assert relay.session.calls == [(5, operation())]


def test_an_input_of_the_client_is_no_room_for_the_answer_of_another(relay: Relay) -> None:
    with pytest.raises(Ended):
        relay.do("INTO_INPUT", b"read only")
