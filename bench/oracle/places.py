"""Where the experiment takes place: applications in memory, or a real device. Both answer commands and step time."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from bench.oracle.world import Traffic
from bioguard.device.clock import advance
from bioguard.evidence.attack.device_kit import DeviceKit
from bioguard.evidence.attack.target import Target
from bioguard.trusted.gatekeeper import app as gatekeeper_app
from tee_sim.normal.supplicant import RequestNote
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.schema import Record
from tee_sim.shared.ta_api import Command

Q = TypeVar("Q", bound=Record)
A = TypeVar("A", bound=Record)
START_MS = 1_780_000_000_000


class TargetPlace(Target):
    """Applications in the bench's memory: the fast place."""

    made = False

    def seen(self) -> Traffic:
        """What was asked of the disk since the last call."""
        seen, self.disk.traffic = self.disk.traffic, []
        return seen


class _Clock:
    def __init__(self, kit: DeviceKit) -> None:
        self._kit = kit

    def advance(self, ms: int) -> None:
        """Step the device's clock, as everybody may whose device has one that steps."""
        advance(self._kit.device(), ms)


class DevicePlace:
    """A device behind its facade, with a clock that steps."""

    made = True

    def __init__(self, kit: DeviceKit) -> None:
        self._kit = kit
        self._notes: list[RequestNote] = []
        self.clock = _Clock(kit)
        kit.init(clock=START_MS, storage_log=self._notes.append)

    def call(self, uuid: UUID, command: Command[Q, A], request: Q) -> A:
        """One command."""
        return self._kit.device().running.session(uuid).call(command, request)

    def restart(self) -> None:
        """End the secure world and start it again."""
        self._kit.open(storage_log=self._notes.append)

    def reboot(self) -> None:
        """Begin a new boot."""
        self._kit.close()
        self._kit.reboot()
        self.restart()

    def seen(self) -> Traffic:
        """What was asked of the disk since the last call: operation, names and sizes."""
        notes, self._notes[:] = list(self._notes), []
        return [(n.operation.name, n.names, n.request_bytes, n.reply_bytes) for n in notes]


Place = TargetPlace | DevicePlace
Opened = AbstractContextManager[Place]


@contextmanager
def fast_pins() -> Iterator[None]:
    """A fast hash in the place of Argon2id, in this process: an insider gives the own PIN thousands of times."""
    kept = gatekeeper_app._argon2id
    gatekeeper_app._argon2id = lambda pin, salt: sha256(salt + pin).digest()
    try:
        yield
    finally:
        gatekeeper_app._argon2id = kept


@contextmanager
def _target(hosted: Sequence[Manifest]) -> Iterator[Place]:
    with fast_pins():
        yield TargetPlace(hosted)


@contextmanager
def _device(hosted: Sequence[Manifest], *, locked: bool = False) -> Iterator[Place]:
    with (
        tempfile.TemporaryDirectory() as folder,
        fast_pins(),
        DeviceKit(Path(folder), hosted, locked=locked) as kit,
    ):
        yield DevicePlace(kit)


PLACES: dict[str, Callable[[Sequence[Manifest]], Opened]] = {
    "target": _target,
    "device": _device,
    "locked": lambda hosted: _device(hosted, locked=True),
}
"""In memory; a device whose secure world runs in this process; one with a locked process."""
