"""What is read about a process: sockets of every family, mappings that others could share, and files that lie."""

import mmap
import subprocess
import sys
from pathlib import Path

import pytest

from tee_sim.normal.sandbox_verdict import observe
from tee_sim.normal.sandbox_verdict.observe import Ours, look

HERE = Path("/proc/self")
COUNTS = """
import socket
from pathlib import Path
from tee_sim.normal.sandbox_verdict.observe import _sockets
counts, kept = [_sockets(Path("/proc/self"))], []
for family, kind in ((socket.AF_UNIX, 1), (socket.AF_INET, 1), (socket.AF_INET6, 2), (socket.AF_NETLINK, 3), (17, 3)):
    kept.append(socket.socket(family, kind))  # 17: packets
    counts.append(_sockets(Path("/proc/self")))
print(*counts)
"""


def test_a_socket_of_any_family_counts_though_it_is_bound_to_nothing() -> None:
    """Each of them in no table of a protocol that shows only what is bound."""
    done = subprocess.run(["unshare", "-n", sys.executable, "-c", COUNTS], capture_output=True, text=True, check=False)
    if "unshare" in done.stderr:
        pytest.skip(f"no network namespace here: {done.stderr.strip()}")
    assert done.stdout.split() == ["0", "1", "2", "3", "4", "5"], done.stderr


def test_a_kernel_that_does_not_count_sockets_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    text = observe._text
    monkeypatch.setattr(observe, "_text", lambda at, name: "TCP: inuse 0\n" if name == "sockstat" else text(at, name))
    seen = look(int(HERE.resolve().name), read_filter=False)
    assert (seen.sockets, seen.limits is not None) == (None, True)


def test_what_may_be_written_and_shared_is_found_whatever_it_is_called(tmp_path: Path) -> None:
    found = set(observe._shared_memory(HERE))
    ways = {"shared": (mmap.MAP_SHARED, 3), "read": (mmap.MAP_SHARED, 1), "own rw-s x": (mmap.MAP_PRIVATE, 3)}
    kept = []
    for name, (flags, access) in ways.items():
        (tmp_path / name).write_bytes(bytes(mmap.PAGESIZE))
        with (tmp_path / name).open("r+b") as file:
            kept.append(mmap.mmap(file.fileno(), mmap.PAGESIZE, flags=flags, prot=access))
    new = set(observe._shared_memory(HERE)) - found
    assert [Path(name).name for _, name in new] == ["shared"]
    assert all(place.split()[1] == str((tmp_path / "shared").stat().st_ino) for place, _ in new)


def test_what_is_ours_is_no_process_of_its_own() -> None:
    seen = look(int(HERE.resolve().name), read_filter=False, ours=Ours())
    assert (seen.own_user_map, seen.namespaces) == (False, ())


def test_of_what_we_cannot_read_of_ourselves_nothing_is_concluded() -> None:
    seen = look(int(HERE.resolve().name), read_filter=False, ours=Ours(user_map=None, namespaces={}))
    assert (seen.own_user_map, seen.namespaces) == (None, None)
