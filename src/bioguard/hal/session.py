"""The session of one sensor and user as a table. Every state is listed; a missing event is an error, never a no-op.

States: reference HAL `Session.h`. Where the reference comments its own checks out, this table keeps them: the figure in
docs/android-contract.md is drawn from it by `diagram`, and a test compares the two.
"""

from enum import Enum, unique

from bioguard.errors import NotPermitted


class WrongState(NotPermitted):
    """The session cannot do this now. Nothing was changed."""

    code = "session.state"


@unique
class State(Enum):
    """Where a session is."""

    CLOSED = "closed"
    IDLING = "idling"
    GENERATING_CHALLENGE = "generating challenge"
    REVOKING_CHALLENGE = "revoking challenge"
    ENROLLING = "enrolling"
    AUTHENTICATING = "authenticating"
    DETECTING_INTERACTION = "detecting interaction"
    ENUMERATING_ENROLLMENTS = "enumerating enrollments"
    REMOVING_ENROLLMENTS = "removing enrollments"
    GETTING_AUTHENTICATOR_ID = "getting authenticator id"
    INVALIDATING_AUTHENTICATOR_ID = "invalidating authenticator id"
    RESETTING_LOCKOUT = "resetting lockout"
    GETTING_FEATURES = "getting features"
    SETTING_FEATURE = "setting feature"


@unique
class Event(Enum):
    """What happens to it."""

    CREATE = "create session"
    GENERATE_CHALLENGE = "generate challenge"
    REVOKE_CHALLENGE = "revoke challenge"
    ENROLL = "enroll"
    AUTHENTICATE = "authenticate"
    DETECT_INTERACTION = "detect interaction"
    ENUMERATE_ENROLLMENTS = "enumerate enrollments"
    REMOVE_ENROLLMENTS = "remove enrollments"
    GET_AUTHENTICATOR_ID = "get authenticator id"
    INVALIDATE_AUTHENTICATOR_ID = "invalidate authenticator id"
    RESET_LOCKOUT = "reset lockout"
    GET_FEATURES = "get features"
    SET_FEATURE = "set feature"
    CAPTURE = "capture"
    CANCEL = "cancel"
    FINISH = "finish"
    CLOSE = "close"
    CLIENT_DIED = "client died"


_INTERACTIVE: dict[Event, State] = {
    Event.FINISH: State.IDLING,
    Event.CANCEL: State.IDLING,
    Event.CLIENT_DIED: State.CLOSED,
}
_SHORT: dict[Event, State] = {Event.FINISH: State.IDLING, Event.CLIENT_DIED: State.CLOSED}

TRANSITIONS: dict[State, dict[Event, State]] = {
    State.CLOSED: {Event.CREATE: State.IDLING},
    State.IDLING: {
        Event.GENERATE_CHALLENGE: State.GENERATING_CHALLENGE,
        Event.REVOKE_CHALLENGE: State.REVOKING_CHALLENGE,
        Event.ENROLL: State.ENROLLING,
        Event.AUTHENTICATE: State.AUTHENTICATING,
        Event.DETECT_INTERACTION: State.DETECTING_INTERACTION,
        Event.ENUMERATE_ENROLLMENTS: State.ENUMERATING_ENROLLMENTS,
        Event.REMOVE_ENROLLMENTS: State.REMOVING_ENROLLMENTS,
        Event.GET_AUTHENTICATOR_ID: State.GETTING_AUTHENTICATOR_ID,
        Event.INVALIDATE_AUTHENTICATOR_ID: State.INVALIDATING_AUTHENTICATOR_ID,
        Event.RESET_LOCKOUT: State.RESETTING_LOCKOUT,
        Event.GET_FEATURES: State.GETTING_FEATURES,
        Event.SET_FEATURE: State.SETTING_FEATURE,
        Event.CLOSE: State.CLOSED,
        Event.CLIENT_DIED: State.CLOSED,
    },
    State.ENROLLING: {Event.CAPTURE: State.ENROLLING, **_INTERACTIVE},
    State.AUTHENTICATING: {Event.CAPTURE: State.AUTHENTICATING, **_INTERACTIVE},
    State.DETECTING_INTERACTION: {Event.CAPTURE: State.DETECTING_INTERACTION, **_INTERACTIVE},
    State.GENERATING_CHALLENGE: _SHORT,
    State.REVOKING_CHALLENGE: _SHORT,
    State.ENUMERATING_ENROLLMENTS: _SHORT,
    State.REMOVING_ENROLLMENTS: _SHORT,
    State.GETTING_AUTHENTICATOR_ID: _SHORT,
    State.INVALIDATING_AUTHENTICATOR_ID: _SHORT,
    State.RESETTING_LOCKOUT: _SHORT,
    State.GETTING_FEATURES: _SHORT,
    State.SETTING_FEATURE: _SHORT,
}

CANCELLABLE = frozenset(state for state, events in TRANSITIONS.items() if Event.CANCEL in events)
"""States that wait for a person, and can be canceled."""


def step(state: State, event: Event) -> State:
    """Return the next state.

    Raises:
        WrongState: the event is not allowed; the caller's state is unchanged.
    """
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise WrongState(
            f"{event.value} is not allowed while {state.value}", hint="wait for the operation's last callback"
        ) from None


def diagram() -> str:
    """The table as a Mermaid state diagram, one line per transition."""
    lines = ["stateDiagram-v2", "  [*] --> CLOSED"]
    for state, events in TRANSITIONS.items():
        lines += [f"  {state.name} --> {target.name}: {event.value}" for event, target in events.items()]
    return "\n".join(lines) + "\n"
