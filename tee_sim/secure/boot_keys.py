"""Boots and starts of a device, as its secure world knows them.

A phone's secure world starts once per boot. Here a process may start many times within one boot (a command line is a
process each), so the secret of the current boot, from which per-boot keys come, is kept, sealed and anchored like every
object, together with the name the normal world gave that boot and with the time at which it began. Boot time counts
from there.

Another boot begins, with a new secret and boot time at 0, and the old one is gone for good, whatever comes later:
* with another name;
* when boot time went back, or ran ahead of the wall clock by more than SLACK_MS. The first is a reboot that kept its
  name. The second is a wall clock that was set back, or a boot clock that was pushed forward to end a wait (a time
  namespace moves CLOCK_BOOTTIME and never CLOCK_REALTIME): what cannot be distinguished is taken as the worse.

So waits start anew and tokens end where the clocks disagree. A store that cannot be written keeps no boot: a new one
is of this start alone. Not promised: the normal world can claim that the boot goes on, as it can refuse to switch a
device off; and who may set the wall clock can move it along with the boot clock.
"""

import hmac
from dataclasses import replace
from typing import Annotated
from uuid import UUID

from tee_sim.shared.clock import MAX_BOOT_MS, MAX_WALL_MS, Clock, Moment, SinceBoot
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import UNWRITABLE, TeeError, TeeResult
from tee_sim.shared.rng import RandomnessKind, Rng
from tee_sim.shared.schema import Fixed, Record, UpTo
from tee_sim.shared.ta_api import Store, find_record

CORE_UUID = UUID(int=0)
"""Namespace of the core's own objects; no manifest may have it."""
BOOT_OBJECT = b"boot"
STARTS_OBJECT = b"starts"
SECRET_BYTES = 32
SLACK_MS = 250
"""What a step of the wall clock may take away without ending a boot: ntpd steps from 128 ms on and slews below, and
slewing moves both clocks alike."""
TIGHT_MS = 20
"""Both clocks are read within this time, or again: a process that was stopped in between would report a wrong lead."""
READINGS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class BootRecord(Record):
    """One boot.

    Attributes:
        boot_id: its name, by the normal world.
        secret: what its keys come from.
        began_ms: reading of the boot clock when it began.
        seen: both clocks at the start of this boot at which the wall clock was furthest ahead of the boot clock.
    """

    boot_id: Annotated[bytes, Fixed(16)]
    secret: Annotated[bytes, Fixed(SECRET_BYTES)]
    began_ms: Annotated[int, UpTo(MAX_BOOT_MS)]
    seen: Moment

    def goes_on(self, boot_id: bytes, now: Moment) -> bool:
        """Whether a start with this name, at this time, belongs to it."""
        same = hmac.compare_digest(self.boot_id, boot_id) and now.boot_ms >= self.began_ms
        return same and _lead_ms(now) >= _lead_ms(self.seen) - SLACK_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts(Record):
    """How often a seeded device was started."""

    count: Annotated[int, UpTo(1 << 62)] = 0


def _lead_ms(at: Moment) -> int:
    return at.wall_ms - at.boot_ms


def _now(clock: Clock) -> Moment:
    """Both clocks at one time. Raises TeeError TIME_NOT_SET if this process never gets to read them together."""
    for _ in range(READINGS):
        before, wall_ms, after = clock.boot_ms(), clock.wall_ms(), clock.boot_ms()
        if after - before <= TIGHT_MS:
            return Moment(wall_ms=min(wall_ms, MAX_WALL_MS), boot_ms=after)
    raise TeeError(TeeResult.TIME_NOT_SET, "the clocks could not be read together")


def _kept(store: Store) -> BootRecord | None:
    return find_record(store, BOOT_OBJECT, BootRecord)


def begin_boot(store: Store, boot_id: bytes | None, clock: Clock, rng: Rng) -> tuple[BootRecord, SinceBoot]:
    """The boot this start belongs to, and its clock.

    Args:
        store: the core's namespace.
        boot_id: None makes this start a boot of its own, and nothing is stored.
        clock: the host's, or the stepped one.

    Raises:
        TeeError: TIME_NOT_SET; what the store says.
    """
    now = _now(clock)
    if boot_id is None:
        boot = BootRecord(boot_id=bytes(16), secret=rng.bytes(SECRET_BYTES), began_ms=now.boot_ms, seen=now)
        return boot, SinceBoot(clock, boot.began_ms)
    # 1. Another name, a boot clock that went back or one that ran ahead: another boot, with another secret.
    kept = _kept(store)
    if kept is None or not kept.goes_on(boot_id, now):
        boot = BootRecord(boot_id=boot_id, secret=rng.bytes(SECRET_BYTES), began_ms=now.boot_ms, seen=now)
    # 2. The same boot, with the wall clock set forward: remember the furthest, so that setting it back later is seen.
    elif _lead_ms(now) > _lead_ms(kept.seen) + SLACK_MS:
        boot = replace(kept, seen=now)
    else:
        boot = kept
    # 3. Kept before any key comes from it; where it cannot be kept, this start is a boot of its own.
    if boot != kept:
        _keep(store, BOOT_OBJECT, boot, "boot")
    return boot, SinceBoot(clock, boot.began_ms)


def _keep(store: Store, object_id: bytes, record: Record, kind: str) -> bool:
    """Store a record of the core, unless the store cannot be written now; return whether it is kept."""
    try:
        with store.transaction() as transaction:
            transaction.put(object_id, record.to_bytes(), kind=kind)
    except TeeError as error:
        if error.result not in UNWRITABLE:
            raise
        return False
    return True


def shared_keys(names: list[str], boot: BootRecord, randomness: RandomnessKind) -> dict[str, bytes]:
    """A 32-byte key of this boot for each name. Those of a seeded device are others, and say so."""
    label = b"shared key " if randomness is RandomnessKind.SYSTEM else b"SEEDED shared key "
    return {name: hmac.digest(boot.secret, label + name.encode("ascii"), "sha256") for name in names}


def count_start(store: Store) -> int | None:
    """Count this start, durably, and give its number: 1 for the first. Nothing may be drawn from a seed before it.

    None where the store cannot be written now: nothing may be drawn from a seed at all.
    """
    kept = find_record(store, STARTS_OBJECT, Starts) or Starts()
    starts = Starts(count=kept.count + 1)
    return starts.count if _keep(store, STARTS_OBJECT, starts, "starts") else None
