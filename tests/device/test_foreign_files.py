"""Whatever stands in the place of a file of the device: a typed error, an incident, no wait, and nothing followed."""

import os
import shutil
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bioguard.device import Device, DeviceOptions
from bioguard.device.boot_id import BOOT_FILE
from bioguard.device.directory import FILES
from bioguard.device.fuses import FUSE_FILE
from bioguard.device.hooks import OLD_SCENARIO_FILE, SCENARIO_FILE
from bioguard.device.incidents import INCIDENTS_FILE, incidents, record_incident
from bioguard.device.names import NAMES_FILE
from bioguard.device.password_handles import HANDLES_FILE, PasswordHandles
from bioguard.device.strong_auth_times import UNLOCK_FILE, unlock_times
from bioguard.errors import BioguardError, IntegrityFailure, NotPermitted, TeeUnavailable
from bioguard.exit_codes import ExitCode
from bioguard.private_files import write_file
from bioguard.records.audit_events import Cause
from bioguard.simulate.faults import scripted
from tee_sim.normal.machine.start_caches import FOLDER

PLACED = [n for n in FILES if not n.endswith((".new", ".damaged")) and n != FOLDER]
"""But for caches: whatever stands there counts as none (tests/tee_sim/test_start_caches.py)."""
DEEP = b"[" * 200_000
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("good") / "device"
    with Device.init(directory) as device:
        device.add_user("alice")
    for name in (HANDLES_FILE, UNLOCK_FILE, SCENARIO_FILE, INCIDENTS_FILE, "storage.db-wal", "storage.db-shm"):
        assert not (directory / name).exists()
    return directory


@pytest.fixture
def device(good: Path, tmp_path: Path) -> Path:
    shutil.copytree(good, tmp_path / "device")
    return tmp_path / "device"


def _elsewhere(path: Path) -> Path:
    other = path.parent.parent / "elsewhere"
    other.write_bytes(path.read_bytes() if path.exists() else b"")
    other.chmod(0o600)
    path.unlink(missing_ok=True)
    return other


def _rewritten(path: Path) -> Path:
    path.touch(0o600)
    return path


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(path.parent)  # the path of a socket has at most 107 bytes
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


def _gone(path: Path) -> Path:
    path.unlink(missing_ok=True)
    return path


KINDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "directory": (lambda p: _gone(p).mkdir(), "device.file_kind"),
    "fifo": (lambda p: os.mkfifo(_gone(p)), "device.file_kind"),
    "socket": (lambda p: _socket(_gone(p)), "device.file_kind"),
    "link to a file": (lambda p: p.symlink_to(_elsewhere(p)), "device.file_kind"),
    "link to nothing": (lambda p: _gone(p).symlink_to("nowhere"), "device.file_kind"),
    "link to itself": (lambda p: _gone(p).symlink_to(p.name), "device.file_kind"),
    "hard link": (lambda p: os.link(_elsewhere(p), p), "device.file_links"),
    "writable by all": (lambda p: _rewritten(p).chmod(0o777), "device.file_mode"),
    "writable by the group": (lambda p: _rewritten(p).chmod(0o620), "device.file_mode"),
}


def _refused(call: Callable[[], object]) -> BioguardError:
    with pytest.raises(BioguardError) as caught:
        call()
    assert caught.value.hint
    assert caught.value.exit_code in {ExitCode.INPUT_REFUSED, ExitCode.TEE_UNAVAILABLE, ExitCode.INTEGRITY}
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PLACED)
def test_what_is_no_plain_file_of_ours_is_refused_and_told(device: Path, name: str, kind: str) -> None:
    place, code = KINDS[kind]
    place(device / name)
    error = _refused(lambda: (incidents(device) and Device.open(device)) or Device.open(device))
    assert error.code == ("device.fuse_mode" if name == FUSE_FILE and code == "device.file_mode" else code)
    if name == FUSE_FILE:
        assert [i.code for i in incidents(device)] == [error.code]
    else:
        assert [(i.code, i.cause) for i in incidents(device)] == [(error.code, Cause.TAMPERED)]


@AS_ROOT
@pytest.mark.parametrize("name", PLACED)
def test_a_file_of_somebody_else_is_refused(device: Path, name: str) -> None:
    os.chown(_rewritten(device / name), 12345, 12345)
    refusal = _refused(lambda: incidents(device) or Device.open(device))
    assert refusal.code == "device.file_owner"
    assert refusal.hint.endswith(f"in the device's directory: chown USER {name}")


@AS_ROOT
def test_a_device_node_is_refused_without_being_opened(device: Path) -> None:
    path = _gone(device / NAMES_FILE)
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))  # /dev/zero: reading it does not end
    assert "is a device node" in _refused(lambda: Device.open(device)).message


LARGE = {"storage.db": None, "storage.db-journal": None, "storage.reserve": None, "rpmb.img": "store.corrupt",
         OLD_SCENARIO_FILE: "scenario.old"}  # fmt: skip


@pytest.mark.parametrize("name", [n for n in PLACED if LARGE.get(n, "") is not None])
def test_a_sparse_file_of_20_gigabytes_costs_nothing(device: Path, name: str) -> None:
    os.truncate(_rewritten(device / name), 20 << 30)
    if name == HANDLES_FILE:
        assert _refused(lambda: PasswordHandles.load(device)).code == "device.file_size"
        return
    if name == UNLOCK_FILE:
        assert _refused(lambda: unlock_times(device, bytes(16), 0)).code == "device.file_size"
        return
    code = _refused(lambda: incidents(device) or Device.open(device, DeviceOptions(hooks=scripted))).code
    assert code == LARGE.get(name, "store.corrupt" if name.startswith("storage") else "device.file_size")


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o702])
def test_a_directory_that_others_can_write_is_refused(device: Path, mode: int) -> None:
    device.chmod(mode)
    for call in (Device.open, Device.init, Device.wipe):
        assert _refused(lambda call=call: call(device)).code == "device.directory_mode"
    device.chmod(0o700)
    Device.open(device).close()


def test_a_link_in_the_place_of_the_directory_is_refused(device: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(device)
    assert _refused(lambda: Device.open(tmp_path / "link")).code == "device.directory_kind"
    assert _refused(lambda: Device.open(device / NAMES_FILE)).code == "device.directory_kind"


@AS_ROOT
def test_a_directory_of_somebody_else_is_refused(device: Path) -> None:
    os.chown(device, 12345, 12345)
    refusal = _refused(lambda: Device.open(device))
    assert refusal.code == "device.directory_owner"
    assert refusal.hint.endswith(f"run: chown USER {device}")


@pytest.mark.parametrize(
    ("name", "read", "code"),
    [
        (NAMES_FILE, Device.open, "device.names_damaged"),
        (HANDLES_FILE, PasswordHandles.load, "device.pins_damaged"),
        (INCIDENTS_FILE, incidents, "incident.damaged"),
    ],
)
@pytest.mark.parametrize("raw", [DEEP, b'{"a":' * 100_000, b"", b"\xff", b'{"format":1,"format":1}', b"NaN", b"null0"])
def test_what_is_not_our_json_is_damage_and_an_incident(
    device: Path, name: str, read: Callable[[Path], object], code: str, raw: bytes
) -> None:
    _rewritten(device / name).write_bytes(raw)
    assert _refused(lambda: read(device)).code == code
    assert [i.code for i in incidents(device)] == [code]
    assert _refused(lambda: read(device)).code == code if name != INCIDENTS_FILE else read(device)


def test_unlock_times_that_are_no_json_count_as_none(device: Path) -> None:
    _rewritten(device / UNLOCK_FILE).write_bytes(DEEP)
    assert unlock_times(device, bytes(16), 0).credential_ms is None


def test_a_damaged_incident_file_is_put_aside_and_hides_no_finding(device: Path) -> None:
    _rewritten(device / INCIDENTS_FILE).write_bytes(b"[")
    record_incident(device, IntegrityFailure("x", hint="y", code="store.corrupt"))
    assert [(i.number, i.code) for i in incidents(device)] == [(1, "incident.damaged"), (2, "store.corrupt")]
    assert (device / "incidents.json.damaged").read_bytes() == b"["
    record_incident(device, IntegrityFailure("x", hint="y", code="store.corrupt"))
    record_incident(device, IntegrityFailure("about a file that was given to us", hint="y", code="integrity.proof"))
    assert len(incidents(device)) == 2


@pytest.mark.parametrize("kind", [k for k in KINDS if not k.startswith("writable")])
def test_what_stands_in_the_place_of_a_temporary_file_is_replaced_and_not_written_through(
    tmp_path: Path, kind: str
) -> None:
    tmp_path.chmod(0o700)
    directory = tmp_path / "device"
    directory.mkdir(0o700)
    (directory / "f.new").write_bytes(b"half")
    KINDS[kind][0](directory / "f.new")
    write_file(directory, "f", "whole")
    assert [(p.name, p.read_text("ascii")) for p in directory.iterdir()] == [("f", "whole")]
    if (tmp_path / "elsewhere").exists():
        assert (tmp_path / "elsewhere").read_bytes() == b"half"
    assert not (tmp_path / "nowhere").exists()


def test_a_full_directory_in_its_place_is_told_and_nothing_is_lost(device: Path) -> None:
    (device / f"{NAMES_FILE}.new").mkdir()
    (device / f"{NAMES_FILE}.new" / "file").touch()
    before = (device / NAMES_FILE).read_bytes()
    assert _refused(lambda: write_file(device, NAMES_FILE, "{}")).code == "device.file_kind"
    assert (device / NAMES_FILE).read_bytes() == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [FUSE_FILE, NAMES_FILE, BOOT_FILE, "storage.db", "rpmb.img", "lock", FOLDER])
def test_a_device_can_be_wiped_whatever_stands_in_it(device: Path, name: str, kind: str) -> None:
    KINDS[kind][0](device / name)
    kept = device.parent / "elsewhere"
    before = kept.read_bytes() if kept.exists() else None
    Device.wipe(device)
    assert list(device.iterdir()) == []
    if before is not None:
        assert kept.read_bytes() == before


def test_wiping_tells_what_it_could_not_remove(device: Path) -> None:
    _gone(device / NAMES_FILE).mkdir()
    (device / NAMES_FILE / "file").touch()
    assert _refused(lambda: Device.wipe(device)).code == "device.wipe_left"
    assert [p.name for p in device.iterdir()] == [NAMES_FILE]


def test_a_full_disk_is_told_and_nothing_is_changed(device: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {p.name: p.read_bytes() for p in device.iterdir()}

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotPermitted) as caught:
        write_file(device, NAMES_FILE, "{}")
    assert caught.value.code == "store.full"
    assert {p.name: p.read_bytes() for p in device.iterdir()} == before


def test_no_device_is_no_incident(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(TeeUnavailable):
        Device.open(tmp_path)
    (tmp_path / NAMES_FILE).mkdir()
    with pytest.raises(NotPermitted):
        Device.init(tmp_path)
    assert not (tmp_path / INCIDENTS_FILE).exists()
    assert sys.getrecursionlimit() < 200_000
