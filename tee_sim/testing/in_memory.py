"""A disk and the inside of an RPMB chip that are kept in memory, open to whoever holds them.

Does not promise: durability, or a failure. `tee_sim.testing.faults` plays those.
"""

from bisect import bisect_right
from collections.abc import Sequence

from tee_sim.normal.rpmb_chip.chip import SIZE_UNIT_BYTES
from tee_sim.shared.blobs import Changes
from tee_sim.shared.rpmb_frames import BLOCK_BYTES


class MemoryBlobs:
    """A disk in memory for tests: mutable as an object (`blobs.rows`), never fails."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}

    def copy(self) -> "MemoryBlobs":
        """The same content on another disk."""
        other = MemoryBlobs()
        other.rows = dict(self.rows)
        return other

    def read(self, names: Sequence[bytes]) -> list[bytes | None]:
        return [self.rows.get(name) for name in names]

    def scan(self, after: bytes, limit: int) -> list[bytes]:
        names = sorted(self.rows)
        start = bisect_right(names, after)
        return names[start : start + limit]

    def commit(self, changes: Changes) -> None:
        self.rows.update((name, bytes(blob)) for name, blob in changes.puts.items())
        for name in changes.deletes:
            self.rows.pop(name, None)


class MemoryMedium:
    """State in memory, for tests."""

    def __init__(self, size_bytes: int = SIZE_UNIT_BYTES) -> None:
        self.key: bytes | None = None
        self.counter = 0
        self.blocks = [bytes(BLOCK_BYTES)] * (size_bytes // BLOCK_BYTES)

    def copy(self) -> "MemoryMedium":
        """The same content in another chip."""
        other = MemoryMedium(0)
        other.key, other.counter, other.blocks = self.key, self.counter, list(self.blocks)
        return other

    @property
    def block_count(self) -> int:
        return len(self.blocks)

    def read_block(self, index: int) -> bytes:
        return self.blocks[index]

    def commit(self, *, key: bytes | None, counter: int, address: int = 0, blocks: Sequence[bytes] = ()) -> None:
        self.key, self.counter = key, counter
        self.blocks[address : address + len(blocks)] = blocks
