"""Result codes, their origin, and the one exception that carries them.

Names and values: GlobalPlatform TEE Internal Core API 1.3.1 and TEE Client API 1.0. The first question of any bug
report is "who said so": the origin answers it by type.
"""

from enum import IntEnum, unique


@unique
class TeeResult(IntEnum):
    """GlobalPlatform return codes."""

    SUCCESS = 0x00000000
    STORAGE_READ_ONLY = 0x80000001
    STORAGE_COUNTER_SPENT = 0x80000002
    """Ours, in the range that GlobalPlatform reserves for implementations (TEE Internal Core API 1.3.1, 3.3.1)."""
    CORRUPT_OBJECT = 0xF0100001
    CORRUPT_OBJECT_2 = 0xF0100002
    STORAGE_NOT_AVAILABLE = 0xF0100003
    STORAGE_NOT_AVAILABLE_2 = 0xF0100004
    UNSUPPORTED_VERSION = 0xF0100005
    CIPHERTEXT_INVALID = 0xF0100006
    GENERIC = 0xFFFF0000
    ACCESS_DENIED = 0xFFFF0001
    CANCEL = 0xFFFF0002
    ACCESS_CONFLICT = 0xFFFF0003
    EXCESS_DATA = 0xFFFF0004
    BAD_FORMAT = 0xFFFF0005
    BAD_PARAMETERS = 0xFFFF0006
    BAD_STATE = 0xFFFF0007
    ITEM_NOT_FOUND = 0xFFFF0008
    NOT_IMPLEMENTED = 0xFFFF0009
    NOT_SUPPORTED = 0xFFFF000A
    NO_DATA = 0xFFFF000B
    OUT_OF_MEMORY = 0xFFFF000C
    BUSY = 0xFFFF000D
    COMMUNICATION = 0xFFFF000E
    SECURITY = 0xFFFF000F
    SHORT_BUFFER = 0xFFFF0010
    EXTERNAL_CANCEL = 0xFFFF0011
    TIMEOUT = 0xFFFF3001
    OVERFLOW = 0xFFFF300F
    TARGET_DEAD = 0xFFFF3024
    STORAGE_NO_SPACE = 0xFFFF3041
    MAC_INVALID = 0xFFFF3071
    SIGNATURE_INVALID = 0xFFFF3072
    TIME_NOT_SET = 0xFFFF5000
    TIME_NEEDS_RESET = 0xFFFF5001


UNWRITABLE = frozenset(
    {
        TeeResult.STORAGE_NO_SPACE,
        TeeResult.STORAGE_NOT_AVAILABLE,
        TeeResult.STORAGE_READ_ONLY,
        TeeResult.STORAGE_COUNTER_SPENT,
    }
)
"""Results of a write after which reading may well go on."""


@unique
class Origin(IntEnum):
    """Where a result was made (TEE Client API 1.0, section 4.4.2)."""

    API = 1
    COMMS = 2
    TEE = 3
    TRUSTED_APP = 4


class TeeError(Exception):
    """A result other than SUCCESS.

    Args:
        result: the GlobalPlatform code.
        message: one line, lower case, no full stop, no secret in it.
        origin: the layer that made it.
        hint: what to do about it.
    """

    def __init__(self, result: TeeResult, message: str, *, origin: Origin = Origin.TEE, hint: str = "") -> None:
        super().__init__(message)
        self.result = result
        self.message = message
        self.origin = origin
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.result.name}, origin {self.origin.name})"
