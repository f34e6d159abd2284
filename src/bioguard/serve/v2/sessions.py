"""Records of sessions: what a HAL's client asks (ISession.aidl of fingerprint and face, version 4)."""

from typing import Annotated

from bioguard.hal.aidl_codes import EnrollmentStage, EnrollmentType, Feature
from bioguard.serve.protocol import User
from bioguard.serve.v2.values import (
    MAX_ENROLLMENTS,
    MAX_PICTURE_BYTES,
    MILLI,
    MILLISECONDS,
    SENSOR,
    TOKEN,
    U32,
    PresentedForm,
)
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import U64, AtMost, Items, Record, UpTo


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSessionRequest(User):
    """A session of one user at one sensor."""

    sensor: Annotated[int, SENSOR]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRequest(Record):
    """session: its number. The first field of every request to a session."""

    session: Annotated[int, U32]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionAnswer(Record):
    """From 1, never used twice in one connection."""

    session: Annotated[int, U32]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationAnswer(Record):
    """Its number in this session, from 1, for cancel."""

    operation: Annotated[int, U32]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequest(SessionRequest):
    """operation null: the one that runs."""

    operation: Annotated[int, U32] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextEntry(Record):
    """common/OperationContext.aidl. Numbers are those of its enumerations.

    Attributes:
        id: 0 where the reason is unknown.
        reason: OperationReason.
        wake_reason, display_state, fold_state: WakeReason, DisplayState, FoldState.
        authenticate_reason: AuthenticateReason of faces; null: none.
        ignores_touches: operationState.fingerprint.isHardwareIgnoringTouches.
    """

    id: Annotated[int, U32]
    reason: Annotated[int, UpTo(2)]
    is_aod: bool
    is_crypto: bool
    wake_reason: Annotated[int, UpTo(9)]
    display_state: Annotated[int, UpTo(4)]
    authenticate_reason: Annotated[int, UpTo(10)] | None
    fold_state: Annotated[int, UpTo(3)]
    ignores_touches: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceOptionsEntry(Record):
    """face/FaceEnrollOptions.aidl without previews. guided: walk through the stages of get_enrollment_config."""

    enrollment_type: EnrollmentType
    features: Annotated[tuple[Feature, ...], Items(len(Feature))]
    guided: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnrollRequest(SessionRequest):
    """touches: good captures that make an enrollment; null: 3. position: 0 unnamed, 1 right thumb to 10 left little.

    Attributes:
        token: of a PIN, with a live challenge of this sensor as its challenge; empty: none.
        context: the enrollWithContext of AIDL; null: enroll.
        options: the enrollWithOptions of AIDL; faces only; null: enroll.
    """

    token: Annotated[bytes, TOKEN]
    touches: Annotated[int, UpTo(16)] | None
    position: Annotated[int, UpTo(10)]
    context: ContextEntry | None
    options: FaceOptionsEntry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionAuthenticateRequest(SessionRequest):
    """operation_id becomes the challenge of the token; other than 0 it needs consent to KEY_USE."""

    operation_id: Annotated[int, U64]
    context: ContextEntry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectInteractionRequest(SessionRequest):
    """Presence only: nothing is compared or counted."""

    context: ContextEntry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeChallengeRequest(SessionRequest):
    """A challenge to be revoked; an unknown one is echoed too."""

    challenge: Annotated[int, U64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveEnrollmentsRequest(SessionRequest):
    """Enrollments by their ids, as events name them."""

    ids: Annotated[tuple[int, ...], Items(MAX_ENROLLMENTS, U32)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTokenRequest(SessionRequest):
    """A token of the user's PIN; any challenge; empty: none."""

    token: Annotated[bytes, TOKEN]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFeatureRequest(SessionRequest):
    """A face feature on or off."""

    token: Annotated[bytes, TOKEN]
    feature: Feature
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollmentConfigRequest(Record):
    """Of a face sensor."""

    sensor: Annotated[int, SENSOR]
    enrollment_type: EnrollmentType


@dataclass(frozen=True, slots=True, kw_only=True)
class CellEntry(Record):
    """A place in the 3 by 3 grid of poses; 1 is the middle of each direction. x grows with pan, y with tilt."""

    x: Annotated[int, UpTo(2)]
    y: Annotated[int, UpTo(2)]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEntry(Record):
    """face/EnrollmentStageConfig.aidl: a stage, and the cells that complete it."""

    stage: EnrollmentStage
    cells: Annotated[tuple[CellEntry, ...], Items(9)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollmentConfigAnswer(Record):
    """The stages in order."""

    stages: Annotated[tuple[StageEntry, ...], Items(8)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextChangedRequest(SessionRequest):
    """onContextChanged, for the operation that runs."""

    context: ContextEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class PointerEntry(Record):
    """common: fingerprint/PointerContext.aidl in whole pixels and thousandths of a radian (orientation from 0)."""

    pointer_id: Annotated[int, U32]
    x: Annotated[int, U32]
    y: Annotated[int, U32]
    minor: Annotated[int, U32]
    major: Annotated[int, U32]
    orientation_milli: Annotated[int, UpTo(6_284)]
    is_aod: bool
    time_ms: Annotated[int, MILLISECONDS]
    gesture_start_ms: Annotated[int, MILLISECONDS]


@dataclass(frozen=True, slots=True, kw_only=True)
class PointerRequest(SessionRequest):
    """A finger on, off or away from the display."""

    pointer: PointerEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreTouchesRequest(SessionRequest):
    """setIgnoreDisplayTouches."""

    ignore: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PoseEntry(Record):
    """How a face is turned, each from 0 to 2000: 1000 is straight."""

    pan: Annotated[int, MILLI]
    tilt: Annotated[int, MILLI]
    roll: Annotated[int, MILLI]


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentRequest(SessionRequest):
    """A person touches or looks at the sensor with this sample. pose: of a face; null: straight.

    Attributes:
        sample: at most MAX_SAMPLE_BYTES where its form is not PICTURE.
    """

    form: PresentedForm
    sample: Annotated[bytes, AtMost(MAX_PICTURE_BYTES)]
    pose: PoseEntry | None
