"""A device with a sensor of a stub engine, locked, and a person who agrees to it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bioguard.device import Device, DeviceOptions, consent
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality

CODE = Path(__file__).parent / "engine_code"


sys.path.insert(0, str(CODE))  # code of one's own that is not installed


def agreed(device: Device, name: str) -> None:
    """Somebody who may be enrolled, unlocked and searched for."""
    device.add_user(name)
    for purpose in (Purpose.UNLOCK, Purpose.IDENTIFY):
        consent.grant(device, name, Modality.FINGERPRINT, purpose, days=10, of_age=True)


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """Takes fingers of the stub's model; nobody has a PIN."""
    directory = tmp_path_factory.mktemp("sensor") / "phone"
    options = DeviceOptions(release_grid_ms=0)
    sensors = ["fingerprint=stub_engine:Stub"]
    with Device.init(directory, options, sensors=sensors, require_pin=False, uncalibrated=True) as made:
        agreed(made, "alice")
        yield made
