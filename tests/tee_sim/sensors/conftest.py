"""The example of the documentation: a sensor of light, and the application that takes what it has read."""

import os
import select
from collections.abc import Sequence
from pathlib import Path

import pytest

from tee_sim.shared.manifest import Manifest
from tee_sim.shared.sensor_manifest import SensorManifest

LIGHT = Path(__file__).parents[3] / "docs" / "examples" / "light"
DAY, NIGHT = bytes([200]) * 4096, bytes([40]) * 4096


@pytest.fixture
def application() -> Manifest:
    return Manifest.from_toml((LIGHT / "manifest.toml").read_text("utf-8"))


@pytest.fixture
def sensor() -> SensorManifest:
    return SensorManifest.from_toml((LIGHT / "sensor.toml").read_text("utf-8"))


def have_ended(descriptors: Sequence[int]) -> bool:
    """Whether all of these processes, by their descriptors, end soon."""
    ended = []
    for fd in descriptors:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        ended.append(bool(poll.poll(10_000)))
        os.close(fd)
    return all(ended)
