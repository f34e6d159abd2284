"""Sensor strengths (CDD 7.3.10) and what each may do. A table, so that the docs page can show it.

Numbers: Android Compatibility Definition section 7.3.10 (text of Android 11/12), BiometricManager.Authenticators.
"""

from enum import IntEnum, unique

from tee_sim.shared.dataclass import dataclass


@unique
class SensorStrength(IntEnum):
    """common/SensorStrength.aidl."""

    CONVENIENCE = 0
    WEAK = 1
    STRONG = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a class of sensor may do.

    Attributes:
        cdd_class: 1, 2 or 3.
        tokens: may make and check auth tokens; only then it has an authenticator id.
        prompt: may be offered to apps (BiometricPrompt).
        keystore: may unlock keys (CryptoObject).
        spoof_accept_max_percent: highest allowed spoof and impostor acceptance rate; 100 = no limit, must be disclosed.
        credential_every_h: hours after which the PIN is asked again.
        idle_fallback: PIN after 4 h idle or 3 failed attempts.
        authenticator_mask: BiometricManager.Authenticators value.
    """

    cdd_class: int
    tokens: bool
    prompt: bool
    keystore: bool
    spoof_accept_max_percent: int
    credential_every_h: int
    idle_fallback: bool
    authenticator_mask: int


ABILITIES: dict[SensorStrength, Abilities] = {
    SensorStrength.CONVENIENCE: Abilities(
        cdd_class=1,
        tokens=False,
        prompt=False,
        keystore=False,
        spoof_accept_max_percent=100,
        credential_every_h=24,
        idle_fallback=True,
        authenticator_mask=0x0FFF,
    ),
    SensorStrength.WEAK: Abilities(
        cdd_class=2,
        tokens=False,
        prompt=True,
        keystore=False,
        spoof_accept_max_percent=20,
        credential_every_h=24,
        idle_fallback=True,
        authenticator_mask=0x00FF,
    ),
    SensorStrength.STRONG: Abilities(
        cdd_class=3,
        tokens=True,
        prompt=True,
        keystore=True,
        spoof_accept_max_percent=7,
        credential_every_h=72,
        idle_fallback=False,
        authenticator_mask=0x000F,
    ),
}


def locked_by(strength: SensorStrength) -> frozenset[SensorStrength]:
    """Strengths whose lockout also locks a sensor of `strength` (framework MultiBiometricLockoutState)."""
    return frozenset(s for s in SensorStrength if s >= strength)


def cleared_with(strength: SensorStrength) -> frozenset[SensorStrength]:
    """Strengths whose lockout is cleared when a sensor of `strength` is cleared."""
    return frozenset(s for s in SensorStrength if s <= strength)
