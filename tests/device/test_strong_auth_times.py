"""The framework's memory of unlocks: what it keeps, forgets with a boot, and never trusts."""

import json
from pathlib import Path

import pytest

from bioguard.device.boot_id import boot_id, reboot
from bioguard.device.strong_auth_rules import UnlockTimes
from bioguard.device.strong_auth_times import UNLOCK_FILE, record_unlock, unlock_times

ALICE, BOB = b"A" * 16, b"B" * 16


def test_notes_add_up_per_user(tmp_path: Path) -> None:
    record_unlock(tmp_path, ALICE, 5_000, credential=True)
    record_unlock(tmp_path, ALICE, 5_000, matched=False)
    record_unlock(tmp_path, ALICE, 5_000, matched=False)
    record_unlock(tmp_path, BOB, 6_000, matched=True)
    times = unlock_times(tmp_path, ALICE, 6_000)
    assert (times.credential_ms is not None, times.biometric_ms, times.failed_attempts) == (True, None, 2)
    record_unlock(tmp_path, ALICE, 5_000, matched=True)
    times = unlock_times(tmp_path, ALICE, 6_000)
    assert times.failed_attempts == 0
    assert times.last_unlock_ms() == times.biometric_ms == times.credential_ms == 5_000
    assert unlock_times(tmp_path, BOB, 6_000).credential_ms is None


def test_another_boot_knows_nothing(tmp_path: Path) -> None:
    record_unlock(tmp_path, ALICE, 5_000, credential=True)
    reboot(tmp_path)
    assert unlock_times(tmp_path, ALICE, 6_000) == UnlockTimes()


@pytest.mark.parametrize("what", [{"credential": True}, {"matched": True}])
def test_a_time_that_has_not_come_yet_is_of_another_boot(tmp_path: Path, what: dict[str, bool]) -> None:
    record_unlock(tmp_path, ALICE, 5_000, **what)
    assert unlock_times(tmp_path, ALICE, 5_000) != UnlockTimes()
    assert unlock_times(tmp_path, ALICE, 4_999) == UnlockTimes()


@pytest.mark.parametrize(
    "users",
    [[], {"41" * 16: []}, {"41" * 16: {"credential_ms": "1"}}, None, 7,
     {"41" * 16: {"credential_ms": -1, "biometric_ms": None, "failed_attempts": 0}},
     {"41" * 16: {"credential_ms": 1, "biometric_ms": None, "failed_attempts": None}},
     {"41" * 16: {"credential_ms": True, "biometric_ms": None, "failed_attempts": 0}}],
)  # fmt: skip
def test_a_damaged_file_asks_for_the_pin(tmp_path: Path, users: object) -> None:
    document = {"boot": boot_id(tmp_path).hex(), "users": users}
    (tmp_path / UNLOCK_FILE).write_text(json.dumps(document))
    assert unlock_times(tmp_path, ALICE, 6_000) == UnlockTimes()
    (tmp_path / UNLOCK_FILE).write_text("{")
    assert unlock_times(tmp_path, ALICE, 6_000) == UnlockTimes()
