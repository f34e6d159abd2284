"""The watch sees what a program does by other ways than the product's own, and lets it go on."""

import sys
from pathlib import Path

import pytest

from bioguard.evidence.outside_watch import (
    NotWatched,
    Sighting,
    strange_calls,
    strange_files,
    watched,
    writes_what_was_named,
)
from bioguard.evidence.outside_watch.supervisor import Event


def _watch(program: str, tmp_path: Path) -> Sighting:
    (tmp_path / "device").mkdir(exist_ok=True)
    try:
        return watched([sys.executable, "-I", "-S", "-c", program, str(tmp_path)], tmp_path / "seen.json")[0]
    except NotWatched as reason:
        pytest.skip(reason.message)


PROGRAMS = {
    "write beside the device": ("import sys; open(sys.argv[1] + '/copy', 'w')", "openat {0}/copy by"),
    "write and remove again": (
        "import os, sys; p = sys.argv[1] + '/device/names.json.cache'; open(p, 'w'); os.unlink(p)",
        "openat {0}/device/names.json.cache by",
    ),
    "a name that begins like a known one": (
        "import os, sys; os.mkdir(sys.argv[1] + '/device/storage.db-old')", "mkdir {0}/device/storage.db-old by",
    ),
    "data in a link": ("import os, sys; os.symlink('data', sys.argv[1] + '/link')", "symlink {0}/link by"),
    "an attribute": (
        "import os, sys; os.setxattr(sys.argv[1] + '/device', 'user.x', b'data')", "setxattr {0}/device by",
    ),
    "a time": (
        "import os, sys; os.utime(sys.argv[1] + '/device', ns=(7, 7))", "utimensat {0}/device by",
    ),
    "an owner": (
        "import os, sys; os.chown(sys.argv[1] + '/device', -1, -1)", "chown {0}/device by",
    ),
    "a datagram to this machine": (
        "import ctypes, struct; c = ctypes.CDLL(None); f = c.socket(2, 2, 0);"
        "a = struct.pack('<H2s4s8x', 2, b'\\x27\\x0f', bytes((127, 0, 0, 1)));"
        "c.sendto(f, b'd' * 100, 100, 0, a, 16)",
        "sendto 100 bytes to inet 127.0.0.1:9999 by",
    ),
    "a datagram with the probe's word elsewhere": (
        "import ctypes, struct; c = ctypes.CDLL(None); f = c.socket(2, 2, 0);"
        "a = struct.pack('<H2s4s8x', 2, b'\\x27\\x0f', bytes((192, 0, 2, 1)));"
        "c.sendto(f, b'probe', 5, 0, a, 16)",
        "sendto 5 bytes b'probe' to inet 192.0.2.1:9999 by",
    ),
    "a connection of this machine": (
        "import ctypes; c = ctypes.CDLL(None); f = c.socket(1, 1, 0); c.connect(f, b'\\1\\0\\0abstract', 11)",
        "connect unix '\\x00abstract' by",
    ),
    "another family": ("import ctypes; ctypes.CDLL(None).socket(40, 1, 0)", "socket vsock 1 by"),
    "a ring": ("import ctypes; ctypes.CDLL(None).syscall(425, 8, bytes(120))", "io_uring_setup  by"),
    "a program": ("import os; os.system('true')", "execve /bin/sh by"),
    "in a child of its own": (
        "import os, sys; os.fork() or open(sys.argv[1] + '/copy', 'w'); os._exit(0)", "openat {0}/copy by",
    ),
    "memory of another process": ("import ctypes; ctypes.CDLL(None).shmget(7, 4096, 0o1600)", "shmget  by"),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(PROGRAMS))
def test_every_way_out_is_seen(what: str, tmp_path: Path) -> None:
    program, shows = PROGRAMS[what]
    seen = _watch(program, tmp_path)
    strange = [
        *strange_files(seen, tmp_path / "device", tmp_path / "kept"), *strange_calls(seen, sys.executable),
    ]  # fmt: skip
    assert any(line.replace("/usr/bin/", "/bin/").startswith(shows.format(tmp_path)) for line in strange), strange
    assert seen.controlled


def test_a_packet_is_counted_at_the_sniffer_too(tmp_path: Path) -> None:
    seen = _watch(PROGRAMS["a datagram to this machine"][0], tmp_path)
    assert b"d" * 100 in seen.packets
    assert "a packet of 100 bytes" in list(strange_calls(seen, sys.executable))


def test_a_program_that_does_nothing_is_not_strange(tmp_path: Path) -> None:
    seen = _watch("open('/dev/null', 'w')", tmp_path)
    assert (seen.status, seen.left_running, seen.packets, seen.controlled) == (0, False, (), True)
    assert list(strange_files(seen, tmp_path / "device", tmp_path / "kept")) == []
    assert list(strange_calls(seen, sys.executable)) == []


def test_names_are_exact() -> None:
    device, kept = Path("/device"), Path("/kept")
    about = (
        "/device/names.json",
        "/device/names.json.cache",
        "/device/x/names.json",
        "/kept-too",
        "/kept/sources/a",
        "/device/caches",
        "/device/caches/code.new",
        "/device/caches/faces",
        "/device/caches/code/x",
        "/caches/code",
    )
    seen = Sighting(
        status=0, left_running=False, packets=(), controlled=True,
        events=tuple(Event("p", "openat", path) for path in about),
    )  # fmt: skip
    assert list(strange_files(seen, device, kept)) == [
        "openat /device/names.json.cache by p", "openat /device/x/names.json by p", "openat /kept-too by p",
        "openat /device/caches/faces by p", "openat /device/caches/code/x by p", "openat /caches/code by p",
    ]  # fmt: skip


def test_a_command_writes_what_was_named_and_only_a_probe_has_a_socket() -> None:
    device, kept = Path("/device"), Path("/kept")
    asked = {
        "bioguard.cli": ("served/timeline", "served/conversation", "served/conversation.log", "sources/x", "pin"),
        "p": ("served/timeline", "served/pipe", "sources/a b", "bystanders/x", "sources-2", "served/x", "sources"),
    }
    events = [Event(who, "openat", f"/kept/{name}") for who, names in asked.items() for name in names]
    sockets = [Event(who, "socket", "inet 2") for who in ("bioguard.cli", "tee_sim.normal.sandbox_verdict.probes")]
    seen = Sighting(status=0, left_running=False, packets=(), controlled=True, events=(*events, *sockets))
    assert list(strange_files(seen, device, kept)) == [
        "openat /kept/served/conversation.log by bioguard.cli", "openat /kept/sources/x by bioguard.cli",
        "openat /kept/pin by bioguard.cli", "openat /kept/served/timeline by p", "openat /kept/sources-2 by p",
        "openat /kept/served/x by p",
    ]  # fmt: skip
    assert list(strange_calls(seen, sys.executable)) == ["socket inet 2 by bioguard.cli"]
    assert writes_what_was_named(seen, kept)
    assert not writes_what_was_named(seen, Path("/other"))


def test_a_host_that_cannot_be_watched_is_no_good_sign() -> None:
    with pytest.raises(NotWatched, match="no pidfd here"):
        Sighting.parse('{"why_not": "no pidfd here"}')
