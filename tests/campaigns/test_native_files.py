"""A short form of `python -m tests.campaigns.native_files`, and proof that it can fail."""

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.campaigns import native_files
from tests.campaigns.native_files import FileError, Files, files


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Files:
    if shutil.which("gcc") is None or shutil.which("make") is None:
        pytest.skip("no C compiler: gcc is not installed")
    return files(tmp_path_factory.mktemp("files"), 7)


def test_the_right_file_is_taken_by_both(made: Files) -> None:
    made.judge(made.right)
    assert (made.codes["taken"], made.loaded) == (1, 1)


def test_changed_files_end_in_an_answer_or_a_refusal(made: Files) -> None:
    for _ in range(120):
        made.judge(made.changed())
    assert len(made.codes) > 5
    assert made.loaded > 10


def test_a_loader_that_crashes_or_hangs_is_found(made: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "load", lambda _content: os.kill(os.getpid(), signal.SIGSEGV))
    with pytest.raises(FileError, match="the loader ended by SIGSEGV"):
        made.judge(made.right)
    monkeypatch.setattr(native_files, "LOADER_S", 1)
    monkeypatch.setattr(made, "load", lambda _content: time.sleep(30))
    with pytest.raises(FileError, match="the loader ended by SIGALRM"):
        made.judge(made.right)


def test_a_reader_that_raises_or_takes_its_time_is_found(made: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_files, "check", lambda _content: os.environ["ABSENT_HERE"])
    with pytest.raises(FileError, match="reading it raised KeyError"):
        made.judge(made.right)
    monkeypatch.setattr(native_files, "check", lambda _content: None)
    monkeypatch.setattr(native_files, "MOST_S", 0.0)
    with pytest.raises(FileError, match="reading it took"):
        made.judge(made.right)


def test_the_command_says_what_it_saw_and_leaves_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(native_files, "files", lambda _folder, _seed: made)
    assert native_files.main(["--files", "3"]) == 0
    assert capsys.readouterr().out.startswith("3 files, ")
    monkeypatch.setattr(made, "load", lambda _content: os.kill(os.getpid(), signal.SIGSEGV))
    assert native_files.main(["--files", "3"]) == 3
    assert (tmp_path / native_files.LEFT_FILE).read_bytes() == made.last
