"""What a device was asked stands on the timeline by name, with the faults of a scenario, and no sample."""

from pathlib import Path

import pytest

from bioguard.device import Device, DeviceOptions
from bioguard.errors import TeeUnavailable
from bioguard.simulate.faults import scripted
from bioguard.simulate.faults.scenario import Scenario
from bioguard.simulate.people import face_views
from tee_sim.normal import timeline
from tests.device.conftest import populate
from tests.tee_sim.test_timeline import of, open_ends, read


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the timeline of this test is written."""
    file = tmp_path / "timeline.json"
    monkeypatch.setenv(timeline.VARIABLE, str(file))
    return file


def test_commands_have_their_names_and_samples_are_not_there(directory: Path, path: Path) -> None:
    with Device.init(directory, require_pin=False) as device:
        populate(device)
        device.authenticate("alice", face_views(1, person=0, count=4)[3])
    found = read(path)
    assert open_ends(found) == []
    names = [e["name"] for e in of(found, "TA biometric") if e["ph"] == "B"]
    assert names.count("enroll") == 4
    assert names.count("authenticate") == 1
    assert not [name for name in names if name.startswith("command ")]
    text = path.read_bytes()
    for sample in face_views(1, person=0, count=4):
        record = sample.vector.tobytes()
        assert record[:16].hex().encode() not in text
    assert b"alice" not in text


def test_a_fault_of_the_pipe_is_on_it(directory: Path, path: Path) -> None:
    Device.init(directory, require_pin=False).close()
    scenario = Scenario()
    scenario.knobs.set("pipe", "cut")
    scenario.save(directory)
    with Device.open(directory, DeviceOptions(hooks=scripted)) as device, pytest.raises(TeeUnavailable):
        device.add_user("bob")
    assert "pipe: cut" in [e["name"] for e in of(read(path), "faults")]
