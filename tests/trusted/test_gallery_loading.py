"""A gallery that a start has built goes by consents and retention while the device stays open."""

from types import SimpleNamespace

import numpy as np
import pytest

from bioguard.commands import biometric, policy
from bioguard.commands.biometric import BIOMETRIC_UUID, EraseAuthorization
from bioguard.device.applications import manifests
from bioguard.evidence.attack.kit import FACE, Kit, Person
from bioguard.evidence.attack.target import Target
from bioguard.records.consent import DAY_MS, Purpose
from bioguard.records.modality import Modality, Profile
from bioguard.records.sensor_props import SENSOR_IDS
from bioguard.trusted.biometric.app import BiometricApp
from bioguard.trusted.biometric.gallery_index import GalleryIndex
from bioguard.trusted.biometric.samples import face_vectors
from bioguard.trusted.biometric.stored_objects import StoredRecord
from bioguard.trusted.biometric.vault import Vault
from bioguard.trusted.refusal import Refused
from tee_sim.shared.ta_api import TaEnv

pytestmark = pytest.mark.usefixtures("fast_pins")


class Started:
    """Three people with a face; alice may be searched for a day, carol not at all. Records are kept ten days."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.vaults, create = list[Vault](), BiometricApp.create

        def noted(app: BiometricApp, env: TaEnv) -> None:
            create(app, env)
            self.vaults.append(app._vault)

        monkeypatch.setattr(BiometricApp, "create", noted)
        self.kit = Kit(Target(manifests()))
        self.ask(policy.SET_POLICY, policy.SetPolicy(version=1, minimum_age=14, retention_days=10))
        self.alice, self.bob, self.carol = (self.kit.person(enrolled=True) for _ in range(3))
        token = self.kit.pin_token(self.alice)
        self.ask(policy.GRANT, policy.GrantConsent(
            user=self.alice.user, modalities=(FACE,), purposes=(Purpose.IDENTIFY,), days=1, of_age=True, token=token
        ))  # fmt: skip
        token = self.kit.pin_token(self.carol)
        self.ask(policy.WITHDRAW, policy.Withdraw(
            user=self.carol.user, modality=FACE, purpose=Purpose.IDENTIFY, token=token
        ))  # fmt: skip
        self.kit.target.restart()
        assert self.found(self.bob)

    def ask(self, command, request) -> None:  # type: ignore[no-untyped-def]
        self.kit.ask(BIOMETRIC_UUID, command, request)

    def found(self, person: Person) -> bool:
        return self.kit.identify(self.kit.sample(person.face)).match

    def days(self, count: int) -> None:
        self.kit.target.clock.advance(count * DAY_MS)

    @property
    def gallery(self) -> GalleryIndex:
        gallery = self.vaults[-1].galleries.get(SENSOR_IDS[FACE])
        assert gallery is not None
        return gallery


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    return Started(monkeypatch)


def test_who_may_not_be_searched_for_is_not_in_it(started: Started) -> None:
    assert not started.found(started.carol)
    assert set(started.gallery._rows._people.ids) == {started.alice.user, started.bob.user}


def test_a_consent_that_ends_meanwhile_hides_its_giver_and_nobody_else(started: Started) -> None:
    assert started.found(started.alice)
    started.days(2)
    assert (started.found(started.alice), started.found(started.bob)) == (False, True)


def test_a_record_whose_retention_ends_meanwhile_leaves_it(started: Started) -> None:
    started.days(9)
    assert started.found(started.bob)
    started.days(2)
    assert not started.found(started.bob)
    assert not len(started.gallery)


def test_who_is_removed_is_in_no_part_of_it(started: Started) -> None:
    index = started.gallery
    assert index._views is not None
    codes, views = index._gallery, index._views._views
    assert (len(codes), np.count_nonzero(views.any(axis=1))) == (6, 6)
    for person, left in ((started.bob, 3), (started.alice, 0)):
        leave = EraseAuthorization(by_operator=True)
        started.ask(biometric.REMOVE_USER, biometric.RemoveUser(user=person.user, leave=leave))
        assert (len(codes), np.count_nonzero(views.any(axis=1))) == (left, left)
        assert not started.found(person)
    assert index._gallery is None, "the next face may be of another model"


def test_the_code_of_a_finger_that_is_erased_is_held_no_longer() -> None:
    def record(code: bytes) -> StoredRecord:
        return StoredRecord(
            salt=bytes(16), sensor=0, modality=Modality.FINGERPRINT, position=1, profile=Profile.DIGEST_ONLY,
            enrolled_s=1, views=(), codes=(code, code), code_epoch=1,
        )  # fmt: skip

    index = GalleryIndex(Modality.FINGERPRINT, SimpleNamespace(profile=Profile.DIGEST_ONLY))  # type: ignore[arg-type]
    for number in (1, 2):
        index.add(bytes([number]), bytes([number]), record(bytes([number]) * 8), 1, 1)
    index.remove(bytes([1]))
    assert index._codes == [b"", b"", bytes([2]) * 8, bytes([2]) * 8]


def test_views_that_do_not_all_begin_as_the_first_one_are_none(started: Started) -> None:
    first, second = (started.kit.sample(started.bob.face) for _ in range(2))
    assert len(face_vectors(first + second, 2)) == 2
    for wrong in (first + bytes([second[0] ^ 1]) + second[1:], first + second + b"\0", bytes(len(first)) + second):
        with pytest.raises(Refused):
            face_vectors(wrong, 2)
