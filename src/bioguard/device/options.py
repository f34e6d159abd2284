"""Options of one run of a device."""

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime

from bioguard.device.hooks import MakeHooks, no_hooks
from bioguard.errors import InputRefused
from tee_sim.normal.sandbox_verdict.level import Level
from tee_sim.normal.supplicant import RequestNote
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.wire import LockProfile

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCK = re.compile(r"fixed:(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")


def parse_clock(text: str) -> int:
    """Milliseconds since 1970 of `fixed:2026-01-31T12:00:00Z`.

    Raises:
        InputRefused: anything else, and what was before 1970.
    """
    found = _CLOCK.fullmatch(text)
    try:
        if not found:
            raise ValueError
        moment = datetime.strptime(found[1], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        if moment < _FIRST:
            raise ValueError
    except ValueError:
        raise InputRefused(
            f"{text[:40]!r} is not a clock", hint="write --clock fixed:2026-01-31T12:00:00Z", code="clock.format"
        ) from None
    return int(moment.timestamp() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOptions:
    """How to run a device.

    Attributes:
        seed: of a new device: text that makes its keys, ids and challenges repeatable, and no secret. None for the
            kernel's randomness. Sealed; a later start may leave it out, and is refused with another one.
        clock: of a new device: milliseconds since 1970 at which its stepped clock begins. None for the host's clocks.
            Sealed likewise; the clock goes on where it stands (`bioguard.device.clock`).
        allow_level: the lowest sandbox level accepted besides ENFORCED, named by the caller.
        profile: how the secure world locks itself.
        namespaces: whether it also enters namespaces of its own.
        release_grid_ms: replies of authenticate and identify are released on this grid, so that the time they took
            shows little; 0 switches it off (docs/sandbox.md section 6).
        caches: take what earlier starts of this boot of the host have kept, and keep what is missing
            (`tee_sim.normal.machine.start_caches`). Such a device attests nothing.
        tap: sees every frame on the pipes (evidence), never the root secret.
        note: gets what a person should know and no answer says: that the secure world was started again, what a start
            erased.
        read_only: write nothing, not even that the device was started: for those who look at it. No fault is played.
        hooks: what stands at the sensor, on the pipe and at the disk (`bioguard.device.hooks`); by default nothing.
        storage_log: gets a note of every request to the untrusted disk: operation, sizes, names, never content.
    """

    seed: str | None = None
    clock: int | None = None
    allow_level: Level | None = None
    profile: LockProfile = LockProfile.STRICT
    namespaces: bool = True
    release_grid_ms: float = 5.0
    read_only: bool = False
    caches: bool = False
    tap: Callable[[str, bytes], None] | None = None
    hooks: MakeHooks = no_hooks
    note: Callable[[str], None] = lambda _text: None
    storage_log: Callable[[RequestNote], None] | None = None

    def claims(self) -> str:
        """The options that only a new device takes, as the start of a sentence."""
        given = [name for name, value in (("--clock", self.clock), ("--seed", self.seed)) if value is not None]
        return f"{' and '.join(given)} {'is' if len(given) == 1 else 'are'}"

    @property
    def seed_bytes(self) -> bytes | None:
        """32 bytes for the secure world's generator."""
        return None if self.seed is None else hashlib.sha256(b"bioguard seed v1" + self.seed.encode()).digest()
