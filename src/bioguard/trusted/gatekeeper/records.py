"""Gatekeeper's failure record, kept in secure storage (AOSP gatekeeper `gatekeeper.h`), 20 bytes, little-endian:

secure_user_id u64, last_checked_timestamp u64, failure_counter u32.
"""

import struct
from dataclasses import dataclass
from typing import ClassVar, Self

from bioguard.errors import InputRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRecord:
    """How often the PIN of one user was wrong, and when it was last looked at."""

    SIZE_BYTES: ClassVar[int] = 20
    _LAYOUT: ClassVar[struct.Struct] = struct.Struct("<QQI")

    secure_user_id: int
    last_checked_ms: int = 0
    failures: int = 0

    def to_bytes(self) -> bytes:
        """The 20 bytes."""
        return self._LAYOUT.pack(self.secure_user_id, self.last_checked_ms, self.failures)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a record.

        Raises:
            InputRefused: not 20 bytes.
        """
        if len(data) != cls.SIZE_BYTES:
            raise InputRefused(f"{len(data)} bytes, a failure record has 20", hint="", code="pin.record")
        user, checked, failures = cls._LAYOUT.unpack(data)
        return cls(secure_user_id=user, last_checked_ms=checked, failures=failures)
