"""The small files next to the store: old or new after a crash, durable afterwards, and gone with the device."""

import os
import stat
from pathlib import Path

import pytest

from bioguard.device import Device
from bioguard.device.names import NAMES_FILE
from bioguard.private_files import write_file


def test_a_file_is_replaced_as_a_whole_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "f"
    for text in ("öld\n", "new\n"):
        write_file(tmp_path, "f", text)
        assert path.read_text("utf-8") == text
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_the_content_is_synced_before_the_name_and_the_name_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    fsync, rename = os.fsync, os.rename

    def synced(fd: int) -> None:
        seen.append("directory" if stat.S_ISDIR(os.fstat(fd).st_mode) else f"file of {os.fstat(fd).st_size}")
        fsync(fd)

    def renamed(*names: str, **directories: int) -> None:
        seen.append("rename")
        rename(*names, **directories)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "rename", renamed)
    write_file(tmp_path, "f", "12345")
    assert seen == ["file of 5", "rename", "directory"]


@pytest.mark.parametrize("dies", ["fsync", "rename"])
def test_a_death_before_the_rename_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    path = tmp_path / "f"
    write_file(tmp_path, "f", "old")

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr(os, dies, die)
        with pytest.raises(KeyboardInterrupt):
            write_file(tmp_path, "f", "new")
    assert path.read_text("utf-8") == "old"
    write_file(tmp_path, "f", "newer")
    assert (path.read_text("utf-8"), list(tmp_path.iterdir())) == ("newer", [path])


def test_wiping_leaves_no_half_written_file_either(directory: Path) -> None:
    with Device.init(directory) as device:
        device.add_user("alice")
    (directory / f"{NAMES_FILE}.new").write_text("half", "utf-8")
    (directory / "mine.txt").write_text("not the device's", "utf-8")
    Device.wipe(directory)
    assert [path.name for path in directory.iterdir()] == ["mine.txt"]
