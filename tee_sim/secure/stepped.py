"""The stepped clock of a device: it stands still until it is advanced, and keeps its time in the sealed store.

So a lockout or a retention can be played across processes, and no start brings an earlier time back.
"""

from tee_sim.shared.clock import MAX_WALL_MS, Moment
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.ta_api import Store, find_record

CLOCK_OBJECT = b"clock"


class SteppedClock:
    """`tee_sim.shared.clock.Clock` that only `advance` moves.

    Args:
        store: the core's namespace.
        from_ms: wall time before the first step.
    """

    def __init__(self, store: Store, from_ms: int) -> None:
        self._store = store
        self._now = find_record(store, CLOCK_OBJECT, Moment) or Moment(wall_ms=from_ms, boot_ms=0)

    def wall_ms(self) -> int:
        return self._now.wall_ms

    def boot_ms(self) -> int:
        return self._now.boot_ms

    def advance(self, ms: int) -> None:
        """Move both times forward, durably.

        Raises:
            TeeError: BAD_PARAMETERS past the last year that fits; what the store says. The time is then unchanged.
        """
        if self._now.wall_ms + ms > MAX_WALL_MS:
            raise TeeError(TeeResult.BAD_PARAMETERS, "the clock does not reach that far")
        then = Moment(wall_ms=self._now.wall_ms + ms, boot_ms=self._now.boot_ms + ms)
        with self._store.transaction() as transaction:
            transaction.put(CLOCK_OBJECT, then.to_bytes(), kind="clock")
        self._now = then
