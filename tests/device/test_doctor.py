"""What `bioguard doctor` says of a device: no pass for one that cannot be used; the error that commands end with."""

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bioguard.device import Device, DeviceOptions, Level
from bioguard.device.lock import DeviceLock
from bioguard.device.names import NAMES_FILE
from bioguard.errors import BioguardError
from bioguard.evidence.device_checks import look_at
from bioguard.report.model import Check, Status, overall
from bioguard.simulate.faults import scripted
from bioguard.simulate.faults.scenario import Scenario
from tee_sim.normal.rpmb_chip.file_medium import FileMedium, OsFile
from tee_sim.shared.rpmb_frames import MAX_COUNTER
from tests.device.unwritable import make


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("good") / "device"
    make(directory)
    return directory


@pytest.fixture
def device(good: Path, tmp_path: Path) -> Path:
    shutil.copytree(good, tmp_path / "device")
    return tmp_path / "device"


def seen(directory: Path, **options: object) -> dict[str, Check]:
    return {check.id[-3:]: check for check in look_at(directory, DeviceOptions(**options))}  # type: ignore[arg-type]


def image(directory: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in directory.iterdir()}


def test_a_good_device_passes_and_is_left_as_it_is(device: Path) -> None:
    before = image(device)
    found = seen(device)
    assert [c.status for c in found.values()] == [Status.PASS] * 4
    assert "2 record(s)" in found["042"].summary
    assert image(device) == before


def test_where_there_is_no_device_nothing_is_said_of_one(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    for directory in (tmp_path, tmp_path / "nowhere"):
        assert [c.status for c in seen(directory).values()] == [Status.NOT_APPLICABLE]


def test_a_device_that_was_named_and_is_not_there_is_unknown(tmp_path: Path) -> None:
    found = list(look_at(tmp_path / "nowhere", DeviceOptions(), named=True))
    assert [(c.id, c.status) for c in found] == [("BG-DOC-040", Status.UNKNOWN), ("BG-DOC-042", Status.UNKNOWN)]
    assert all("nowhere" in c.summary and c.fix for c in found)


def _worn(directory: Path) -> None:
    with closing(OsFile(directory / "rpmb.img", create=False)) as file:
        medium = FileMedium(file)
        medium.commit(key=medium.key, counter=MAX_COUNTER)


def _fifo(directory: Path) -> None:
    (directory / "pins.json").unlink()
    os.mkfifo(directory / "pins.json")


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut database": (lambda d: os.truncate(d / "storage.db", 1000), "042"),
    "no database": (lambda d: (d / "storage.db").unlink(), "042"),
    "no rpmb": (lambda d: (d / "rpmb.img").unlink(), "042"),
    "another device's rpmb": (lambda d: (d / "rpmb.img").write_bytes(bytes(20_000)), "042"),
    "names": (lambda d: (d / NAMES_FILE).write_bytes(b"[" * 200_000), "041"),
    "fifo": (_fifo, "041"),
    "scenario": (lambda d: (d / "faults.scenario").write_text("x", "ascii"), "041"),
    "mode": (lambda d: d.chmod(0o777), "040"),
    "fuses": (lambda d: os.truncate(d / "fuses.simulated", 50), "040"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_device_fails_with_the_code_and_the_hint_of_every_command(device: Path, how: str) -> None:
    damage, number = BROKEN[how]
    damage(device)
    with pytest.raises(BioguardError) as caught:
        Device.open(device, DeviceOptions(hooks=scripted))
    found = seen(device)
    told = found[number]
    assert told.status in {Status.FAIL, Status.UNKNOWN}
    assert (told.summary.split(":")[0], told.fix) == (caught.value.code, caught.value.hint)
    assert "042" not in found or found["042"].status is not Status.PASS


def test_a_damaged_record_fails(device: Path) -> None:
    raw = bytearray((device / "storage.db").read_bytes())
    with Device.open(device, DeviceOptions(read_only=True)) as opened:
        digest = bytes.fromhex(next(opened.records()).digest)
    raw[raw.index(digest)] ^= 1
    (device / "storage.db").write_bytes(raw)
    told = seen(device)["042"]
    assert (told.status, told.summary.split(":")[0]) == (Status.FAIL, "store.corrupt")
    assert seen(device)["044"].summary == "incident 1 is open (store.corrupt)"


def test_a_device_in_use_is_unknown(device: Path) -> None:
    lock = DeviceLock(device)
    told = seen(device)["042"]
    lock.release()
    assert (told.status, told.summary.split(":")[0]) == (Status.UNKNOWN, "device.in_use")


def test_a_sandbox_below_the_required_level_is_unknown(device: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Level, "meets", lambda *_: False)
    assert seen(device)["042"].status is Status.UNKNOWN


def test_a_spent_counter_is_named_and_the_rest_is_looked_at(device: Path) -> None:
    _worn(device)
    found = seen(device)
    assert found["042"].status is Status.PASS
    assert (found["043"].status, found["043"].summary.split(":")[0]) == (Status.FAIL, "store.counter_spent")


def test_a_device_that_cannot_be_written_is_named(device: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    assert seen(device)["043"].summary.startswith("store.read_only: ")


def test_scripted_faults_are_told_and_not_played(device: Path) -> None:
    scenario = Scenario()
    scenario.knobs.set("storage", "read: die-before")
    scenario.save(device)
    found = seen(device)
    assert found["042"].status is Status.PASS
    assert found["045"].summary == "scripted: storage"


def test_what_was_put_aside_is_told(device: Path) -> None:
    (device / "incidents.json.damaged").touch()
    assert seen(device)["046"].summary == "incidents.json.damaged"


def test_a_directory_above_that_others_can_write_is_told(device: Path) -> None:
    device.parent.chmod(0o777)
    try:
        assert str(device.parent) in seen(device)["041"].summary
    finally:
        device.parent.chmod(0o700)


def test_a_device_of_another_version_fails(device: Path) -> None:
    fuses = device / "fuses.simulated"
    fuses.write_text(fuses.read_text("ascii").replace("bioguard-fuses 3", "bioguard-fuses 1"), "ascii")
    found = seen(device)
    assert (overall(c.status for c in found.values()), set(found)) == (Status.FAIL, {"040"})
