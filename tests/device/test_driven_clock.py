"""A stepped clock, driven from the command line and by scenarios; waits that nothing else ends."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bioguard.cli.__main__ import run as main
from bioguard.device import Device, DeviceOptions, pins
from bioguard.device.durations import parse_duration
from bioguard.device.hooks import SCENARIO_FILE
from bioguard.errors import InputRefused
from bioguard.exit_codes import ExitCode
from bioguard.records.locks import Lock, LockStatus
from bioguard.records.modality import Modality
from tests.contract.test_device import PLAYED, Faces, populate, run, save_faults
from tests.unlocked import unlocked_devices


@pytest.fixture(autouse=True, scope="module")
def unlocked() -> Iterator[None]:
    """A clock moves alike behind the lock and without it (tests/contract/test_device.py has real starts)."""
    with unlocked_devices():
        yield


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A device on the host's clock: alice, PIN 1234, one face. Tests leave it as it was."""
    directory = tmp_path_factory.mktemp("host") / "device"
    populate(directory)
    return directory


@pytest.fixture
def stepped(tmp_path: Path) -> Path:
    """A device with a stepped clock: alice, PIN 1234, one face."""
    directory = tmp_path / "stepped"
    populate(directory, DeviceOptions(clock=1_800_000_000_000))
    return directory


def test_a_clock_step_is_taken_once_and_ends_a_wait(stepped: Path) -> None:
    faces = Faces()
    with Device.open(stepped, PLAYED) as device:
        for _ in range(5):
            device.authenticate("alice", faces.impostor())
    save_faults(stepped, clock_step_ms="29000")
    for _ in range(3):
        with Device.open(stepped, PLAYED) as device:
            info = pins.lock_info(device, "alice", Modality.FACE)
            assert info == LockStatus(Lock.TIMED, 1000)
    assert not (stepped / SCENARIO_FILE).exists()
    save_faults(stepped, clock_step_ms="1000")
    with Device.open(stepped, PLAYED) as device:
        assert device.authenticate("alice", faces.genuine()).match


def test_a_clock_step_is_refused_by_name_on_the_hosts_clock(host: Path, stepped: Path) -> None:
    code, error = run(host, "fault", "set", "lockout=true", "clock_step_ms=5000")
    assert (code, error["error"]["code"], "clock_step_ms" in error["error"]["message"]) == (5, "fault.clock", True)
    assert not (host / SCENARIO_FILE).exists()
    save_faults(host, clock_step_ms="5000")
    for _ in range(2):
        code, error = run(host, "list")
        assert (code, error["error"]["code"]) == (5, "fault.clock")
    assert error["error"]["hint"] == "run: bioguard fault clear clock_step_ms"
    assert run(host, "fault", "clear", "clock_step_ms")[0] == 0
    assert run(host, "list")[0] == 0
    assert run(stepped, "fault", "set", "clock_step_ms=1000")[0] == 0
    code, error = run(stepped, "fault", "set", f"clock_step_ms={1 << 60}")
    assert (code, error["error"]["code"]) == (4, "fault.value")
    for _ in range(8):  # of a thousand years each
        save_faults(stepped, clock_step_ms=str(1 << 45))
        code, error = run(stepped, "list")
    assert (code, error["error"]["code"]) == (4, "fault.clock")


def test_faults_are_not_changed_beside_a_running_device(host: Path) -> None:
    with Device.open(host):
        name = (host / "boot.simulated").read_bytes()
        for command in (("fault", "set", "lockout=true"), ("fault", "clear"), ("device", "reboot")):
            code, error = run(host, *command)
            assert (code, error["error"]["code"]) == (6, "device.in_use")
        assert (host / "boot.simulated").read_bytes() == name
    assert run(host, "fault", "set", "lockout=true")[0] == 0
    code, error = run(host.parent / "nowhere", "fault", "set", "lockout=true")
    assert (code, error["error"]["code"]) == (6, "device.missing")


def test_the_clock_of_a_device_is_driven_from_the_command_line(host: Path, stepped: Path, tmp_path: Path) -> None:
    def clock(*words: str) -> tuple[int, dict]:
        code, said = run(stepped, "clock", *words)
        return code, {name: said.get(name) for name in ("clock", "wall", "boot_ms")}

    assert clock("show") == (0, {"clock": "stepped", "wall": "2027-01-15T08:00:00Z", "boot_ms": 0})
    impostor = tmp_path / "impostor.npy"
    np.save(impostor, Faces().impostor().vector)
    for _ in range(5):
        run(stepped, "authenticate", "alice", str(impostor))
    assert run(stepped, "pin", "status", "alice")[1]["locks"]["face"] == {"lock": "timed", "remaining_ms": 30_000}
    assert clock("advance", "29s") == (0, {"clock": "stepped", "wall": "2027-01-15T08:00:29Z", "boot_ms": 29_000})
    assert run(stepped, "pin", "status", "alice")[1]["locks"]["face"]["remaining_ms"] == 1000
    assert clock("advance", "PT1S")[1]["boot_ms"] == 30_000
    assert run(stepped, "pin", "status", "alice")[1]["locks"]["face"]["lock"] == "none"
    assert run(stepped, "device", "reboot")[0] == 0
    assert clock("show") == (0, {"clock": "stepped", "wall": "2027-01-15T08:00:30Z", "boot_ms": 0})
    assert run(host, "clock", "show")[1]["clock"] == "host"
    code, error = run(host, "clock", "advance", "31s")
    assert (code, error["error"]["code"]) == (5, "clock.host")
    code, error = run(stepped, "clock", "advance", "9999999999d")
    assert (code, error["error"]["code"]) == (4, "clock.range")


def test_a_pin_wait_lasts_over_reboots_and_only_the_clock_ends_it(stepped: Path) -> None:
    def verify(pin: str) -> tuple[int, dict]:
        return run(stepped, "pin", "verify", "alice", "--pin-file", "-", stdin=f"{pin}\n")

    for _ in range(5):
        verify("0000")
    assert verify("1234")[1]["error"]["hint"] == "wait 30 s, then try again"
    run(stepped, "clock", "advance", "20s")
    assert verify("1234")[1]["error"]["hint"] == "wait 10 s, then try again"
    run(stepped, "device", "reboot")
    assert verify("1234")[1]["error"]["hint"] == "wait 30 s, then try again"
    run(stepped, "clock", "advance", "29s")
    assert verify("1234")[0] == 5
    run(stepped, "clock", "advance", "1s")
    assert verify("1234")[0] == 0


def test_what_a_start_erases_is_told_by_whatever_command_made_it(
    stepped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(*words: str) -> str:
        assert main(["--device", str(stepped), "-q", *words]) is ExitCode.OK
        return capsys.readouterr().err

    digest = json.loads(run_json(stepped, capsys, "list"))["records"][0]["digest"]
    for _ in range(12):
        assert "erased" not in told("clock", "advance", "30d")
    assert "log bodies older than 30 days" in told("clock", "advance", "5d")
    assert f"the start erased 1 record(s) whose time was over, with digests {digest[:16]}" in told("device", "status")
    assert "erased" not in told("device", "status")
    said = json.loads(run_json(stepped, capsys, "list"))
    assert (said["records"], said["erased_at_start"], said["records_held"]) == ([], 0, 0)


def test_a_clock_that_moved_too_far_erases_nothing_until_a_person_confirms(
    stepped: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    genuine = tmp_path / "genuine.npy"
    np.save(genuine, Faces().genuine().vector)
    digest = json.loads(run_json(stepped, capsys, "list"))["records"][0]["digest"]
    run(stepped, "clock", "advance", "1100d")
    capsys.readouterr()
    for command in ("list", "device status", "clock show"):
        assert main(["--device", str(stepped), *command.split()]) is ExitCode.OK
        assert "1 record(s) and log bodies seem over; unused, and kept until `bioguard purge --confirm`" in (
            capsys.readouterr().err
        )
    code, said = run(stepped, "list")
    assert (code, len(said["records"]), said["records_held"]) == (0, 1, 1)
    code, error = run(stepped, "authenticate", "alice", str(genuine))
    assert (code, error["error"]["code"]) == (5, "consent.expired")
    run(stepped, "consent", "grant", "alice", "--purpose", "unlock", "--of-age", "--pin-file", "-", stdin="1234\n")
    code, error = run(stepped, "authenticate", "alice", str(genuine))
    assert (code, error["error"]["code"]) == (5, "match.record_expired")
    (incident,) = run(stepped, "incident")[1]["incidents"]
    assert (incident["cause"], incident["code"], incident["acknowledged"]) == (
        "clock-moved",
        "device.clock_moved",
        False,
    )
    _, purged = run(stepped, "purge")
    assert (purged["records_erased"], purged["records_held"], purged["log_bodies_held"]) == (0, 1, True)
    _, purged = run(stepped, "purge", "--confirm")
    assert (purged["records_erased"], purged["records_held"], purged["digests_erased"]) == (1, 0, [digest])
    assert run(stepped, "incident")[1]["incidents"][0]["acknowledged"] is True
    assert run(stepped, "list")[1]["records"] == []


def run_json(directory: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(["--device", str(directory), "--json", *words]) is ExitCode.OK
    return capsys.readouterr().out


DAY_MS = 86_400_000


@pytest.mark.parametrize(("text", "ms"), [
    ("31s", 31_000), ("5m", 300_000), ("2h", 7_200_000), ("3d", 3 * DAY_MS), ("250ms", 250), ("5m30ms", 300_030),
    ("1d2h3m4s5ms", DAY_MS + 7_384_005), ("PT31S", 31_000), ("P3D", 3 * DAY_MS), ("P1DT1M", DAY_MS + 60_000),
    ("PT1H2M3S", 3_723_000), ("007s", 7_000),
])  # fmt: skip
def test_spans_of_time(text: str, ms: int) -> None:
    assert parse_duration(text) == ms


@pytest.mark.parametrize("text", [
    "", "5", "s", "-5s", "+5s", "5 s", " 5s", "5s ", "5S", "1.5h", "5s5m", "5s5s", "0s", "0d0h", "P", "PT", "P5", "p5d",
    "PT0S", "P1Y", "P1M", "PT5", "1e3s", "\u0665s", "5s\n", "9" * 16 + "s", "1w",
])  # fmt: skip
def test_what_is_no_span_of_time(text: str) -> None:
    with pytest.raises(InputRefused) as caught:
        parse_duration(text)
    assert caught.value.code == "clock.duration"
