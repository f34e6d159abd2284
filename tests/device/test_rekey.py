"""Renewal: new codes and new keys without a new enrollment; old ones worth nothing; cut off anywhere, still whole."""

import sqlite3
from pathlib import Path

import pytest

from bioguard.device import Device
from bioguard.device.consent import grant_all
from bioguard.errors import InputRefused, IntegrityFailure
from bioguard.records.modality import Profile
from bioguard.simulate.people import face_views, finger_impressions
from tee_sim.shared.wire import RenewKeys, pack

FACE = face_views(1, person=0, count=1, first=5)[0]
FINGER = finger_impressions(1, person=0, count=1, first=5)[0]


def rows(directory: Path, digests: set[str]) -> dict[bytes, bytes]:
    with sqlite3.connect(directory / "storage.db") as store:
        found = store.execute("SELECT name, ciphertext, hex(commitment) FROM object").fetchall()
    return {name: ciphertext for name, ciphertext, digest in found if digest.lower() in digests}


def test_everybody_still_matches_and_every_row_changed(populated: Device) -> None:
    digests = {r.record_id: r.digest for r in populated.records()}
    before = rows(populated.directory, {*digests.values()})
    assert len(before) == len(digests)
    assert populated.rekey() == 2
    after = rows(populated.directory, {*digests.values()})
    assert before.keys() == after.keys()
    assert not set(before.values()) & set(after.values())
    assert {r.record_id: r.digest for r in populated.records()} == digests
    assert populated.identify(FACE).user == "alice"
    assert populated.authenticate("alice", FINGER).match


def test_an_old_row_does_not_open_under_the_new_keys(directory: Path) -> None:
    with Device.init(directory, require_pin=False) as device:
        device.add_user("alice")
        grant_all(device, "alice", of_age=True)
        device.enroll("alice", face_views(1, person=0, count=3))
        digest = bytes.fromhex(next(device.records("alice")).digest)
    with sqlite3.connect(directory / "storage.db") as store:
        query = "SELECT version, nonce, ciphertext FROM object WHERE commitment = ?"
        old = store.execute(query, (digest,)).fetchone()
    with Device.open(directory) as device:
        device.rekey()
    with sqlite3.connect(directory / "storage.db") as store:
        store.execute("UPDATE object SET version = ?, nonce = ?, ciphertext = ? WHERE commitment = ?", (*old, digest))
        assert store.execute("SELECT changes()").fetchone() == (1,)
    with Device.open(directory) as device, pytest.raises(IntegrityFailure):
        device.authenticate("alice", FACE)


def test_an_interrupted_renewal_goes_on(directory: Path, populated: Device) -> None:
    process = populated.running.process
    process._write(pack(RenewKeys()), 10**9)
    process.kill()
    populated.close()
    with Device.open(directory) as device:
        assert device.authenticate("alice", FACE).match
        device.rekey()
        assert device.identify(FACE).user == "alice"


def test_the_digest_only_profile_says_why_not(directory: Path) -> None:
    with Device.init(directory, profile=Profile.DIGEST_ONLY) as device, pytest.raises(InputRefused) as caught:
        device.rekey()
    assert caught.value.code == "request.not_supported"
