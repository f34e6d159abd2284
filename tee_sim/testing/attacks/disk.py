"""A disk and an RPMB in memory whose power can be cut at any write, and which remember everything they ever held."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tee_sim.normal.machine.options import PowerCut
from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.normal.supplicant.service import Service
from tee_sim.shared.blobs import Changes
from tee_sim.testing.in_memory import MemoryBlobs, MemoryMedium


@dataclass(frozen=True, slots=True)
class Cut:
    """When the power fails: at which write, counted from 0, and on which side of it."""

    write: int
    after: bool


@dataclass(slots=True)
class Disk:
    """What survives a restart.

    Attributes:
        writes: to the disk and to the RPMB, since the power came back.
        held: every byte that was ever written to the disk.
    """

    rows: MemoryBlobs = field(default_factory=MemoryBlobs)
    medium: MemoryMedium = field(default_factory=MemoryMedium)
    writes: int = 0
    held: bytearray = field(default_factory=bytearray)
    cut: Cut | None = None
    dead: bool = False

    def power_on(self, cut: Cut | None = None) -> Service:
        """A supplicant over it. The power fails at `cut`."""
        self.writes, self.cut, self.dead = 0, cut, False
        return Service(self, RpmbDevice(_Chip(self)))

    def copy(self) -> "Disk":
        """The same content on another disk."""
        return Disk(self.rows.copy(), self.medium.copy())

    def read(self, names: Sequence[bytes]) -> list[bytes | None]:
        self._need_power()
        return self.rows.read(names)

    def scan(self, after: bytes, limit: int) -> list[bytes]:
        self._need_power()
        return self.rows.scan(after, limit)

    def commit(self, changes: Changes) -> None:
        self.held += b"".join(part for name, blob in changes.puts.items() for part in (name, bytes(blob)))
        self.before_write()
        self.rows.commit(changes)
        self.after_write()

    def before_write(self) -> None:
        """Raises PowerCut if the power fails before this write."""
        self._need_power()
        self.dead = self.cut == Cut(self.writes, after=False)
        self._need_power()

    def after_write(self) -> None:
        """Raises PowerCut if the power fails after it."""
        self.dead = self.cut == Cut(self.writes, after=True)
        self.writes += 1
        self._need_power()

    def _need_power(self) -> None:
        if self.dead:
            raise PowerCut("at a write")


class _Chip:
    """The inside of an RPMB on the same power supply."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    @property
    def key(self) -> bytes | None:
        return self._disk.medium.key

    @property
    def counter(self) -> int:
        return self._disk.medium.counter

    @property
    def block_count(self) -> int:
        return self._disk.medium.block_count

    def read_block(self, index: int) -> bytes:
        return self._disk.medium.read_block(index)

    def commit(self, *, key: bytes | None, counter: int, address: int = 0, blocks: Sequence[bytes] = ()) -> None:
        self._disk.before_write()
        self._disk.medium.commit(key=key, counter=counter, address=address, blocks=blocks)
        self._disk.after_write()
