"""What a start of the secure world erased because its time was over, and what it kept: the report of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from bioguard.commands.policy import AT_START, Purged
from bioguard.commands.status import Nothing
from bioguard.device.asking import Asker
from bioguard.device.incidents import record_clock_moved


class Asked(Protocol):
    """What is needed of a `Device`."""

    @property
    def ask(self) -> Asker: ...


def at_start(device: Asked) -> Purged:
    """What the start of the secure world erased and kept."""
    return device.ask(AT_START, Nothing())


def report_start(directory: Path, report: Purged, scripted: bool, note: Callable[[str], None]) -> None:
    """Say it in words; open an incident where something is kept because the clock moved too far.

    Args:
        scripted: whether faults are played.
    """
    if report.erased:
        digests = ", ".join(digest.hex()[:16] for digest in report.digests)
        more = ", ..." if report.erased > len(report.digests) else ""
        note(f"the start erased {report.erased} record(s) whose time was over, with digests {digests}{more}")
    if report.pruned:
        note(f"the start pruned {report.pruned} log bodies older than 30 days")
    if not (report.held or report.log_held):
        return
    moved = f"the clock moved {report.moved_days} days since the last start: " if report.moved_days else ""
    bodies = " and log bodies" if report.log_held else ""
    note(f"{moved}{report.held} record(s){bodies} seem over; unused, and kept until `bioguard purge --confirm`")
    record_clock_moved(directory, again=report.moved_days > 0, scripted=scripted)
