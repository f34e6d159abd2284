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

from bioguard.audit.egress import attempts as every_group
from bioguard.audit.egress.layers import LEVELS
from bioguard.audit.egress.model import ATTEMPTS, Attempt, Cell, EgressReport, Outcome
from bioguard.errors import TeeUnavailable

__all__ = ["ATTEMPTS", "LEVELS", "Attempt", "Cell", "EgressReport", "Outcome", "run", "short_selection"]

_GROUPS = every_group.__all__
"""Importing the groups registers their attempts."""


def short_selection() -> tuple[str, ...]:
    """All network attempts and every fourth of the others: the quick form."""
    others = [name for name, a in ATTEMPTS.items() if a.group != "A" and not a.residual]
    return tuple(name for name, a in ATTEMPTS.items() if a.group == "A" or a.residual or name in others[::4])


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
    process = subprocess.Popen(
        [sys.executable, "-I", "-B", "-m", "bioguard.audit.egress.battery"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
    )
    if process.stdin is None or process.stdout is None:
        raise TeeUnavailable("the battery's pipes are missing", code="egress")
    process.stdin.write(json.dumps({"levels": list(levels), "names": chosen}).encode() + b"\n")
    process.stdin.close()
    done, finished, planned = 0, False, len(levels) * len(chosen)
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
    error = process.stderr.read() if process.stderr else b""
    if process.wait() != 0 or not finished:
        last = error.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no reason given"]
        raise TeeUnavailable(
            f"the battery did not finish: {last[0]}", hint="run it alone, on an idle machine", code="egress"
        )
    before, after = packets.get("0"), packets.get("ALL")
    return EgressReport(
        levels=tuple(levels),
        cells=cells,
        unavailable=unavailable,
        observed_packets=(before, after) if before is not None and after is not None else None,
        seconds=time.monotonic() - started,
    )
