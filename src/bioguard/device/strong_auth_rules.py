"""When a biometric is not enough any more and the PIN is asked: after a boot, after too long, after idling.

Android: framework LockSettingsStrongAuth (72 h, 24 h, 4 h) and CDD 7.3.10.
Apple: Platform Security guide (48 h, 156 h + 4 h).
Times are boot times in milliseconds; None means not since this boot.
"""

from enum import Enum, unique

from bioguard.records.strength import ABILITIES, SensorStrength
from tee_sim.shared.dataclass import dataclass

HOUR_MS = 3_600_000
IDLE_MS = 4 * HOUR_MS
IDLE_FAILED_ATTEMPTS = 3
"""CDD 7.3.10 C-1-8: four hours idle or three failed attempts, classes 1 and 2."""
APPLE_UNLOCK_MS = 48 * HOUR_MS
APPLE_PASSCODE_MS = 156 * HOUR_MS
APPLE_BIOMETRIC_MS = 4 * HOUR_MS


@unique
class Fallback(Enum):
    """Why the PIN is needed."""

    BOOT = "the PIN was not given since the device started"
    AGE = "the PIN was not given for too long"
    IDLE = "the device was idle for too long"
    FAILED_ATTEMPTS = "too many failed attempts for this class of sensor"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockTimes:
    """What the rules look at. Boot times in milliseconds."""

    credential_ms: int | None = None
    biometric_ms: int | None = None
    failed_attempts: int = 0

    def last_unlock_ms(self) -> int | None:
        """The later of the two."""
        return max((t for t in (self.credential_ms, self.biometric_ms) if t is not None), default=None)


def android_fallback(times: UnlockTimes, strength: SensorStrength, now_ms: int) -> Fallback | None:
    """Why a sensor of this strength needs the PIN first, or None."""
    abilities = ABILITIES[strength]
    last = times.last_unlock_ms()
    if times.credential_ms is None or last is None:
        return Fallback.BOOT
    if now_ms - times.credential_ms >= abilities.credential_every_h * HOUR_MS:
        return Fallback.AGE
    if abilities.idle_fallback:
        if now_ms - last >= IDLE_MS:
            return Fallback.IDLE
        if times.failed_attempts >= IDLE_FAILED_ATTEMPTS:
            return Fallback.FAILED_ATTEMPTS
    return None


def apple_fallback(times: UnlockTimes, now_ms: int) -> Fallback | None:
    """The same by Apple's rules, which know one class of sensor."""
    last = times.last_unlock_ms()
    if times.credential_ms is None or last is None:
        return Fallback.BOOT
    if now_ms - last > APPLE_UNLOCK_MS:
        return Fallback.IDLE
    biometric_recently = times.biometric_ms is not None and now_ms - times.biometric_ms <= APPLE_BIOMETRIC_MS
    if now_ms - times.credential_ms >= APPLE_PASSCODE_MS and not biometric_recently:
        return Fallback.AGE
    return None
