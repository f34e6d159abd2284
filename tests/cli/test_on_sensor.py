"""`--on-sensor` says which sensor of the device an enrollment, a claim or a search is of; without it the first one."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bioguard.cli import __main__ as entry
from bioguard.cli.pictures import modality_for
from bioguard.commands.configuration import Configuration
from bioguard.exit_codes import ExitCode
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import default_table
from tests.unlocked import unlocked_devices

SCENARIO = """
format = "bioguard-scenario 2"

[device]
seed = "on a sensor"
clock = "fixed:2026-01-31T12:00:00Z"

[[sensor]]
kind = "face"

[[sensor]]
kind = "fingerprint"

[[sensor]]
kind = "fingerprint"
type = "power-button"
"""
Seen = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A phone with two fingerprint sensors, and alice with a PIN."""
    folder = tmp_path_factory.mktemp("on-sensor")
    (folder / "three.toml").write_text(SCENARIO, "utf-8")
    (folder / "pin").write_text("2468\n", "utf-8")
    pin = f"--pin-file {folder / 'pin'}"
    with unlocked_devices():
        for line in (
            f"samples {folder / 'samples'} --people 1",
            f"device init --scenario {folder / 'three.toml'}",
            "user add alice",
            f"pin set alice {pin}",
            f"consent grant alice --purpose unlock --purpose identify --of-age {pin}",
        ):
            assert entry.run(["--device", str(folder / "phone"), "-q", *line.split()]) is ExitCode.OK
    return folder


def called(home: Path, line: str, *, front: str = "-q") -> ExitCode:
    files = {"TOUCH": home / "samples" / "alice-touch", "FACE": home / "samples" / "alice-face", "PIN": home / "pin"}
    for word, file in files.items():
        line = line.replace(word, str(file))
    with unlocked_devices():
        return entry.run(["--device", str(home / "phone"), "--no-input", *front.split(), *line.split()])


def told(home: Path, capsys: Seen, line: str, expected: ExitCode = ExitCode.OK) -> dict[str, Any]:
    capsys.readouterr()
    assert called(home, line, front="--json") is expected
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_each_command_is_of_the_sensor_that_it_names(home: Path, capsys: Seen) -> None:
    enroll = "enroll alice --finger right-index TOUCH1.iso TOUCH2.iso TOUCH3.iso --pin-file PIN"
    made = told(home, capsys, f"{enroll} --on-sensor 2")
    assert (made["sensor"], made["views"]) == (2, 3), "the challenge of another sensor would have been refused"
    assert told(home, capsys, "list")["records"][0]["sensor"] == 2
    claim = told(home, capsys, "authenticate alice TOUCH4.iso --on-sensor 2")
    assert (claim["sensor"], claim["match"], claim["record_id"]) == (2, True, made["record_id"])
    search = told(home, capsys, "identify TOUCH4.iso --on-sensor 2")
    assert (search["sensor"], search["user"]) == (2, "alice")
    first = told(home, capsys, "identify TOUCH4.iso", ExitCode.NO)
    assert (first["sensor"], first["match"]) == (1, False)
    error = told(home, capsys, "authenticate alice TOUCH4.iso", ExitCode.INPUT_REFUSED)["error"]
    assert (error["code"], error["message"]) == (
        "match.not_enrolled", "the user has no record of this kind on this sensor")  # fmt: skip
    assert told(home, capsys, f"{enroll} --on-sensor 1")["sensor"] == 1, "the same finger on the other one"
    assert told(home, capsys, "enroll alice --face FACE1.npy FACE2.npy FACE3.npy --pin-file PIN")["sensor"] == 0
    assert told(home, capsys, "authenticate alice FACE4.npy")["sensor"] == 0

    assert called(home, "list alice") is ExitCode.OK
    head, *rows = (line.split() for line in capsys.readouterr().out.splitlines())
    assert head[:5] == ["record", "user", "modality", "sensor", "position"]
    assert sorted(row[2:5] for row in rows) == [
        ["face", "0", "face"], ["fingerprint", "1", "right-index"], ["fingerprint", "2", "right-index"]]  # fmt: skip
    assert called(home, f"show {made['record_id']}") is ExitCode.OK
    assert "sensor:       2\n" in capsys.readouterr().out
    for line, said in (
        ("authenticate alice TOUCH4.iso --on-sensor 2", "match: alice on sensor 2\n"),
        ("identify TOUCH4.iso", "match: alice on sensor 1\n"),
    ):
        assert called(home, line) is ExitCode.OK
        assert said in capsys.readouterr().out
    assert called(home, f"{enroll} --replace --on-sensor 2", front="") is ExitCode.OK
    shown = capsys.readouterr()
    assert "of alice (3 views) on sensor 2\n" in shown.out
    assert "next: bioguard authenticate alice FILE --on-sensor 2\n" in shown.err


@pytest.mark.parametrize(
    "line",
    ["enroll alice --finger right-thumb TOUCH1.iso", "authenticate alice TOUCH4.iso", "identify TOUCH4.iso"],
)
def test_a_sensor_that_is_not_there_or_of_the_other_kind_is_refused(home: Path, line: str, capsys: Seen) -> None:
    """Also before a PIN is asked for, which nobody can give here."""
    unknown = told(home, capsys, f"{line} --on-sensor 3", ExitCode.INPUT_REFUSED)["error"]
    assert unknown == {
        "code": "sensor.unknown",
        "message": "this device has no sensor 3",
        "hint": "it has 0 face, 1 fingerprint, 2 fingerprint",
    }
    other = told(home, capsys, f"{line} --on-sensor 0", ExitCode.INPUT_REFUSED)["error"]
    assert other == {
        "code": "sensor.kind",
        "message": "sensor 0 is of face, not of fingerprint",
        "hint": "name a sensor of the kind of the sample",
    }
    assert called(home, f"{line} --on-sensor -1") is ExitCode.USAGE
    assert "-1 is not in the range x>=0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("on_sensor", "face", "kind"),
    [
        (None, False, Modality.FINGERPRINT),
        (None, True, Modality.FACE),
        (0, False, Modality.FINGERPRINT),
        (1, False, Modality.FACE),
        (0, True, Modality.FACE),
        (9, False, Modality.FINGERPRINT),
    ],
)
def test_a_picture_is_of_what_the_named_sensor_sees(on_sensor: int | None, face: bool, kind: Modality) -> None:
    assert [props.kind for props in default_table()] == [Modality.FINGERPRINT, Modality.FACE]
    device: Any = SimpleNamespace(configuration=Configuration(sensor_table=default_table()))
    assert modality_for(device, face=face, on_sensor=on_sensor) is kind
