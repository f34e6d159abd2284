"""What a sensor says of one sample, in the numbers of the Android AcquiredInfo."""

from enum import IntEnum, unique
from typing import Final

FACE_OFFSET: Final = 128
"""Added to a number of the face's AcquiredInfo.aidl where the finger's uses it for something else."""


@unique
class AcquiredCode(IntEnum):
    """Judgement of one sample: numbers of the fingerprint AcquiredInfo.aidl; of the face's what the finger's lacks.

    Below `FACE_OFFSET` a number is AIDL's own. Closed, because it leaves the secure world: `bioguard.hal.aidl_codes`
    has all that AIDL knows.
    """

    GOOD = 1
    PARTIAL = 2
    """Too small a part of the finger was seen."""
    INSUFFICIENT = 3
    """Too few minutiae to work with: dirty or faint; or a face that no centered model makes."""
    TOO_FAST = 6
    """The finger or the head moved: the picture is blurred."""
    VENDOR = 7
    """The extractor died, hung or lied, or something for which AIDL has no number: nothing is known of the sample."""
    TOO_DARK = 9
    """Ridges run into each other: a wet finger, or pressed too hard."""
    TOO_BRIGHT = 10
    """Ridges are faint and broken: a dry finger, or pressed too lightly."""
    IMMOBILE = 11
    """The same sample again: nothing new was learned."""
    TOO_DIFFERENT = 15
    """It does not fit to the others."""
    PAN_TOO_EXTREME = 17
    """The head is turned to a side."""
    TILT_TOO_EXTREME = 18
    """The head looks up or down."""
    ROLL_TOO_EXTREME = 19
    """The head leans to a shoulder."""
    TOO_FAR = FACE_OFFSET + 6
    """The face is too small in the picture."""
    NOT_DETECTED = FACE_OFFSET + 12
    """No face."""
    SEVERAL_FACES = FACE_OFFSET + 64
    """More than one face: whose it is would be a guess. AIDL has no number for it."""

    @property
    def word(self) -> str:
        """The name for people."""
        return self.name.lower()


def acquired_of(number: int) -> AcquiredCode:
    """The code of a number that a sensor answered: VENDOR for 0, a fault of the extractor, and for an unknown one."""
    return AcquiredCode(number) if number in set(AcquiredCode) else AcquiredCode.VENDOR
