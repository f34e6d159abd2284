"""Events: callbacks of sessions (ISessionCallback.aidl), and what happens to the device. One table."""

from enum import IntEnum, unique
from typing import Annotated, Final

from bioguard.hal.aidl_codes import EnrollmentStage, Feature
from bioguard.serve.v2.sessions import CellEntry
from bioguard.serve.v2.values import BYTE, MAX_ENROLLMENTS, MILLI, MILLISECONDS, U32, WORD, RestartKind
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import U64, Fixed, Items, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeEvent(Record):
    """The challenge."""

    challenge: Annotated[int, U64]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcquiredEvent(Record):
    """info: AcquiredInfo of the sensor's modality. vendor: what VENDOR means here, else 0."""

    info: Annotated[int, BYTE]
    vendor: Annotated[int, U32]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollmentFrameEvent(Record):
    """One frame of a face enrollment."""

    info: Annotated[int, BYTE]
    vendor: Annotated[int, U32]
    stage: EnrollmentStage
    cell: CellEntry | None
    pan: Annotated[int, MILLI]
    tilt: Annotated[int, MILLI]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationFrameEvent(Record):
    """One frame of a face that is authenticated or looked for."""

    info: Annotated[int, BYTE]
    vendor: Annotated[int, U32]
    pan: Annotated[int, MILLI]
    tilt: Annotated[int, MILLI]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollmentProgressEvent(Record):
    """remaining: good captures that are still wanted; 0 ends the enrollment, and enrollment_id is stored."""

    enrollment_id: Annotated[int, U32]
    remaining: Annotated[int, BYTE]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationSucceededEvent(Record):
    """token: of a STRONG sensor and a user who enrolled with a PIN; null: none."""

    enrollment_id: Annotated[int, U32]
    token: Annotated[bytes, Fixed(69)] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BareEvent(Record):
    """No field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockoutTimedEvent(Record):
    """How long attempts are refused."""

    remaining_ms: Annotated[int, MILLISECONDS]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollmentsEvent(Record):
    """Enrollments, by id."""

    ids: Annotated[tuple[int, ...], Items(MAX_ENROLLMENTS, U32)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatorIdEvent(Record):
    """0: nothing enrolled, or the sensor is not STRONG."""

    authenticator_id: Annotated[int, U64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeaturesEvent(Record):
    """Those that are on, ascending."""

    features: Annotated[tuple[Feature, ...], Items(len(Feature))]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureEvent(Record):
    """The feature that was set."""

    feature: Feature


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorEvent(Record):
    """onError. error: Error.aidl of the modality. reason: a refusal code where AIDL has no number; else empty."""

    error: Annotated[int, BYTE]
    vendor: Annotated[int, U32]
    reason: Annotated[str, WORD]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartedEvent(Record):
    """The secure world was started again; every session is dead."""

    how: RestartKind


@unique
class EventKind(IntEnum):
    """Kinds of events."""

    CHALLENGE_GENERATED = 1
    CHALLENGE_REVOKED = 2
    ACQUIRED = 3
    ENROLLMENT_FRAME = 4
    ENROLLMENT_PROGRESS = 5
    AUTHENTICATION_SUCCEEDED = 6
    AUTHENTICATION_FAILED = 7
    LOCKOUT_TIMED = 8
    LOCKOUT_PERMANENT = 9
    LOCKOUT_CLEARED = 10
    INTERACTION_DETECTED = 11
    ENROLLMENTS_ENUMERATED = 12
    ENROLLMENTS_REMOVED = 13
    AUTHENTICATOR_ID_RETRIEVED = 14
    AUTHENTICATOR_ID_INVALIDATED = 15
    FEATURES_RETRIEVED = 16
    FEATURE_SET = 17
    ERROR = 18
    SESSION_CLOSED = 19
    RESTARTED = 20
    AUTHENTICATION_FRAME = 21


EVENTS: Final[dict[EventKind, type[Record]]] = {
    EventKind.CHALLENGE_GENERATED: ChallengeEvent,
    EventKind.CHALLENGE_REVOKED: ChallengeEvent,
    EventKind.ACQUIRED: AcquiredEvent,
    EventKind.ENROLLMENT_FRAME: EnrollmentFrameEvent,
    EventKind.ENROLLMENT_PROGRESS: EnrollmentProgressEvent,
    EventKind.AUTHENTICATION_SUCCEEDED: AuthenticationSucceededEvent,
    EventKind.AUTHENTICATION_FAILED: BareEvent,
    EventKind.LOCKOUT_TIMED: LockoutTimedEvent,
    EventKind.LOCKOUT_PERMANENT: BareEvent,
    EventKind.LOCKOUT_CLEARED: BareEvent,
    EventKind.INTERACTION_DETECTED: BareEvent,
    EventKind.ENROLLMENTS_ENUMERATED: EnrollmentsEvent,
    EventKind.ENROLLMENTS_REMOVED: EnrollmentsEvent,
    EventKind.AUTHENTICATOR_ID_RETRIEVED: AuthenticatorIdEvent,
    EventKind.AUTHENTICATOR_ID_INVALIDATED: AuthenticatorIdEvent,
    EventKind.FEATURES_RETRIEVED: FeaturesEvent,
    EventKind.FEATURE_SET: FeatureEvent,
    EventKind.ERROR: ErrorEvent,
    EventKind.SESSION_CLOSED: BareEvent,
    EventKind.RESTARTED: RestartedEvent,
    EventKind.AUTHENTICATION_FRAME: AuthenticationFrameEvent,
}
"""The fields of each."""
