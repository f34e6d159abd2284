"""A short form of `python -m tests.campaigns.crash`: over 300 power cuts and 32 kills, and proof that both can fail."""

import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bioguard.device.names import NAMES_FILE
from tee_sim.normal.supplicant import SqliteBlobs
from tee_sim.secure.storage import ObjectStore
from tee_sim.shared.blobs import Changes
from tests.campaigns import crash, crash_hosts, crash_kill, crash_power, crash_trace
from tests.campaigns.crash_device import MATRIX
from tests.campaigns.crash_oracle import TRANSACTIONS, Known, Row, scratch
from tests.campaigns.crash_trace import KINDS, Event, images
from tests.campaigns.crash_worlds import VICTIMS

pytestmark = pytest.mark.usefixtures("fast_pins")
ROOT = Path(__file__).parents[2]
Recording = tuple[list[Event], bytes]
STRACE = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


def errors(rows: list[Row]) -> list[tuple[str, str, str]]:
    return [(row.operation, row.kind, error) for row in rows for error in row.errors]


def played(*words: str) -> list[Row]:
    """What the command finds, in a process of its own: a fork of this one, with all the tests in it, takes long."""
    line = [sys.executable, "-m", "tests.campaigns.crash", "--json", *words]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode in (0, 3), done.stderr
    return [Row(**row) for row in json.loads(done.stdout)]


def write(file: str, offset: int, data: bytes) -> Event:
    return Event("write", file, offset, data)


def test_a_cut_keeps_what_was_synced_and_tears_by_sector_what_was_not() -> None:
    old, new = b"a" * 1024, b"b" * 1024
    events = [
        write("storage.db", 0, old),
        Event("sync", "storage.db"),
        Event("mark", "begin x"),
        write("storage.db", 0, new),
        Event("sync", "storage.db"),
        Event("mark", "end x"),
    ]
    seen = {(kind, disk["storage.db"]) for _, _, kind, disk, _ in images(events, random.Random(1), 40)}
    assert ("kept", old) in seen
    assert ("kept", new) in seen
    torn = {content for kind, content in seen if kind == "torn"}
    assert torn <= {a + b for a in (old[:512], new[:512]) for b in (old[:512], new[:512])}
    assert old[:512] + new[:512] in torn


@pytest.fixture(scope="module")
def known() -> Known:
    """Two tests cut one recording, and most of the disks are the same."""
    return Known()


@pytest.fixture
def place() -> Iterator[Path]:
    """Where the command plays: thousands of files are written, which no real disk needs to see."""
    with tempfile.TemporaryDirectory(dir=scratch()) as root:
        yield Path(root)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """The whole recording, and the file of names beside it: two tests cut it."""
    directory = tmp_path_factory.mktemp("recorded")
    events = crash_trace.record(directory, tmp_path_factory.mktemp("log") / "trace")
    return events, (directory / NAMES_FILE).read_bytes()


def replays(monkeypatch: pytest.MonkeyPatch, events: list[Event], names: bytes) -> None:
    """From now on `crash_power` cuts what was recorded before."""

    def record(directory: Path, _log: Path) -> list[Event]:
        (directory / NAMES_FILE).write_bytes(names)
        return events

    monkeypatch.setattr(crash_power, "record", record)


@STRACE
def test_every_power_cut_leaves_the_state_before_or_after(
    place: Path, recording: Recording, known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    replays(monkeypatch, *recording)
    rows = crash_power.play(place, points=480, seed=5, known=known)
    assert errors(rows) == []
    assert sum(row.points for row in rows) >= 300
    assert {row.operation for row in rows} == set(MATRIX)
    assert {row.kind for row in rows} == set(KINDS)
    assert sum(row.before for row in rows) > 50
    assert sum(row.after for row in rows) > 5  # the cuts after the last write of a commit are few
    assert all(TRANSACTIONS[row.operation] > 1 for row in rows if row.between)


@STRACE
def test_a_disk_that_does_not_sync_is_found(
    place: Path, recording: Recording, known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the syncs of the database dropped, some cut is a state that never was."""
    events, names = recording
    without_syncs = [event for event in events if (event.kind, event.file) != ("sync", "storage.db")]
    replays(monkeypatch, without_syncs, names)
    found = errors(crash_power.play(place, points=160, seed=5, known=known))
    assert [error for _, kind, error in found if kind == "lost" and error[0].isdigit()]


@pytest.mark.parametrize("runs", [32, pytest.param(60, marks=pytest.mark.campaign)])
def test_every_kill_leaves_the_state_before_or_after(runs: int) -> None:
    rows = played("--only", "kill", "--kills", str(runs), "--seed", "1")
    assert errors(rows) == []
    assert sum(row.points for row in rows) >= runs
    assert {row.operation for row in rows} == set(MATRIX)
    assert {row.kind for row in rows} == set(VICTIMS)
    assert sum(row.before for row in rows) > runs // 6
    assert sum(row.after for row in rows) > 5  # the cuts after the last write of a commit are few


def test_a_supplicant_that_makes_two_transactions_of_one_is_found(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = SqliteBlobs.commit

    def in_halves(self: SqliteBlobs, changes: Changes) -> None:
        names = list(changes.puts)
        halves = names[: len(names) // 2], names[len(names) // 2 :]
        first, second = ({name: changes.puts[name] for name in half} for half in halves)
        whole(self, Changes(first))
        whole(self, Changes(second, changes.deletes))

    monkeypatch.setattr(SqliteBlobs, "commit", in_halves)
    found = errors(crash_kill.play(place, runs=32, seed=1))
    assert {kind for _, kind, error in found if error[0].isdigit()} == {"supplicant", "both"}


def test_the_table_has_a_line_for_each_operation_and_counts_the_errors_of_each_victim() -> None:
    rows = [
        Row("enroll", "torn", points=7, before=4, after=3),
        Row("enroll", "both", points=2, before=1, errors=["1: gone"]),
        Row("purge", "supplicant", points=1, between=1),
        Row("enroll", "host", points=5, before=5),
    ]
    lines = [line.replace("|", " ").split() for line in crash.table(rows).splitlines()]
    assert len(lines) == 2 + len(MATRIX) + 1
    assert ["enroll", "7", "4", "3", "0", "0", "6", "0", "0", "0", "0", "0", "0", "2", "1", "5", "0"] in lines
    assert lines[-1] == ["all", "7", "4", "3", "0", "0", "6", "0", "1", "0", "0", "1", "0", "2", "1", "5", "0"]


def test_a_host_that_dies_at_any_message_costs_one_application_one_call() -> None:
    rows = played("--only", "host", "--kills", "36", "--seed", "3")
    assert errors(rows) == []
    assert [row.operation for row in rows] == list(crash_hosts.PLAYED)
    assert all(row.points >= 3 for row in rows)
    assert sum(row.before for row in rows) > 10
    assert sum(row.after for row in rows) > 1


def test_a_core_that_keeps_what_a_dead_host_had_begun_is_found(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that is not undone when its host dies stands in everybody's way."""
    monkeypatch.setattr(ObjectStore, "abandon", lambda self: None)
    monkeypatch.setattr(crash_hosts, "PLAYED", ("enroll", "erase"))
    assert errors(crash_hosts.play(place, runs=12, seed=3))
