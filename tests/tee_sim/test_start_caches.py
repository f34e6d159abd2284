"""Caches of a start: whatever does not fit or does not authenticate is made anew, and nothing weak is kept."""

import os
import resource
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tee_sim.normal import secure_process
from tee_sim.normal.machine import start_caches
from tee_sim.normal.machine.fuses import RootSecret
from tee_sim.normal.machine.start_caches import FOLDER, StartCaches, cache_key
from tee_sim.normal.sandbox_verdict import probes
from tee_sim.normal.sandbox_verdict.probes import Probe, ProbeResults
from tee_sim.shared.errors import TeeError
from tee_sim.shared.wire import Boot, Compiled, LockProfile, pack

SECRET = RootSecret(huk=bytes(range(32)), device_id=bytes(range(16)))
KILLED = ProbeResults((Probe("fork", 0, 31),), Probe("landlock", 0, 13 << 8))
ALIVE = ProbeResults((Probe("fork", 0, 0),), None)
BOOT = Boot(manifests=(), profile=LockProfile.STRICT)


class Host:
    """Counts how often was probed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.probed = 0
        self.shown = KILLED
        monkeypatch.setattr(probes, "cached_probes", self._probe)

    def _probe(self) -> ProbeResults:
        self.probed += 1
        return self.shown

    def again(self, directory: Path, secret: RootSecret = SECRET) -> int:
        """How often another start probes."""
        before = self.probed
        assert StartCaches(directory, secret).probes() == self.shown
        return self.probed - before


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(monkeypatch)


def test_the_key_is_that_of_the_format() -> None:
    assert cache_key(SECRET).hex() == "27e515aa5142a5a4929d747482d52c607e4ba4ec02616cbd53938ad7b0d82ab9"
    others = (replace(SECRET, huk=bytes(32)), replace(SECRET, device_id=bytes(16)))
    assert len({cache_key(SECRET), *map(cache_key, others)}) == 3


def test_the_second_start_of_a_boot_does_not_probe_and_its_files_are_private(host: Host, tmp_path: Path) -> None:
    assert [host.again(tmp_path) for _ in range(3)] == [1, 0, 0]
    folder = tmp_path / FOLDER
    assert {p.name: stat.S_IMODE(p.stat().st_mode) for p in (folder, *folder.iterdir())} == {
        FOLDER: 0o700,
        "probes": 0o600,
    }


def _flipped(at: int) -> Callable[[Path], None]:
    def flip(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[at] ^= 1
        path.write_bytes(data)

    return flip


def _linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _forged(path: Path) -> None:
    path.write_bytes(bytes(32) + path.read_bytes()[32:])


FLAWS: dict[str, Callable[[Path], object]] = {
    "a bit of the MAC": _flipped(0),
    "a bit of the content": _flipped(-1),
    "no MAC": _forged,
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "empty": lambda path: path.write_bytes(b""),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "huge": lambda path: path.write_bytes(path.read_bytes() + bytes(5000)),
    "of the other cache": lambda path: (path.parent / "code").rename(path),
    "a link": _linked,
    "a FIFO": _fifo,
    "open to others": lambda path: path.chmod(0o622),
    "a folder open to others": lambda path: path.parent.chmod(0o777),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_what_was_touched_is_probed_anew(host: Host, tmp_path: Path, flaw: str) -> None:
    caches = StartCaches(tmp_path, SECRET)
    caches.probes()
    caches.keep_code((tmp_path / FOLDER / "probes").read_bytes()[32:])
    FLAWS[flaw](tmp_path / FOLDER / "probes")
    assert host.again(tmp_path) == 1


def test_a_cache_of_another_device_is_none(host: Host, tmp_path: Path) -> None:
    host.again(tmp_path)
    assert host.again(tmp_path, replace(SECRET, device_id=bytes(16))) == 1


SURROUNDINGS: dict[str, tuple[object, str, object]] = {
    "another boot": (probes, "boot_id", lambda: "another"),
    "another user": (os, "getresuid", lambda: (7, 7, 7)),
    "another group": (os, "getresgid", lambda: (7, 7, 7)),
    "other groups": (os, "getgroups", lambda: [7]),
    "another kernel": (os, "uname", lambda: ("Linux", "h", "7.0", "v", "x86_64")),
    "other namespaces": (os, "readlink", lambda _path: "net:[7]"),
    "other probes": (start_caches, "_digest_of_sources", lambda: bytes(32)),
    "another filter": (start_caches.filters, "secure_world_program", lambda *_: Filter()),
    "other privileges": (start_caches, "_HELD_DOWN", ("Seccomp",)),
    "another Python": (start_caches.sys, "version", "4"),
    "Python from elsewhere": (start_caches.sys, "executable", "/python"),
    "other flags of Python": (start_caches.sys, "flags", SimpleNamespace(optimize=7)),
}
"""What a kept outcome holds for; a replay from elsewhere is a file that was right there."""


class Filter:
    def sha256(self) -> bytes:
        return bytes(32)


@pytest.mark.parametrize("change", SURROUNDINGS)
def test_what_holds_elsewhere_does_not_hold_here(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    host.again(tmp_path)
    kept = (tmp_path / FOLDER / "probes").read_bytes()
    owner, name, value = SURROUNDINGS[change]
    with monkeypatch.context() as there:
        there.setattr(owner, name, value)
        assert host.again(tmp_path) == 1
    (tmp_path / FOLDER / "probes").write_bytes(kept)
    assert host.again(tmp_path) == 0, "it was the change alone"


def test_an_interpreter_is_the_same_by_any_of_its_names(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two ways to start one program would else remake the caches of each other, in turn."""
    host.again(tmp_path)
    (tmp_path / "python").symlink_to(sys.executable)
    monkeypatch.setattr(start_caches.sys, "executable", str(tmp_path / "python"))
    assert host.again(tmp_path) == 0


def test_a_lock_that_stops_nothing_is_not_kept_and_does_not_stand_for_one_that_did(host: Host, tmp_path: Path) -> None:
    host.shown = ALIVE
    assert [host.again(tmp_path), host.again(tmp_path)] == [1, 1]
    host.shown = ProbeResults((), None)
    assert host.again(tmp_path) == 1
    assert not (tmp_path / FOLDER).exists()


def test_a_reader_keeps_nothing_and_a_directory_that_cannot_be_written_is_no_error(host: Host, tmp_path: Path) -> None:
    reader = StartCaches(tmp_path, SECRET, write=False)
    assert reader.probes() == KILLED
    assert reader.code(BOOT) == BOOT
    assert not list(tmp_path.iterdir())
    gone = StartCaches(tmp_path / "gone", SECRET)
    assert gone.probes() == KILLED
    gone.keep_code(b"code")


def test_one_that_does_not_fit_on_the_disk_leaves_it_as_it_was(tmp_path: Path) -> None:
    caches = StartCaches(tmp_path, SECRET)
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "code.new").write_bytes(b"what a crash has left")
    caches.keep_code(b"code")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        caches.keep_code(bytes(1 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["code"]
    assert StartCaches(tmp_path, SECRET).code(BOOT).kept_code, "the one before it"


NAMELESS: dict[str, tuple[object, str, object]] = {
    "a boot without a name": (probes, "boot_id", lambda: ""),
    "a folder that is not UTF-8": (start_caches.sys, "executable", os.fsdecode(b"/\xff/python")),
}


@pytest.mark.parametrize("flaw", NAMELESS)
def test_where_something_has_no_name_nothing_is_kept(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flaw: str
) -> None:
    monkeypatch.setattr(*NAMELESS[flaw])
    assert [host.again(tmp_path), host.again(tmp_path)] == [1, 1]
    assert StartCaches(tmp_path, SECRET).code(BOOT) == BOOT
    assert not (tmp_path / FOLDER).exists()


def test_code_is_named_by_path_and_digest_if_it_authenticates(tmp_path: Path) -> None:
    caches = StartCaches(tmp_path, SECRET)
    assert caches.code(BOOT) == replace(BOOT, keep_code=True)
    caches.keep_code(b"code")
    named = StartCaches(tmp_path, SECRET).code(BOOT)
    path = tmp_path / FOLDER / "code"
    assert (named.kept_code, named.keep_code) == (os.fsencode(path), True)
    assert named.kept_sha256.hex() == "5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b"
    caches.keep_code(b"")
    assert StartCaches(tmp_path, SECRET).code(BOOT) == named, "a start that compiled nothing leaves what there is"
    _flipped(-1)(path)
    assert not StartCaches(tmp_path, SECRET).code(BOOT).kept_code


@pytest.mark.parametrize(("asked", "most"), [(False, 100), (True, 3)], ids=["not asked for", "too much of it"])
def test_compiled_code_beyond_what_was_asked_for_ends_the_secure_world(
    monkeypatch: pytest.MonkeyPatch, asked: bool, most: int
) -> None:
    """Nothing has judged its lock yet: it must fill neither our memory nor a cache."""
    start, sent = subprocess.Popen, pack(Compiled(part=b"code"))
    program = f"import os, sys, time; os.write(int(sys.argv[1]), {sent!r}); time.sleep(60)"

    def speaks(command: list[str], **named: Any) -> Any:
        return start([sys.executable, "-I", "-c", program, command[-1]], **named)

    monkeypatch.setattr(subprocess, "Popen", speaks)
    monkeypatch.setattr(secure_process, "MAX_COMPILED_BYTES", most)
    process = secure_process.SecureProcess(replace(BOOT, keep_code=asked), cast("Any", None))
    with pytest.raises(TeeError, match="more compiled code"):
        process.boot(lambda *_: "", cast("Any", None))
    assert not process.alive
