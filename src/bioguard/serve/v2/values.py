"""Numbers and bounds that several records of version 2 share. Every integer on the wire is unsigned."""

from enum import IntEnum, unique
from typing import Final

from bioguard.commands.biometric import MAX_TOKEN_BYTES
from tee_sim.shared.limits import MAX_FRAME_BYTES
from tee_sim.shared.schema import AtMost, Fixed, Text, UpTo

VERSION: Final = 2
U32: Final = UpTo(0xFFFF_FFFF)
SENSOR: Final = UpTo(15)
RECORD_ID: Final = Fixed(16)
DIGEST: Final = Fixed(32)
TOKEN: Final = AtMost(MAX_TOKEN_BYTES)
NAME: Final = AtMost(256)
WORD: Final = Text(64)
MILLI: Final = UpTo(2_000)
"""A number from -1 to 1 as thousandths, with 1000 for 0: a head that looks straight at the sensor has pan 1000."""
BYTE: Final = UpTo(255)
MILLISECONDS: Final = UpTo(1 << 48)
"""Wall times to the year 10889, and spans."""
MAX_LISTED: Final = 1_000
MAX_ENROLLMENTS: Final = 32
MAX_SAMPLE_BYTES: Final = 16_384
"""An ISO/IEC 19794-2 file with extended data fits; canonical samples are smaller."""
MAX_PICTURE_BYTES: Final = MAX_FRAME_BYTES - 1_024
"""What a frame holds beside the other fields of its request."""
MAX_SENSORS: Final = 8
QUEUE_DEPTH: Final = 5
"""Operations of a session that may wait while one runs (`bioguard.hal`)."""


@unique
class PresentedForm(IntEnum):
    """How a sample is written: the forms of version 1 (`bioguard.serve.protocol`) with their numbers, and pictures."""

    CANONICAL = 0
    MINUTIAE_FILE = 1
    FLOAT32 = 2
    PICTURE = 3
    """A picture file, which the device's own sensor sees."""


@unique
class RestartKind(IntEnum):
    """Why the secure world was started again."""

    DIED = 1
    """It ended, by a fault or from outside. The boot goes on: tokens stay good."""
    REBOOTED = 2
    """Method reboot. A new boot: no token of an earlier one is good any more."""
