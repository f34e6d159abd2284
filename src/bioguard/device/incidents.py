"""Incidents of a device, kept by the normal world: a store that does not open cannot hold them.

They are a convenience for the operator, not evidence: whoever owns the directory can delete the file. An incident of a
store that does open is also an entry of the log.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from bioguard.device.fuse import FUSE_FILE
from bioguard.errors import BioguardError, InputRefused, IntegrityFailure
from bioguard.policy.incidents import TEXTS, Incident
from bioguard.private_files import put_aside, read_json, write_file
from bioguard.records.events import Cause

__all__ = ["INCIDENTS_FILE", "acknowledge", "detecting", "incidents", "record_incident"]

INCIDENTS_FILE = "incidents.json"
_ROLLED_BACK = frozenset({"store.security"})
_OPENS_ONE = ("store.", "device.", "incident.")
"""Codes of integrity failures that are about this device, and not about a file somebody gave us to verify."""


def _damaged() -> IntegrityFailure:
    return IntegrityFailure(
        "the incident file is damaged",
        hint="run the command again: the file is put aside and an incident tells of it",
        code="incident.damaged",
    )


def _parsed(row: Any) -> Incident:
    return Incident(
        number=int(row["number"]),
        cause=Cause[row["cause"]],
        code=str(row["code"]),
        opened_ms=int(row["opened_ms"]),
        acknowledged=bool(row["acknowledged"]),
    )


def _load(directory: Path) -> list[Incident]:
    document = read_json(directory, INCIDENTS_FILE, damaged=_damaged)
    if document is None:
        return []
    try:
        found = [_parsed(row) for row in document["incidents"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _damaged() from None
    if any(i.cause not in TEXTS for i in found):
        raise _damaged()
    return found


def incidents(directory: Path) -> list[Incident]:
    """All incidents of the device, oldest first.

    Raises:
        IntegrityFailure: the file is not what `record_incident` wrote; it was put aside, and that is an incident too.
    """
    with detecting(directory):
        return _load(directory)


def _save(directory: Path, found: list[Incident]) -> None:
    rows = [
        {
            "number": i.number,
            "cause": i.cause.name,
            "code": i.code,
            "opened_ms": i.opened_ms,
            "acknowledged": i.acknowledged,
        }
        for i in found
    ]
    write_file(directory, INCIDENTS_FILE, json.dumps({"format": 1, "incidents": rows}, indent=1) + "\n")


def _with(found: list[Incident], error: IntegrityFailure) -> list[Incident]:
    """The same finding is not recorded twice while it is unacknowledged."""
    if any(known.code == error.code and not known.acknowledged for known in found):
        return found
    cause = Cause.ROLLED_BACK if error.code in _ROLLED_BACK else Cause.TAMPERED
    number = max((i.number for i in found), default=0) + 1
    return [*found, Incident(number, cause, error.code, time.time_ns() // 1_000_000)]


def record_incident(directory: Path, error: IntegrityFailure) -> None:
    """Open an incident for what was detected on this device, if the directory can be written.

    A damaged incident file is put aside first: the finding that is told is the one that was detected, not that it
    could not be written down.
    """
    if not error.code.startswith(_OPENS_ONE) or not os.path.lexists(directory / FUSE_FILE):
        return
    with suppress(BioguardError, OSError):
        try:
            kept = before = _load(directory)
        except IntegrityFailure as damage:
            put_aside(directory, INCIDENTS_FILE)
            kept, before = [], _with([], damage)
        after = _with(before, error)
        if after != kept:
            _save(directory, after)


@contextmanager
def detecting(directory: Path) -> Iterator[None]:
    """What is found to be tampered with or rolled back inside the block opens an incident, and goes on."""
    try:
        yield
    except IntegrityFailure as failure:
        record_incident(directory, failure)
        raise


def acknowledge(directory: Path, number: int) -> Incident:
    """Mark an incident as seen. Raises InputRefused for an unknown number."""
    found = incidents(directory)
    for index, known in enumerate(found):
        if known.number == number:
            found[index] = replace(known, acknowledged=True)
            _save(directory, found)
            return found[index]
    raise InputRefused(f"there is no incident {number}", hint="run: bioguard incident", code="incident.unknown")
