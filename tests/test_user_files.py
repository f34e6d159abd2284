"""Files that a caller names: nothing waits for ever, nothing is written through a link, every refusal is typed."""

import io
import os
import socket
import threading
import time
from pathlib import Path

import pytest

from bioguard import user_files
from bioguard.errors import InputRefused
from bioguard.formats import load
from bioguard.user_files import check_output, open_input, read_input, write_output


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_files, "WAIT_S", 0.3)


def code(call: object) -> str:
    with pytest.raises(InputRefused) as caught:
        call()  # type: ignore[operator]
    assert caught.value.hint
    return caught.value.code


def test_a_file_is_read_and_a_link_to_one_too(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"1234")
    (tmp_path / "l").symlink_to("f")
    assert read_input(tmp_path / "f", most_bytes=4) == read_input(tmp_path / "l") == b"1234"
    assert code(lambda: read_input(tmp_path / "f", most_bytes=3)) == "input.too_large"


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "s"))
    for name in ("nowhere", ".", "fifo", "loop", "s"):
        assert code(lambda name=name: read_input(tmp_path / name)) == "input.unreadable"
    assert code(lambda: read_input(Path("/dev/zero"), most_bytes=1 << 16)) == "input.too_large"
    assert read_input(Path("/dev/null")) == b""


def test_a_pipe_is_read_as_its_bytes_come(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")

    def write() -> None:
        with (tmp_path / "fifo").open("wb") as file:
            for part in (b"one ", b"two ", b"three"):
                file.write(part)
                file.flush()
                time.sleep(0.05)

    writer = threading.Thread(target=write)
    writer.start()
    assert read_input(tmp_path / "fifo") == b"one two three"
    writer.join()


def test_a_writer_that_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    fd = os.open(tmp_path / "fifo", os.O_RDWR)
    os.write(fd, b"some")
    assert code(lambda: read_input(tmp_path / "fifo")) == "input.unreadable"
    os.close(fd)


def test_feature_files_are_opened_like_that(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "f.iso")
    with pytest.raises(TimeoutError):
        load(tmp_path / "f.iso")
    with pytest.raises(IsADirectoryError):
        load(tmp_path)
    with open_input(Path("/dev/null")) as file:
        assert isinstance(file, io.BufferedReader)


def test_a_file_is_written_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"longer than what comes")
    for private, mode in ((False, None), (True, 0o600)):
        check_output(path)
        write_output(path, b"new", private=private)
        assert path.read_bytes() == b"new"
        assert mode is None or path.stat().st_mode & 0o777 == mode
    write_output(path, b"er", append=True)
    assert path.read_bytes() == b"newer"
    assert code(lambda: check_output(path, new=True, code="x.exists")) == "x.exists"
    assert code(lambda: write_output(path, b"", new=True)) == "input.unwritable"


IN_PLACE = {
    "link": lambda p: p.symlink_to(p.with_name("other")),
    "dangling link": lambda p: p.symlink_to("nowhere"),
    "directory": lambda p: p.mkdir(),
    "fifo": os.mkfifo,
}


@pytest.mark.parametrize("kind", IN_PLACE)
def test_nothing_is_written_onto_what_is_no_file(tmp_path: Path, kind: str) -> None:
    (tmp_path / "other").write_bytes(b"mine")
    IN_PLACE[kind](tmp_path / "out")
    assert code(lambda: check_output(tmp_path / "out")) == "input.unwritable"
    for more in ({}, {"append": True}, {"private": True}, {"new": True}):
        assert code(lambda more=more: write_output(tmp_path / "out", b"x", **more)) == "input.unwritable"
    assert (tmp_path / "other").read_bytes() == b"mine"
    assert not (tmp_path / "nowhere").exists()


def test_the_place_is_looked_at_before(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert code(lambda: check_output(tmp_path / "no" / "f")) == "output.directory"
    assert code(lambda: check_output(tmp_path / "file" / "f")) == "output.directory"
    assert code(lambda: write_output(tmp_path / "no" / "f", b"")) == "input.unwritable"
    assert code(lambda: check_output(tmp_path / ("n" * 300))) == "input.unwritable"
    check_output(tmp_path / "f", new=True)
