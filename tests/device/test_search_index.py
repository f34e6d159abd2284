"""The search index of a device: found again after a start, noticed where the disk has damaged it, mended by a purge."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bioguard.commands.biometric import BIOMETRIC_UUID, RENEW_CODES, EraseAuthorization, RenewCodes
from bioguard.device import Device
from bioguard.device.consent import confirm, grant_all, object_to, purge, set_policy, withdraw
from bioguard.errors import BioguardError
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import SENSOR_IDS
from bioguard.trusted.biometric.search_segments import Place
from bioguard.trusted.biometric.stored_objects import record_object
from bioguard.trusted.policy.stored_objects import consent_object
from bioguard.trusted.sensor.stored_objects import StoredStates
from tests.campaigns.crash_device import FACES, configure, opened

BY_OPERATOR = EraseAuthorization(by_operator=True)
ROOT = Place().object_id(SENSOR_IDS[Modality.FACE])


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    with opened(tmp_path, create=True) as device:
        configure(device)
        for name, views in FACES.items():
            device.add_user(name)
            grant_all(device, name, of_age=True)
            device.enroll(name, views[:3])
    return tmp_path


def found(device: Device) -> list[str | None]:
    """Whom each person is found as."""
    return [device.identify(views[5]).user for views in FACES.values()]


def _less(device: Device) -> None:
    device.enroll("bob", FACES["bob"][2:5], replace=True)
    device.erase("alice", next(device.records("alice")).record_id)
    object_to(device, "carol", Purpose.IDENTIFY)


def _back(device: Device) -> None:
    _less(device)
    grant_all(device, "carol", of_age=True)


def _new_policy(device: Device) -> None:
    set_policy(device, version=2, minimum_age=16, retention_days=365)


def _confirmed(device: Device) -> None:
    _new_policy(device)
    confirm(device, "bob")


def _withdrawn(device: Device) -> None:
    """The other purposes stay, and so does the record."""
    withdraw(device, "bob", Modality.FACE, Purpose.IDENTIFY)
    assert device.authenticate("bob", FACES["bob"][5]).match


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda device: None, ["alice", "bob", "carol"]),
        (_less, [None, "bob", None]),
        (_back, [None, "bob", "carol"]),
        (_new_policy, [None, None, None]),
        (_confirmed, [None, "bob", None]),
        (_withdrawn, ["alice", None, "carol"]),
        (lambda device: device.remove_user("bob"), ["alice", None, "carol"]),
        (lambda device: device.ask(RENEW_CODES, RenewCodes()), ["alice", "bob", "carol"]),
    ],
    ids=["nothing", "less", "back", "new policy", "confirmed", "withdrawn", "removed", "renewed"],
)
def test_a_gallery_that_followed_a_change_is_the_one_that_a_start_builds(
    change: Callable[[Device], object], expected: list[str | None], directory: Path
) -> None:
    """With four misses at most: five lock the sensor."""
    with opened(directory) as device:
        device.identify(FACES["bob"][5])
        change(device)
        assert found(device) == expected
    with opened(directory) as device:
        assert found(device) == expected


def damage(directory: Path, object_id: bytes = ROOT) -> None:
    """One bit of the segment on the disk is another one, or of another object."""
    with opened(directory) as device:
        name = device.running.process._world._store.row_name(BIOMETRIC_UUID, object_id)  # type: ignore[attr-defined]
    with closing(sqlite3.connect(directory / "storage.db")) as db, db:
        ((sealed,),) = db.execute("SELECT ciphertext FROM object WHERE name = ?", (name[1:],)).fetchall()
        changed = bytes([sealed[0] ^ 1]) + sealed[1:]
        assert db.execute("UPDATE object SET ciphertext = ? WHERE name = ?", (changed, name[1:])).rowcount == 1


def refused(device: Device) -> str:
    with pytest.raises(BioguardError) as error:
        device.identify(FACES["carol"][5])
    return error.value.code


def test_a_damaged_segment_is_no_wrong_answer_stops_no_erasure_and_is_mended(directory: Path) -> None:
    damage(directory)
    with opened(directory) as device:
        assert refused(device) == "store.corrupt"
        assert device.authenticate("carol", FACES["carol"][5]).match
        device.erase("alice", next(device.records("alice")).record_id)
        assert refused(device) == "store.corrupt", "what is left of it is not all records"
        device.enroll("alice", FACES["alice"][:3])
        assert refused(device) == "store.corrupt"
        purge(device)
        assert found(device) == ["alice", "bob", "carol"]
    damage(directory)
    with opened(directory) as device:
        purge(device)
        assert found(device) == ["alice", "bob", "carol"]


@pytest.mark.parametrize("kind", ["record", "consent", "sensor"])
def test_a_damaged_row_of_a_person_keeps_nobody_in_the_index(kind: str, directory: Path) -> None:
    """A search reads none of the three, so it goes on finding them: then they must be able to go."""
    with opened(directory) as device:
        assert not device.authenticate("carol", FACES["bob"][5]).match
        user, listed = device.user_handle("carol"), next(device.records("carol"))
        record = listed.record_id
    objects = {
        "record": record_object(bytes.fromhex(record)),
        "consent": consent_object(user),
        "sensor": StoredStates.object_id(SENSOR_IDS[Modality.FACE], user),
    }
    damage(directory, objects[kind])
    with opened(directory) as device:
        if kind != "sensor":
            assert found(device) == ["alice", "bob", "carol"]
            assert device.erase("carol", record, BY_OPERATOR) == listed.digest
            assert found(device) == ["alice", "bob", None]
    with opened(directory) as device:
        device.remove_user("carol", BY_OPERATOR)
        assert found(device) == ["alice", "bob", None]
        assert len(list(device.records())) == 2


def test_who_has_a_damaged_record_is_removed_with_it(directory: Path) -> None:
    with opened(directory) as device:
        record = next(device.records("carol")).record_id
    damage(directory, record_object(bytes.fromhex(record)))
    with opened(directory) as device:
        device.remove_user("carol")
        assert found(device) == ["alice", "bob", None]


@pytest.mark.parametrize("kind", ["record", "consent"])
def test_whose_row_is_damaged_is_over_in_time_and_keeps_no_other(kind: str, directory: Path) -> None:
    with opened(directory) as device:
        user, record = device.user_handle("carol"), next(device.records("carol")).record_id
        set_policy(device, version=1, minimum_age=16, retention_days=10)
    damage(directory, record_object(bytes.fromhex(record)) if kind == "record" else consent_object(user))
    with opened(directory, days=9) as device:
        assert found(device) == ["alice", "bob", "carol"]
    with opened(directory, days=11) as device:
        assert found(device) == [None, None, None]
        assert not list(device.records())


def test_a_record_whose_age_nobody_can_read_keeps_no_start_and_goes_with_the_next_that_is_over(directory: Path) -> None:
    with opened(directory) as device:
        record = next(device.records("carol")).record_id
        set_policy(device, version=1, minimum_age=16, retention_days=10)
    damage(directory, record_object(bytes.fromhex(record)))
    damage(directory)
    with opened(directory, days=9) as device:
        assert len(list(device.records("alice"))) == 1
    with opened(directory, days=11) as device:
        assert not list(device.records())
        assert found(device) == [None, None, None]


def test_an_index_that_cannot_be_mended_keeps_nothing_that_is_over(directory: Path) -> None:
    with opened(directory) as device:
        user = device.user_handle("carol")
        set_policy(device, version=1, minimum_age=16, retention_days=10)
    damage(directory)
    damage(directory, consent_object(user))
    with opened(directory, days=60) as device:  # more than a start believes
        assert len(list(device.records())) == 3
        assert purge(device, confirmed=True).erased == 3
        assert not list(device.records())
        assert found(device) == [None, None, None]
