"""Properties of an application's own, which its manifest carries (TEE Internal Core API 1.3.1, section 4.4)."""

from enum import IntEnum, unique
from typing import Annotated

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import AtMost, Record, Text

MAX_PROPERTIES = 64
MAX_NAME_CHARS = 96
MAX_VALUE_BYTES = 4096


@unique
class PropertyKind(IntEnum):
    """Types of table 4-6; the numbers are those of `enum user_ta_prop_type` in user_ta_header.h."""

    BOOL = 0
    U32 = 1
    UUID = 2
    IDENTITY = 3
    STRING = 4
    BINARY_BLOCK = 5
    U64 = 6

    @property
    def size_bytes(self) -> int | None:
        """Of a value; None where any length will do."""
        return _SIZES_BYTES[self]


_SIZES_BYTES = {
    PropertyKind.BOOL: 1,
    PropertyKind.U32: 4,
    PropertyKind.UUID: 16,
    PropertyKind.IDENTITY: 20,
    PropertyKind.STRING: None,
    PropertyKind.BINARY_BLOCK: None,
    PropertyKind.U64: 8,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaProperty(Record):
    """One property.

    Attributes:
        value: numbers little-endian; a boolean as 0 or 1; a UUID as RFC 4122 writes it; an identity as its login and
            its UUID; a string without its end, a binary block as the bytes that it stands for.
    """

    name: Annotated[str, Text(MAX_NAME_CHARS)]
    kind: PropertyKind
    value: Annotated[bytes, AtMost(MAX_VALUE_BYTES)]
