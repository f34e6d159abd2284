"""When a user last gave the PIN and last matched: what the framework above the HAL keeps to ask for the PIN again.

The rules are in `bioguard.trusted.contract.fallback`. As in Android no trusted application enforces them: this file is
the normal world's, and a hint to its callers. Times are boot times; another boot forgets them.
"""

import json
from dataclasses import replace
from pathlib import Path

from bioguard.device.boot import boot_id
from bioguard.trusted.contract.fallback import UnlockTimes
from tee_sim.clock import SystemClock

__all__ = ["UNLOCK_FILE", "noted", "unlock_times"]

UNLOCK_FILE = "unlocks.json"


def _load(directory: Path) -> dict[str, dict[str, int | None]]:
    try:
        document = json.loads((directory / UNLOCK_FILE).read_text("ascii"))
        users: dict[str, dict[str, int | None]] = (
            document["users"] if document["boot"] == boot_id(directory).hex() else {}
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}
    return users


def unlock_times(directory: Path, user: bytes) -> UnlockTimes:
    """What is known of this boot; unreadable or old files count as nothing known, which asks for the PIN."""
    known = _load(directory).get(user.hex(), {})
    return UnlockTimes(
        credential_ms=known.get("credential_ms"),
        biometric_ms=known.get("biometric_ms"),
        failed_attempts=known.get("failed_attempts") or 0,
    )


def noted(directory: Path, user: bytes, *, credential: bool = False, matched: bool | None = None) -> None:
    """Note a PIN, a match or a failed attempt, now."""
    now_ms = SystemClock().boot_ms()
    times = unlock_times(directory, user)
    if credential:
        times = replace(times, credential_ms=now_ms, failed_attempts=0)
    if matched is not None:
        failed = 0 if matched else times.failed_attempts + 1
        times = replace(times, biometric_ms=now_ms if matched else times.biometric_ms, failed_attempts=failed)
    users = _load(directory)
    users[user.hex()] = {
        "credential_ms": times.credential_ms,
        "biometric_ms": times.biometric_ms,
        "failed_attempts": times.failed_attempts,
    }
    document = {"boot": boot_id(directory).hex(), "users": users}
    temporary = directory / (UNLOCK_FILE + ".new")
    temporary.write_text(json.dumps(document, indent=1), "ascii")
    temporary.replace(directory / UNLOCK_FILE)
