"""Devices with people on them."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bioguard.device import Device
from bioguard.device.consent import grant_all
from bioguard.simulate.people import face_views, finger_impressions

PEOPLE = ("alice", "bob")


def populate(device: Device) -> None:
    """Two people, a finger and a face each, three samples."""
    for person, name in enumerate(PEOPLE):
        device.add_user(name)
        grant_all(device, name, of_age=True)
        device.enroll(name, finger_impressions(1, person=person, count=3), finger="right-index")
        device.enroll(name, face_views(1, person=person, count=3))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where a device goes; not made yet."""
    return tmp_path / "device"


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """A device directory where durability costs nothing, for tests that write much."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name) / "device"


@pytest.fixture
def populated(directory: Path) -> Iterator[Device]:
    """A device with two people."""
    with Device.init(directory, require_pin=False) as device:
        populate(device)
        yield device
