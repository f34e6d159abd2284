"""Callbacks of sessions as events: one table, so that none is forgotten."""

from collections.abc import Callable
from typing import Any, Final

from bioguard.hal import callbacks as cb
from bioguard.hal.callbacks import Callback
from bioguard.hal.enrollment import Cell
from bioguard.serve.v2 import events as e
from bioguard.serve.v2.events import EventKind
from bioguard.serve.v2.sessions import CellEntry
from tee_sim.shared.schema import Record


def cell_entry(cell: Cell) -> CellEntry:
    """From -1..1 to 0..2."""
    return CellEntry(x=cell.x + 1, y=cell.y + 1)


def milli(value: float) -> int:
    """From -1..1 to 0..2000."""
    return 1000 + round(value * 1000)


def _enrollment_frame(callback: cb.EnrollmentFrame) -> Record:
    return e.EnrollmentFrameEvent(
        info=callback.info,
        vendor=callback.vendor_code,
        stage=callback.stage,
        cell=cell_entry(callback.cell) if callback.cell is not None else None,
        pan=milli(callback.pan),
        tilt=milli(callback.tilt),
    )


def _authentication_frame(callback: cb.AuthenticationFrame) -> Record:
    return e.AuthenticationFrameEvent(
        info=callback.info, vendor=callback.vendor_code, pan=milli(callback.pan), tilt=milli(callback.tilt)
    )


def _succeeded(callback: cb.AuthenticationSucceeded) -> Record:
    token = callback.token.to_bytes() if callback.token is not None else None
    return e.AuthenticationSucceededEvent(enrollment_id=callback.enrollment_id, token=token)


def _bare(_callback: Callback) -> Record:
    return e.BareEvent()


_TABLE: Final[dict[type[Callback], tuple[EventKind, Callable[[Any], Record]]]] = {
    cb.ChallengeGenerated: (EventKind.CHALLENGE_GENERATED, lambda c: e.ChallengeEvent(challenge=c.challenge)),
    cb.ChallengeRevoked: (EventKind.CHALLENGE_REVOKED, lambda c: e.ChallengeEvent(challenge=c.challenge)),
    cb.Acquired: (EventKind.ACQUIRED, lambda c: e.AcquiredEvent(info=c.info, vendor=c.vendor_code)),
    cb.EnrollmentFrame: (EventKind.ENROLLMENT_FRAME, _enrollment_frame),
    cb.AuthenticationFrame: (EventKind.AUTHENTICATION_FRAME, _authentication_frame),
    cb.EnrollmentProgress: (
        EventKind.ENROLLMENT_PROGRESS,
        lambda c: e.EnrollmentProgressEvent(enrollment_id=c.enrollment_id, remaining=c.remaining),
    ),
    cb.AuthenticationSucceeded: (EventKind.AUTHENTICATION_SUCCEEDED, _succeeded),
    cb.AuthenticationFailed: (EventKind.AUTHENTICATION_FAILED, _bare),
    cb.LockoutTimed: (EventKind.LOCKOUT_TIMED, lambda c: e.LockoutTimedEvent(remaining_ms=c.remaining_ms)),
    cb.LockoutPermanent: (EventKind.LOCKOUT_PERMANENT, _bare),
    cb.LockoutCleared: (EventKind.LOCKOUT_CLEARED, _bare),
    cb.InteractionDetected: (EventKind.INTERACTION_DETECTED, _bare),
    cb.EnrollmentsEnumerated: (EventKind.ENROLLMENTS_ENUMERATED, lambda c: e.EnrollmentsEvent(ids=c.ids)),
    cb.EnrollmentsRemoved: (EventKind.ENROLLMENTS_REMOVED, lambda c: e.EnrollmentsEvent(ids=c.ids)),
    cb.AuthenticatorIdRetrieved: (
        EventKind.AUTHENTICATOR_ID_RETRIEVED,
        lambda c: e.AuthenticatorIdEvent(authenticator_id=c.authenticator_id),
    ),
    cb.AuthenticatorIdInvalidated: (
        EventKind.AUTHENTICATOR_ID_INVALIDATED,
        lambda c: e.AuthenticatorIdEvent(authenticator_id=c.authenticator_id),
    ),
    cb.FeaturesRetrieved: (EventKind.FEATURES_RETRIEVED, lambda c: e.FeaturesEvent(features=c.features)),
    cb.FeatureSet: (EventKind.FEATURE_SET, lambda c: e.FeatureEvent(feature=c.feature)),
    cb.OperationError: (
        EventKind.ERROR,
        lambda c: e.ErrorEvent(error=int(c.error), vendor=c.vendor_code, reason=c.reason),
    ),
    cb.SessionClosed: (EventKind.SESSION_CLOSED, _bare),
}


def event_of(callback: Callback) -> tuple[EventKind, Record]:
    """Kind and fields."""
    kind, make = _TABLE[type(callback)]
    return kind, make(callback)
