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
class SessionState(Enum):
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
class SessionEvent(Enum):
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
    HAL_DIED = "secure world died"


_INTERACTIVE: dict[SessionEvent, SessionState] = {
    SessionEvent.FINISH: SessionState.IDLING,
    SessionEvent.CANCEL: SessionState.IDLING,
    SessionEvent.CLIENT_DIED: SessionState.CLOSED,
    SessionEvent.HAL_DIED: SessionState.CLOSED,
}
_SHORT: dict[SessionEvent, SessionState] = {
    SessionEvent.FINISH: SessionState.IDLING,
    SessionEvent.CLIENT_DIED: SessionState.CLOSED,
    SessionEvent.HAL_DIED: SessionState.CLOSED,
}

TRANSITIONS: dict[SessionState, dict[SessionEvent, SessionState]] = {
    SessionState.CLOSED: {SessionEvent.CREATE: SessionState.IDLING},
    SessionState.IDLING: {
        SessionEvent.GENERATE_CHALLENGE: SessionState.GENERATING_CHALLENGE,
        SessionEvent.REVOKE_CHALLENGE: SessionState.REVOKING_CHALLENGE,
        SessionEvent.ENROLL: SessionState.ENROLLING,
        SessionEvent.AUTHENTICATE: SessionState.AUTHENTICATING,
        SessionEvent.DETECT_INTERACTION: SessionState.DETECTING_INTERACTION,
        SessionEvent.ENUMERATE_ENROLLMENTS: SessionState.ENUMERATING_ENROLLMENTS,
        SessionEvent.REMOVE_ENROLLMENTS: SessionState.REMOVING_ENROLLMENTS,
        SessionEvent.GET_AUTHENTICATOR_ID: SessionState.GETTING_AUTHENTICATOR_ID,
        SessionEvent.INVALIDATE_AUTHENTICATOR_ID: SessionState.INVALIDATING_AUTHENTICATOR_ID,
        SessionEvent.RESET_LOCKOUT: SessionState.RESETTING_LOCKOUT,
        SessionEvent.GET_FEATURES: SessionState.GETTING_FEATURES,
        SessionEvent.SET_FEATURE: SessionState.SETTING_FEATURE,
        SessionEvent.CLOSE: SessionState.CLOSED,
        SessionEvent.CLIENT_DIED: SessionState.CLOSED,
        SessionEvent.HAL_DIED: SessionState.CLOSED,
    },
    SessionState.ENROLLING: {SessionEvent.CAPTURE: SessionState.ENROLLING, **_INTERACTIVE},
    SessionState.AUTHENTICATING: {SessionEvent.CAPTURE: SessionState.AUTHENTICATING, **_INTERACTIVE},
    SessionState.DETECTING_INTERACTION: {SessionEvent.CAPTURE: SessionState.DETECTING_INTERACTION, **_INTERACTIVE},
    SessionState.GENERATING_CHALLENGE: _SHORT,
    SessionState.REVOKING_CHALLENGE: _SHORT,
    SessionState.ENUMERATING_ENROLLMENTS: _SHORT,
    SessionState.REMOVING_ENROLLMENTS: _SHORT,
    SessionState.GETTING_AUTHENTICATOR_ID: _SHORT,
    SessionState.INVALIDATING_AUTHENTICATOR_ID: _SHORT,
    SessionState.RESETTING_LOCKOUT: _SHORT,
    SessionState.GETTING_FEATURES: _SHORT,
    SessionState.SETTING_FEATURE: _SHORT,
}

CANCELLABLE = frozenset(state for state, events in TRANSITIONS.items() if SessionEvent.CANCEL in events)
"""States that wait for a person, and can be canceled."""


def step(state: SessionState, event: SessionEvent) -> SessionState:
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
