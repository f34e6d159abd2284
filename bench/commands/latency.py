"""`latency`: what callers wait for, this checkout beside another one, in turn in one run."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from bench.console import advancing, show
from bench.environment import ROOT, environment
from bioguard.errors import InputRefused

PROBE = ROOT / "bench" / "latency_probe.py"


def _once(checkout: Path, rounds: int) -> dict[str, list[float]]:
    own = checkout / ".venv" / "bin" / "python"
    python = str(own) if own.exists() else sys.executable
    environ = {**os.environ, "PYTHONPATH": f"{checkout / 'src'}{os.pathsep}{checkout}"}
    with tempfile.TemporaryDirectory(prefix="bioguard-latency-") as folder:
        line = [python, "-P", str(PROBE), folder, str(rounds)]
        done = subprocess.run(line, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputRefused(
            f"{checkout.name}: the probe ended with {done.returncode}: {done.stderr.strip()[-300:]}",
            hint="give a checkout whose `make demo` works; its C kernels must be built",
            code="bench.checkout",
        )
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


@click.command()
@click.option(
    "--against",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    metavar="CHECKOUT",
    help="Another checkout of bioguard; its own .venv is used where there is one.",
)
@click.option("--turns", type=click.IntRange(1, 100), default=5, show_default=True, help="Runs of each side.")
@click.option("--rounds", type=click.IntRange(2, 200), default=15, show_default=True, help="Repetitions in a run.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def latency(against: Path, turns: int, rounds: int, as_json: bool) -> None:
    """Wait times of this checkout beside those of another: init, enroll, 1:1, 1:N, list, open, a cold command.

    Times are in milliseconds; the memory of all processes (Pss, in KiB) is read by root only.

    Both sides take turns, first the other, then this one first. A ratio is the median over turns of (median here /
    median there) of the same turn; below 1 this checkout is faster. Absolute figures of a shared machine mean little.
    """
    sides = (ROOT, against.resolve())
    medians: list[dict[Path, dict[str, float]]] = []
    with advancing("latency", turns) as advance:
        for turn in range(turns):
            order = sides[::-1] if turn % 2 == 0 else sides  # the other first: one that cannot run is found at once
            runs = {side: _once(side, rounds) for side in order}
            medians.append({s: {k: statistics.median(v) for k, v in run.items()} for s, run in runs.items()})
            advance(1)
    rows = {
        name: _row([m[sides[0]][name] for m in medians], [m[sides[1]][name] for m in medians])
        for name in medians[0][ROOT]
    }
    data: dict[str, Any] = {"command": "latency", "environment": environment(), "turns": turns, "operations": rows}
    lines = [f"{'operation':<16}{'here':>10}{'there':>10}{'ratio':>8}{'least':>8}{'most':>8}"]
    lines += [
        f"{name:<16}{r['here']:>10.2f}{r['there']:>10.2f}{r['ratio']:>8.2f}{r['ratio_least']:>8.2f}"
        f"{r['ratio_most']:>8.2f}"
        for name, r in rows.items()
    ]
    show(data, lines, as_json=as_json)


def _row(here: list[float], there: list[float]) -> dict[str, float]:
    ratios = [a / b for a, b in zip(here, there, strict=True)]
    return {
        "here": statistics.median(here),
        "there": statistics.median(there),
        "ratio": statistics.median(ratios),
        "ratio_least": min(ratios),
        "ratio_most": max(ratios),
    }
