"""A device in memory, and the objects of applications on it."""

from collections.abc import Callable
from uuid import UUID

import pytest

from tee_sim.gp_objects import Enumerators, Flag, GpObjects
from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.secure.keys import KeyLadder
from tee_sim.secure.storage import ObjectStore
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.rng import SeededRng
from tee_sim.testing.in_memory import MemoryBlobs, MemoryMedium

READ, WRITE, META = Flag.ACCESS_READ, Flag.ACCESS_WRITE, Flag.ACCESS_WRITE_META
ALL = READ | WRITE | META


class Device:
    """A disk and an RPMB; `boot` opens the store anew, as after a restart."""

    def __init__(self) -> None:
        self.disk, self.rpmb = MemoryBlobs(), RpmbDevice(MemoryMedium())
        self.boots = 0
        self.boot()

    def boot(self) -> None:
        self.boots += 1
        rng = SeededRng(bytes([self.boots % 256]))
        args = (self.disk, self.rpmb, KeyLadder(bytes(range(32)), bytes(range(16))), rng)
        self.store = ObjectStore.open(*args, create=self.boots == 1)

    def objects(self, ta: int = 1) -> GpObjects:
        return GpObjects(self.store.namespace(UUID(int=ta)))

    def enumerators(self, ta: int = 1) -> Enumerators:
        return Enumerators(self.store.namespace(UUID(int=ta)))


def refused(result: TeeResult, call: Callable[..., object], *args: object) -> None:
    """The call must return this result."""
    with pytest.raises(TeeError) as caught:
        call(*args)
    assert caught.value.result is result
