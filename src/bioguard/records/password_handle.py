"""The PIN's handle (AOSP gatekeeper `password_handle.h`): 58 bytes, little-endian, kept by the normal world.

| offset | bytes | field           |                                             |
|--------|-------|-----------------|---------------------------------------------|
| 0      | 1     | version         | 2                                           |
| 1      | 8     | user_id         | secure user id                              |
| 9      | 8     | flags           | bit 0: the failure record is in secure storage |
| 17     | 8     | salt            |                                             |
| 25     | 32    | signature       |                                             |
| 57     | 1     | hardware_backed | 0: this is a simulator and says so          |
"""

import struct
from typing import ClassVar, Self

from bioguard.errors import InputRefused
from tee_sim.shared.dataclass import dataclass

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
            raise InputRefused(
                f"{len(data)} bytes, a password handle has 58", hint="set the PIN again", code="pin.handle"
            )
        version, user_id, flags, salt, signature, hardware = cls._LAYOUT.unpack(data)
        if (version, flags, hardware) != (cls.VERSION, THROTTLE_SECURE, 0):
            raise InputRefused("not a password handle of this device", hint="set the PIN again", code="pin.handle")
        return cls(user_id=user_id, salt=salt, signature=signature)
