"""Records that are held ready: bounded, overwritten when they go, and none of them while it is asked for."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from bioguard.commands import biometric, policy
from bioguard.commands.biometric import BIOMETRIC_UUID, EraseAuthorization
from bioguard.device.applications import manifests
from bioguard.evidence.attack.kit import FACE, Kit, Person
from bioguard.evidence.attack.target import Target
from bioguard.match import FaceGallery
from bioguard.match.fingerprint.prepared import PreparedTemplate
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality, Profile
from bioguard.records.sensor_props import SENSOR_IDS
from bioguard.trusted.biometric import ready_records
from bioguard.trusted.biometric.app import BiometricApp
from bioguard.trusted.biometric.decision import ReadyRecord
from bioguard.trusted.biometric.gallery_rows import ViewRows
from bioguard.trusted.biometric.ready_records import ReadyRecords
from bioguard.trusted.biometric.stored_objects import StoredRecord
from bioguard.trusted.biometric.vault import Vault
from tee_sim.shared.ta_api import TaEnv

pytestmark = pytest.mark.usefixtures("fast_pins")
IDS = [bytes([number]) * 16 for number in range(1, 6)]
SIZE_BYTES = 64


class Disk:
    """A store of faces in the digest-only profile, each of its own bytes."""

    def fetch(self, object_ids: object) -> None:
        """Nothing to do."""

    def find(self, object_id: bytes) -> object:
        body = StoredRecord(
            salt=bytes(16), sensor=1, modality=Modality.FACE, position=0, profile=Profile.DIGEST_ONLY, enrolled_s=1,
            views=(), codes=(object_id[-1:] * SIZE_BYTES,), code_epoch=1,
        ).to_bytes()  # fmt: skip
        return SimpleNamespace(header=SimpleNamespace(object_id=object_id, owner=bytes(16), commitment=b""), body=body)


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> ReadyRecords:
    monkeypatch.setattr(ready_records, "MOST_BYTES", 2 * SIZE_BYTES)
    return ReadyRecords(Disk())  # type: ignore[arg-type]


def codes_of(record: ReadyRecord) -> np.ndarray:
    assert record.codes is not None
    return record.codes


def test_nothing_that_is_asked_for_makes_room_for_the_rest_of_it(ready: ReadyRecords) -> None:
    """Of one person there may be more than the bound: overwritten, the first would be compared as nothing."""
    for record_id, record in ready.of(IDS[:4]):
        assert (codes_of(record) == record_id[0]).all()


def test_what_makes_room_is_overwritten_and_no_more_is_held_than_the_bound(ready: ReadyRecords) -> None:
    first, second = (codes_of(record) for _, record in ready.of(IDS[:2]))
    ready.of(IDS[:1])
    ready.of(IDS[2:3])
    assert not second.any(), "the one that was not used for longest"
    assert first.any()
    ready.of(IDS[:4])
    ready.of(IDS[4:])
    assert sorted(ready._held) == [IDS[3], IDS[4]]


def test_what_is_held_no_longer_is_overwritten(ready: ReadyRecords) -> None:
    (_, record), (_, other) = ready.of(IDS[:2])
    ready.drop(IDS[0])
    assert not codes_of(record).any()
    ready.clear()
    assert not codes_of(other).any()
    assert not ready._held
    assert not ready._size_bytes


def test_all_of_a_record_is_counted_and_overwritten() -> None:
    finger = PreparedTemplate(np.ones((3, 8), np.int8), np.ones((3, 4), np.int16))
    faces = FaceGallery(np.ones((2, 8), np.float32))
    assert ReadyRecord(1, fingers=(finger, bytes(5))).size_bytes == 3 * 8 + 3 * 4 * 2 + 5
    assert ReadyRecord(1, faces=faces).size_bytes == 2 * 8 * 4
    ReadyRecord(1, fingers=(finger,)).wipe()
    ReadyRecord(1, faces=faces).wipe()
    assert not finger.codes.any()
    assert not finger.places.any()
    assert not faces._store.any()


def _erase(kit: Kit, someone: Person) -> object:
    listed = kit.ask(BIOMETRIC_UUID, biometric.LIST, biometric.ListRecords(user=someone.user))
    leave = EraseAuthorization(token=kit.pin_token(someone))
    request = biometric.Erase(user=someone.user, record_id=listed.records[0].record_id, leave=leave)
    return kit.ask(BIOMETRIC_UUID, biometric.ERASE, request)


def _remove(kit: Kit, someone: Person) -> object:
    request = biometric.RemoveUser(user=someone.user, leave=EraseAuthorization(token=kit.pin_token(someone)))
    return kit.ask(BIOMETRIC_UUID, biometric.REMOVE_USER, request)


def _replace(kit: Kit, someone: Person) -> object:
    token = kit.pin_token(someone, kit.challenge(someone))
    views = tuple(kit.sample(someone.face) for _ in range(3))
    request = biometric.Enroll(
        user=someone.user, sensor=SENSOR_IDS[FACE], position=0, samples=views, token=token, replace=True
    )  # fmt: skip
    return kit.ask(BIOMETRIC_UUID, biometric.ENROLL, request)


def _object(kit: Kit, someone: Person) -> object:
    request = policy.ObjectTo(user=someone.user, purpose=Purpose.UNLOCK, token=kit.pin_token(someone))
    return kit.ask(BIOMETRIC_UUID, policy.OBJECT, request)


def _withdraw(kit: Kit, someone: Person) -> object:
    request = policy.Withdraw(user=someone.user, modality=FACE, purpose=Purpose.IDENTIFY, token=kit.pin_token(someone))
    return kit.ask(BIOMETRIC_UUID, policy.WITHDRAW, request)


@pytest.mark.parametrize("act", [_erase, _remove, _replace, _object, _withdraw])
def test_whoever_goes_or_decides_anew_is_held_no_longer(
    act: Callable[[Kit, Person], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    vaults, create = list[Vault](), BiometricApp.create

    def noted(self: BiometricApp, env: TaEnv) -> None:
        create(self, env)
        vaults.append(self._vault)

    monkeypatch.setattr(BiometricApp, "create", noted)
    kit = Kit(Target(manifests()))
    someone = kit.person(enrolled=True)
    assert kit.authenticate(someone, kit.sample(someone.face)).match
    ((record_id, record),) = vaults[-1].ready._held.items()
    assert record.faces is not None
    rows = record.faces._store
    assert rows.any()
    act(kit, someone)
    assert record_id not in vaults[-1].ready._held
    assert not rows.any()


def test_views_of_a_search_are_overwritten_where_they_go_and_where_they_move() -> None:
    views = ViewRows(4)
    views.put(np.arange(3), np.ones((3, 4), np.float16))
    held = views._views
    views.drop(np.array([1]))
    assert held[:3].any(axis=1).tolist() == [True, False, True]
    views.put(np.arange(3, 9), np.ones((6, 4), np.float16))
    assert views._views is not held
    assert not held.any()
