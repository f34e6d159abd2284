"""What a device was asked stands on the timeline by name, with the faults of a scenario, and no sample."""

import base64
from pathlib import Path

import pytest

from bioguard.device import Device, DeviceOptions
from bioguard.errors import TeeUnavailable
from bioguard.simulate.faults import scripted
from bioguard.simulate.faults.scenario import Scenario
from bioguard.simulate.people import face_views, finger_impressions
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
    samples = [*face_views(1, person=0, count=4), *finger_impressions(1, person=0, count=3)]
    for record in (sample.to_bytes() for sample in samples):
        middle = record[60:84]  # from a multiple of three on: a base64 text of the whole has that of the part in it
        for form in (middle, middle.hex().encode(), base64.b64encode(middle), str(list(middle))[1:-1].encode()):
            assert form not in text
    assert b"alice" not in text


def test_a_fault_of_the_pipe_is_on_it(directory: Path, path: Path) -> None:
    Device.init(directory, require_pin=False).close()
    scenario = Scenario()
    scenario.knobs.set("pipe", "cut")
    scenario.save(directory)
    with Device.open(directory, DeviceOptions(hooks=scripted)) as device, pytest.raises(TeeUnavailable):
        device.add_user("bob")
    assert "pipe: cut" in [e["name"] for e in of(read(path), "faults")]
