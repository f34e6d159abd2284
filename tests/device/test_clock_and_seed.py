"""A device's clock and seed are its own: what a caller says, and what the kernel shows a caller, changes neither."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bioguard.cli.__main__ import run
from bioguard.commands.status import Nothing
from bioguard.device import Device, DeviceOptions, clock
from bioguard.device.consent import attest, log_key
from bioguard.device.pins import set_pin, verify_pin
from bioguard.errors import BioguardError, WrongUsage
from bioguard.exit_codes import ExitCode
from bioguard.serve.methods import DeviceService
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.wire import AdvanceClock
from tests.broken_build import Change, install

START_MS = 1_800_000_000_000
SHIFT_S = 100_000


@pytest.mark.parametrize("made", [{}, {"clock": START_MS}, {"seed": "x"}])
def test_a_start_with_another_clock_or_seed_is_refused_and_changes_nothing(tmp_path: Path, made: dict) -> None:
    directory = tmp_path / "device"
    Device.init(directory, DeviceOptions(**made)).close()
    for said in ({"clock": START_MS + 1}, {"seed": "y"}, {"clock": START_MS + 1, "seed": "y"}):
        with pytest.raises(WrongUsage) as caught:
            Device.open(directory, DeviceOptions(**said))
        assert (caught.value.exit_code, caught.value.code) == (ExitCode.USAGE, "device.options")
        assert all(f"--{name}" in caught.value.message for name in said)
    assert not (directory / "incidents.json").exists()
    with Device.open(directory, DeviceOptions(**made)) as device:
        assert device.users() == []


def test_the_hosts_time_is_not_advanced_by_any_message(tmp_path: Path) -> None:
    with Device.init(tmp_path / "device") as device:
        for ms in (0, 1, 80_000, 1 << 45):
            answer = device.running.context.exchange(AdvanceClock(ms=ms), 5_000)
            assert answer.result is TeeResult.ACCESS_DENIED
        with pytest.raises(BioguardError) as caught:
            clock.advance(device, 80_000)
        assert caught.value.code == "clock.host"
        assert clock.now(device).boot_ms < 80_000


@pytest.mark.parametrize("ms", [0, -1, (1 << 45) + 1])
def test_only_a_step_forward_is_one(tmp_path: Path, ms: int) -> None:
    with Device.init(tmp_path / "device", DeviceOptions(clock=START_MS)) as device:
        with pytest.raises(BioguardError) as caught:
            clock.advance(device, ms)
        assert (caught.value.code, clock.now(device).wall_ms) == ("clock.range", START_MS)


def test_a_device_says_how_it_was_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ["--device", str(tmp_path / "device")]
    made = [*at, "device", "init", "--seed", "x", "--clock", "fixed:2026-01-31T12:00:00Z"]
    assert run(made) is ExitCode.OK
    assert "clock: stepped; randomness: SEEDED" in capsys.readouterr().out
    run([*at, "device", "status", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert (said["clock"], said["randomness"]) == ("stepped", "SEEDED")
    with Device.open(tmp_path / "device") as device:
        assert DeviceService(device)(0, Nothing()).device_is_seeded
        token = attest(device, bytes(32))
    assert b"clock stepped, randomness SEEDED, rates sealed" in token


def test_rows_of_seeded_devices_never_share_a_nonce(tmp_path: Path) -> None:
    """What a thief of the store sees: as many nonces as versions, over starts and over twins."""
    seen: dict[bytes, tuple[str, str, int]] = {}
    for twin in ("one", "two"):
        directory = tmp_path / twin
        for start in range(3):
            open_or_init = Device.open if start else Device.init
            with open_or_init(directory, DeviceOptions(seed="x")) as device:
                device.add_user(f"user{start}")
            with closing(sqlite3.connect(directory / "storage.db")) as store:
                rows = store.execute("select nonce, hex(name), version from object").fetchall()
            for nonce, name, version in rows:
                assert seen.setdefault(nonce, (twin, name, version)) == (twin, name, version)
    assert len(seen) > 12


def test_twins_have_the_same_keys_and_ids_and_no_start_repeats_one(tmp_path: Path) -> None:
    def life(name: str) -> list[bytes]:
        directory, drawn = tmp_path / name, []
        for start in range(2):
            open_or_init = Device.open if start else Device.init
            with open_or_init(directory, DeviceOptions(seed="x", clock=START_MS)) as device:
                drawn.append(log_key(device).public_key)
                if not start:
                    device.add_user("alice")
                drawn.append(set_pin(device, "alice", b"1234").to_bytes(8, "big"))
        return drawn

    one, other = life("one"), life("two")
    assert one == other
    assert one[0] == one[2]
    assert one[1] != one[3]


UNSHARE = shutil.which("unshare")


def _in_namespace(*command: str) -> subprocess.CompletedProcess[bytes]:
    line = [str(UNSHARE), "--map-root-user", "--user", "--time", f"--boottime={SHIFT_S}", "--fork", *command]
    return subprocess.run(line, input=b"1234\n", capture_output=True, check=False, timeout=60)


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    """A device on the host's clock whose user alice, PIN 1234, has to wait for 30 s."""
    if UNSHARE is None or _in_namespace("true").returncode:
        pytest.skip("this host lets nobody make a time namespace")
    directory = tmp_path / "device"
    with Device.init(directory) as device:
        device.add_user("alice")
        set_pin(device, "alice", b"1234")
        codes = []
        for _ in range(5):
            with pytest.raises(BioguardError) as caught:
                verify_pin(device, "alice", b"0000")
            codes.append(caught.value.code)
    assert codes == ["pin.wrong"] * 4 + ["pin.wait"]
    return directory


def _verify(directory: Path, *python: str) -> tuple[str, ...]:
    words = ("--json", "--device", str(directory), "pin", "verify", "alice", "--pin-file", "-")
    return (*python, "-m", "bioguard.cli", *words)


def test_a_time_namespace_is_refused(waiting: Path) -> None:
    done = _in_namespace(*_verify(waiting, sys.executable))
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (6, "tee.time_namespace")
    refused = subprocess.run(_verify(waiting, sys.executable), input=b"1234\n", capture_output=True, check=False)
    assert json.loads(refused.stdout)["error"]["code"] == "pin.wait"


BLIND: Change = ("tee_sim/secure/launcher.py", "shifted = clocks_are_shifted()", "shifted = False")


BLIND_RUN = """
import sys
from tee_sim.normal.sandbox_verdict.probes import cached_probes
cached_probes()
sys.executable = {interpreter!r}
from bioguard.cli.__main__ import run
sys.exit(int(run(sys.argv[1:])))
"""


def test_where_a_time_namespace_is_not_seen_the_wait_starts_anew(
    waiting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second line: the boot clock ran ahead of the wall clock, which no namespace moves."""
    script, real, words = tmp_path / "blind.py", sys.executable, _verify(waiting)[2:]
    install(monkeypatch, tmp_path / "blind", (BLIND,))
    script.write_text(BLIND_RUN.format(interpreter=sys.executable))
    done = _in_namespace(real, str(script), *words)
    assert done.returncode == 5, done.stderr
    error = json.loads(done.stdout)["error"]
    assert (error["code"], error["hint"]) == ("pin.wait", "wait 30 s, then try again")
