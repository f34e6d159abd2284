"""The object store next to a dictionary, with power cuts, lying disks and rollbacks as rules."""

from contextlib import suppress
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.secure.keys import KeyLadder
from tee_sim.secure.storage import ObjectStore
from tee_sim.shared.blobs import Changes
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.rng import SeededRng
from tee_sim.testing.in_memory import MemoryBlobs, MemoryMedium

HUK, DEVICE_ID, TA = bytes(range(32)), bytes(range(16)), UUID(int=7)
IDS = st.sampled_from([bytes([65 + i]) * (1 + i % 5) for i in range(12)])
BODIES = st.binary(max_size=300)
CHANGES = st.lists(st.tuples(IDS, BODIES | st.none()), min_size=1, max_size=4)


class PowerCut(Exception):
    """The normal world died at this step."""


class Disk(MemoryBlobs):
    """A disk that can be cut off around a commit, or lie about it."""

    def __init__(self) -> None:
        super().__init__()
        self.fault = ""

    def commit(self, changes: Changes) -> None:
        fault, self.fault = self.fault, ""
        if fault == "cut before":
            raise PowerCut
        if fault != "lie":
            super().commit(changes)
        if fault == "cut after":
            raise PowerCut


class Rpmb(RpmbDevice):
    """An RPMB that can be cut off before or after one of its writes."""

    left = -1
    after = False

    def transfer(self, request: bytes, reply_frames: int) -> bytes:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise PowerCut
        answer = super().transfer(request, reply_frames)
        if self.left == 0:
            raise PowerCut
        return answer


class StoreMachine(RuleBasedStateMachine):
    """Every outcome is as before, as after, or a typed error; never another."""

    def __init__(self) -> None:
        super().__init__()
        self.disk, self.rpmb = Disk(), Rpmb(MemoryMedium())
        self.boots = 0
        self.model: dict[bytes, bytes] = {}
        self.past: list[dict[bytes, bytes]] = []
        self.open(create=True)

    def open(self, *, create: bool = False) -> None:
        self.boots += 1
        rng = SeededRng(self.boots.to_bytes(4, "big"))
        store = ObjectStore.open(self.disk, self.rpmb, KeyLadder(HUK, DEVICE_ID), rng, create=create)
        self.whole, self.store = store, store.namespace(TA)

    def contents(self) -> dict[bytes, bytes]:
        """What it answers, out of the rows that it keeps and then out of the disk."""
        kept = {stored.header.object_id: stored.body for stored in self.store.load()}
        self.whole.rows.clear()
        assert kept == {stored.header.object_id: stored.body for stored in self.store.load()}
        return kept

    def apply(self, changes: list[tuple[bytes, bytes | None]]) -> dict[bytes, bytes]:
        """What the store should hold after the changes."""
        after = dict(self.model)
        with self.store.transaction() as transaction:
            for object_id, body in changes:
                if body is not None:
                    transaction.put(object_id, body, kind="k", owner=b"o")
                    after[object_id] = body
                elif object_id in after:
                    transaction.erase(object_id)
                    del after[object_id]
        return after

    def expected(self, changes: list[tuple[bytes, bytes | None]]) -> dict[bytes, bytes]:
        after = dict(self.model)
        for object_id, body in changes:
            if body is None:
                after.pop(object_id, None)
            else:
                after[object_id] = body
        return after

    @rule(changes=CHANGES)
    def change(self, changes: list[tuple[bytes, bytes | None]]) -> None:
        self.past.append(dict(self.disk.rows))
        self.model = self.apply(changes)

    @rule(changes=CHANGES, fault=st.sampled_from(["cut before", "cut after"]))
    def cut_at_the_disk(self, changes: list[tuple[bytes, bytes | None]], fault: str) -> None:
        after = self.expected(changes)
        self.disk.fault = fault
        with suppress(PowerCut, TeeError):
            self.apply(changes)
        self.disk.fault = ""
        self.open()
        assert self.contents() in (self.model, after)
        self.model = self.contents()

    @rule(changes=CHANGES, left=st.integers(1, 8), late=st.booleans())
    def cut_at_the_rpmb(self, changes: list[tuple[bytes, bytes | None]], left: int, late: bool) -> None:
        after = self.expected(changes)
        self.rpmb.left, self.rpmb.after = left, late
        with suppress(PowerCut, TeeError):
            self.apply(changes)
        self.rpmb.left = -1
        self.open()
        assert self.contents() in (self.model, after)
        self.model = self.contents()

    @rule(changes=CHANGES)
    def lie_about_a_commit(self, changes: list[tuple[bytes, bytes | None]]) -> None:
        if self.expected(changes) == self.model:
            return
        self.disk.fault = "lie"
        try:
            self.apply(changes)
        except TeeError:
            pass
        else:
            raise AssertionError("a write that never happened was confirmed")
        self.disk.fault = ""
        self.open()
        assert self.contents() == self.model

    @rule()
    def restart(self) -> None:
        self.open()

    @precondition(lambda self: bool(self.past))
    @rule(which=st.integers(0, 10**6))
    def roll_the_disk_back(self, which: int) -> None:
        present, old = dict(self.disk.rows), self.past[which % len(self.past)]
        if old == present:
            return
        self.disk.rows = dict(old)
        try:
            self.open()
        except TeeError as error:
            assert error.result in (TeeResult.SECURITY, TeeResult.CORRUPT_OBJECT)
        else:
            raise AssertionError("an old disk was accepted")
        self.disk.rows = present
        self.open()

    @invariant()
    def same_as_the_model(self) -> None:
        assert self.contents() == self.model


StoreMachine.TestCase.settings = settings(
    max_examples=100, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestStore = StoreMachine.TestCase
