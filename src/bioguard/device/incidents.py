"""Incidents of a device, kept by the normal world: a store that does not open cannot hold them.

They are a convenience for the operator, not evidence: whoever owns the directory can delete the file. An incident of a
store that does open is also an entry of the log.
"""

import json
import time
from pathlib import Path

from bioguard.device.files import replace_file
from bioguard.errors import InputRefused, IntegrityFailure
from bioguard.policy.incidents import TEXTS, Incident
from bioguard.records.events import Cause

__all__ = ["INCIDENTS_FILE", "acknowledge", "incidents", "record_incident"]

INCIDENTS_FILE = "incidents.json"
_ROLLED_BACK = frozenset({"store.security"})


def incidents(directory: Path) -> list[Incident]:
    """All incidents of the device, oldest first.

    Raises:
        IntegrityFailure: the file is not what `record_incident` wrote.
    """
    path = directory / INCIDENTS_FILE
    try:
        rows = json.loads(path.read_text("ascii"))["incidents"]
        return [
            Incident(
                number=int(r["number"]),
                cause=Cause[r["cause"]],
                code=str(r["code"]),
                opened_ms=int(r["opened_ms"]),
                acknowledged=bool(r["acknowledged"]),
            )
            for r in rows
            if Cause[r["cause"]] in TEXTS
        ]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError, AttributeError):
        raise IntegrityFailure(
            "the incident file is damaged", hint=f"look at it, then remove {path}", code="incident.damaged"
        ) from None


def _save(directory: Path, found: list[Incident]) -> None:
    path = directory / INCIDENTS_FILE
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
    replace_file(path, json.dumps({"format": 1, "incidents": rows}, indent=1) + "\n")


def record_incident(directory: Path, error: IntegrityFailure) -> Incident | None:
    """Open an incident for what was detected. The same finding is not recorded twice while it is unacknowledged."""
    if not error.code.startswith("store.") or not directory.is_dir():
        return None
    found = incidents(directory)
    for known in found:
        if known.code == error.code and not known.acknowledged:
            return known
    cause = Cause.ROLLED_BACK if error.code in _ROLLED_BACK else Cause.TAMPERED
    number = max((i.number for i in found), default=0) + 1
    new = Incident(number, cause, error.code, time.time_ns() // 1_000_000)
    _save(directory, [*found, new])
    return new


def acknowledge(directory: Path, number: int) -> Incident:
    """Mark an incident as seen. Raises InputRefused for an unknown number."""
    found = incidents(directory)
    for index, known in enumerate(found):
        if known.number == number:
            found[index] = Incident(known.number, known.cause, known.code, known.opened_ms, acknowledged=True)
            _save(directory, found)
            return found[index]
    raise InputRefused(f"there is no incident {number}", hint="run: bioguard incidents", code="incident.unknown")
