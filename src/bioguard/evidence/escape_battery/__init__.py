"""The escape battery: every way out that we know of, tried with and without each layer, judged by a witness outside.

    report = egress.run(levels=("0", "ALL"))
    report.unexpected("ALL")      # () is what must hold

Rules (docs/sandbox.md section 5):
* each attempt has a fresh process and a fresh token; the process never decides about its own success;
* an attempt that does not work at level "0" on this host proves nothing and is named not exercisable;
* it runs unprivileged, in namespaces of its own where the host allows, on loopback and its own cable only.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from bioguard.errors import TeeUnavailable
from bioguard.evidence.escape_battery import attempts as every_group
from bioguard.evidence.escape_battery.layers import LEVELS, LOCKED
from bioguard.evidence.escape_battery.model import ATTEMPTS, Attempt, Cell, EgressReport, Outcome

__all__ = [
    "ATTEMPTS",
    "LEVELS",
    "LOCKED",
    "SHORT_LEVELS",
    "Attempt",
    "Cell",
    "EgressReport",
    "Outcome",
    "matrix",
    "run",
]

_GROUPS = every_group.__all__
"""Importing the groups registers their attempts."""


SHORT_LEVELS = ("0", *LOCKED)
"""Every attempt, without a lock, with what every Linux host offers, with everything, and in the processes of an
application and of a sensor: about 30 s."""


def matrix(report: EgressReport) -> str:
    """The matrix as text: one attempt a line, one column a layer set, and what stopped it in the last column.

    This is the golden file's form: a cell that changes is a reviewed diff.
    """
    lines = [f"{'attempt':<24} " + " ".join(f"{level:<3}" for level in report.levels) + " stopped by"]
    for name in sorted(report.cells, key=lambda n: (ATTEMPTS[n].group, n)):
        row = report.cells[name]
        outcomes = " ".join(f"{row[level].outcome.value if level in row else '?':<3}" for level in report.levels)
        last = row.get(report.levels[-1])
        note = "residual" if ATTEMPTS[name].residual else last.stopped_by if last else ""
        lines.append(f"{ATTEMPTS[name].group} {name:<22} {outcomes} {note}".rstrip())
    return "\n".join(lines) + "\n"


def run(
    levels: Sequence[str] = tuple(LEVELS),
    *,
    names: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> EgressReport:
    """Run the battery.

    Args:
        levels: layer sets, see LEVELS; "0" is needed to tell which attempts prove something.
        names: attempts to run, all by default.
        progress: called with cells done and cells planned.

    Raises:
        KeyError: an unknown level or attempt.
        TeeUnavailable: the battery's process did not come to its end, so there is no result.
    """
    chosen = list(ATTEMPTS if names is None else names)
    for level in levels:
        LEVELS[level]
    cells: dict[str, dict[str, Cell]] = {name: {} for name in chosen if ATTEMPTS[name]}
    unavailable: dict[str, str] = {}
    packets: dict[str, int | None] = {}
    started = time.monotonic()
    done, finished, planned = 0, False, len(levels) * len(chosen)
    with subprocess.Popen(
        [sys.executable, "-I", "-B", "-m", "bioguard.evidence.escape_battery.battery"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
    ) as process:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise TeeUnavailable("the battery's pipes are missing", hint="run the command again", code="egress")
        process.stdin.write(json.dumps({"levels": list(levels), "names": chosen}).encode() + b"\n")
        process.stdin.close()
        for line in process.stdout:
            message = json.loads(line)
            if "name" in message:
                cells[message["name"]][message["level"]] = Cell(Outcome(message["outcome"]), message["stopped_by"])
                done += 1
                if progress is not None:
                    progress(done, planned)
            elif "refused" in message:
                unavailable[message["level"]] = message["refused"]
            elif "packets" in message:
                packets[message["level"]] = message["packets"]
            finished = finished or "done" in message
        error = process.stderr.read()
    if process.returncode != 0 or not finished:
        last = error.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no reason given"]
        raise TeeUnavailable(
            f"the battery did not finish: {last[0]}", hint="run it alone, on an idle machine", code="egress"
        )
    before, after = packets.get("0"), packets.get("ALL")
    return EgressReport(
        levels=tuple(levels),
        cells={name: {level: row[level] for level in levels if level in row} for name, row in cells.items()},
        unavailable=unavailable,
        observed_packets=(before, after) if before is not None and after is not None else None,
        seconds=time.monotonic() - started,
    )
