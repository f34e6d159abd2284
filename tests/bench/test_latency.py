"""The latency command: ratios of the same turn, floors, counts, and checkouts that cannot be measured."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.__main__ import cli
from bench.environment import ROOT
from bench.latency_sides import Side
from bench.latency_table import counted, lines, operations
from bench.probes.latency_probe.counting import _calls, _outside
from bioguard.errors import InputRefused


def _wall(*values: float) -> dict[str, list[float]]:
    return {"wall_ms": list(values), "cpu_ms": [sum(values)]}


def test_both_sides_take_turns_and_ratios_are_of_the_same_turn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Path] = []

    def measure(side: Side, group: str, rounds: int) -> dict[str, dict[str, list[float]]]:
        asked.append(side.checkout)
        mood = 1.0 if len(asked) <= 2 else 10.0  # the second turn meets a busy machine, on both sides
        return {"start": _wall(*([2 * mood] * 3 if side.checkout == ROOT else [4 * mood] * 3))}

    monkeypatch.setattr(Side, "prepare", lambda side, bundle: None)
    monkeypatch.setattr(Side, "measure", measure)
    line = ["latency", "--against", str(tmp_path), "--turns", "2", "--only", "start", "--json"]
    done = CliRunner().invoke(cli, line, catch_exceptions=False)
    found = json.loads(done.stdout)
    wall = found["operations"]["start"]["wall_ms"]
    assert (wall["ratio"], wall["ratio_least"], wall["ratio_most"]) == (0.5, 0.5, 0.5)
    assert (wall["here"]["n"], wall["there"]["p95"]) == (6, 40.0)
    assert found["counts"] == {}
    assert asked == [tmp_path, ROOT, ROOT, tmp_path]


def test_without_another_checkout_figures_stand_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Side, "prepare", lambda side, bundle: None)
    monkeypatch.setattr(Side, "measure", lambda side, group, rounds: {"memory, idle": {"pss_kib": [7.0]}})
    done = CliRunner().invoke(cli, ["latency", "--turns", "1", "--only", "memory"], catch_exceptions=False)
    assert "memory, idle" in done.stdout
    assert "there" not in done.stdout


def test_a_floor_is_a_start_of_python_or_the_syncs_that_were_counted() -> None:
    turn = {"here": {"Python starts": _wall(10.0), "one sync, disk": _wall(2.0), "bioguard --help": _wall(50.0),
                     "1:1 face, disk": _wall(16.0), "1:1 finger, disk": _wall(16.0)}}  # fmt: skip
    counts = counted({"here": {"1:1 face": {"syncs": 4}}})
    rows = operations([turn], counts)
    assert rows["bioguard --help"]["floor"] == {"is": "Python starts", "ms": 10.0, "times": 5.0}
    assert rows["1:1 face, disk"]["floor"] == {"is": "4 syncs", "ms": 8.0, "times": 2.0}
    assert "floor" not in rows["1:1 finger, disk"], "its syncs were not counted"
    assert any(line.endswith("5.0 x Python starts") for line in lines(rows, counts, two=False))


def test_what_was_not_counted_is_not_zero() -> None:
    rows = counted({"here": {"enroll": {"syncs": None, "sql_statements": 0}}, "there": {"enroll": {"syncs": 3}}})
    assert rows["enroll"]["syncs"] == {"here": None, "there": 3, "ratio": None}
    assert rows["enroll"]["sql_statements"] == {"here": 0, "there": None, "ratio": None}
    shown = "\n".join(lines({}, rows, two=True))
    assert shown.count("not counted") == 2


def test_a_trace_is_read_as_syncs_and_bytes_in_files(tmp_path: Path) -> None:
    log = tmp_path / "trace"
    log.write_text(
        'pwrite64(9</d/storage.db-wal>, ""..., 24, 0) = 24\n'
        'write(5<pipe:[77]>, ""..., 900) = 900\n'
        'write(3</dev/null>, ""..., 5) = 5\n'
        "fdatasync(9</d/storage.db-wal>)          = 0\n"
        'pwrite64(9</d/storage.db-wal>, ""..., 4096, 24) = -1 ENOSPC (No space left on device)\n',
        "ascii",
    )
    assert _outside(list(_calls(log))) == {"syncs": 1, "file_writes": 1, "file_bytes": 24}


def test_a_folder_without_the_product_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["latency", "--against", str(tmp_path), "--turns", "1"])
    assert isinstance(done.exception, InputRefused)
    assert done.exception.code == "bench.checkout"


@pytest.mark.slow
def test_the_probe_measures_every_operation() -> None:
    groups = [word for group in ("warm", "enroll", "memory", "counts") for word in ("--only", group)]
    line = ["latency", "--turns", "1", "--rounds", "2", "--json", *groups]  # `cold` times what `counts` runs
    found = json.loads(CliRunner().invoke(cli, line, catch_exceptions=False).stdout)
    rows, counts = found["operations"], found["counts"]
    assert set(rows) >= {
        "1:1 face, disk", "1:1 finger, disk", "1:N face, disk",
        "list, disk", "enroll, disk", "enroll, user, consents, disk",
    }  # fmt: skip
    assert all(row["wall_ms"]["here"]["p50"] > 0 and row["cpu_ms"]["here"]["p50"] > 0
               for row in rows.values() if "wall_ms" in row)  # fmt: skip
    for operation in ("1:1 face", "enroll", "bioguard authenticate"):
        row = counts[operation]
        assert row["sql_transactions"]["here"] >= 1
        assert row["pipe_messages"]["here"] >= 2
        assert row["syncs"]["here"] is None or row["syncs"]["here"] >= 1, "durable before it is answered"
    assert sum(row["modules"]["here"] > 0 for row in counts.values() if "modules" in row) == 5
