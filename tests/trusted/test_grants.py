"""One request consents to several purposes in one commit, all of them or none; each has an entry of its own."""

import pytest

from bioguard.commands import policy
from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.status import ReplyStatus
from bioguard.device.applications import manifests
from bioguard.evidence.attack.kit import Kit
from bioguard.evidence.attack.target import Target
from bioguard.records.audit_events import Event
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from bioguard.trusted.policy.audit_log import BLIND_BYTES, CHUNK
from tests.trusted.test_record_log import entries_of

FACE, FINGER = Modality.FACE, Modality.FINGERPRINT
EVERY = {"modalities": tuple(Modality), "purposes": tuple(Purpose), "days": 30, "of_age": True}


@pytest.fixture
def phone() -> Kit:
    return Kit(Target(manifests()))


def test_all_are_granted_in_one_commit_with_an_entry_each(phone: Kit) -> None:
    user, disk = phone.person(pin=None).user, phone.target.disk
    before = len(disk.traffic)
    phone.ask(BIOMETRIC_UUID, policy.GRANT, policy.GrantConsent(user=user, **EVERY))
    puts = [object_id[:1] for what, object_id, _ in disk.traffic[before:] if what == "put"]
    assert (puts.count(b"C"), puts.count(b"H")) == (1, 1)
    entries = [e for e in entries_of(disk.objects[BIOMETRIC_UUID.bytes]) if e.event is Event.CONSENT_GRANTED]
    assert {(e.modality, e.purpose) for e in entries[-6:]} == {(m, p) for m in Modality for p in Purpose}
    asked = phone.ask(BIOMETRIC_UUID, policy.CONSENTS, policy.Consents(user=user))
    assert len(asked.grants) == 6


@pytest.mark.parametrize(
    "wrong",
    [
        {"modalities": ()}, {"purposes": ()}, {"modalities": (FACE, FACE)}, {"purposes": (Purpose.UNLOCK,) * 2},
        {"days": 0},
    ],
)  # fmt: skip
def test_none_or_the_same_twice_is_refused_and_nothing_is_granted(phone: Kit, wrong: dict) -> None:
    user = phone.person(pin=None).user
    before = phone.ask(BIOMETRIC_UUID, policy.CONSENTS, policy.Consents(user=user))
    answer = phone.target.call(BIOMETRIC_UUID, policy.GRANT, policy.GrantConsent(user=user, **EVERY | wrong))
    assert answer.status is ReplyStatus.BAD_REQUEST
    assert phone.ask(BIOMETRIC_UUID, policy.CONSENTS, policy.Consents(user=user)) == before


def test_every_entry_is_hidden_by_a_blind_of_its_own(phone: Kit) -> None:
    """Whoever has one body could else try guesses against the leaves of the others."""
    for _ in range(8):
        user = phone.person(pin=None).user
        phone.ask(BIOMETRIC_UUID, policy.GRANT, policy.GrantConsent(user=user, **EVERY))
    phone.target.restart()
    phone.ask(BIOMETRIC_UUID, policy.GRANT, policy.GrantConsent(user=user, **EVERY))
    entries = entries_of(phone.target.disk.objects[BIOMETRIC_UUID.bytes])
    assert len(entries) > 2 * CHUNK
    assert {len(entry.blind) for entry in entries} == {BLIND_BYTES}
    assert len({entry.blind for entry in entries}) == len(entries)
