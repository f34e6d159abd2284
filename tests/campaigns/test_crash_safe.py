"""A short form of `python -m tests.campaigns.crash_safe`, and proof that it can fail."""

import shutil
from pathlib import Path

import pytest

from tee_sim.normal.dev_kit import kit_folder
from tests.campaigns import crash_safe
from tests.campaigns.crash_safe import OPERATIONS, Place, Row
from tests.campaigns.crash_trace import Event, record
from tests.native.builds import Builds

pytestmark = [
    pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed"),
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return crash_safe.place_of(Builds(kit_folder(), tmp_path_factory.mktemp("built")))


def errors(rows: list[Row]) -> list[str]:
    return [f"{row.operation}: {error}" for row in rows for error in row.errors]


def test_every_power_cut_leaves_the_objects_of_before_or_after(tmp_path: Path, place: Place) -> None:
    rows = crash_safe.play(tmp_path, place, points=28, seed=3)
    assert errors(rows) == []
    assert [row.operation for row in rows] == [*OPERATIONS]
    assert sum(sum(row.points.values()) for row in rows) >= 28
    assert sum(row.before for row in rows) > 12
    assert sum(row.after for row in rows) >= len(OPERATIONS)


def test_a_disk_that_does_not_sync_is_found(tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_syncs(directory: Path, log: Path, program: tuple[str, ...], *, children: bool) -> list[Event]:
        events = record(directory, log, program, children=children)
        return [event for event in events if (event.kind, event.file) != ("sync", "storage.db")]

    monkeypatch.setattr(crash_safe, "record", without_syncs)
    assert errors(crash_safe.play(tmp_path, place, points=24, seed=3, only=("create large", "write inside")))


def test_the_table_has_a_line_for_each_operation_and_their_sum() -> None:
    rows = [Row("create", {"kept": 3, "lost": 1, "torn": 2}, 4, 1, ["x"]), Row("delete", before=2)]
    lines = [line.replace("|", " ").split() for line in crash_safe.table(rows).splitlines()]
    assert lines[1] == ["create", "3", "1", "2", "4", "1", "1"]
    assert lines[-1] == ["all", "3", "1", "2", "6", "1", "1"]
