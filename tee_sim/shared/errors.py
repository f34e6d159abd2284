"""Result codes, their origin, and the one exception that carries them.

Names and values: GlobalPlatform TEE Internal Core API 1.3.1 and TEE Client API 1.0. The first question of any bug
report is "who said so": the origin answers it by type.
"""

from enum import IntEnum, unique
from typing import Protocol, Self

_U32 = 0xFFFF_FFFF


@unique
class TeeResult(IntEnum):
    """GlobalPlatform return codes, by name; any other 32-bit number is an application's own, named by digits.

    Compare with `==` where the number may have no name here: such a value is made anew each time.
    """

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

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if type(value) is not int or not 0 <= value <= _U32:
            return None
        own = int.__new__(cls, value)  # not kept: a caller chooses the number
        own._name_, own._value_ = f"0x{value:08x}", value
        return own


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


class OutputParameter(Protocol):
    """What one parameter holds after an operation; the class is `tee_sim.shared.params.Param`."""

    @property
    def a(self) -> int: ...
    @property
    def b(self) -> int: ...
    @property
    def buffer(self) -> bytes: ...
    @property
    def size_bytes(self) -> int: ...


Outputs = tuple[OutputParameter, OutputParameter, OutputParameter, OutputParameter]


class TeeError(Exception):
    """A result other than SUCCESS.

    Args:
        result: the GlobalPlatform code, or any other number of 32 bits that client and application agree on.
        message: one line, lower case, no full stop, no secret in it.
        origin: the layer that made it.
        hint: what to do about it.
        params: the four parameters as they are left; None if none was changed.
    """

    def __init__(
        self,
        result: TeeResult | int,
        message: str,
        *,
        origin: Origin = Origin.TEE,
        hint: str = "",
        params: Outputs | None = None,
    ) -> None:
        super().__init__(message)
        self.result = TeeResult(result)
        self.message = message
        self.origin = origin
        self.hint = hint
        self.params = params

    def __str__(self) -> str:
        return f"{self.message} ({self.result.name}, origin {self.origin.name})"


class AnswerError(TeeError):
    """A result that came as the answer to an operation, with the outputs of that operation.

    An application that lets one of another application pass hands on the result alone: the outputs are its own to read.
    """
