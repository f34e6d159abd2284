"""The example of the documentation: a sensor of light, and the application that takes what it has read."""

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
