"""A disk and an RPMB whose requests take time, beside what a plan does to them.

The time is only counted here: it passes when the question is answered that asked for them, because a stepped clock
cannot be moved in the middle of one.
"""

from collections.abc import Callable, Sequence

from bioguard.simulate.scenario.latency import LatencyModel
from tee_sim.shared.blobs import BlobStore, Changes
from tee_sim.shared.rpmb_frames import RpmbTransport
from tee_sim.testing.faults import FaultPlan, HostileDisk

Took = Callable[[], None]


class _SlowBlobs:
    def __init__(self, inner: BlobStore, took: Took) -> None:
        self._inner = inner
        self._took = took

    def read(self, names: Sequence[bytes]) -> list[bytes | None]:
        self._took()
        return self._inner.read(names)

    def scan(self, after: bytes, limit: int) -> list[bytes]:
        self._took()
        return self._inner.scan(after, limit)

    def commit(self, changes: Changes) -> None:
        self._took()
        self._inner.commit(changes)


class _SlowRpmb:
    def __init__(self, inner: RpmbTransport, took: Took) -> None:
        self._inner = inner
        self._took = took

    def transfer(self, request: bytes, reply_frames: int) -> bytes:
        self._took()
        return self._inner.transfer(request, reply_frames)


class SlowDisk(HostileDisk):
    """`HostileDisk` that takes its time.

    Args:
        latencies: those in force.
        draw: a random number of 64 bits.

    Attributes:
        owed_ms: that has not passed yet.
    """

    def __init__(self, plan: FaultPlan, latencies: Callable[[], LatencyModel], draw: Callable[[], int]) -> None:
        super().__init__(plan)
        self._latencies = latencies
        self._draw = draw
        self.owed_ms = 0
        plan.sleep_ms = self._owe

    def replace(self, plan: FaultPlan) -> None:
        super().replace(plan)
        plan.sleep_ms = self._owe

    def _owe(self, ms: int) -> None:
        self.owed_ms += ms

    def blobs(self, inner: BlobStore) -> BlobStore:
        return super().blobs(_SlowBlobs(inner, lambda: self._owe(self._latencies().storage.draw(self._draw()))))

    def rpmb(self, inner: RpmbTransport) -> RpmbTransport:
        return super().rpmb(_SlowRpmb(inner, lambda: self._owe(self._latencies().rpmb.draw(self._draw()))))

    def settled_ms(self) -> int:
        """What is owed; it is not any more."""
        owed_ms, self.owed_ms = self.owed_ms, 0
        return owed_ms
