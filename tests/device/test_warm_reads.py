"""What a decision asks the disk for: where a person comes again, nothing but one durable commit."""

from pathlib import Path

from bioguard.device import Device, DeviceOptions
from bioguard.device.consent import grant_all
from bioguard.simulate.people import face_views
from tee_sim.normal.supplicant.service import RequestNote
from tee_sim.shared.storage_requests import Operation

VIEWS = face_views(1, person=0, count=7)


def test_a_warm_decision_reads_nothing_and_a_cold_one_each_row_once(tmp_path: Path) -> None:
    notes: list[RequestNote] = []
    directory, options = tmp_path / "device", DeviceOptions(storage_log=notes.append)
    with Device.init(directory, options, require_pin=False) as device:
        device.add_user("alice")
        grant_all(device, "alice", of_age=True)
        device.enroll("alice", VIEWS[:3])
    with Device.open(directory, options) as device:
        notes.clear()
        assert device.authenticate("alice", VIEWS[3]).match
        read = [name for note in notes if note.operation is Operation.READ for name in note.names]
        assert any(name[:1] == b"o" for name in read), "the rows come from the disk once"
        assert len(read) == len(set(read))
        for view, commits in zip(VIEWS[4:], (2, 1, 1), strict=True):  # the second decision charges for the third
            notes.clear()
            assert device.authenticate("alice", view).match
            asked = [note.operation for note in notes if note.operation is not Operation.RPMB]
            assert asked == [Operation.COMMIT] * commits
        notes.clear()
    assert [note.operation for note in notes].count(Operation.COMMIT) == 1, "what nobody has used is given back"
