"""Where a test may stand between a person and a session: at the sensor.

What is presented becomes captures. `Unscripted` makes one of each and leaves its judgement to the secure world; the
knobs of `bioguard.simulate.faults` make something else of it.
"""

from collections.abc import Iterable
from enum import Enum, unique
from typing import Protocol

from bioguard.hal.callbacks import OperationError
from bioguard.hal.enrollment import Pose
from tee_sim.shared.dataclass import dataclass


@unique
class Waiting(Enum):
    """What waits for a person, in the names of Android's properties."""

    ENROLL = "enroll"
    AUTHENTICATE = "authenticate"
    DETECT_INTERACTION = "detect_interaction"


@dataclass(frozen=True, slots=True)
class Capture:
    """What the sensor saw in one touch or one burst of frames.

    Attributes:
        acquired: AcquiredInfo and vendor code, in order; None: as whoever compares judges the sample.
        sample: for the matcher; None when nothing was presented.
        error: the sensor gave up with this error, after what it acquired.
        pose: faces: how the face was turned.
        comparable: whether the sample is good enough to be compared (and then counts); None: if the last code is GOOD.
        delay_ms: how long it took.
        match_ms: how long a comparison of it takes.
        locked: the sensor says that it is locked for good, before its error.
    """

    acquired: tuple[tuple[int, int], ...] | None = None
    sample: object | None = None
    error: OperationError | None = None
    pose: Pose | None = None
    comparable: bool | None = None
    delay_ms: int = 0
    match_ms: int = 0
    locked: bool = False


class SensorScript(Protocol):
    """What a sensor makes of what is presented to it."""

    def touches(self, asked: int) -> int:
        """An enrollment begins: how many good captures it takes, where the caller asks for so many."""
        ...

    def captures(self, waiting: Waiting, sample: object | None, pose: Pose | None) -> Iterable[Capture]:
        """Somebody touches or looks: captures, each taken only while what waits still waits."""
        ...

    def enrollment_ended(self) -> None:
        """An enrollment that had begun has ended, and was not canceled."""
        ...

    def locked(self) -> bool:
        """Whether the sensor says that it is locked, beside what is counted."""
        ...

    def lockout_cleared(self) -> None:
        """A token or time has ended a lockout."""
        ...


class Unscripted:
    """A sensor that delivers what is presented."""

    def touches(self, asked: int) -> int:
        return asked

    def captures(self, _waiting: Waiting, sample: object | None, pose: Pose | None) -> Iterable[Capture]:
        return (Capture(sample=sample, pose=pose),)

    def enrollment_ended(self) -> None:
        """Nothing is kept."""

    def locked(self) -> bool:
        return False

    def lockout_cleared(self) -> None:
        """Nothing is kept."""
