"""OperationContext and PointerContext: what the caller of a `...WithContext` method says of the moment.

Hints: of the values only `hardware_ignoring_touches` changes what a session does.
"""

from enum import IntEnum, unique

from bioguard.errors import InputRefused
from tee_sim.shared.dataclass import dataclass


@unique
class OperationReason(IntEnum):
    """common/OperationReason.aidl."""

    UNKNOWN = 0
    BIOMETRIC_PROMPT = 1
    KEYGUARD = 2


@unique
class DisplayState(IntEnum):
    """common/DisplayState.aidl."""

    UNKNOWN = 0
    LOCKSCREEN = 1
    NO_UI = 2
    SCREENSAVER = 3
    AOD = 4


@unique
class FoldState(IntEnum):
    """common/FoldState.aidl."""

    UNKNOWN = 0
    HALF_OPENED = 1
    FULLY_OPENED = 2
    FULLY_CLOSED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationContext:
    """common/OperationContext.aidl.

    Attributes:
        id: of the log session, 0 for an unknown reason.
        wake_reason, authenticate_reason: numbers of common/WakeReason.aidl and AuthenticateReason.aidl, passed on.
        hardware_ignoring_touches: common/OperationState.aidl; None where nothing is said.

    Raises:
        InputRefused: an id without a reason.
    """

    id: int = 0
    reason: OperationReason = OperationReason.UNKNOWN
    is_aod: bool = False
    is_crypto: bool = False
    wake_reason: int = 0
    display_state: DisplayState = DisplayState.UNKNOWN
    authenticate_reason: int | None = None
    fold_state: FoldState = FoldState.UNKNOWN
    hardware_ignoring_touches: bool | None = None

    def __post_init__(self) -> None:
        if self.reason is OperationReason.UNKNOWN and self.id != 0:
            raise InputRefused(
                "a context of an unknown reason has the id 0", hint="give the reason, or no id", code="session.context"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PointerContext:
    """fingerprint/PointerContext.aidl. Lengths in pixels of the display, times in ms of its clock.

    Attributes:
        orientation_milli: of the ellipse of the touch, in thousandths of a radian.
    """

    pointer_id: int = -1
    x: int = 0
    y: int = 0
    minor: int = 0
    major: int = 0
    orientation_milli: int = 0
    is_aod: bool = False
    time_ms: int = 0
    gesture_start_ms: int = 0
