"""Ends of a command that are neither an answer nor bad input: a reader that left, a full disk, a terminal or none."""

import hashlib
import json
import os
import pty
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bioguard.cli.__main__ import run
from bioguard.cli.output import Output
from bioguard.device import Device, Level
from bioguard.device.consent import grant_all
from bioguard.exit_codes import ExitCode
from bioguard.formats import write_iso2005
from bioguard.simulate.people import finger_impressions
from tee_sim.normal.machine import locked_start

BIOGUARD = [sys.executable, "-m", "bioguard.cli", "--device", "phone"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A device with alice on it; her own touch and a stranger's."""
    directory = tmp_path_factory.mktemp("edges")
    touches = finger_impressions(1, person=0, count=4)
    with Device.init(directory / "phone", require_pin=False) as device:
        device.add_user("alice")
        grant_all(device, "alice", of_age=True)
        device.enroll("alice", touches[:3], finger="right-index")
    (directory / "alice.iso").write_bytes(write_iso2005(touches[3]))
    (directory / "stranger.iso").write_bytes(write_iso2005(finger_impressions(1, person=8, count=1)[0]))
    (directory / "folder").mkdir()
    (directory / "file").touch()
    return directory


def to_a_reader_that_left(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(
            [*BIOGUARD, *words], cwd=home, stdout=writing, stderr=subprocess.PIPE, text=True, check=False, timeout=60
        )
    finally:
        os.close(writing)


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["words", "json"])
@pytest.mark.parametrize(("sample", "code"), [("alice.iso", 0), ("stranger.iso", 3)])
def test_a_reader_that_left_does_not_change_the_answer(
    home: Path, sample: str, code: int, form: tuple[str, ...]
) -> None:
    done = to_a_reader_that_left(home, "authenticate", "alice", sample, "--quiet", *form)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr


def test_a_reader_that_left_does_not_turn_a_refusal_into_yes(home: Path) -> None:
    assert to_a_reader_that_left(home, "show", "1234", "--json").returncode == 4


def test_a_full_disk_under_stdout_is_two_lines_and_no_traceback(home: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*BIOGUARD, "list"], cwd=home, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60
        )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "bioguard: error[unexpected]: the answer cannot be written: No space left on device",
        "hint: check where stdout goes",
    ]


def storage_image(home: Path) -> str:
    """Digest of every table of the store, without starting the device (a start advances its epoch)."""
    with sqlite3.connect(f"file:{home / 'phone' / 'storage.db'}?mode=ro", uri=True) as store:
        dump = "\n".join(store.iterdump())
    store.close()
    return hashlib.sha256(dump.encode()).hexdigest()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("enroll alice --finger left-index folder", 2),
        ("enroll alice --finger left-index nowhere.iso", 4),
        ("--device file list", 2),
        ("--device folder list", 6),
        ("--allow-level nonsense list", 2),
        ("--storage-log folder list", 2),
        ("--storage-log nowhere/log list", 4),
    ],
)
def test_refused_before_the_device_starts_leaves_every_byte(home: Path, line: str, code: int) -> None:
    before = storage_image(home)
    done = subprocess.run([*BIOGUARD, *line.split()], cwd=home, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    first, second = done.stderr.splitlines()
    assert first.startswith("bioguard: error[")
    assert second.startswith("hint: ")
    assert storage_image(home) == before


def drawn(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, quiet: bool = False) -> bytes:
    """What a progress bar writes to a stderr that is a terminal or a pipe."""
    reading, writing = pty.openpty() if terminal else os.pipe()
    with os.fdopen(writing, "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        with Output(quiet=quiet).progress([1, 2], "enrolling", 2) as items:
            assert list(items) == [1, 2]
        stderr.flush()
        os.set_blocking(reading, False)
        try:
            seen = os.read(reading, 4096)
        except BlockingIOError:
            seen = b""
    os.close(reading)
    return seen


def test_a_progress_bar_is_drawn_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert b"enrolling" in drawn(monkeypatch, terminal=True)
    assert drawn(monkeypatch, terminal=False) == b""
    assert drawn(monkeypatch, terminal=True, quiet=True) == b""


def test_a_sandbox_below_its_level_is_refused_until_named(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    inspect = vars(locked_start)["inspect_processes"]

    def partially_locked(*asked):
        seen = inspect(*asked)
        return replace(seen, verdict=replace(seen.verdict, level=Level.PARTIAL))

    monkeypatch.setattr(locked_start, "inspect_processes", partially_locked)
    device = str(home / "phone")
    assert run(["--device", device, "list"]) is ExitCode.TEE_UNAVAILABLE
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "bioguard: error[tee.sandbox]: the sandbox is PARTIAL, below ENFORCED",
        "hint: run: bioguard doctor; to accept it: --allow-level 'PARTIAL'",
    ]
    assert run(["--device", device, "list", "--allow-level", "PARTIAL"]) is ExitCode.OK


def test_a_full_store_refuses_and_keeps_its_records(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ["--device", str(home / "phone"), "--quiet"]
    listing = [*at, "list", "--json"]
    run(listing)
    before = capsys.readouterr().out
    # Commit 1 opens the session, commit 2 would store the record.
    run([*at, "fault", "set", "storage=commit@2: enospc"])
    capsys.readouterr()
    refused = run([*at, "enroll", "alice", "--finger", "left-index", str(home / "stranger.iso")])
    said = capsys.readouterr()
    run([*at, "fault", "clear"])
    capsys.readouterr()
    assert (refused, said.out) == (ExitCode.NOT_PERMITTED, "")
    assert "error[store.full]" in said.err
    assert "hint: erase records or free disk space" in said.err
    assert run(listing) is ExitCode.OK
    assert capsys.readouterr().out == before


def test_the_storage_log_has_every_request_and_every_fault_and_no_content(home: Path, tmp_path: Path) -> None:
    log, common = (
        tmp_path / "requests.jsonl",
        ["--device", str(home / "phone"), "--storage-log", str(tmp_path / "requests.jsonl")],
    )
    assert run([*common, "list"]) == ExitCode.OK
    quiet = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert {note["operation"] for note in quiet} == {"READ", "COMMIT", "RPMB"}
    assert {note["result"] for note in quiet} == {"SUCCESS"}
    assert not any(note["faults"] for note in quiet)
    fields = {"operation", "result", "request_bytes", "reply_bytes", "names", "faults"}
    assert all(note.keys() == fields for note in quiet)
    assert all(len(name) <= 2 * 81 for note in quiet for name in note["names"])  # kind, application, object id
    assert log.stat().st_mode & 0o777 == 0o600
    assert run(["--device", str(home / "phone"), "fault", "set", "storage=commit@1: enospc"]) == ExitCode.OK
    try:
        assert run([*common, "list"]) == ExitCode.OK  # the start could not be written, reading goes on
    finally:
        assert run(["--device", str(home / "phone"), "fault", "clear"]) == ExitCode.OK
    more = [json.loads(line) for line in log.read_text("utf-8").splitlines()][len(quiet) :]
    assert [(n["operation"], n["result"], n["faults"]) for n in more if n["faults"]] == [
        ("COMMIT", "STORAGE_NO_SPACE", ["commit: enospc"])
    ]
    assert sum(note["reply_bytes"] for note in quiet) > 1000
    assert max(map(len, log.read_text("utf-8").splitlines())) < 4000


@pytest.mark.parametrize(
    ("out", "code"),
    [("missing/evidence", "output.directory"), ("file/evidence", "output.directory"), ("phone", "audit.out_exists")],
)
def test_an_audit_with_no_place_for_its_bundle_ends_before_it_begins(
    home: Path, out: str, code: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    assert run(["audit", "run", "--out", out, "--signing-key", "evidence.key"]) == ExitCode.INPUT_REFUSED
    assert f"error[{code}]" in capsys.readouterr().err
    assert not (home / "missing").exists()
    assert not (home / "evidence.key").exists()


def test_doctor_does_not_pass_a_device_that_is_not_there(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--device", str(home / "nowhere"), "--json", "doctor"]) == ExitCode.NO
    rows = {c["id"]: c["status"] for c in json.loads(capsys.readouterr().out)["checks"]}
    assert (rows["BG-DOC-040"], rows["BG-DOC-042"]) == ("UNKNOWN", "UNKNOWN")
