"""The small files as the command line writes them are read, and nothing that is a little otherwise."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import bioguard
from bioguard.cli.__main__ import run
from bioguard.device import Device
from bioguard.device.consent import grant_all
from bioguard.device.pins import enrollment_token, set_pin
from bioguard.evidence.second_reader import Unreadable, read_device
from bioguard.evidence.second_reader.small_files import FORMS, check_small_file
from bioguard.exit_codes import ExitCode
from bioguard.records.modality import Modality
from bioguard.simulate.people import face_views

PIN = b"271828"


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A device that was authenticated to, denied to, rebooted, damaged, repaired; one of two incidents was seen."""
    place = tmp_path_factory.mktemp("small")
    phone, views = place / "phone", face_views(1, person=0, count=4)
    np.save(place / "probe.npy", views[3].vector)
    np.save(place / "other.npy", face_views(2, person=9, count=1)[0].vector)
    (place / "pin").write_bytes(PIN + b"\n")
    (place / "pin").chmod(0o600)

    def said(*words: str) -> ExitCode:
        return ExitCode(run(["--device", str(phone), "--no-input", *words]))

    assert said("device", "init") is ExitCode.OK
    with Device.open(phone) as made:
        for name in ("zoe", "Ärger.1", "alice"):
            made.add_user(name)
            set_pin(made, name, PIN)
        grant_all(made, "alice", of_age=True)
        made.enroll("alice", views[:3], token=enrollment_token(made, "alice", Modality.FACE, PIN))
    for name in ("names.json", "pins.json"):
        kept = (phone / name).read_bytes()
        (phone / name).write_bytes(kept[:-9])
        assert said("pin", "verify", "alice", "--pin-file", str(place / "pin")) is not ExitCode.OK
        (phone / name).write_bytes(kept)
    assert said("incident", "ack", "1") is ExitCode.OK
    assert said("device", "reboot") is ExitCode.OK
    assert said("pin", "verify", "zoe", "--pin-file", str(place / "pin")) is ExitCode.OK
    assert said("authenticate", "alice", str(place / "probe.npy")) is ExitCode.OK
    assert said("authenticate", "alice", str(place / "other.npy")) is not ExitCode.OK
    with pytest.raises(Unreadable, match="caches are there"):
        read_device(phone)
    assert said("device", "wipe", "--caches") is ExitCode.OK
    return phone


@pytest.fixture
def copy(device: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(device, tmp_path / "copy"))


def test_what_the_command_line_wrote_is_read(device: Path) -> None:
    assert set(FORMS) <= set(read_device(device).files), "each of them is there"
    incidents = (device / "incidents.json").read_text("utf-8")
    assert (incidents.count('"acknowledged": true'), incidents.count('"acknowledged": false')) == (1, 1)
    assert '"failed_attempts": 1' in (device / "unlocks.json").read_text("utf-8")


def test_a_file_put_aside_is_named_and_the_new_one_is_read(copy: Path) -> None:
    (copy / "incidents.json").write_text("what somebody else wrote")
    run(["--device", str(copy), "incident"])
    with pytest.raises(Unreadable, match=r"incidents\.json\.damaged was put aside"):
        read_device(copy)
    (copy / "incidents.json.damaged").unlink()
    assert "incidents.json" in read_device(copy).files


def test_a_scenario_is_named(copy: Path) -> None:
    assert run(["--device", str(copy), "fault", "set", "quality_sequence=2,5,1"]) is ExitCode.OK
    with pytest.raises(Unreadable, match="a device with scripted faults is not read"):
        read_device(copy)
    assert run(["--device", str(copy), "fault", "clear"]) is ExitCode.OK
    assert read_device(copy).objects


@pytest.mark.parametrize("name", sorted(FORMS))
@pytest.mark.parametrize("more", [b" ", b"\n", b"\0", b"x", b"\xff"])
def test_one_byte_more_anywhere_is_another_form(name: str, more: bytes, device: Path) -> None:
    """But where it makes another name of a user: the sealed label holds that one against the secure world."""
    data = (device / name).read_bytes()
    for at in range(len(data) + 1):
        if name == "names.json" and more == b"x":
            continue
        with pytest.raises(Unreadable):
            check_small_file(name, data[:at] + more + data[at:])


ALMOST = {
    "a field more": ("unlocks.json", '"failed_attempts": 1', '"failed_attempts": 1,\n   "more": 1'),
    "a format of unlocks": ("unlocks.json", '{\n "boot"', '{\n "format": 1,\n "boot"'),
    "a long time": ("unlocks.json", '"credential_ms": ', '"credential_ms": 1234567890123456'),
    "a word of its own": ("incidents.json", "device.names_damaged", "device.names_damaged_by_us"),
    "the cause of another code": ("incidents.json", "device.names_damaged", "store.security"),
    "a number left out": ("incidents.json", '"number": 2', '"number": 3'),
    "a name twice": ("names.json", '"zoe"', '"alice"'),
    "another order": ("names.json", '"alice"', '"zzz"'),
    "an upper digit": ("pins.json", "a", "A"),
}


@pytest.mark.parametrize("what", sorted(ALMOST))
def test_what_is_almost_so_is_not(what: str, device: Path) -> None:
    name, old, new = ALMOST[what]
    text = (device / name).read_text("utf-8")
    assert old in text
    check_small_file(name, text.encode())
    with pytest.raises(Unreadable):
        check_small_file(name, text.replace(old, new).encode())


def test_every_code_that_opens_an_incident_has_a_place() -> None:
    """Of the product's source: a code that is new there has to be published first."""
    source = "\n".join(path.read_text("utf-8") for path in Path(bioguard.__file__).parent.glob("device/**/*.py"))
    codes = set(re.findall(r'\(IntegrityFailure, "((?:store|device|incident)\.[a-z_]+)"', source))
    codes |= set(re.findall(r'code="((?:device|incident)\.(?:[a-z]+_damaged|damaged))"', source))
    assert len(codes) > 8
    for code in codes | {"device.file_mode", "device.directory_owner"}:
        cause = "ROLLED_BACK" if code == "store.security" else "TAMPERED"
        one = {"number": 1, "cause": cause, "code": code, "opened_ms": 1, "acknowledged": True}
        check_small_file("incidents.json", (json.dumps({"format": 1, "incidents": [one]}, indent=1) + "\n").encode())
