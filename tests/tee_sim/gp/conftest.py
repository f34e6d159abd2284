"""Fixtures: a new device in memory."""

import pytest

from tee_sim.gp_objects import GpObjects
from tests.tee_sim.gp.devices import Device


@pytest.fixture
def device() -> Device:
    return Device()


@pytest.fixture
def objects(device: Device) -> GpObjects:
    return device.objects()
