"""How long to wait after so many wrong PINs (AOSP `gatekeeper.cpp`, ComputeRetryTimeout; CDD 9.11 C-0-2).

Order of a check, so that pulling the plug never gives a free guess:
load the record; in a wait: refuse and say how long (the PIN is not looked at, nothing is counted); count the failure
and WRITE it; compare; a right PIN clears the count.
"""

from dataclasses import replace

from bioguard.trusted.gatekeeper.records import FailureRecord

BASE_MS = 30_000
DAY_MS = 86_400_000
DAY_FROM_FAILURES = 140
_U32 = 0xFFFF_FFFF


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
