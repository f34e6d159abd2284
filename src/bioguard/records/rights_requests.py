"""Requests of a person about their data, and what is due when (policy VII).

Answered within 7 days; at the latest one month after it came in, and then with a reason. Dates are wall time.
"""

from dataclasses import replace
from enum import IntEnum, unique
from typing import Annotated

from bioguard.records.audit_events import Cause
from bioguard.records.consent import DAY_MS, MAX_MS
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import Fixed, Record, UpTo

ANSWER_DAYS = 7
EXTENDED_DAYS = 30
"""Policy VII (end): "within 7 days, at most one month"."""
REQUEST_CAUSES = frozenset(
    {
        Cause.INFORMATION,
        Cause.ACCESS,
        Cause.RECTIFICATION,
        Cause.ERASURE,
        Cause.RESTRICTION,
        Cause.PORTABILITY,
        Cause.OBJECTION,
        Cause.COMPLAINT,
    }
)
EXTENSION_CAUSES = frozenset({Cause.COMPLEX, Cause.MANY_REQUESTS})
_ANSWERS = {Cause.FULFILLED, Cause.REFUSED}


@unique
class RequestState(IntEnum):
    """Where a request is."""

    OPEN = 1
    EXTENDED = 2
    FULFILLED = 3
    REFUSED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsRequest(Record):
    """One request. kind is one of REQUEST_CAUSES, reason one of EXTENSION_CAUSES once it is extended."""

    number: Annotated[int, UpTo(1 << 32)]
    subject: Annotated[bytes, Fixed(16)]
    kind: Cause
    state: RequestState
    opened_ms: Annotated[int, UpTo(MAX_MS)]
    due_ms: Annotated[int, UpTo(MAX_MS)]
    reason: Cause | None = None

    def overdue(self, now_ms: int) -> bool:
        """Whether the answer should have been given."""
        return self.state in (RequestState.OPEN, RequestState.EXTENDED) and now_ms > self.due_ms


def opened(number: int, subject: bytes, kind: Cause, now_ms: int) -> RightsRequest:
    """A new request. Raises ValueError for a cause that is no request."""
    if kind not in REQUEST_CAUSES:
        raise ValueError("not a kind of request")
    due_ms = now_ms + ANSWER_DAYS * DAY_MS
    return RightsRequest(
        number=number, subject=subject, kind=kind, state=RequestState.OPEN, opened_ms=now_ms, due_ms=due_ms
    )


def extended(request: RightsRequest, reason: Cause) -> RightsRequest:
    """The request with the longest term. Raises ValueError unless it is open, or without one of the two reasons."""
    if request.state is not RequestState.OPEN or reason not in EXTENSION_CAUSES:
        raise ValueError("only an open request can be extended, once, with a reason")
    due_ms = request.opened_ms + EXTENDED_DAYS * DAY_MS
    return replace(request, state=RequestState.EXTENDED, due_ms=due_ms, reason=reason)


def answered(request: RightsRequest, answer: Cause) -> RightsRequest:
    """The request with its answer. Raises ValueError if it has one, or for another cause."""
    if request.state not in (RequestState.OPEN, RequestState.EXTENDED) or answer not in _ANSWERS:
        raise ValueError("only a pending request can be answered, fulfilled or refused")
    return replace(request, state=RequestState[answer.name])
