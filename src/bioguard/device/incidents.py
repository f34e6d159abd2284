"""Incidents of a device, kept by the normal world: a store that does not open cannot hold them.

They are a convenience for the operator, not evidence: whoever owns the directory can delete the file. An incident of a
store that does open is also an entry of the log.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from bioguard.device.fuses import FUSE_FILE
from bioguard.device.incident_texts import TEXTS, Incident
from bioguard.device.json_file import JsonFile
from bioguard.errors import BioguardError, InputRefused, IntegrityFailure
from bioguard.private_files import put_aside
from bioguard.records.audit_events import Cause

INCIDENTS_FILE = "incidents.json"
CLOCK_MOVED = "device.clock_moved"
OVER_BUDGET = "device.over_budget"
_CAUSES = {
    "store.security": Cause.ROLLED_BACK,
    CLOCK_MOVED: Cause.CLOCK_MOVED,
    OVER_BUDGET: Cause.OVER_BUDGET,
}
"""Of codes that are not about tampering."""
_OPENS_ONE = ("store.", "device.", "incident.")
"""Codes of integrity failures that are about this device, and not about a file that a caller gave us to verify."""


def _parse(rows: list[dict[str, Any]]) -> list[Incident]:
    found = [
        Incident(
            number=int(row["number"]),
            cause=Cause[row["cause"]],
            code=str(row["code"]),
            opened_ms=int(row["opened_ms"]),
            acknowledged=bool(row["acknowledged"]),
            scripted=bool(row.get("scripted", False)),
        )
        for row in rows
    ]
    if any(incident.cause not in TEXTS for incident in found):
        raise ValueError
    return found


def _plain(incident: Incident) -> dict[str, Any]:
    """A row of the file; the mark stands in those alone that have it."""
    row = asdict(incident) | {"cause": incident.cause.name}
    if not incident.scripted:
        del row["scripted"]
    return row


_FILE = JsonFile(
    name=INCIDENTS_FILE,
    field="incidents",
    parse=_parse,
    plain=lambda found: [_plain(incident) for incident in found],
    code="incident.damaged",
    hint="run the command again: the file is put aside and an incident is opened for it",
)


def incidents(directory: Path) -> list[Incident]:
    """All incidents of the device, oldest first.

    Raises:
        IntegrityFailure: the file is not what `record_incident` wrote; it was put aside, and that is an incident too.
    """
    with detecting(directory):
        return _FILE.load(directory) or []


def _with(found: list[Incident], code: str, *, scripted: bool = False) -> list[Incident]:
    """The same finding is not recorded twice while it is unacknowledged; one of a device that plays no faults is not
    taken for one that was there when it did."""
    if any(known.code == code and not known.acknowledged and known.scripted <= scripted for known in found):
        return found
    number = max((i.number for i in found), default=0) + 1
    cause = _CAUSES.get(code, Cause.TAMPERED)
    return [*found, Incident(number, cause, code, time.time_ns() // 1_000_000, scripted=scripted)]


def record_incident(directory: Path, error: IntegrityFailure, *, scripted: bool = False) -> Incident | None:
    """Open an incident for what was detected on this device, if the directory can be written; return it if it is new.

    Args:
        scripted: whether faults are played.

    A damaged incident file is put aside first: the finding that is reported is the one that was detected, not that it
    could not be written down.
    """
    if error.code.startswith(_OPENS_ONE) and os.path.lexists(directory / FUSE_FILE):
        return _record(directory, lambda found: _with(found, error.code, scripted=scripted))
    return None


def record_clock_moved(directory: Path, *, again: bool, scripted: bool = False) -> None:
    """Open an incident for what is kept because the clock moved too far.

    Args:
        again: it moved just now. If not, what is kept was reported before, unless the file has been taken away.
        scripted: as of `record_incident`.
    """

    def change(found: list[Incident]) -> list[Incident]:
        reported = any(known.code == CLOCK_MOVED for known in found)
        return found if reported and not again else _with(found, CLOCK_MOVED, scripted=scripted)

    _record(directory, change)


def settle_clock_moved(directory: Path) -> None:
    """A person has confirmed that what was kept may be erased: that is the acknowledgment."""

    def change(found: list[Incident]) -> list[Incident]:
        return [replace(known, acknowledged=known.acknowledged or known.code == CLOCK_MOVED) for known in found]

    _record(directory, change)


def _record(directory: Path, change: Callable[[list[Incident]], list[Incident]]) -> Incident | None:
    with suppress(BioguardError, OSError):
        try:
            kept = before = _FILE.load(directory) or []
        except IntegrityFailure as damage:
            put_aside(directory, INCIDENTS_FILE)
            kept, before = [], _with([], damage.code)
        after = change(before)
        if after != kept:
            _FILE.save(directory, after)
            return next((one for one in after if one.number not in {known.number for known in kept}), None)
    return None


def nothing_scripted() -> bool:
    """Of what is found before anything is played."""
    return False


@contextmanager
def detecting(
    directory: Path,
    scripted: Callable[[], bool] = nothing_scripted,
    opened: Callable[[Incident], None] = lambda _incident: None,
) -> Iterator[None]:
    """What is found to be tampered with or rolled back inside the block opens an incident, and goes on.

    Args:
        scripted: whether faults are played.
        opened: called with an incident that is new.
    """
    try:
        yield
    except IntegrityFailure as failure:
        incident = record_incident(directory, failure, scripted=scripted())
        if incident is not None:
            opened(incident)
        raise


def acknowledge(directory: Path, number: int) -> Incident:
    """Mark an incident as seen. Raises InputRefused for an unknown number."""
    found = incidents(directory)
    for index, known in enumerate(found):
        if known.number == number:
            found[index] = replace(known, acknowledged=True)
            _FILE.save(directory, found)
            return found[index]
    raise InputRefused(f"there is no incident {number}", hint="run: bioguard incident", code="incident.unknown")
