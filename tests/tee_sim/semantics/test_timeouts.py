"""cancellationRequestTimeout: what is called of another application is cancelled when its time is over."""

import time
from typing import Any

import pytest

from tee_sim.normal.client import Context
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.login import PUBLIC
from tee_sim.shared.params import NO_PARAMS, Params
from tee_sim.shared.task import CurrentTask, LimitedAsk, Task, never
from tests.tee_sim.semantics.hosted import ONE, TWO, App, hosted

LONG_MS = 20_000


class Waiter(App):
    """Waits, if it may be disturbed, and says what came of it."""

    ended: str = ""

    def invoke(self, session: object, command: int, params: Params) -> Params:
        if command:
            self.env.cancellation.unmask()
        try:
            self.env.cancellation.wait(LONG_MS if command else 30)
        except TeeError as error:
            Waiter.ended = error.result.name
        else:
            Waiter.ended = "went on"
        return params


def called(timeout_ms: int | None, command: int) -> float:
    """Have one application call the other with this timeout. Returns how long it took, in seconds."""

    class Caller(App):
        def invoke(self, session: object, _command: int, params: Params) -> Params:
            task: Any = self.env.cancellation
            with self.env.peers.open_session(TWO) as other, task.limited(timeout_ms):
                other.invoke(command, NO_PARAMS)
            assert not task.callee_listens, "the limit is that call's"
            return params

    began = time.monotonic()
    Context(hosted(Caller, Waiter)).open_session(ONE).invoke(1, NO_PARAMS)
    return time.monotonic() - began


def test_a_call_is_cancelled_when_its_time_is_over() -> None:
    assert called(40, 1) < LONG_MS / 2000
    assert Waiter.ended == "CANCEL"


@pytest.mark.parametrize("timeout_ms", [None, 5])
def test_a_call_that_masks_goes_on(timeout_ms: int | None) -> None:
    called(timeout_ms, 0)
    assert Waiter.ended == "went on"


def listening(ask: LimitedAsk, *, cancellable: bool) -> CurrentTask:
    """Inside an entry, unmasked."""
    task = CurrentTask(ask)
    task._task = Task(client=PUBLIC, cancellable=cancellable)
    task.unmask()
    return task


def test_a_limit_within_a_limit_ends_with_the_nearer_one() -> None:
    ask = LimitedAsk(never)
    caller = listening(ask, cancellable=False)
    with caller.limited(30):
        middle = listening(ask, cancellable=caller.callee_listens)
        with middle.limited(LONG_MS):
            callee = listening(ask, cancellable=middle.callee_listens)
            with pytest.raises(TeeError) as caught:
                callee.wait(LONG_MS)
    assert caught.value.result is TeeResult.CANCEL
    assert not caller.callee_listens


def test_who_masks_keeps_what_cancels_it_from_whom_it_calls() -> None:
    asked: list[int] = []

    def cancelled(timeout_ms: int) -> bool:
        asked.append(timeout_ms)
        return True

    ask = LimitedAsk(cancelled)
    ask.client_can = True
    caller = listening(ask, cancellable=True)
    caller.mask()
    with caller.limited(20):
        callee = listening(ask, cancellable=caller.callee_listens)
        assert not callee.requested()
        assert asked == []
        with pytest.raises(TeeError):
            callee.wait(LONG_MS)
    caller.unmask()
    with caller.limited(LONG_MS):
        assert listening(ask, cancellable=caller.callee_listens).requested()
    assert asked == [0]


def test_the_client_is_asked_for_no_longer_than_the_limit() -> None:
    asked: list[int] = []

    def goes_on(timeout_ms: int) -> bool:
        asked.append(timeout_ms)
        time.sleep(timeout_ms / 1000)
        return False

    ask = LimitedAsk(goes_on)
    ask.client_can = True
    caller = listening(ask, cancellable=True)
    with caller.limited(25), pytest.raises(TeeError):
        listening(ask, cancellable=caller.callee_listens).wait(LONG_MS)
    assert len(asked) == 1
    assert asked[0] <= 25
