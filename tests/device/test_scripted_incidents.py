"""An incident that was found while faults were scripted says so: in its file, on the command line and in the log.

It stays open like any other, and one of a device that plays nothing never has the mark.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bioguard.device import Device
from bioguard.device.consent import signed_log
from bioguard.device.incidents import incidents, record_incident
from bioguard.errors import BioguardError, IntegrityFailure
from bioguard.records.audit_events import Cause, Event
from tests.contract.test_device import PLAYED, Faces, populate, run, save_faults
from tests.unlocked import unlocked_devices


@pytest.fixture(autouse=True, scope="module")
def unlocked() -> Iterator[None]:
    """What is written down is alike behind the lock and without it."""
    with unlocked_devices():
        yield


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A device: alice, PIN 1234, one face."""
    populate(tmp_path / "device")
    return tmp_path / "device"


def damage(directory: Path, plan: str = "read: flip(40) objects") -> None:
    save_faults(directory, storage=plan)
    with pytest.raises(IntegrityFailure), Device.open(directory, PLAYED) as device:
        device.authenticate("alice", Faces().genuine())


def test_the_mark_of_a_scripted_flip(directory: Path) -> None:
    damage(directory)
    (found,) = incidents(directory)
    assert (found.cause, found.scripted, found.acknowledged) == (Cause.TAMPERED, True, False)
    assert json.loads((directory / "incidents.json").read_text())["incidents"][0]["scripted"] is True
    assert run(directory, "fault", "clear")[0] == 0
    code, shown = run(directory, "incident")
    assert (code, [(i["number"], i["scripted"], i["acknowledged"]) for i in shown["incidents"]]) == (
        0, [(1, True, False)],
    )  # fmt: skip


def test_the_log_names_the_incident_that_was_scripted(directory: Path) -> None:
    """Where the secure world lived on: it had refused one object, and could still write."""
    for number in range(5, 15):
        save_faults(directory, storage=f"read@{number}: flip(40) objects")
        with Device.open(directory, PLAYED) as device, suppress(BioguardError):
            device.authenticate("alice", Faces().genuine())
        if incidents(directory):
            break
    assert [(i.code, i.scripted) for i in incidents(directory)] == [("store.corrupt", True)]
    assert run(directory, "fault", "clear")[0] == 0
    with Device.open(directory) as device:
        noted = [i.entry for i in signed_log(device).items if i.entry and i.entry.event is Event.INCIDENT]
    assert [(entry.cause, entry.number) for entry in noted] == [(Cause.SCRIPTED, 1)]


def test_a_device_that_plays_nothing_never_gets_the_mark(directory: Path) -> None:
    save_faults(directory, sensor_noise="0.5", quality_sequence="1")
    (directory / "names.json").write_text("{")
    with pytest.raises(IntegrityFailure):
        Device.open(directory, PLAYED)
    (found,) = incidents(directory)
    assert not found.scripted
    assert "scripted" not in json.loads((directory / "incidents.json").read_text())["incidents"][0]


def test_a_real_finding_is_not_taken_for_a_scripted_one_that_is_open(directory: Path) -> None:
    failure = IntegrityFailure("damaged", hint="none", code="store.corrupt")
    for scripted in (True, False, True):
        record_incident(directory, failure, scripted=scripted)
    assert [(i.number, i.scripted) for i in incidents(directory)] == [(1, True), (2, False)]


def test_rules_that_never_fired_are_noted_by_the_command_that_played_them(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_faults(directory, storage="commit@999: lie; read@1: flip(40) objects", ta_panic="identify", pipe="none")
    assert run(directory, "list")[0] == 0
    said = capsys.readouterr().err
    assert "never fired: storage rule 'commit@999: lie' was never due, commit was passed" in said
    assert "never fired: storage rule 'read@1: flip(40) objects' was due 1 times and met nothing to spoil" in said
    assert "never fired: ta_panic=identify met no message that it is meant for" in said
