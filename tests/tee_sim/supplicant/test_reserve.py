"""The space that is kept for erasures: taken when there is some, given when it is needed, taken back afterwards."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tee_sim.normal.supplicant.files import RESERVE_FILE
from tee_sim.normal.supplicant.reserve import LEAST_BYTES, RESERVE_BYTES, fill, release
from tee_sim.normal.supplicant.service import _Reserving
from tee_sim.shared.blobs import Changes
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.testing.in_memory import MemoryBlobs


@pytest.fixture
def at(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def kept(at: int) -> int:
    try:
        return os.stat(RESERVE_FILE, dir_fd=at).st_size
    except FileNotFoundError:
        return 0


def free(monkeypatch: pytest.MonkeyPatch, free_bytes: int) -> None:
    monkeypatch.setattr(os, "fstatvfs", lambda _fd: SimpleNamespace(f_bavail=free_bytes, f_frsize=1))


def test_it_is_allocated_once_and_private(at: int, tmp_path: Path) -> None:
    fill(at)
    seen = (tmp_path / RESERVE_FILE).stat()
    assert (seen.st_size, seen.st_mode & 0o777) == (RESERVE_BYTES, 0o600)
    assert seen.st_blocks * 512 >= RESERVE_BYTES
    fill(at)
    assert release(at) == RESERVE_BYTES
    assert release(at) == 0


@pytest.mark.parametrize(
    ("free_bytes", "wanted"), [(0, 0), (100 << 10, 50 << 10), (400 << 10, 100 << 10), (200 << 10, LEAST_BYTES)]
)
def test_of_a_nearly_full_disk_it_takes_a_part(
    at: int, monkeypatch: pytest.MonkeyPatch, free_bytes: int, wanted: int
) -> None:
    free(monkeypatch, free_bytes)
    fill(at)
    assert kept(at) == wanted
    free(monkeypatch, free_bytes - wanted)
    fill(at)
    assert kept(at) == wanted


def test_what_was_given_is_taken_back_before_others_take_it(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 90 << 10)
    fill(at, 80 << 10)
    assert kept(at) == 80 << 10


@pytest.mark.parametrize("in_place", ["link", "directory", "fifo"])
def test_what_stands_in_its_place_is_left_alone(at: int, tmp_path: Path, in_place: str) -> None:
    path, other = tmp_path / RESERVE_FILE, tmp_path / "other"
    other.write_bytes(b"mine")
    {"link": lambda: path.symlink_to(other), "directory": path.mkdir, "fifo": lambda: os.mkfifo(path)}[in_place]()
    fill(at)
    release(at)
    assert other.read_bytes() == b"mine"


class _Full(MemoryBlobs):
    """A disk without room as long as the reserve is there."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at, self.tries = at, 0

    def commit(self, changes: Changes) -> None:
        self.tries += 1
        if kept(self.at):
            raise TeeError(TeeResult.STORAGE_NO_SPACE, "full")
        super().commit(changes)


def test_only_what_may_use_it_gets_it(at: int) -> None:
    fill(at)
    disk = _Full(at)
    reserving = _Reserving(disk, at)
    with pytest.raises(TeeError):
        reserving.commit(Changes({b"a": b"1"}))
    assert (disk.tries, kept(at)) == (1, RESERVE_BYTES)
    reserving.commit(Changes({b"a": b"1"}, reserved=True))
    assert (disk.tries, kept(at), disk.rows) == (3, RESERVE_BYTES, {b"a": b"1"})


def test_another_refusal_does_not_touch_it(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(at)
    disk = MemoryBlobs()

    def refuse(_changes: Changes) -> None:
        raise TeeError(TeeResult.STORAGE_NOT_AVAILABLE, os.strerror(errno.EIO))

    monkeypatch.setattr(disk, "commit", refuse)
    with pytest.raises(TeeError):
        _Reserving(disk, at).commit(Changes({b"a": b"1"}, reserved=True))
    assert kept(at) == RESERVE_BYTES
