"""Life of one session, as a table.

Rules:
* everything that affects a session's state lives in this file;
* every state is listed; a missing event is an error and the state does not change.
"""

from enum import Enum, unique

from tee_sim.shared.errors import TeeError, TeeResult


@unique
class State(Enum):
    """Where a session is."""

    CLOSED = "closed"
    OPEN = "open"
    BUSY = "busy"
    PANICKED = "panicked"


@unique
class SessionEvent(Enum):
    """What happens to it."""

    OPENED = "opened"
    INVOKE = "invoke"
    RETURN = "return"
    PANIC = "panic"
    CLOSE = "close"


TRANSITIONS: dict[State, dict[SessionEvent, State]] = {
    State.CLOSED: {SessionEvent.OPENED: State.OPEN},
    State.OPEN: {SessionEvent.INVOKE: State.BUSY, SessionEvent.CLOSE: State.CLOSED, SessionEvent.PANIC: State.PANICKED},
    State.BUSY: {SessionEvent.RETURN: State.OPEN, SessionEvent.PANIC: State.PANICKED},
    State.PANICKED: {SessionEvent.CLOSE: State.CLOSED},
}

_REFUSALS: dict[State, TeeResult] = {
    State.CLOSED: TeeResult.BAD_STATE,
    State.OPEN: TeeResult.BAD_STATE,
    State.BUSY: TeeResult.BUSY,
    State.PANICKED: TeeResult.TARGET_DEAD,
}


def step(state: State, event: SessionEvent) -> State:
    """Return the next state.

    Raises:
        TeeError: the event is not allowed: BUSY while busy, TARGET_DEAD after a panic, BAD_STATE otherwise.
    """
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise TeeError(_REFUSALS[state], f"{event.value} is not allowed while the session is {state.value}") from None
