"""One short run of the escape battery for the whole suite: its own tests and the whole audit look at one report."""

import os
import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from bioguard.evidence import escape_battery
from bioguard.evidence.escape_battery import ATTEMPTS, SHORT_LEVELS, EgressReport


def short_report(factory: pytest.TempPathFactory) -> EgressReport:
    """Run it, or take what another worker's test has made of it; both are marked `alone("egress")`."""
    base = factory.getbasetemp()
    kept = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "escape-battery.pickle"
    if kept.exists():
        report: EgressReport = pickle.loads(kept.read_bytes())
        return report
    told: list[tuple[int, int]] = []
    report = escape_battery.run(SHORT_LEVELS, progress=lambda done, planned: told.append((done, planned)))
    if not report.unavailable:
        assert told[-1] == (len(ATTEMPTS) * len(SHORT_LEVELS), len(ATTEMPTS) * len(SHORT_LEVELS))
    kept.write_bytes(pickle.dumps(report))
    return report


def as_run(report: EgressReport) -> Callable[..., EgressReport]:
    """A function like `escape_battery.run` that answers with this report, as far as it is asked for."""

    def run(levels: Sequence[str], *, progress: Callable[[int, int], None]) -> EgressReport:
        assert set(levels) <= set(report.levels)
        planned = len(levels) * len(ATTEMPTS)
        for done in range(planned):
            progress(done + 1, planned)
        cells = {name: {level: row[level] for level in levels if level in row} for name, row in report.cells.items()}
        return replace(report, levels=tuple(levels), cells=cells)

    return run
