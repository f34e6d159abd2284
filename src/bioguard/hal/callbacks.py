"""ISessionCallback as values: what a session reports to its client, and which of them end an operation."""

from bioguard.hal.aidl_codes import EnrollmentStage, ErrorCode, Feature
from bioguard.hal.enrollment import Cell
from bioguard.records.modality import Modality
from bioguard.records.tokens import AuthToken
from tee_sim.shared.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ChallengeGenerated:
    """onChallengeGenerated."""

    challenge: int


@dataclass(frozen=True, slots=True)
class ChallengeRevoked:
    """onChallengeRevoked; echoes unknown values."""

    challenge: int


@dataclass(frozen=True, slots=True)
class Acquired:
    """onAcquired: AcquiredInfo of the sensor's kind and a vendor code."""

    info: int
    vendor_code: int = 0


@dataclass(frozen=True, slots=True)
class EnrollmentFrame:
    """onEnrollmentFrame: one frame of a face enrollment."""

    info: int
    vendor_code: int
    stage: EnrollmentStage
    cell: Cell | None
    pan: float
    tilt: float


@dataclass(frozen=True, slots=True)
class AuthenticationFrame:
    """onAuthenticationFrame: what a face's sensor acquired, where a finger's has `Acquired`."""

    info: int
    vendor_code: int = 0
    pan: float = 0.0
    tilt: float = 0.0


@dataclass(frozen=True, slots=True)
class EnrollmentProgress:
    """onEnrollmentProgress: 0 remaining ends the enrollment. The id is 0 while it is not drawn yet."""

    enrollment_id: int
    remaining: int


@dataclass(frozen=True, slots=True)
class AuthenticationSucceeded:
    """onAuthenticationSucceeded: a token from a Class 3 sensor, none from others."""

    enrollment_id: int
    token: AuthToken | None


@dataclass(frozen=True, slots=True)
class AuthenticationFailed:
    """onAuthenticationFailed."""


@dataclass(frozen=True, slots=True)
class LockoutTimed:
    """onLockoutTimed, with the milliseconds left."""

    remaining_ms: int


@dataclass(frozen=True, slots=True)
class LockoutPermanent:
    """onLockoutPermanent."""


@dataclass(frozen=True, slots=True)
class LockoutCleared:
    """onLockoutCleared."""


@dataclass(frozen=True, slots=True)
class InteractionDetected:
    """onInteractionDetected."""


@dataclass(frozen=True, slots=True)
class EnrollmentsEnumerated:
    """onEnrollmentsEnumerated."""

    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EnrollmentsRemoved:
    """onEnrollmentsRemoved: what was really removed."""

    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AuthenticatorIdRetrieved:
    """onAuthenticatorIdRetrieved."""

    authenticator_id: int


@dataclass(frozen=True, slots=True)
class AuthenticatorIdInvalidated:
    """onAuthenticatorIdInvalidated."""

    authenticator_id: int


@dataclass(frozen=True, slots=True)
class FeaturesRetrieved:
    """onFeaturesRetrieved."""

    features: tuple[Feature, ...]


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """onFeatureSet."""

    feature: Feature


@dataclass(frozen=True, slots=True)
class OperationError:
    """onError. reason: the stable code of a refusal that AIDL has no number for, empty where the number says it."""

    error: ErrorCode
    vendor_code: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """onSessionClosed: the last call ever."""


@dataclass(frozen=True, slots=True)
class Restarted:
    """The secure world had ended and runs again: every session is over. Of the device, of no session."""

    how: str


Callback = (
    ChallengeGenerated
    | ChallengeRevoked
    | Acquired
    | EnrollmentFrame
    | AuthenticationFrame
    | EnrollmentProgress
    | AuthenticationSucceeded
    | AuthenticationFailed
    | LockoutTimed
    | LockoutPermanent
    | LockoutCleared
    | InteractionDetected
    | EnrollmentsEnumerated
    | EnrollmentsRemoved
    | AuthenticatorIdRetrieved
    | AuthenticatorIdInvalidated
    | FeaturesRetrieved
    | FeatureSet
    | OperationError
    | SessionClosed
    | Restarted
)

_NEVER_TERMINAL = (Acquired, EnrollmentFrame, AuthenticationFrame)
_FACE_TERMINAL = (AuthenticationFailed, LockoutTimed, LockoutPermanent)


def is_terminal(callback: Callback, kind: Modality) -> bool:
    """Whether this callback ends the operation. A rejected finger may try again; a rejected face is done."""
    if isinstance(callback, EnrollmentProgress):
        return callback.remaining == 0
    if isinstance(callback, _FACE_TERMINAL):
        return kind is Modality.FACE
    return not isinstance(callback, _NEVER_TERMINAL)
