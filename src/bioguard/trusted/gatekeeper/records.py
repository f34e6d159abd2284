"""The two packed records of Gatekeeper, little-endian (AOSP gatekeeper `password_handle.h`, `gatekeeper.h`).

password_handle_t, 58 bytes, kept by the normal world:

| offset | bytes | field           |                                             |
|--------|-------|-----------------|---------------------------------------------|
| 0      | 1     | version         | 2                                           |
| 1      | 8     | user_id         | secure user id                              |
| 9      | 8     | flags           | bit 0: the failure record is in secure storage |
| 17     | 8     | salt            |                                             |
| 25     | 32    | signature       |                                             |
| 57     | 1     | hardware_backed | 0: this is a simulator and says so          |

failure_record_t, 20 bytes, kept in secure storage: secure_user_id u64, last_checked_timestamp u64, failure_counter u32.
"""

import struct
from dataclasses import dataclass
from typing import ClassVar, Self

from bioguard.errors import InputRefused

__all__ = ["THROTTLE_SECURE", "FailureRecord", "PasswordHandle"]

THROTTLE_SECURE = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordHandle:
    """Proof that a PIN was enrolled on this device. Useless without the device's password key."""

    VERSION: ClassVar[int] = 2
    SIZE_BYTES: ClassVar[int] = 58
    _LAYOUT: ClassVar[struct.Struct] = struct.Struct("<BQQQ32sB")

    user_id: int
    salt: int
    signature: bytes
    flags: int = THROTTLE_SECURE
    hardware_backed: int = 0

    def signed_head(self) -> bytes:
        """Version, user id and flags: the 17 bytes that the signature covers besides salt and PIN."""
        return struct.pack("<BQQ", self.VERSION, self.user_id, self.flags)

    def to_bytes(self) -> bytes:
        """The 58 bytes."""
        return self._LAYOUT.pack(
            self.VERSION, self.user_id, self.flags, self.salt, self.signature, self.hardware_backed
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a handle; says nothing about its truth.

        Raises:
            InputRefused: wrong size, version, flags or hardware byte.
        """
        if len(data) != cls.SIZE_BYTES:
            raise InputRefused(f"{len(data)} bytes, a password handle has 58", hint="", code="pin.handle")
        version, user_id, flags, salt, signature, hardware = cls._LAYOUT.unpack(data)
        if (version, flags, hardware) != (cls.VERSION, THROTTLE_SECURE, 0):
            raise InputRefused("not a password handle of this device", hint="set the PIN again", code="pin.handle")
        return cls(user_id=user_id, salt=salt, signature=signature)


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
