"""When a user last gave the PIN and last matched: what the framework above the HAL keeps to ask for the PIN again.

The rules are in `bioguard.device.strong_auth_rules`. As in Android no trusted application enforces them: this file is
the normal world's, and a hint to its callers. Times are the device's boot times; another boot forgets them.
"""

import json
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from bioguard.device.boot_id import boot_id
from bioguard.device.strong_auth_rules import UnlockTimes
from bioguard.errors import NotPermitted, TeeUnavailable
from bioguard.json_text import parse_json
from bioguard.private_files import read_file, write_file

UNLOCK_FILE = "unlocks.json"


_FIELDS = ("credential_ms", "biometric_ms", "failed_attempts")


def _load(directory: Path, now_ms: int) -> dict[str, UnlockTimes]:
    raw = read_file(directory, UNLOCK_FILE)
    if raw is None:
        return {}
    try:
        document = parse_json(raw)
        if document["boot"] != boot_id(directory).hex():
            return {}
        return {user: _times(known, now_ms) for user, known in document["users"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _times(known: dict[str, int | None], now_ms: int) -> UnlockTimes:
    """What was noted; a time that has not come yet is of another boot."""
    values = {name: known[name] for name in _FIELDS}
    if not all(v is None or (type(v) is int and v >= 0) for v in values.values()) or values["failed_attempts"] is None:
        raise ValueError
    if any(at is not None and at > now_ms for at in (values["credential_ms"], values["biometric_ms"])):
        return UnlockTimes()
    return UnlockTimes(
        credential_ms=values["credential_ms"],
        biometric_ms=values["biometric_ms"],
        failed_attempts=values["failed_attempts"],
    )


def unlock_times(directory: Path, user: bytes, now_ms: int) -> UnlockTimes:
    """What is known of this boot; a malformed or old file counts as nothing known, which asks for the PIN.

    Args:
        now_ms: the device's boot time.
    """
    return _load(directory, now_ms).get(user.hex(), UnlockTimes())


def record_unlock(
    directory: Path, user: bytes, now_ms: int, *, credential: bool = False, matched: bool | None = None
) -> None:
    """Note a PIN, a match or a failed attempt, now, if it can be written; else the PIN is asked for sooner."""
    times = unlock_times(directory, user, now_ms)
    if credential:
        times = replace(times, credential_ms=now_ms, failed_attempts=0)
    if matched is not None:
        failed = 0 if matched else times.failed_attempts + 1
        times = replace(times, biometric_ms=now_ms if matched else times.biometric_ms, failed_attempts=failed)
    users = _load(directory, now_ms) | {user.hex(): times}
    document = {"boot": boot_id(directory).hex(), "users": {u: asdict(t) for u, t in users.items()}}
    with suppress(NotPermitted, TeeUnavailable):
        write_file(directory, UNLOCK_FILE, json.dumps(document, indent=1))
