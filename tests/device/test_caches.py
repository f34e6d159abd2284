"""Starts from caches: as locked as any other, measured as what they are, and never where evidence is made."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from bioguard.cli.__main__ import run
from bioguard.device import Device, DeviceOptions, ahead
from bioguard.device.consent import attest
from bioguard.device.fuses import FUSE_FILE, Fuses
from bioguard.errors import WrongUsage
from bioguard.private_files import opened_directory
from tee_sim.normal import child
from tee_sim.normal.machine.locked_start import start_locked
from tee_sim.normal.machine.start_caches import FOLDER
from tee_sim.normal.private_files import write_new
from tee_sim.normal.sandbox_verdict import probes

CACHED = DeviceOptions(caches=True)
NONCE = bytes(32)


def _no_probes() -> probes.ProbeResults:
    raise AssertionError("a start from its caches probes nothing")


def test_what_a_start_keeps_the_next_one_takes_unless_it_was_touched_and_nobody_attests_by_it(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bioguard.device.launch.start_locked", start_locked)  # without `tests.shared_code`
    with Device.init(directory) as device:
        measured, verdict = device.running.measurements, device.running.verdict
    assert not (directory / FOLDER).exists()
    with Device.open(directory, CACHED) as device:
        assert device.running.measurements == measured, "nothing was there to be taken"
        with pytest.raises(WrongUsage) as refused:
            attest(device, NONCE)
        assert refused.value.code == "attest.cached"
    files = [directory / FOLDER / name for name in ("code", "probes")]
    assert [stat.S_IMODE(path.stat().st_mode) for path in files] == [0o600, 0o600]
    with monkeypatch.context() as during:
        during.setattr(probes, "cached_probes", _no_probes)
        ahead.start(directory, caches=True)
        started = child._ahead[0].process
        with Device.open(directory, CACHED) as device:
            assert device.running.process.pid == started.pid, "it takes the process that was told the same before"
            taken = device.running.measurements
            assert not set(taken.values()) & set(measured.values())
            assert (device.running.verdict.level, device.running.verdict.findings) == (verdict.level, verdict.findings)
            assert not device.running.listing.files
        forged = bytearray(files[0].read_bytes())
        forged[-1] ^= 1
        files[0].write_bytes(forged)
        with Device.open(directory, CACHED) as device:
            assert device.running.measurements == measured, "compiled anew"
        assert files[0].read_bytes() != bytes(forged), "and kept anew"
    capsys.readouterr()
    assert run(["--device", str(directory), "--json", "device", "status"]) == 0
    assert json.loads(capsys.readouterr().out)["measurements"] == measured, "it says what was measured"
    with Device.open(directory) as device:
        assert device.running.measurements == measured
        assert attest(device, NONCE)
    assert run(["--device", str(directory), "device", "wipe", "--caches"]) == 0
    Device.open(directory, replace(CACHED, read_only=True)).close()
    assert not (directory / FOLDER).exists(), "a reader keeps nothing"


def _left_by_starts(directory: Path) -> None:
    (directory / FOLDER).mkdir(mode=0o700, parents=True)
    for name in ("probes", "code", "probes.new", "code.new"):
        (directory / FOLDER / name).write_bytes(b"")
    directory.chmod(0o700)


@pytest.mark.parametrize("more", [[], ["--caches"]], ids=["all of it", "the caches"])
def test_a_device_is_wiped_with_its_caches(directory: Path, more: list[str]) -> None:
    _left_by_starts(directory)
    with opened_directory(directory) as at:
        write_new(at, FUSE_FILE, Fuses.drawn(None).to_text().encode())
    assert run(["--device", str(directory), "device", "wipe", "--force", *more]) == 0
    assert [path.name for path in directory.iterdir()] == ([FUSE_FILE] if more else [])


def test_caches_of_no_device_are_left(directory: Path) -> None:
    assert run(["--device", str(directory), "device", "wipe", "--caches"]) == 6
    _left_by_starts(directory)
    assert run(["--device", str(directory), "device", "wipe", "--caches"]) == 6
    assert len(list((directory / FOLDER).iterdir())) == 4
