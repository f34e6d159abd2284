"""What a device is, chosen when it is made, sealed with its store, never changed.

The normal world could otherwise weaken a device that people trust already: another rate, another lockout, no PIN.
"""

from dataclasses import dataclass
from enum import IntEnum, unique
from typing import Annotated

from bioguard.commands.biometric import Done, Profile
from tee_sim.schema import Record, UpTo
from tee_sim.ta_api import Command

__all__ = ["CONFIGURE", "DEFAULT_FMR_INVERSE", "DEFAULT_FPIR_INVERSE", "Configuration", "LockoutChoice"]

DEFAULT_FMR_INVERSE = 50_000
"""Android CDD section 7.3.10, Class 3: a false acceptance rate not above 1 in 50 000."""
DEFAULT_FPIR_INVERSE = 100
"""1:N: one false identification in a hundred searches of people who are not enrolled (design section 6)."""
MAX_INVERSE = 10_000_000


@unique
class LockoutChoice(IntEnum):
    """Lockout policies of `bioguard.trusted.contract.lockout`."""

    ANDROID_13 = 1
    ANDROID_11 = 2
    APPLE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration(Record):
    """What a device keeps and on what terms it decides.

    Attributes:
        profile: what an enrollment leaves behind.
        max_fingers, max_faces: records a user may have.
        lockout: limits of failed attempts.
        require_pin: whether every enrollment needs the PIN, or users without one may enroll as well.
        for_testing: a device of a laboratory, which gives no token.
        fmr_inverse: 1:1 is decided at a false match rate of 1/fmr_inverse.
        fpir_inverse: 1:N is decided at a false positive identification rate of 1/fpir_inverse.
    """

    profile: Profile = Profile.STANDARD
    max_fingers: Annotated[int, UpTo(10)] = 5
    max_faces: Annotated[int, UpTo(10)] = 2
    lockout: LockoutChoice = LockoutChoice.ANDROID_13
    require_pin: bool = True
    for_testing: bool = False
    fmr_inverse: Annotated[int, UpTo(MAX_INVERSE)] = DEFAULT_FMR_INVERSE
    fpir_inverse: Annotated[int, UpTo(MAX_INVERSE)] = DEFAULT_FPIR_INVERSE


CONFIGURE = Command(1, Configuration, Done)
"""Answered once in the life of a store, NOT_CONFIGURABLE ever after: also when nobody is enrolled any more."""
