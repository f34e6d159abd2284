"""What is known of a record beside which somebody else enrolled, or that got another id, in the application itself."""

from dataclasses import replace

import numpy as np
import pytest

from bioguard.commands import biometric, policy, sensor
from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.status import ReplyStatus
from bioguard.device.applications import manifests
from bioguard.evidence.attack.kit import Kit
from bioguard.evidence.attack.memory import MemoryStore
from bioguard.evidence.attack.target import Target
from bioguard.records import FaceEmbedding
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import SENSOR_IDS
from bioguard.simulate.people import finger_impressions
from bioguard.trusted.sensor.exposure import CLOSED, LIMIT
from bioguard.trusted.sensor.tally import put_tally, read_tally

ACCEPTED, STRONG = 0.75, 0.95
"""Cosines to a face of 128 dimensions with three views."""


@pytest.fixture
def phone(fast_pins: None) -> Kit:
    return Kit(Target(manifests()))


def count(phone: Kit, user: bytes) -> int:
    exposures = read_tally(MemoryStore(phone.target.disk, BIOMETRIC_UUID.bytes), 1).exposures
    page = phone.target.call(BIOMETRIC_UUID, biometric.LIST, biometric.ListRecords(user=user))
    return exposures.count(page.records[0].record_id)


def test_a_record_laid_beside_another_does_not_ask_about_it_without_end(phone: Kit) -> None:
    """Searches that end in a match are given back, and the own record chooses what the other one has to beat."""
    alice, mallory = phone.person(enrolled=True), phone.person()
    beside = FaceEmbedding.from_bytes(phone.near(alice.face, ACCEPTED)).vector.astype(np.float64)
    token = phone.pin_token(mallory, phone.challenge(mallory))
    assert phone.enroll(mallory, token, face=beside) is ReplyStatus.OK
    for number in range(1, CLOSED // LIMIT + 1):
        assert phone.identify(phone.sample(beside)).user == mallory.user
        assert (count(phone, alice.user), count(phone, mallory.user)) == (number * LIMIT, 0)
    assert phone.identify(phone.near(alice.face, STRONG)).user != alice.user
    assert phone.authenticate(alice, phone.sample(alice.face)).match
    assert phone.identify(phone.sample(alice.face)).user == alice.user


def test_somebody_who_is_near_and_would_not_be_accepted_pays_nothing(phone: Kit) -> None:
    """A stranger comes near in one of a hundred honest searches."""
    alice, bob = phone.person(enrolled=True), phone.person(enrolled=True)
    for _ in range(CLOSED):
        assert phone.identify(phone.sample(bob.face)).user == bob.user
    assert count(phone, alice.user) == 0


def test_a_finger_under_another_name_keeps_what_was_learned_of_it(phone: Kit) -> None:
    """The samples are the same: giving them a new id must not be a way to a new budget."""
    alice, fingers = phone.person(), Modality.FINGERPRINT
    touches = tuple(touch.to_bytes() for touch in finger_impressions(1, person=0, count=3))
    challenge = phone.ask(
        BIOMETRIC_UUID, sensor.GENERATE_CHALLENGE, sensor.SensorRequest(user=alice.user, sensor=SENSOR_IDS[fingers])
    ).challenge
    consent = policy.GrantConsent(
        user=alice.user, modalities=(fingers,), purposes=(Purpose.UNLOCK,), days=365, of_age=True
    )
    phone.ask(BIOMETRIC_UUID, policy.GRANT, replace(consent, token=phone.pin_token(alice)))
    assert phone.enroll(alice, phone.pin_token(alice, challenge), samples=touches, modality=fingers) is ReplyStatus.OK
    store, listed = MemoryStore(phone.target.disk, BIOMETRIC_UUID.bytes), biometric.ListRecords(user=alice.user)
    (old,) = phone.target.call(BIOMETRIC_UUID, biometric.LIST, listed).records
    tally = read_tally(store, SENSOR_IDS[fingers])
    with store.transaction() as transaction:
        spent = tally.exposures.after(near=[old.record_id] * (LIMIT + 3))
        put_tally(transaction, SENSOR_IDS[fingers], tally.with_counts(spent))
    phone.target.restart()  # the application is the only one who writes, and keeps what it has written
    request = biometric.Relabel(
        user=alice.user, record_id=old.record_id, position=7, token=phone.pin_token(alice, phone.challenge(alice))
    )
    new = phone.target.call(BIOMETRIC_UUID, biometric.RELABEL, request)
    assert new.status is ReplyStatus.OK
    exposures = read_tally(store, SENSOR_IDS[fingers]).exposures
    assert (len(exposures), exposures.count(new.record_id)) == (1, LIMIT + 3)
