"""A short form of `python -m bench.crash`: at least 300 cuts, every operation, every kind."""

import random
import shutil
from pathlib import Path

import pytest

from bench import crash
from bench.crash_device import OPERATIONS
from bench.crash_trace import Event, images
from tee_sim.errors import TeeError

STRACE = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


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


@STRACE
def test_every_cut_leaves_the_state_before_or_after(tmp_path: Path) -> None:
    rows = crash.play(tmp_path, points=310, seed=5)
    assert [(row.operation, row.kind, row.errors) for row in rows if row.errors] == []
    assert sum(row.points for row in rows) >= 300
    assert {row.operation for row in rows} == set(OPERATIONS)
    assert sum(row.before for row in rows) > 50
    assert sum(row.after for row in rows) > 10
    assert {row.operation for row in rows if row.between} <= set(crash.STEPS)


@STRACE
def test_a_disk_that_does_not_sync_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The campaign can fail: with the syncs of the database dropped, some cut is a state that never was."""
    recorded = crash.record

    def without_syncs(directory: Path, log: Path) -> list[Event]:
        return [event for event in recorded(directory, log) if (event.kind, event.file) != ("sync", "storage.db")]

    monkeypatch.setattr(crash, "record", without_syncs)
    try:
        errors = [error for row in crash.play(tmp_path, points=310, seed=5) for error in row.errors]
    except TeeError as error:  # already the uncut recording goes through a state that does not open
        errors = [str(error)]
    assert errors
