"""The commits that a decision is expected to make are those of the sensors that there are."""

import re

from bioguard.device.applications import manifests
from bioguard.trusted.sensor.sensors import SENSOR_IDS


def test_the_commits_of_a_decision_name_each_sensor_and_no_other() -> None:
    """One that is missing costs four times the bits: an honest match was over its budget, and its host ended."""
    biometric = next(m for m in manifests() if m.name == "biometric")
    for command, objects in ((11, "SX"), (12, "X")):
        named = {
            (kind, int(number, 16)) for text in biometric.commits_of(command) for kind, number in _of_sensors(text)
        }
        assert named == {(kind, sensor_id) for kind in objects for sensor_id in SENSOR_IDS.values()}


def _of_sensors(text: str) -> list[tuple[str, str]]:
    return re.findall(r"\b([SX])([0-9a-f]{2})", text)
