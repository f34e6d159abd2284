"""Which anchor a store hangs on, how often it can still be replaced, and what that leaves possible.

The write counter of an RPMB never goes back and ends at 2^32 - 1 (JEDEC eMMC 5.1, 6.6.22): it can be read then, and not
written. So its last values are kept for what people may ask for at any time. When they are used up too, the anchor
moves to the disk, for erasures and requests alone: sealed, but a copy of the whole disk is then as good as new.
"""

from collections.abc import Callable

from tee_sim.secure.storage.anchor import Anchor, AnchorRecord, DiskTransaction
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.reserve import Condition, Reserve

COMMIT_WRITES = 2
RESERVED_WRITES = 1024
"""512 transactions: erasures, requests of people, and the counting of PIN attempts that leads to them."""


_LEAST = {Condition.COUNTER_RESERVED: Reserve.ANCHORED, Condition.COUNTER_SPENT: Reserve.ALL}


class Anchorage:
    """The anchor of a store, and the one that takes over.

    Args:
        anchor: the store's.
        on_disk: makes the one that takes over; its key is of that use alone, so that nothing else opens as it.

    Raises, from every method: what `Anchor` raises.
    """

    def __init__(self, anchor: Anchor, on_disk: Callable[[], Anchor]) -> None:
        self._anchor = anchor
        self._on_disk = on_disk
        self._has_rpmb = anchor.level > 0
        self._read_only = False
        self.make = anchor.make

    @property
    def level(self) -> int:
        """Anti-rollback level: that of the anchor, and none once it can only be replaced on the disk."""
        return 0 if self.condition is Condition.COUNTER_SPENT else self._anchor.level

    def read(self) -> AnchorRecord | None:
        """Return the record, or None if there never was one.

        Raises:
            TeeError: SECURITY if an anchor on the disk is older than the one that it took over from.
        """
        # 1. The RPMB's record. A store whose counter is not spent has no other.
        record = self._anchor.read()
        if record is None or self._anchor.writes_left() >= COMMIT_WRITES:
            return record
        # 2. Once it is spent the disk may hold a later one, under a key of its own.
        later = self._on_disk()
        found = later.read()
        if found is None:
            return record
        # 3. Never one from before it took over: that is an older copy of the disk.
        if found.epoch < record.epoch:
            raise TeeError(TeeResult.SECURITY, "the anchor on the disk is older than the one in the RPMB")
        self._anchor = later
        return found

    def write(self, record: AnchorRecord) -> None:
        """Replace the record."""
        self._anchor.write(record)

    def write_around(self, before: AnchorRecord, after: AnchorRecord, transaction: DiskTransaction) -> None:
        """Replace the record before and after a transaction of the disk."""
        self._anchor.write_around(before, after, transaction)

    def settle(self, record: AnchorRecord) -> None:
        """Write what was decided at the start, even if nothing was pending, unless nothing can be written any more.

        It uses up the counter value of any write the host may be withholding. A store that is not written decides
        anew at every start.
        """
        if self.condition is not Condition.WRITABLE:
            return
        try:
            self._anchor.write(record)
        except TeeError as error:
            if error.result is not TeeResult.STORAGE_NOT_AVAILABLE:
                raise
            self._read_only = True

    @property
    def condition(self) -> Condition:
        """Whether and for what the store can be written."""
        left = self._anchor.writes_left()
        if left < COMMIT_WRITES or (self._has_rpmb and not self._anchor.level):
            return Condition.COUNTER_SPENT
        if left < RESERVED_WRITES + COMMIT_WRITES:
            return Condition.COUNTER_RESERVED
        return Condition.READ_ONLY if self._read_only else Condition.WRITABLE

    def make_way(self, reserve: Reserve) -> None:
        """Let a transaction be written that may use this much of what is kept.

        Raises:
            TeeError: STORAGE_READ_ONLY, STORAGE_COUNTER_SPENT.
        """
        # The order matters: what cannot be written at all is said before what is kept for others, and the anchor moves
        # to the disk last, for a transaction that was let pass: it never goes back.
        condition = self.condition
        if self._read_only:
            raise TeeError(TeeResult.STORAGE_READ_ONLY, "the store could not be written when it was opened")
        if reserve < _LEAST.get(condition, Reserve.NONE):
            raise TeeError(TeeResult.STORAGE_COUNTER_SPENT, "the write counter of the RPMB is used up")
        if condition is Condition.COUNTER_SPENT and self._anchor.level:
            self._anchor = self._on_disk()
