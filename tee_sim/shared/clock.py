"""Time as an argument. `SystemClock` for the product, `FakeClock` for tests and replay: tests never sleep.

A device runs on the host's clocks or on a stepped one (`tee_sim.secure.stepped`); which of them is sealed when it is
made.
"""

import time
from enum import IntEnum, unique
from pathlib import Path
from typing import Annotated, Protocol

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import Record, UpTo

MAX_WALL_MS = 1 << 48
"""Year 10889: wall times fit with room."""
MAX_BOOT_MS = 1 << 52
MAX_STEP_MS = 1 << 45
"""A thousand years: what one step of a stepped clock may be."""
_OFFSETS = Path("/proc/self/timens_offsets")


@unique
class ClockKind(IntEnum):
    """Whose time a device lives in."""

    HOST = 1
    STEPPED = 2

    @property
    def word(self) -> str:
        """As status and attestation say it."""
        return self.name.lower()


class Clock(Protocol):
    """Two times: one for people, one that never goes back while the process lives."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC. The normal world can set it: never a basis for security."""
        ...

    def boot_ms(self) -> int:
        """Milliseconds of a clock that only advances (CLOCK_BOOTTIME in a phone)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment(Record):
    """One reading of both."""

    wall_ms: Annotated[int, UpTo(MAX_WALL_MS)]
    boot_ms: Annotated[int, UpTo(MAX_BOOT_MS)]


class SystemClock:
    """The host's clocks. A wall time before 1970 or past the last year that fits reads as that bound."""

    def wall_ms(self) -> int:
        return min(max(time.time_ns() // 1_000_000, 0), MAX_WALL_MS)

    def boot_ms(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


class SinceBoot:
    """Another clock, with boot time counted from the moment at which a device's boot began."""

    def __init__(self, clock: Clock, began_ms: int) -> None:
        self._clock = clock
        self.began_ms = began_ms

    def wall_ms(self) -> int:
        return self._clock.wall_ms()

    def boot_ms(self) -> int:
        return self._clock.boot_ms() - self.began_ms


class FakeClock:
    """A clock that only `advance` moves."""

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


def clocks_are_shifted(offsets: Path = _OFFSETS) -> bool:
    """Whether a time namespace shows this process other clocks than the host's (time_namespaces(7)).

    A kernel without time namespaces has no such file. Whoever gives the process a false /proc is not seen.
    """
    try:
        rows = [line.split() for line in offsets.read_text("ascii").splitlines()]
    except OSError:
        return False
    return any(row[1:] != ["0", "0"] for row in rows)
