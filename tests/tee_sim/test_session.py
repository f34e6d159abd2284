"""The session table: every state listed, illegal events refused with the state unchanged."""

import pytest

from tee_sim.secure.session import TRANSITIONS, SessionEvent, State, step
from tee_sim.shared.errors import TeeError, TeeResult


def test_every_state_is_listed() -> None:
    assert set(TRANSITIONS) == set(State)


def test_life_of_a_session() -> None:
    state = State.CLOSED
    for event in (
        SessionEvent.OPENED,
        SessionEvent.INVOKE,
        SessionEvent.RETURN,
        SessionEvent.INVOKE,
        SessionEvent.PANIC,
        SessionEvent.CLOSE,
    ):
        state = step(state, event)
    assert state is State.CLOSED


@pytest.mark.parametrize(
    ("state", "event", "result"),
    [
        (State.BUSY, SessionEvent.INVOKE, TeeResult.BUSY),
        (State.PANICKED, SessionEvent.INVOKE, TeeResult.TARGET_DEAD),
        (State.CLOSED, SessionEvent.INVOKE, TeeResult.BAD_STATE),
        (State.CLOSED, SessionEvent.CLOSE, TeeResult.BAD_STATE),
    ],
)
def test_illegal_events_are_refused(state: State, event: SessionEvent, result: TeeResult) -> None:
    with pytest.raises(TeeError, match=f"{event.value} is not allowed while the session is {state.value}") as caught:
        step(state, event)
    assert caught.value.result is result


def test_exactly_the_listed_events_are_allowed() -> None:
    for state in State:
        for event in SessionEvent:
            if event in TRANSITIONS[state]:
                assert isinstance(step(state, event), State)
            else:
                with pytest.raises(TeeError):
                    step(state, event)
