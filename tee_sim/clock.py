"""Time as an argument. `SystemClock` for the product, `FakeClock` for tests and replay: tests never sleep."""

import time
from typing import Protocol

__all__ = ["Clock", "FakeClock", "SystemClock"]


class Clock(Protocol):
    """Two times: one for people, one that never goes back while the process lives."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC. The normal world can set it: never a basis for security."""
        ...

    def boot_ms(self) -> int:
        """Milliseconds of a clock that only advances (CLOCK_BOOTTIME in a phone)."""
        ...


class SystemClock:
    """The host's clocks."""

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def boot_ms(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


class FakeClock:
    """A clock that moves only when told."""

    def __init__(self, wall_ms: int = 1_767_225_600_000, boot_ms: int = 60_000) -> None:
        self._wall_ms = wall_ms
        self._boot_ms = boot_ms

    def wall_ms(self) -> int:
        return self._wall_ms

    def boot_ms(self) -> int:
        return self._boot_ms

    def advance(self, ms: int) -> None:
        """Move both times forward by `ms` milliseconds."""
        if ms < 0:
            raise ValueError("a clock does not go back; use set_wall_ms to step the wall clock")
        self._wall_ms += ms
        self._boot_ms += ms

    def set_wall_ms(self, wall_ms: int) -> None:
        """Step the wall clock, as a user or a time server can."""
        self._wall_ms = wall_ms
