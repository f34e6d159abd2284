"""`device init --scenario` makes the sensors of the file, and `device status` says them; a device that runs reboots."""

import json
from pathlib import Path
from typing import Any

import pytest

from bioguard.cli import __main__ as entry
from bioguard.device import Device, pins
from bioguard.device.consent import grant_all
from bioguard.errors import InputRefused, NotPermitted
from bioguard.exit_codes import ExitCode
from bioguard.records.acquired import AcquiredCode
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import FingerprintSensorType, Location, SensorProps
from bioguard.records.tokens import TokenRejected
from bioguard.simulate.people import face_views, finger_impressions

FINGER, FACE = Modality.FINGERPRINT, Modality.FACE
SCENARIO = """
format = "bioguard-scenario 2"

[device]
seed = "sensors"
clock = "fixed:2026-01-31T12:00:00Z"
lockout_cascade = true

[[sensor]]
kind = "fingerprint"
type = "under-display-optical"
max_enrollments = 3
location = { x = 540, y = 1800, radius = 90, display = "inner" }

[[sensor]]
kind = "fingerprint"
type = "power-button"
strength = "weak"
"""


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made by the command line from the scenario."""
    folder = tmp_path_factory.mktemp("sensors")
    (folder / "two.toml").write_text(SCENARIO, "utf-8")
    made = entry.run(
        ["--device", str(folder / "phone"), "device", "init", "--scenario", str(folder / "two.toml"), "-q"]
    )
    assert made is ExitCode.OK
    return folder / "phone"


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    capsys.readouterr()
    assert entry.run(["--json", *map(str, arguments)]) is ExitCode.OK
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_status_lists_the_sensors_of_the_scenario(phone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = told(capsys, "--device", phone, "device", "status")
    first, second = status["sensor_table"]
    assert (first["id"], first["kind"], first["strength"], first["type"], first["max_enrollments"]) == (
        0, "fingerprint", "strong", "under-display-optical", 3)  # fmt: skip
    assert first["location"] == {"x": 540, "y": 1800, "radius": 90, "display": "inner"}
    assert (second["id"], second["strength"], second["type"], second["location"]) == (1, "weak", "power-button", None)
    assert (status["lockout_cascade"], status["clock"], status["randomness"]) == (True, "stepped", "SEEDED")
    assert (status["search_lock_fingerprint"], status["search_lock_fingerprint_1"]) == ("none", "none")
    assert entry.run(["--device", str(phone), "device", "status"]) is ExitCode.OK
    lines = capsys.readouterr().out
    assert "sensor 1:      fingerprint, weak, power-button, 5 records a user" in lines
    assert "lockout android-13 with the cascade" in lines


@pytest.mark.parametrize("more", [("--lockout-cascade",), ("--max-fingers", "3"), ("--seed", "a")])
def test_no_option_says_again_what_the_scenario_says(
    phone: Path, more: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    file, other = phone.parent / "two.toml", phone.parent / "other"
    arguments = ["--device", str(other), "device", "init", "--scenario", str(file), *more]
    assert entry.run(arguments) is ExitCode.USAGE
    assert f"leave out {more[0]}" in capsys.readouterr().err
    assert not other.exists()


def test_each_call_names_a_sensor_or_means_the_first_of_a_kind(tmp_path: Path) -> None:
    table = (
        SensorProps(sensor_id=0, kind=FACE, sensor_type=1),
        SensorProps(sensor_id=1, kind=FINGER),
        SensorProps(
            sensor_id=2, kind=FINGER, sensor_type=FingerprintSensorType.POWER_BUTTON, location=Location.of(0, 600, 9)
        ),
    )
    touches = finger_impressions(5, person=1, count=5)
    views = face_views(5, person=1, count=4)
    with Device.init(tmp_path / "phone", sensor_table=table, require_pin=False) as device:
        assert device.configuration.sensor_table == table
        device.add_user("alice")
        grant_all(device, "alice", of_age=True)
        device.enroll("alice", touches[:3], finger="unnamed", sensor=2)
        device.enroll("alice", views[:3])
        (face, finger) = sorted(device.records("alice"), key=lambda record: record.sensor)
        assert [(r.sensor, r.modality, r.position) for r in (face, finger)] == [
            (0, "face", "face"), (2, "fingerprint", "unnamed")]  # fmt: skip
        assert device.authenticate("alice", touches[4], sensor=2).match
        assert device.identify(touches[4], sensor=2).user == "alice"
        assert not device.identify(touches[4]).match, "the first fingerprint sensor"
        with pytest.raises(InputRefused) as none:
            device.authenticate("alice", touches[4])
        assert none.value.code == "match.not_enrolled"
        assert device.judge(1, touches[:2], touches[2]) is AcquiredCode.GOOD
        assert device.judge(1, touches[:2], touches[1]) is AcquiredCode.IMMOBILE
        device.prepare_enrollment("alice", 1)
        assert device.features("alice", 0) == frozenset()
        refused = {
            "sensor.unknown": lambda: device.authenticate("alice", touches[4], sensor=3),
            "sensor.kind": lambda: device.authenticate("alice", touches[4], sensor=0),
            "sensor.no_feature": lambda: device.features("alice", 2),
            "request.argument": lambda: device.authenticate("alice", touches[4], sensor="2"),
            "enroll.finger": lambda: device.enroll("alice", touches, finger="unnamed", sensor=2, replace=True),
        }
        for code, call in refused.items():
            with pytest.raises(InputRefused) as caught:
                call()
            assert caught.value.code == code
        with pytest.raises(NotPermitted) as token:
            device.set_feature("alice", 0, b"", 0, True)
        assert token.value.code == "token.refused"


def test_a_device_that_runs_is_rebooted_and_its_clock_moved(phone: Path) -> None:
    with Device.open(phone) as device:
        device.add_user("bob")
        grant_all(device, "bob", of_age=True)
        pins.set_pin(device, "bob", b"1234")
        touches = finger_impressions(5, person=2, count=4)
        old = pins.enrollment_token(device, "bob", FINGER, b"1234")
        before, process = device.advance_clock(60_000), device.running
        device.reboot()
        assert device.running is not process
        assert device.advance_clock(1).boot_ms < before.boot_ms, "a new boot"
        with pytest.raises(TokenRejected):
            pins.check_token(device, old)
        with pytest.raises(NotPermitted) as caught:
            device.prepare_enrollment("bob", 0, old)
        assert caught.value.code == "token.refused"
        token = pins.enrollment_token(device, "bob", FINGER, b"1234")
        device.enroll("bob", touches[:3], finger="right-index", token=token)
        assert device.authenticate("bob", touches[3]).token is not None
        token = pins.enrollment_token(device, "bob", FINGER, b"1234", 1)
        device.enroll("bob", touches[:3], finger="right-index", token=token, sensor=1)
        weak = device.authenticate("bob", touches[3], sensor=1)
        assert (weak.match, weak.token) == (True, None)
        assert pins.authenticator_id(device, "bob", FINGER, 1) == 0
