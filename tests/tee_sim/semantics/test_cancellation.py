"""Cancellation: a request of the client that an application notices if it asks, and only while it is not masked."""

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tee_sim.normal.client import Context
from tee_sim.normal.operation import CancellableOperation
from tee_sim.normal.supplicant import Supplicant
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.limits import MAX_WAIT_MS
from tee_sim.shared.login import Login
from tee_sim.shared.manifest import Manifest, Replies
from tee_sim.shared.params import NO_PARAMS, Param, Params
from tee_sim.shared.schema import is_closed, max_bits
from tee_sim.shared.task import NOBODY, CurrentTask, LimitedAsk
from tee_sim.shared.wire import Return, Wait, Waited
from tee_sim.testing.in_process import InProcessTee
from tests.tee_sim.locked.applications.waiting.app import WAIT
from tests.tee_sim.semantics.hosted import ONE, TWO, App, Wire, hosted


class Asked(Wire):
    """Also answers questions about a cancellation, and counts them."""

    def __init__(self, core: Any) -> None:
        super().__init__(core)
        self.questions: list[int] = []
        self.operation: CancellableOperation | None = None
        core._ask = LimitedAsk(self.ask)

    def ask(self, timeout_ms: int) -> bool:
        assert self.operation is not None, "asked about a request that nobody can cancel"
        self.questions.append(Wait.from_bytes(Wait(timeout_ms=timeout_ms).to_bytes()).timeout_ms)
        return self.operation.wait(0)

    def exchange_cancellable(self, message: Any, operation: CancellableOperation, *, timeout_ms: int = 0) -> Return:
        self.operation = operation
        try:
            return self.exchange(message)
        finally:
            self.operation = None


def asked(script: Callable[[App], Any], *, cancelled: bool, operation: bool = True) -> tuple[Any, list[int]]:
    """What the script returned in an invocation, and what was asked meanwhile."""
    found: list[Any] = []

    class Scripted(App):
        def invoke(self, session: object, command: int, params: Params) -> Params:
            found.append(script(self))
            return params

    wire = Asked(hosted(Scripted, Relay).core)
    mine = CancellableOperation()
    if cancelled:
        mine.cancel()
    Context(wire).open_session(ONE).invoke(1, NO_PARAMS, operation=mine if operation else None)
    return found[0], wire.questions


class Relay(App):
    """Says whether it was cancelled itself."""

    noticed: bool = False
    noticed_opening: bool = False

    def open_session(self, params: Params) -> object:
        assert self.env.cancellation.unmask()
        Relay.noticed_opening = self.env.cancellation.requested()
        return None

    def invoke(self, session: object, command: int, params: Params) -> Params:
        assert self.env.cancellation.unmask()
        Relay.noticed = self.env.cancellation.requested()
        return params


def test_masked_when_it_begins_and_then_nobody_is_asked() -> None:
    def script(app: App) -> list[bool]:
        cancellation = app.env.cancellation
        return [
            cancellation.requested(),
            cancellation.unmask(),
            cancellation.unmask(),
            cancellation.requested(),
            cancellation.mask(),
            cancellation.mask(),
            cancellation.requested(),
        ]

    assert asked(script, cancelled=True) == ([False, True, False, True, False, True, False], [0])
    assert asked(script, cancelled=False) == ([False, True, False, False, False, True, False], [0])


def test_without_an_operation_to_cancel_nobody_is_asked() -> None:
    def script(app: App) -> bool:
        app.env.cancellation.unmask()
        app.env.cancellation.wait(1)
        return app.env.cancellation.requested()

    assert asked(script, cancelled=False, operation=False) == (False, [])


def test_a_wait_is_cut_short_and_its_result_is_cancel() -> None:
    def script(app: App) -> str:
        app.env.cancellation.unmask()
        try:
            app.env.cancellation.wait(5)
        except TeeError as error:
            return str(error)
        return ""

    assert asked(script, cancelled=True) == ("the client has cancelled (CANCEL, origin TRUSTED_APP)", [5])
    assert asked(script, cancelled=False) == ("", [5])


def test_a_long_wait_is_asked_for_in_parts() -> None:
    def script(app: App) -> None:
        app.env.cancellation.unmask()
        app.env.cancellation.wait(2 * MAX_WAIT_MS + 3)

    assert asked(script, cancelled=False)[1] == [MAX_WAIT_MS, MAX_WAIT_MS, 3]


def test_a_wait_of_less_than_nothing_is_a_panic() -> None:
    with pytest.raises(TeeError) as caught:
        asked(lambda app: app.env.cancellation.wait(-1), cancelled=False)
    assert caught.value.result is TeeResult.TARGET_DEAD


@pytest.mark.parametrize("unmasked", [False, True])
def test_what_an_application_calls_is_cancelled_with_it_unless_it_masks(unmasked: bool) -> None:
    def script(app: App) -> bool:
        if unmasked:
            app.env.cancellation.unmask()
        with app.env.peers.open_session(TWO) as peer:
            peer.invoke(1, NO_PARAMS)
        return app.env.cancellation.requested()

    assert asked(script, cancelled=True)[0] is unmasked
    assert Relay.noticed is unmasked
    assert Relay.noticed_opening is unmasked


def test_an_unmasked_operation_does_not_unmask_the_next() -> None:
    def script(app: App) -> bool:
        return app.env.cancellation.unmask()

    found: list[bool] = []

    class Twice(App):
        def invoke(self, session: object, command: int, params: Params) -> Params:
            found.append(script(self))
            return params

    session = Context(hosted(Twice)).open_session(ONE)
    session.invoke(1, NO_PARAMS)
    session.invoke(1, NO_PARAMS)
    assert found == [True, True]


def test_an_operation_is_used_once() -> None:
    wire = Asked(hosted(App).core)
    session = Context(wire).open_session(ONE)
    operation = CancellableOperation()
    session.invoke(1, NO_PARAMS, operation=operation)
    sent = len(wire.sent)
    with pytest.raises(TeeError, match="operation: it was used before") as caught:
        session.invoke(1, NO_PARAMS, operation=operation)
    assert (caught.value.result, caught.value.origin, len(wire.sent)) == (TeeResult.BAD_PARAMETERS, Origin.API, sent)


def test_a_way_that_cannot_cancel_says_so() -> None:
    wire = hosted(App)
    with pytest.raises(TeeError, match="operation: this way to the secure world cannot cancel"):
        Context(wire).open_session(ONE, operation=CancellableOperation())
    assert wire.sent == []


def test_the_opening_of_a_session_can_be_cancelled() -> None:
    class Slow(App):
        def open_session(self, params: Params) -> object:
            self.env.cancellation.unmask()
            self.env.cancellation.wait(10_000)
            return None

    operation = CancellableOperation()
    operation.cancel()
    with pytest.raises(TeeError, match=r"^the session was refused \(CANCEL, origin TRUSTED_APP\)$"):
        Context(Asked(hosted(Slow).core)).open_session(ONE, operation=operation)


def test_what_goes_up_is_a_closed_record_of_few_bits() -> None:
    assert is_closed(Wait)
    assert is_closed(Waited)
    assert max_bits(Wait) < 16


def test_an_application_without_a_core_is_never_cancelled() -> None:
    assert NOBODY.requested() is False
    assert CurrentTask(lambda ms: True).requested() is False, "outside an entry"
    NOBODY.wait(0)


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_tee_in_this_process_is_asked_as_a_locked_one(tmp_path: Path, cancelled: bool) -> None:
    name = "tests.tee_sim.locked.applications.waiting.app"
    manifest = Manifest(uuid=ONE.bytes, name="w", entry=f"{name}:Waiting", code=(name,), replies=Replies.FREE)
    with closing(Supplicant(tmp_path)) as supplicant:
        context = Context(InProcessTee([manifest], supplicant))
        session = context.open_session(ONE, login=Login.USER)
        params = (Param.value(60 if not cancelled else 20_000), Param.number(0), *NO_PARAMS[:2])
        operation = CancellableOperation()
        if not cancelled:
            session.invoke(WAIT, params, operation=operation)
            return
        threading.Timer(0.05, operation.cancel).start()
        with pytest.raises(TeeError, match=r"^command 1 was refused \(CANCEL, origin TRUSTED_APP\)$"):
            session.invoke(WAIT, params, operation=operation)
