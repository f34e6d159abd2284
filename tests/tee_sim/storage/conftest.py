"""A store over a disk and a device in memory, with a fault plan between them and the secure side."""

import hmac
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.normal.supplicant.service import RequestNote, Service
from tee_sim.secure.keys import KeyLadder
from tee_sim.secure.storage import ObjectStore, TaStore
from tee_sim.secure.supplicant_client import RemoteBlobStore, RemoteRpmb
from tee_sim.shared.rng import SeededRng
from tee_sim.testing.faults import FaultPlan, HostileBlobs, HostileRpmb
from tee_sim.testing.in_memory import MemoryBlobs, MemoryMedium

TA = UUID("12345678-0000-0000-0000-000000000001")
OTHER_TA = UUID("12345678-0000-0000-0000-000000000002")


@dataclass
class Port:
    """The pipe, without the pipe."""

    service: Service

    def call(self, operation: int, request: list[object]) -> object:
        return self.service.handle(operation, request)


@dataclass
class World:
    """One device. `open` is a boot."""

    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)
    medium: MemoryMedium = field(default_factory=MemoryMedium)
    huk: bytes = bytes(range(32))
    device_id: bytes = bytes(range(16))
    rng: SeededRng = field(default_factory=lambda: SeededRng(b"world"))
    notes: list[RequestNote] = field(default_factory=list)
    plan: FaultPlan = field(default_factory=FaultPlan)
    disk: HostileBlobs | None = None
    rpmb: HostileRpmb | None = None

    def open(self, *, create: bool = False, anchored: bool = True, rpmb_key: bytes | None = None) -> ObjectStore:
        self.rpmb = HostileRpmb(RpmbDevice(self.medium), self.plan)
        self.disk = self.disk or HostileBlobs(self.blobs, self.plan)
        port = Port(Service(self.disk, self.rpmb, log=self.notes.append))
        transport = RemoteRpmb(port) if anchored else None
        return ObjectStore.open(
            RemoteBlobStore(port),
            transport,
            KeyLadder(self.huk, self.device_id),
            self.rng,
            create=create,
            rpmb_key=rpmb_key,
        )

    def row(self, object_id: bytes, ta: UUID = TA) -> bytes:
        """The name of an object's row, as docs/formats/storage.md has it."""
        key = KeyLadder(self.huk, self.device_id).derive("object names")
        return b"o" + hmac.digest(key, ta.bytes + object_id, "sha256")

    def arm(self, text: str) -> FaultPlan:
        """Let this plan rule from now on, in the same boot."""
        self.plan.rules = FaultPlan.parse(text).rules
        self.plan.passed.clear()
        self.plan.fired.clear()
        return self.plan

    def snapshot(self) -> tuple[dict[bytes, bytes], list[bytes], int]:
        return dict(self.blobs.rows), list(self.medium.blocks), self.medium.counter


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def store(world: World) -> ObjectStore:
    return world.open(create=True)


@pytest.fixture
def mine(store: ObjectStore) -> TaStore:
    return store.namespace(TA)


@pytest.fixture
def other_ta() -> UUID:
    return OTHER_TA


@pytest.fixture
def ta() -> UUID:
    return TA
