"""What a sensor says of one sample, in the numbers of the Android AcquiredInfo."""

from enum import IntEnum, unique


@unique
class AcquiredCode(IntEnum):
    """Judgement of one sample: numbers of the fingerprint AcquiredInfo.aidl, and one of the face AcquiredInfo.aidl.

    Closed, because it leaves the secure world: `bioguard.hal.aidl_codes` has all that AIDL knows.
    """

    GOOD = 1
    PARTIAL = 2
    """Too small a part of the finger was seen."""
    INSUFFICIENT = 3
    """Too few minutiae to work with: dry, dirty or faint; or a face that no centered model makes."""
    IMMOBILE = 11
    """The same sample again: nothing new was learned."""
    TOO_DIFFERENT = 15
    """It does not fit to the others."""

    @property
    def word(self) -> str:
        """The name for people."""
        return self.name.lower()
