"""`python -m tests.campaigns.crash [--points N] [--kills N] [--only KIND] [--seed S] [--json]`: the crash matrix.

Every operation that writes is interrupted: by a power cut after each call on a file (`tests.campaigns.crash_power`),
and by kill -9 of the secure world, of the supplicant and of both at each step of a commit
(`tests.campaigns.crash_kill`), and by kill -9 of the process of an application at every message between it and the core
(`tests.campaigns.crash_hosts`). What is left is judged by `tests.campaigns.crash_oracle`. Exit 3 on any violation; 4
where strace is not there.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.campaigns import crash_hosts, crash_kill, crash_power
from tests.campaigns.crash_device import MATRIX
from tests.campaigns.crash_oracle import Row, scratch
from tests.campaigns.crash_trace import KINDS
from tests.campaigns.crash_worlds import VICTIMS as WORLDS

VICTIMS = (*WORLDS, crash_hosts.KIND)
ENDS = {"before": 7, "after": 7, "between": 8}
"""Columns and their widths."""


def table(rows: Sequence[Row]) -> str:
    """A line for each operation: power cuts, how all kills ended, and the kills of each victim."""
    ends = "".join(f"{name:>{width}}" for name, width in ENDS.items())
    counted = f"{'runs':>6}{'errors':>7}"
    lines = [
        f"{'':18}|{'power cuts':^36}|{'kills':^22}" + "".join(f"|{victim:^13}" for victim in VICTIMS),
        f"{'operation':18}|{'points':>7}{ends}{'errors':>7}|{ends}" + f"|{counted}" * len(VICTIMS),
    ]
    for name in MATRIX:
        lines.append(_line(name, [row for row in rows if row.operation == name]))
    return "\n".join([*lines, _line("all", rows)])


def _line(name: str, rows: Sequence[Row]) -> str:
    cuts = [row for row in rows if row.kind in KINDS]
    kills = [row for row in rows if row.kind in VICTIMS]
    line = f"{name:18}|{_sum(cuts, 'points'):7}{_ends(cuts)}{_errors(cuts):7}|{_ends(kills)}"
    for victim in VICTIMS:
        killed = [row for row in kills if row.kind == victim]
        line += f"|{_sum(killed, 'points'):6}{_errors(killed):7}"
    return line


def _sum(rows: Sequence[Row], column: str) -> int:
    return sum(getattr(row, column) for row in rows)


def _errors(rows: Sequence[Row]) -> int:
    return sum(len(row.errors) for row in rows)


def _ends(rows: Sequence[Row]) -> str:
    return "".join(f"{_sum(rows, name):{width}}" for name, width in ENDS.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.crash", description=__doc__)
    parser.add_argument("--points", type=int, default=8000, help="power cuts, at most about so many")
    parser.add_argument("--kills", type=int, default=1_000_000, help="kills, at most about so many")
    parser.add_argument("--only", choices=("power", "kill", "host"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if options.only in (None, "power") and shutil.which("strace") is None:
        sys.stderr.write("strace is not installed: the writes cannot be recorded\n")
        return 4
    rows: list[Row] = []
    if options.only in (None, "power"):
        with tempfile.TemporaryDirectory(dir=scratch()) as root:
            rows += crash_power.play(Path(root), points=options.points, seed=options.seed)
    if options.only in (None, "kill"):
        with tempfile.TemporaryDirectory(dir=scratch()) as root:
            rows += crash_kill.play(Path(root), runs=options.kills, seed=options.seed)
    if options.only in (None, "host"):
        with tempfile.TemporaryDirectory(dir=scratch()) as root:
            rows += crash_hosts.play(Path(root), runs=options.kills, seed=options.seed)
    sys.stdout.write((json.dumps([asdict(row) for row in rows]) if options.json else table(rows)) + "\n")
    for row in rows:
        for error in row.errors[:3]:
            sys.stderr.write(f"{row.operation}, {row.kind}: {error}\n")
    return 3 if any(row.errors for row in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main())
