"""Run a broken product through its own audit: a copy of the tree, in a process of its own.

First the checks of its row; if they stay green the whole quick audit. What says only that the code is another one
(measurement, reference) is no kill: the broken product is taken for the release.
"""

import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.broken_tree import audit, plant, red
from tests.campaigns.broken_products.model import ROOT, Outcome, Product, Result
from tests.campaigns.broken_products.operators import Stale, changes

Checks = Mapping[str, Mapping[str, object]]
MEASUREMENT = ("BG-STA-007",)
"""Ids of the checks that compare the code with a reference."""
STARTS = """
import pathlib, tempfile
from bioguard.evidence.temporary_device import TemporaryDevice
from tee_sim.normal.sandbox_verdict.level import Level
with tempfile.TemporaryDirectory() as folder:
    with TemporaryDevice(pathlib.Path(folder) / "device", Level.NOT_ENFORCED) as temporary:
        temporary.person(enrolled=True)
"""
"""It starts and enrolls somebody."""
START_S = 120


def _starts(python: Path) -> str:
    """Why nobody could use it; empty if it starts and enrolls."""
    done = subprocess.run(
        [str(python), "-B", "-c", STARTS], capture_output=True, check=False, timeout=START_S, text=True
    )
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines()[-1:] or ["it says nothing"])[0]


def failed(checks: Checks) -> tuple[str, ...]:
    """Ids of the checks that failed, without measurement."""
    return tuple(name for name, c in checks.items() if c["status"] == "FAIL" and name not in MEASUREMENT)


def silent(checks: Checks, promise: str) -> tuple[str, ...]:
    """Ids of the checks of a row that could not answer."""
    return tuple(
        name
        for name, c in checks.items()
        if c["status"] == "UNKNOWN" and promise in (c.get("clauses") or ())  # type: ignore[operator]
    )


def _judged(python: Path, folder: Path, promise: str, *, whole: bool) -> tuple[Outcome, tuple[str, ...]]:
    try:
        own = audit(python, folder / "row", promise)
    except (AssertionError, subprocess.TimeoutExpired) as error:
        why = _starts(python)
        last = (str(error).strip().splitlines() or ["no report"])[-1][:160]
        return (Outcome.STILLBORN, (why,)) if why else (Outcome.UNKNOWN, (f"no report: {last}",))
    fails = tuple(name for name in failed(own) if red({name: dict(own[name])}, promise))
    if fails:
        return Outcome.KILLED, fails
    if not whole:
        unanswered = silent(own, promise)
        return (Outcome.UNKNOWN, unanswered) if unanswered else (Outcome.GREEN, ())
    try:
        everything = audit(python, folder / "whole")
    except (AssertionError, subprocess.TimeoutExpired):
        return Outcome.UNKNOWN, ("no report of the whole audit",)
    if found := failed(everything):
        return Outcome.ELSEWHERE, found
    if unanswered := silent(own, promise) or silent(everything, promise):
        why = _starts(python)
        return (Outcome.STILLBORN, (why,)) if why else (Outcome.UNKNOWN, unanswered)
    return Outcome.SURVIVED, ()


def play(product: Product, *, whole: bool = True) -> Result:
    """Break it, run it, judge it.

    Args:
        whole: whether the whole audit is asked when its row stays green.
    """
    started = time.monotonic()
    outcome, by = Outcome.STALE, tuple[str, ...]()
    try:
        made = changes(ROOT, product.edits)
    except Stale as error:
        by = (str(error),)
    else:
        with tempfile.TemporaryDirectory(prefix="broken-") as folder:
            outcome, by = _judged(plant(Path(folder) / "product", made), Path(folder), product.promise, whole=whole)
    return Result(
        id=product.id, promise=product.promise, outcome=outcome, by=by,
        seconds=round(time.monotonic() - started), fingerprint=product.fingerprint(),
    )  # fmt: skip
