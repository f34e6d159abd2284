"""The commits that a decision is expected to make are those of the sensor that its request names."""

import pytest

from bioguard.device.applications import manifests
from bioguard.records.sensor_props import MAX_SENSORS
from tee_sim.shared.row_patterns import numbered, parse_commit


@pytest.mark.parametrize("sensor_id", range(MAX_SENSORS))
def test_the_commits_of_a_decision_name_its_sensor_and_no_other(sensor_id: int) -> None:
    """One that is missing costs four times the bits: an honest match was over its budget, and its host ended."""
    biometric = next(m for m in manifests() if m.name == "biometric")
    for command, kinds in ((11, b"SX"), (12, b"X")):
        named = {
            start
            for text in biometric.commits_of(command)
            for commit in numbered(parse_commit(text), {sensor_id})
            for start, _ in commit
            if len(start) > 1
        }
        assert named == {bytes([kind, sensor_id]) for kind in kinds}
