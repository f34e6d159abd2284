"""A sensor's lock as it is stored, sent and shown (ISession.aidl onLockoutTimed, onLockoutPermanent)."""

from enum import IntEnum, unique

from tee_sim.shared.dataclass import dataclass


@unique
class Lock(IntEnum):
    """How a sensor is locked for a user. Higher takes precedence."""

    NONE = 0
    TIMED = 1
    PERMANENT = 2


@unique
class AttemptOutcome(IntEnum):
    """What came of an attempt."""

    MATCH = 0
    NO_MATCH = 1
    """A capture of good quality that does not match: the only thing that counts (CDD 7.3.10: a false trial)."""
    POOR_CAPTURE = 2
    LOOSE_MATCH = 3
    """A match at a rate that is looser than the sensor's class allows, on a device for testing."""


@dataclass(frozen=True, slots=True)
class LockStatus:
    """A lock, and for a timed one the milliseconds left (at least 1)."""

    lock: Lock
    remaining_ms: int = 0
