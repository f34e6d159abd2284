"""`bioguard audit egress` and `audit leaks`: the answer, the exit code and the words, for each way a run can end."""

import json

import pytest

from bioguard.cli.__main__ import run
from bioguard.evidence import escape_battery, leak_scan
from bioguard.evidence.escape_battery import Cell, EgressReport, Outcome
from bioguard.evidence.leak_scan import Finding, LeakReport, Score
from bioguard.exit_codes import ExitCode

OUT, KILLED = Cell(Outcome.ESCAPED), Cell(Outcome.KILLED, "socket")


def battery(all_cell: Cell, *, base: Cell = OUT, unavailable: dict[str, str] | None = None) -> EgressReport:
    row = {"0": base, "HS": KILLED, "ALL": all_cell}
    row = {level: cell for level, cell in row.items() if level not in (unavailable or {})}
    return EgressReport(
        levels=("0", "HS", "ALL"),
        cells={"udp4_lo": row, "exit_code": {"0": OUT, "HS": OUT, "ALL": OUT}},
        unavailable=unavailable or {},
        observed_packets=(9, 0),
        seconds=1.5,
    )


@pytest.mark.parametrize(
    ("report", "outcome", "code", "line"),
    [
        (
            battery(KILLED),
            "contained",
            ExitCode.OK,
            "packets at the observer: 0 with the lock, 9 in the positive control",
        ),
        (battery(OUT), "escaped", ExitCode.NO, "ESCAPED at ALL: udp4_lo: UDP to loopback"),
        (
            battery(KILLED, unavailable={"ALL": "errno 1"}),
            "contained",
            ExitCode.OK,
            "  ALL  UNKNOWN: this host refused it (errno 1)",
        ),
        (
            battery(KILLED, unavailable={"ALL": "errno 1", "HS": "errno 1"}),
            "unknown",
            ExitCode.NO,
            "  HS   UNKNOWN: this host refused it (errno 1)",
        ),
    ],
)
def test_egress(monkeypatch, capsys, report, outcome, code, line):
    monkeypatch.setattr(escape_battery, "run", lambda levels, progress: report)
    assert run(["audit", "egress"]) is code
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == outcome
    assert line in lines


def test_egress_that_could_not_fail_is_unknown(monkeypatch, capsys):
    silent = EgressReport(
        levels=("0", "ALL"),
        cells={"udp4_lo": {"0": KILLED, "ALL": KILLED}},
        unavailable={},
        observed_packets=None,
        seconds=1.0,
    )
    monkeypatch.setattr(escape_battery, "run", lambda levels, progress: silent)
    assert run(["audit", "egress", "--json"]) is ExitCode.NO
    answer = json.loads(capsys.readouterr().out)
    assert answer["outcome"] == "unknown"
    assert answer["attempts"][0]["exercisable"] is False


def test_egress_writes_the_matrix(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(escape_battery, "run", lambda levels, progress: asked.append(levels) or battery(KILLED))
    assert run(["audit", "egress", "--full", "--matrix", str(tmp_path / "matrix.txt")]) is ExitCode.OK
    assert asked == [tuple(escape_battery.LEVELS)]
    assert (tmp_path / "matrix.txt").read_text().splitlines()[1] == "A udp4_lo                E   K   K   socket"


def scan(**changes) -> LeakReport:
    fields = {"sources": (("a", 10),), "scores": (Score("exact", 2, 2),), "findings": (), "windows": 1}
    return LeakReport(**(fields | {"live_control": True, "memory_residue": (1, 32)} | changes))


@pytest.mark.parametrize(
    ("report", "outcome", "code", "line"),
    [
        (scan(), "clean", ExitCode.OK, "scanner: 2 of 2 planted leaks found; canaries going in: seen"),
        (
            scan(findings=(Finding("storage.db", 1, "key, hex", 7, 64),)),
            "leaked",
            ExitCode.NO,
            "LEAK in storage.db at 7: key, hex, 64 bytes (stage 1)",
        ),
        (scan(scores=(Score("exact", 2, 1, ("f4",)),)), "unknown", ExitCode.NO, "  missed exact: f4"),
        (
            scan(live_control=False),
            "unknown",
            ExitCode.NO,
            "scanner: 2 of 2 planted leaks found; canaries going in: NOT SEEN",
        ),
        (scan(memory_residue=None), "clean", ExitCode.OK, "memory after erasure: UNKNOWN, only root may read it"),
    ],
)
def test_leaks(monkeypatch, capsys, report, outcome, code, line):
    monkeypatch.setattr(leak_scan, "run", lambda seed, sources: report)
    assert run(["audit", "leaks"]) is code
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == outcome
    assert line in lines


def test_leaks_scans_given_files(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(leak_scan, "run", lambda seed, sources: asked.append((seed, list(sources))) or scan())
    file = tmp_path / "image"
    file.write_bytes(b"abc")
    assert run(["audit", "leaks", "--seed", "first", str(file)]) is ExitCode.OK
    assert run(["audit", "leaks", "--seed", "first", str(file)]) is ExitCode.OK
    assert run(["audit", "leaks", "--seed", "second"]) is ExitCode.OK
    assert run(["audit", "leaks"]) is ExitCode.OK
    seeds = [seed for seed, _ in asked]
    assert seeds[0] == seeds[1] != seeds[2]
    assert seeds[3] is None
    assert asked[0][1] == [(str(file), b"abc")]
