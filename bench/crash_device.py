"""A device without processes, over real files: what the crash and corruption campaigns cut and damage.

`python -m bench.crash_device DIRECTORY` plays every operation that writes, once; `bench.crash_trace` runs it under
strace. Between operations it tries to open a path below `MARK`, which strace sees and nothing else does.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

from bioguard.commands import biometric as commands
from bioguard.commands import policy
from bioguard.commands.biometric import Modality
from bioguard.device import Device, credentials
from bioguard.device.consent import grant, grant_all, purge
from bioguard.device.launch import Running, manifests
from bioguard.device.lock import DeviceLock
from bioguard.device.names import Names
from bioguard.faults.device import DeviceFaults
from bioguard.records.events import Cause
from bioguard.records.grants import Purpose
from bioguard.synthetic import face_views
from tee_sim.client import Context
from tee_sim.lockdown.records import LockReport
from tee_sim.lockdown.verdict import Verdict
from tee_sim.process import SecureProcess
from tee_sim.supplicant import Supplicant
from tee_sim.testing import InProcessTee

__all__ = ["FACES", "MARK", "OPERATIONS", "configure", "opened", "populate"]

MARK = "/nonexistent/crash-mark"
FACES = {name: face_views(7, person=i, count=6) for i, name in enumerate(("alice", "bob", "carol"))}
"""Six synthetic views of each person: five to enroll and replace with, the last one to probe with."""


@contextmanager
def opened(directory: Path, *, create: bool = False, seed: bytes = bytes(32), days: int = 0) -> Iterator[Device]:
    """The facade of a device whose secure world runs in this process, without lock and sandbox."""
    supplicant = Supplicant(directory)
    try:
        wall_ms = 1_767_225_600_000 + days * 86_400_000
        tee = InProcessTee(manifests(), supplicant, create=create, seed=seed, stepped_wall_ms=wall_ms)
        running = Running(
            process=cast("SecureProcess", tee),
            supplicant=supplicant,
            verdict=cast("Verdict", None),
            report=cast("LockReport", None),
            ready=tee.ready(),
            measurements={},
            context=Context(tee),
            faults=DeviceFaults(directory),
            grid=None,
        )
        yield Device(directory, Names.load(directory), running, cast("DeviceLock", None))
    finally:
        supplicant.close()


def configure(device: Device) -> None:
    """What `Device.init` asks of a new device."""
    device.call(commands.CONFIGURE, commands.Configure(profile=commands.Profile.STANDARD, max_fingers=5, max_faces=2))


def populate(device: Device) -> None:
    """Three people with a face each; alice also has a PIN. Carol is never touched again: she is the bystander."""
    for name, views in FACES.items():
        device.add_user(name)
        grant_all(device, name, of_age=True)
        if name != "bob":
            device.enroll(name, views[:3])
    credentials.set_pin(device, "alice", b"2580")


def _wrong_finger(device: Device) -> None:
    device.authenticate("alice", FACES["bob"][5])


def _erase(device: Device) -> None:
    device.erase("bob", next(device.records("bob")).record_id)


def _rekey_codes(device: Device) -> None:
    device.call(commands.RENEW_CODES, commands.RenewCodes())


def _storage_keys(device: Device) -> None:
    device.running.context.renew_keys(timeout_ms=60_000)


def _new_pin(device: Device) -> None:
    credentials.set_pin(device, "alice", b"1379", current=b"2580")


def _incident(device: Device) -> None:
    device.call(policy.INCIDENT, policy.Incident(number=1, cause=Cause.TAMPERED))


def _wrong_pin(device: Device) -> None:
    with suppress(credentials.WrongPin):
        credentials.verify_pin(device, "alice", b"0000")


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
    "purge": purge,
}
"""In the order in which they are played on one device. Purge runs last, years later, when consents have expired."""

PURGE_DAYS = 4000


def _mark(name: str) -> None:
    with suppress(OSError):
        os.close(os.open(f"{MARK}/{name}", os.O_RDONLY))


def main(directory: Path) -> None:
    """Play everything, marking where each operation begins and ends."""
    with opened(directory, create=True) as device:
        configure(device)
        populate(device)
        for name, operation in OPERATIONS.items():
            if name != "purge":
                _mark(f"begin {name}")
                operation(device)
                _mark(f"end {name}")
    with opened(directory, seed=bytes([1]) * 32, days=PURGE_DAYS) as device:
        _mark("begin purge")
        OPERATIONS["purge"](device)
        _mark("end purge")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
