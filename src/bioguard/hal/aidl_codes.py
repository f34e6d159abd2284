"""Numbers of the AIDL interfaces android.hardware.biometrics.{common,fingerprint,face} V4: byte-backed, from 0.

Numbering trap: the older HIDL enums start AcquiredInfo GOOD at 0 and hold LOCKOUT among the errors. In AIDL a lockout
is a callback and VENDOR is 7.
"""

from enum import IntEnum, unique

from bioguard.records.acquired import AcquiredCode
from bioguard.records.modality import Modality

VENDOR_OFFSET = 1000
"""In scripts, acquired and error codes above 1000 are vendor codes: 1013 is VENDOR with vendor code 13."""


@unique
class ErrorCode(IntEnum):
    """fingerprint/Error.aidl 0..9; face/Error.aidl shares 0..7 and has REENROLL_REQUIRED at 8."""

    UNKNOWN = 0
    HW_UNAVAILABLE = 1
    UNABLE_TO_PROCESS = 2
    TIMEOUT = 3
    NO_SPACE = 4
    CANCELED = 5
    UNABLE_TO_REMOVE = 6
    VENDOR = 7
    BAD_CALIBRATION = 8
    POWER_PRESS = 9


FACE_REENROLL_REQUIRED = ErrorCode.BAD_CALIBRATION
"""face/Error.aidl gives 8 another meaning."""


@unique
class FingerprintAcquired(IntEnum):
    """fingerprint/AcquiredInfo.aidl."""

    UNKNOWN = 0
    GOOD = 1
    PARTIAL = 2
    INSUFFICIENT = 3
    SENSOR_DIRTY = 4
    TOO_SLOW = 5
    TOO_FAST = 6
    VENDOR = 7
    START = 8
    TOO_DARK = 9
    TOO_BRIGHT = 10
    IMMOBILE = 11
    RETRYING_CAPTURE = 12
    LIFT_TOO_SOON = 13
    POWER_PRESS = 14


@unique
class FaceAcquired(IntEnum):
    """face/AcquiredInfo.aidl."""

    UNKNOWN = 0
    GOOD = 1
    INSUFFICIENT = 2
    TOO_BRIGHT = 3
    TOO_DARK = 4
    TOO_CLOSE = 5
    TOO_FAR = 6
    FACE_TOO_HIGH = 7
    FACE_TOO_LOW = 8
    FACE_TOO_RIGHT = 9
    FACE_TOO_LEFT = 10
    POOR_GAZE = 11
    NOT_DETECTED = 12
    TOO_MUCH_MOTION = 13
    RECALIBRATE = 14
    TOO_DIFFERENT = 15
    TOO_SIMILAR = 16
    PAN_TOO_EXTREME = 17
    TILT_TOO_EXTREME = 18
    ROLL_TOO_EXTREME = 19
    FACE_OBSCURED = 20
    START = 21
    SENSOR_DIRTY = 22
    VENDOR = 23
    FIRST_FRAME_RECEIVED = 24
    DARK_GLASSES_DETECTED = 25
    MOUTH_COVERING_DETECTED = 26


@unique
class Feature(IntEnum):
    """face/Feature.aidl."""

    REQUIRE_ATTENTION = 0
    REQUIRE_DIVERSE_POSES = 1
    DEBUG = 2


@unique
class EnrollmentType(IntEnum):
    """face/EnrollmentType.aidl. ACCESSIBILITY asks for no head movement and no gaze."""

    DEFAULT = 0
    ACCESSIBILITY = 1


@unique
class EnrollmentStage(IntEnum):
    """face/EnrollmentStage.aidl."""

    UNKNOWN = 0
    FIRST_FRAME_RECEIVED = 1
    WAITING_FOR_CENTERING = 2
    HOLD_STILL_IN_CENTER = 3
    ENROLLING_MOVEMENT_1 = 4
    ENROLLING_MOVEMENT_2 = 5
    ENROLLMENT_FINISHED = 6


_FACE_NAMES = {AcquiredCode.TOO_FAST: "TOO_MUCH_MOTION", AcquiredCode.IMMOBILE: "TOO_SIMILAR"}
"""What the face's interface calls otherwise."""


def acquired_info(code: AcquiredCode, modality: Modality) -> tuple[int, int]:
    """AcquiredInfo and vendor code of what a sensor said: VENDOR with our number where AIDL has none of its own."""
    known = FingerprintAcquired if modality is Modality.FINGERPRINT else FaceAcquired
    name = code.name if modality is Modality.FINGERPRINT else _FACE_NAMES.get(code, code.name)
    if code is not AcquiredCode.VENDOR and name in known.__members__:
        return int(known[name]), 0
    return int(known.VENDOR), 0 if code is AcquiredCode.VENDOR else int(code)


def code_names(modality: Modality) -> dict[str, dict[int, str]]:
    """What the numbers in the callbacks of such a sensor are called, by the name of the field."""
    acquired: type[IntEnum] = FingerprintAcquired if modality is Modality.FINGERPRINT else FaceAcquired
    kinds: dict[str, type[IntEnum]] = {
        "info": acquired, "error": ErrorCode, "stage": EnrollmentStage, "feature": Feature,
    }  # fmt: skip
    names = {field: {int(code): code.name for code in kind} for field, kind in kinds.items()}
    if modality is Modality.FACE:
        names["error"][int(FACE_REENROLL_REQUIRED)] = "REENROLL_REQUIRED"
    return names
