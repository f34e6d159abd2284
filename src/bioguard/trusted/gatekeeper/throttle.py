"""Tell how long to wait after so many wrong PINs (AOSP `gatekeeper.cpp`, ComputeRetryTimeout; CDD 9.11 C-0-2).

Order of a check, so that pulling the plug never gives a free guess (`Gatekeeper._check`):
1. Load the record.
2. In a wait: refuse and say how long. The PIN is not looked at, or the wait would cost a guesser nothing; nothing is
   counted, or anybody could keep the owner out.
3. Count the failure and WRITE it.
4. Compare.
5. A right PIN clears the count.

Does not promise: that a wait is as long as a wall clock says; it goes by boot time, and a boot starts it again.
"""

import struct
from dataclasses import replace
from typing import ClassVar, Self

from bioguard.errors import InputRefused
from tee_sim.shared.dataclass import dataclass

BASE_MS = 30_000
DAY_MS = 86_400_000
DAY_FROM_FAILURES = 140
_U32 = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRecord:
    """How often the PIN of one user was wrong, and when it was last looked at (AOSP `gatekeeper.h`).

    20 bytes, little-endian: secure_user_id u64, last_checked_timestamp u64, failure_counter u32.
    """

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
            raise InputRefused(f"{len(data)} bytes, a failure record has 20", hint="reset the PIN", code="pin.record")
        user, checked, failures = cls._LAYOUT.unpack(data)
        return cls(secure_user_id=user, last_checked_ms=checked, failures=failures)


def retry_timeout_ms(failures: int) -> int:
    """The wait after `failures` wrong PINs in a row, in milliseconds."""
    if failures >= DAY_FROM_FAILURES:
        return DAY_MS
    if failures >= 30:
        return BASE_MS << (failures - 30) // 10
    return BASE_MS if failures in (5, 10) or failures > 10 else 0


def remaining_ms(record: FailureRecord, now_ms: int) -> tuple[FailureRecord, int]:
    """What is left of the wait, and the record to store.

    A clock behind the last check means a reboot: the full wait starts again, without another failure.
    """
    wait = retry_timeout_ms(record.failures)
    if wait == 0:
        return record, 0
    if now_ms <= record.last_checked_ms:
        return replace(record, last_checked_ms=now_ms), wait
    return record, max(0, record.last_checked_ms + wait - now_ms)


def charged(record: FailureRecord, now_ms: int) -> FailureRecord:
    """The record with one more failure, to be written before the PIN is compared."""
    return replace(record, failures=min(record.failures + 1, _U32), last_checked_ms=now_ms)
