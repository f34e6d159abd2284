"""Cancellation through the pipe: asked upwards, only where the client can cancel."""

import threading
import time
from dataclasses import replace

import pytest

from tee_sim.normal.asked import wait_for
from tee_sim.normal.client import Context
from tee_sim.normal.login import client_identity
from tee_sim.normal.operation import CancellableOperation
from tee_sim.normal.secure_process import SecureProcess
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.login import Login
from tee_sim.shared.params import NO_PARAMS, Param, Params, replaced
from tee_sim.shared.wire import Wait, Waited, pack
from tests.tee_sim.locked.applications.waiting.app import LOOK, WAIT, WAIT_MASKED
from tests.tee_sim.locked.conftest import World, manifest

APP = manifest(1, "waiting", preload=("tee_sim",))


@pytest.fixture(scope="module")
def process(world: World) -> SecureProcess:
    return world(APP)


def milliseconds(ms: int) -> Params:
    return (Param.value(ms), Param.number(0), *NO_PARAMS[:2])


def test_a_wait_ends_when_another_thread_cancels(process: SecureProcess) -> None:
    operation = CancellableOperation()
    threading.Timer(0.2, operation.cancel).start()
    started_s = time.monotonic()
    with (
        Context(process).open_session(APP.ta_uuid) as session,
        pytest.raises(TeeError, match=r"command 1 was refused \(CANCEL, origin TRUSTED_APP\)"),
    ):
        session.invoke(WAIT, milliseconds(20_000), operation=operation)
    assert 0.19 <= time.monotonic() - started_s < 10
    with Context(process).open_session(APP.ta_uuid) as session:
        assert session.invoke(LOOK, milliseconds(0))[1].as_number() == 0, "the next operation is another one"


@pytest.mark.parametrize("command", [WAIT, WAIT_MASKED])
@pytest.mark.parametrize("cancellable", [True, False])
def test_a_wait_that_nobody_cancels_lasts_as_long_as_it_should(
    process: SecureProcess, command: int, cancellable: bool
) -> None:
    with Context(process).open_session(APP.ta_uuid) as session:
        started_s = time.monotonic()
        session.invoke(command, milliseconds(150), operation=CancellableOperation() if cancellable else None)
        assert 0.15 <= time.monotonic() - started_s < 10


def test_who_asks_and_outputs_of_a_session(process: SecureProcess) -> None:
    params = replaced(NO_PARAMS, 0, Param.output(64))
    with Context(process).open_session(APP.ta_uuid, params, login=Login.USER) as session:
        assert session.outputs[0].buffer.decode() == str(client_identity(Login.USER))


def test_a_wait_longer_than_the_call_may_take_ends_the_secure_world(world: World) -> None:
    process = world(APP)
    session = Context(process).open_session(APP.ta_uuid)
    with pytest.raises(TeeError, match="did not answer in time and was killed") as caught:
        session.invoke(WAIT, milliseconds(60_000), timeout_ms=300, operation=CancellableOperation())
    assert (caught.value.result, process.alive) == (TeeResult.TIMEOUT, False)


def test_a_wait_that_the_deadline_cuts_is_no_answer() -> None:
    with pytest.raises(TeeError, match="did not answer in time and was killed"):
        wait_for(Wait(timeout_ms=5_000), CancellableOperation(), time.monotonic() + 0.05)
    assert wait_for(Wait(timeout_ms=10), CancellableOperation(), time.monotonic() + 20) is False


def test_a_wait_longer_than_the_application_may_take_ends_its_process_alone(world: World) -> None:
    slow = replace(APP, time_ms=300)
    process = world(slow)
    session = Context(process).open_session(slow.ta_uuid)
    started_s = time.monotonic()
    with pytest.raises(TeeError, match="the trusted application's process ended") as caught:
        session.invoke(WAIT, milliseconds(20_000), timeout_ms=15_000, operation=CancellableOperation())
    assert (caught.value.result, process.alive) == (TeeResult.TARGET_DEAD, True)
    assert time.monotonic() - started_s < 10
    with Context(process).open_session(slow.ta_uuid) as again:
        again.invoke(WAIT, milliseconds(1))


def test_a_question_that_nobody_allowed_ends_the_secure_world(world: World) -> None:
    process = world(APP)
    session = Context(process).open_session(APP.ta_uuid)
    operation = CancellableOperation()
    whole = process.exchange_cancellable
    process.exchange_cancellable = lambda message, _operation, **more: process.exchange(message, **more)  # type: ignore[method-assign]
    with pytest.raises(TeeError, match="asked about a cancellation that nobody can request") as caught:
        session.invoke(WAIT, milliseconds(10), operation=operation)
    assert (caught.value.origin, process.alive, whole is not None) == (Origin.COMMS, False, True)


def test_an_answer_to_no_question_ends_the_process(world: World) -> None:
    process = world(APP)
    process._write(pack(Waited(cancelled=True)), time.monotonic() + 20)
    assert process._process.wait(20) == 70


def test_a_question_is_nothing_to_send_to_the_secure_world(process: SecureProcess) -> None:
    with pytest.raises(TeeError, match=r"Wait is no request \(BAD_PARAMETERS, origin API\)"):
        process.exchange(Wait(timeout_ms=1))
    assert process.alive
