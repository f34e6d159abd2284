"""What tests/tee_sim/semantics holds for a core, through the pipes of a locked secure world, process by process."""

from dataclasses import replace
from typing import Any

import pytest

from tee_sim.normal.client import Context, Session
from tee_sim.normal.login import client_identity
from tee_sim.normal.operation import CancellableOperation
from tee_sim.normal.secure_process import SecureProcess
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.login import Login
from tee_sim.shared.params import NO_PARAMS, Param, Params, ParamType, replaced
from tests.tee_sim.locked.applications.meaning.app import (
    COUNT,
    FILL,
    IS_CANCELLED,
    OTHER,
    OVER_COMMITTED,
    OVER_OPEN,
    OWN,
    REFUSE,
    RELAY,
    RELAY_CANCELLED,
    RELAY_RAW,
    WHO,
)
from tests.tee_sim.locked.conftest import World, manifest

ONE = replace(manifest(1, "meaning", preload=("tee_sim",)), calls=(OTHER.bytes,))
TWO = manifest(2, "meaning", preload=("tee_sim",))
ROOM: Params = (Param.output(64), Param.number(0), Param.none(), Param.none())


@pytest.fixture(scope="module")
def process(world: World) -> SecureProcess:
    return world(ONE, TWO)


@pytest.fixture
def session(process: SecureProcess) -> Session:
    return Context(process).open_session(ONE.ta_uuid)


def refused(session: Session, command: int, params: Params = ROOM) -> TeeError:
    with pytest.raises(TeeError) as caught:
        session.invoke(command, params)
    return caught.value


def test_a_result_of_its_own_comes_with_its_outputs(session: Session) -> None:
    error = refused(session, REFUSE)
    assert (error.result, error.result.name) == (OWN, "0xc0de0042")
    assert error.params is not None
    assert (error.params[0].buffer, error.params[1].b) == (b"left", 5)


def test_short_buffer_says_what_is_needed(session: Session) -> None:
    error = refused(session, FILL)
    assert error.result is TeeResult.SHORT_BUFFER
    assert error.params is not None
    assert error.params[0].size_bytes == 100
    assert session.invoke(FILL, replaced(ROOM, 0, Param.output(100)))[0].buffer == bytes(100)


def test_a_session_has_outputs_and_a_refused_one_too(process: SecureProcess) -> None:
    context = Context(process)
    assert context.open_session(ONE.ta_uuid, ROOM).outputs[1].as_number() == 7
    with pytest.raises(TeeError) as caught:
        context.open_session(ONE.ta_uuid, replaced(ROOM, 0, Param.null(ParamType.MEMREF_OUTPUT)))
    assert caught.value.result == OWN
    assert caught.value.params is not None
    assert caught.value.params[0].size_bytes == 600 << 10


def test_another_application_sees_its_caller_and_its_refusal_is_read_there(session: Session) -> None:
    left = session.invoke(RELAY, ROOM)
    assert (left[0].buffer, left[1].as_number()) == (b"left", 5)
    error = refused(session, RELAY_RAW)
    assert (error.result, error.params) == (OWN, None)
    assert session.invoke(99, ROOM)[0].buffer.decode() == f"4026531840:{ONE.ta_uuid}"


def test_the_client_is_who_the_normal_world_says(process: SecureProcess) -> None:
    with Context(process).open_session(ONE.ta_uuid, login=Login.USER) as session:
        assert session.invoke(WHO, ROOM)[0].buffer.decode() == str(client_identity(Login.USER))


@pytest.mark.parametrize("cancelled", [False, True])
@pytest.mark.parametrize("command", [IS_CANCELLED, RELAY_CANCELLED])
def test_a_cancellation_is_seen_by_who_unmasks_and_by_whom_it_calls(
    session: Session, command: int, cancelled: bool
) -> None:
    operation = CancellableOperation()
    if cancelled:
        operation.cancel()
    assert session.invoke(command, ROOM, operation=operation)[1].as_number() == int(cancelled)


@pytest.mark.parametrize(("command", "kept"), [(OVER_OPEN, 0), (OVER_COMMITTED, 1)])
def test_an_answer_over_its_bounds_is_a_panic_and_its_open_transaction_undone(
    world: World, command: int, kept: int
) -> None:
    """What was committed stays: an attempt that was counted must not be given back to whoever makes it panic."""
    context = Context(world(ONE, TWO))
    error = refused(context.open_session(ONE.ta_uuid), command)
    assert (error.result, error.origin) == (TeeResult.TARGET_DEAD, Origin.TEE)
    assert context.open_session(ONE.ta_uuid).invoke(COUNT, ROOM)[1].as_number() == kept


def test_a_host_that_asks_about_a_cancellation_out_of_turn_learns_nothing_and_harms_nobody() -> None:
    from tee_sim.secure.hosts.questions import Answers, Question
    from tee_sim.shared.login import PUBLIC
    from tee_sim.shared.ta_api import TaEnv
    from tee_sim.shared.task import CurrentTask, Task
    from tee_sim.shared.wire import NoFrameError

    asked: list[int] = []
    task = CurrentTask(lambda ms: asked.append(ms) is None)
    nothing: Any = None
    answers = Answers(TaEnv(nothing, nothing, nothing, nothing, bytes(16), cancellation=task))
    with task.entered(Task(client=PUBLIC)):
        assert answers.answer(Question.MASK, [False]) == [True]
        assert answers.answer(Question.LOOK, [5]) == [None], "nobody can cancel"
    with task.entered(Task(client=PUBLIC, cancellable=True)):
        assert answers.answer(Question.LOOK, [5]) == [None], "masked"
        assert answers.answer(Question.MASK, [False]) == [True]
        assert answers.answer(Question.LOOK, [5]) == [True]
        for words in ([-1], [60_001], ["5"], [], [1, 2]):
            with pytest.raises(NoFrameError, match="words of LOOK that do not fit"):
                answers.answer(Question.LOOK, words)
    assert answers.answer(Question.LOOK, [5]) == [None], "outside an entry"
    assert asked == [5]


def test_no_parameters_is_no_session_output(process: SecureProcess) -> None:
    assert Context(process).open_session(ONE.ta_uuid).outputs == NO_PARAMS
