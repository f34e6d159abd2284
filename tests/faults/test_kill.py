"""A short form of `python -m bench.kill`, and proof that it can fail."""

import os
from pathlib import Path

import pytest

from bench import kill
from tee_sim.blobs import Changes
from tee_sim.supplicant import SqliteBlobs


def test_kill_9_of_either_world_or_both_leaves_before_or_after(tmp_path: Path) -> None:
    found = kill.play(tmp_path, rounds=1, most=48)
    assert set(found) == {(victim, moment) for victim in kill.VICTIMS for moment in kill.MOMENTS}
    assert sum(row.total() for row in found.values()) == 48
    assert {outcome for row in found.values() for outcome in row} == {"before", "after"}


def test_a_caller_with_gaps_in_its_descriptors_is_no_violation(tmp_path: Path) -> None:
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(30)]
    for fd in opened[3:12]:
        os.close(fd)
    try:
        found = kill.play(tmp_path, rounds=1, most=12)
    finally:
        for fd in (*opened[:3], *opened[12:]):
            os.close(fd)
    assert {outcome for row in found.values() for outcome in row} <= {"before", "after"}


def test_a_disk_without_transactions_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a transaction, made durable before the other half, must show as a state that never was."""
    whole = SqliteBlobs.commit

    def in_halves(self: SqliteBlobs, changes: Changes) -> None:
        names = list(changes.puts)
        for half in (names[: len(names) // 2], names[len(names) // 2 :]):
            whole(self, Changes({name: changes.puts[name] for name in half}))
            if kill_now:
                kill_now[0]("before")
        whole(self, Changes({}, changes.deletes))

    kill_now: list[kill._Death] = []
    served = kill._supplicant

    def serve(directory: Path, source: int, sink: int, death: kill._Death) -> None:
        kill_now.append(death)
        served(directory, source, sink, death)

    monkeypatch.setattr(SqliteBlobs, "commit", in_halves)
    monkeypatch.setattr(kill, "_supplicant", serve)
    found = kill.play(tmp_path, rounds=1, most=200)
    assert {outcome for row in found.values() for outcome in row} - {"before", "after"}
