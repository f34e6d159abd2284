"""Wrappers that carry out a `FaultPlan` on a disk and on an RPMB."""

from collections.abc import Sequence
from dataclasses import replace

from tee_sim.shared.blobs import BlobStore, Changes
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.rpmb_frames import FRAME_BYTES, Frame, Request, RpmbTransport
from tee_sim.testing.faults.plan import Fault, FaultPlan

_REFUSALS = {
    "enospc": TeeError(TeeResult.STORAGE_NO_SPACE, "injected: no space left on device"),
    "eio": TeeError(TeeResult.STORAGE_NOT_AVAILABLE, "injected: input/output error"),
    "eio-after": TeeError(TeeResult.STORAGE_NOT_AVAILABLE, "injected: input/output error"),
    "busy": TeeError(TeeResult.BUSY, "injected: busy"),
}


def _refuse(action: str) -> None:
    error = _REFUSALS[action]
    raise TeeError(error.result, error.message)


def _flip(blob: bytes, at: int) -> bytes:
    """Invert the lowest bit of one byte, counted round the end."""
    if not blob:
        return blob
    at %= len(blob)
    return blob[:at] + bytes((blob[at] ^ 1,)) + blob[at + 1 :]


def _before(plan: FaultPlan, fault: Fault) -> None:
    if fault.action == "delay":
        plan.sleep_ms(fault.number)
    elif fault.action == "die-before":
        plan.die()
    elif fault.action in _REFUSALS and fault.action != "eio-after":
        _refuse(fault.action)


class HostileBlobs:
    """A `BlobStore` that goes wrong by plan. Remembers the first value of every blob it sees replaced."""

    def __init__(self, inner: BlobStore, plan: FaultPlan) -> None:
        self._inner = inner
        self.plan = plan
        self._old: dict[bytes, bytes | None] = {}
        self._other: bytes | None = None

    def read(self, names: Sequence[bytes]) -> list[bytes | None]:
        blobs = self._inner.read(names)
        fault = self.plan.at("read")
        if fault is None:
            self._other = next((b for n, b in zip(names, blobs, strict=True) if n[:1] == b"o" and b), self._other)
            return blobs
        _before(self.plan, fault)
        meant = [fault.concerns(name) for name in names]
        if fault.action == "swap":
            spoilt = self._swapped(blobs, meant)
        else:
            spoilt = [self._spoilt(fault, n, b) if m else b for n, b, m in zip(names, blobs, meant, strict=True)]
        if spoilt == blobs and fault.action != "delay":
            self.plan.idle.append(fault)
        return spoilt

    def _swapped(self, blobs: list[bytes | None], meant: list[bool]) -> list[bytes | None]:
        """Exchange the first two blobs meant, or put the last object read elsewhere in the place of a single one."""
        where = [i for i, m in enumerate(meant) if m]
        swapped = list(blobs)
        if len(where) > 1:
            swapped[where[0]], swapped[where[1]] = blobs[where[1]], blobs[where[0]]
        elif where:
            swapped[where[0]] = self._other
        return swapped

    def _spoilt(self, fault: Fault, name: bytes, blob: bytes | None) -> bytes | None:
        if fault.action == "stale":
            return self._old.get(name, blob)
        if fault.action == "missing" or blob is None:
            return None if fault.action == "missing" else blob
        if fault.action == "truncate":
            return blob[: fault.number]
        return _flip(blob, fault.number) if fault.action == "flip" else blob

    def scan(self, after: bytes, limit: int) -> list[bytes]:
        return self._inner.scan(after, limit)

    def commit(self, changes: Changes) -> None:
        touched = [name for name in (*changes.puts, *changes.deletes) if name not in self._old]
        self._old |= dict(zip(touched, self._inner.read(touched), strict=True))
        fault = self.plan.at("commit")
        if fault is None:
            self._inner.commit(changes)
            return
        _before(self.plan, fault)
        if fault.action == "lie":
            return
        spoilt = _with_fault(fault, changes)
        if fault.action in _OF_BLOBS and spoilt == changes:
            self.plan.idle.append(fault)
        self._inner.commit(spoilt)
        if fault.action == "eio-after":
            _refuse(fault.action)
        if fault.action == "die-after":
            self.plan.die()


_OF_BLOBS = frozenset({"drop", "flip"})
"""What a commit does to single blobs."""


def _with_fault(fault: Fault, changes: Changes) -> Changes:
    meant = [name for name in (*changes.puts, *changes.deletes) if fault.concerns(name)]
    if fault.action not in _OF_BLOBS or not meant:
        return changes
    if fault.action == "flip":
        puts = {n: _flip(b, fault.number) if n in meant else b for n, b in changes.puts.items()}
        return replace(changes, puts=puts)
    lost = meant[fault.number % len(meant)]
    puts = {name: blob for name, blob in changes.puts.items() if name != lost}
    return replace(changes, puts=puts, deletes=tuple(name for name in changes.deletes if name != lost))


class HostileRpmb:
    """An `RpmbTransport` that goes wrong by plan.

    `withhold` keeps a write back and answers an error; `release` delivers what was kept, as a host would that hopes to
    undo something with it.
    """

    def __init__(self, inner: RpmbTransport, plan: FaultPlan) -> None:
        self._inner = inner
        self.plan = plan
        self._last: dict[str, bytes] = {}
        self.withheld: list[tuple[bytes, int]] = []

    def transfer(self, request: bytes, reply_frames: int) -> bytes:
        kind = Frame.from_bytes(request[:FRAME_BYTES]).type
        point = "rpmb.write" if kind in (Request.WRITE, Request.PROGRAM_KEY) else "rpmb.read"
        fault = self.plan.at(point)
        if fault is not None:
            _before(self.plan, fault)
            if fault.action == "withhold":
                self.withheld.append((request, reply_frames))
                _refuse("eio")
        reply = self._inner.transfer(request, reply_frames)
        stale = self._last.get(point, reply)
        self._last[point] = reply
        if fault is None:
            return reply
        spoilt = self._spoilt(fault, reply, stale)
        if fault.action == "stale" and spoilt == reply:
            self.plan.idle.append(fault)
        return spoilt

    def _spoilt(self, fault: Fault, reply: bytes, stale: bytes) -> bytes:
        match fault.action:
            case "stale":
                return stale
            case "flip":
                return _flip(reply, fault.number)
            case "truncate":
                return reply[: fault.number]
            case "lose-reply":
                _refuse("eio")
            case "die-after":
                self.plan.die()
        return reply

    def release(self) -> None:
        """Deliver the writes that were withheld."""
        for request, reply_frames in self.withheld:
            self._inner.transfer(request, reply_frames)
        self.withheld.clear()


class HostileDisk:
    """Both wrappers with one plan, over all starts: `tee_sim.normal.supplicant.service.DiskFaults`."""

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan
        self._reported = 0
        self._carriers: list[HostileBlobs | HostileRpmb] = []

    @property
    def plan(self) -> FaultPlan:
        """The plan as it stands: what was passed, and what has fired."""
        return self._plan

    def replace(self, plan: FaultPlan) -> None:
        """Go by another plan from now on; passages are counted from one again."""
        self._plan = plan
        self._reported = 0
        for carrier in self._carriers:
            carrier.plan = plan

    def blobs(self, inner: BlobStore) -> BlobStore:
        carrier = HostileBlobs(inner, self._plan)
        self._carriers = [carrier]  # those of the start before are gone
        return carrier

    def rpmb(self, inner: RpmbTransport) -> RpmbTransport:
        carrier = HostileRpmb(inner, self._plan)
        self._carriers.append(carrier)
        return carrier

    def fired(self) -> tuple[str, ...]:
        new = self._plan.fired[self._reported :]
        self._reported = len(self._plan.fired)
        return tuple(f"{fault.point}: {fault.action}" for fault in new)
