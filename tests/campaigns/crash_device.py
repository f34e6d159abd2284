"""A device without processes, over real files: what the crash and corruption campaigns interrupt and damage.

`python -m tests.campaigns.crash_device DIRECTORY` plays every operation that writes, once;
`tests.campaigns.crash_trace` runs it under strace. Between operations it leaves marks
(`tests.campaigns.crash_marks`).
"""

import os
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

from bioguard.commands import biometric as commands
from bioguard.commands import policy
from bioguard.commands.configuration import CONFIGURE, Configuration
from bioguard.device import Device, pins
from bioguard.device.applications import manifests
from bioguard.device.consent import grant, grant_all, purge
from bioguard.device.launch import Running
from bioguard.device.lock import DeviceLock
from bioguard.device.names import Names
from bioguard.errors import NotPermitted
from bioguard.records.audit_events import Cause
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from bioguard.simulate.faults.device_faults import DeviceFaults
from bioguard.simulate.people import face_views
from tee_sim.normal.client import Context
from tee_sim.normal.sandbox_verdict.processes import Inspected
from tee_sim.normal.secure_process import SecureProcess, StorageHandler
from tee_sim.normal.supplicant import Supplicant
from tee_sim.shared.package_files import Listing
from tee_sim.shared.rng import SeededRng
from tee_sim.shared.storage_requests import Operation
from tee_sim.shared.wire import AdvanceClock
from tee_sim.testing.in_process import InProcessTee
from tests.campaigns.crash_marks import marked

FACES = {name: face_views(7, person=i, count=6) for i, name in enumerate(("alice", "bob", "carol"))}
"""Six synthetic views of each person: five to enroll and replace with, the last one to probe with."""


def boot(storage: StorageHandler, *, create: bool = False, seed: bytes = bytes(32), days: int = 0) -> InProcessTee:
    """A secure world with the product's trusted applications, without lock and sandbox.

    Args:
        seed: of a new device, and of the nonces and object keys of this start: a replay writes the same bytes.
        days: by which the clock is stepped before anything runs.
    """
    made_with = seed if create else None
    tee = InProcessTee(manifests(), storage, create=create, seed=made_with, system_rng=SeededRng(b"system" + seed))
    if days:
        tee.exchange(AdvanceClock(ms=days * 86_400_000))
    return tee


def facade(directory: Path, tee: InProcessTee) -> Device:
    """The normal world's side of a device."""
    running = Running(
        process=cast("SecureProcess", tee),
        supplicant=cast("Supplicant", None),
        inspected=cast("Inspected", None),
        ready=tee.ready(),
        measurements={},
        listing=Listing({}),
        context=Context(tee),
        hooks=DeviceFaults(directory),
        grid=None,
    )
    return Device(directory, Names.load(directory), running, cast("DeviceLock", None))


@contextmanager
def opened(directory: Path, *, create: bool = False, seed: bytes = bytes(32), days: int = 0) -> Iterator[Device]:
    """A device whose secure world and supplicant run in this process."""
    with closing(Supplicant(directory)) as supplicant:
        yield facade(directory, boot(supplicant, create=create, seed=seed, days=days))


def seeded(label: str = "") -> AbstractContextManager[object]:
    """Draw what the normal world draws (handles of users) from a seed as well."""
    return patch.object(secrets, "token_bytes", SeededRng(b"normal world" + label.encode()).bytes)


def configure(device: Device) -> None:
    """What `Device.init` asks of a new device."""
    device.ask(CONFIGURE, Configuration(require_pin=False))


def populate(device: Device) -> None:
    """Three people with a face each; alice also has a PIN. Carol is never touched again: she is the bystander."""
    for name, views in FACES.items():
        device.add_user(name)
        grant_all(device, name, of_age=True)
        if name != "bob":
            device.enroll(name, views[:3])
    pins.set_pin(device, "alice", b"2580")


def _wrong_finger(device: Device) -> None:
    device.authenticate("alice", FACES["bob"][5])


def _erase(device: Device) -> None:
    device.erase("bob", next(device.records("bob")).record_id)


def _rekey_codes(device: Device) -> None:
    device.ask(commands.RENEW_CODES, commands.RenewCodes())


def _storage_keys(device: Device) -> None:
    device.running.context.renew_keys(timeout_ms=60_000)


def _new_pin(device: Device) -> None:
    pins.set_pin(device, "alice", b"1379", current=b"2580")


def _incident(device: Device) -> None:
    device.ask(policy.INCIDENT, policy.ReportIncident(number=1, cause=Cause.TAMPERED))


def _wrong_pin(device: Device) -> None:
    try:
        pins.verify_pin(device, "alice", b"0000")
    except NotPermitted as error:
        if error.code != "pin.wrong":
            raise


OPERATIONS: dict[str, Callable[[Device], object]] = {
    "user add": lambda device: device.add_user("dave"),
    "consent grant": lambda device: grant(device, "dave", Modality.FACE, Purpose(1), of_age=True),
    "enroll": lambda device: device.enroll("bob", FACES["bob"][:3]),
    "replace": lambda device: device.enroll("bob", FACES["bob"][2:5], replace=True),
    "log append": _incident,
    "lockout count": _wrong_finger,
    "wrong pin": _wrong_pin,
    "pin set": _new_pin,
    "rekey of codes": _rekey_codes,
    "rekey of storage": _storage_keys,
    "erase": _erase,
    "user remove": lambda device: device.remove_user("bob"),
    "purge": lambda device: purge(device, confirmed=True),
}
"""In the order in which they are played on one device. Purge runs last, years later, when consents have expired; a
clock that moved so far is not believed unless somebody says so."""

PURGE_DAYS = 4000
CREATION = "creation"
STARTS = {"start, undone": False, "start, done": True}
"""Starts after a death in a commit, and whether its disk did its transaction."""
MATRIX = (CREATION, *OPERATIONS, *STARTS)
"""All that is interrupted."""


class _Dying:
    """A disk at whose next transaction this process dies."""

    def __init__(self, disk: StorageHandler, committed: bool) -> None:
        self._disk, self._committed, self.armed = disk, committed, False

    def handle(self, operation: int, request: object) -> list[object]:
        if not self.armed or operation != Operation.COMMIT:
            return self._disk.handle(operation, request)
        *transaction, around = cast("list[Any]", request)
        self._disk.handle(Operation.RPMB, [around[0], 1])
        if self._committed:
            self._disk.handle(Operation.COMMIT, [*transaction, []])
        os._exit(0)


def die_in_commit(directory: Path, *, committed: bool) -> None:
    """Leave a device that died right before, or right after, the disk did a transaction.

    Raises:
        RuntimeError: there was no transaction to die in.
    """
    pid = os.fork()
    if not pid:
        try:
            disk = _Dying(Supplicant(directory), committed)
            device = facade(directory, boot(disk))
            disk.armed = True
            device.add_user("erin")
        finally:
            os._exit(1)
    if os.waitpid(pid, 0)[1]:
        raise RuntimeError("it did not die in a commit")


def main(directory: Path) -> None:
    """Play everything, marking where each operation begins and ends."""
    with ExitStack() as stack:
        with marked(CREATION):
            device = stack.enter_context(opened(directory, create=True))
            configure(device)
        populate(device)
        for name, operation in OPERATIONS.items():
            if name != "purge":
                with marked(name):
                    operation(device)
    for name, committed in STARTS.items():
        die_in_commit(directory, committed=committed)
        with closing(Supplicant(directory)) as supplicant, marked(name):
            boot(supplicant)
    with opened(directory, seed=bytes([1]) * 32, days=PURGE_DAYS) as device, marked("purge"):
        OPERATIONS["purge"](device)


if __name__ == "__main__":
    with seeded():
        main(Path(sys.argv[1]))
