"""Played by `test_unwritable.py` in a mount namespace of its own: a device on a full disk, and on a read-only mount.

`python unwritable.py full|read-only DIRECTORY` prints a line of JSON: what each call ended with.
"""

import ctypes
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from bioguard.commands.biometric import EraseAuthorization
from bioguard.device import Device, DeviceOptions, Level
from bioguard.device.consent import grant_all
from bioguard.device.personal_data import personal_data
from bioguard.device.pins import set_pin, verify_pin
from bioguard.device.receipts import erasure_receipt
from bioguard.errors import BioguardError
from bioguard.records.audit_events import Cause
from bioguard.simulate.people import face_views

OPTIONS = DeviceOptions(allow_level=Level.NOT_ENFORCED)
VIEWS = {name: face_views(1, person=i, count=4) for i, name in enumerate(("alice", "bob"))}
MS_RDONLY, MS_REMOUNT, MS_BIND = 1, 32, 4096


def mount(source: str, target: Path, kind: str, flags: int, options: str = "") -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), os.fsencode(target), kind.encode(), flags, options.encode()):
        raise OSError(ctypes.get_errno(), "mount")


def make(directory: Path) -> None:
    with Device.init(directory, OPTIONS, require_pin=False) as device:
        for name, views in VIEWS.items():
            device.add_user(name)
            grant_all(device, name, of_age=True)
            device.enroll(name, views[:3])
        set_pin(device, "bob", b"2718")


def fill(directory: Path) -> None:
    fd = os.open(directory / "filler", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        while True:
            os.write(fd, bytes(4096))
    except OSError:
        os.close(fd)


def ended(call: Callable[[], object]) -> object:
    try:
        return call()
    except BioguardError as error:
        return error.code


def play(directory: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    with Device.open(directory, OPTIONS) as device:
        record = next(device.records("alice")).record_id
        found["listed"] = len(list(device.records()))
        found["matches"] = ended(lambda: device.authenticate("alice", VIEWS["alice"][3]).match)
        found["identified"] = ended(lambda: device.identify(VIEWS["alice"][3]).user)
        found["enrolled"] = ended(lambda: device.enroll("alice", VIEWS["alice"][1:], replace=True) and "yes")
        found["exported"] = ended(
            lambda: personal_data(device, "bob", Cause.PORTABILITY, token=verify_pin(device, "bob", b"2718")) and "yes"
        )
        found["erased"] = ended(
            lambda: len(
                erasure_receipt(device, [device.erase("alice", record, EraseAuthorization(by_operator=True))]).erasures
            )
        )
        found["removed"] = ended(lambda: len(device.remove_user("bob", EraseAuthorization(by_operator=True))))
        found["storage"] = device.running.storage
    with Device.open(directory, OPTIONS) as device:
        found["left"] = len(list(device.records()))
        found["users"] = device.users()
    return found


def main(kind: str, root: Path) -> None:
    if kind == "full":
        mount("none", root, "tmpfs", 0, "size=1m,mode=0700")
        make(root / "device")
        fill(root)
        found = play(root / "device")
        (root / "filler").unlink()
    else:
        make(root / "device")
        mount(str(root), root, "none", MS_BIND)
        mount("none", root, "none", MS_BIND | MS_REMOUNT | MS_RDONLY)
        found = play(root / "device")
        mount("none", root, "none", MS_BIND | MS_REMOUNT)
    with Device.open(root / "device", OPTIONS) as device:
        found["matches afterwards"] = ended(lambda: device.authenticate("alice", VIEWS["alice"][3]).match)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
