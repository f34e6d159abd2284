"""What the disk sees of a decision is the same however near a finger came, as of faces in test_decisions.py."""

from dataclasses import dataclass

import numpy as np
import pytest

from bioguard.commands import policy, sensor
from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.configuration import Configuration
from bioguard.commands.status import ReplyStatus, SensorStatus
from bioguard.device.applications import manifests
from bioguard.evidence.attack.kit import Kit, Person
from bioguard.evidence.attack.memory import MemoryStore
from bioguard.records import FingerprintTemplate
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality, Profile
from bioguard.records.sensor_props import SENSOR_IDS
from bioguard.simulate.people import finger_impressions
from bioguard.trusted.sensor.exposure import LIMIT
from bioguard.trusted.sensor.tally import read_tally
from tests.contract.watched import Watched

pytestmark = pytest.mark.usefixtures("fast_pins")
FINGER = Modality.FINGERPRINT
SEED = 7
SHARES = (0.0, 0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 1.0)
"""Of a touch of the enrolled finger that is left; the rest is of a stranger's. Zones lie in between, by profile."""


@dataclass
class Owner:
    """A person and their finger: touches of it, of which the last ones are not enrolled."""

    person: Person
    touches: list[FingerprintTemplate]


def blend(own: FingerprintTemplate, other: FingerprintTemplate, share: float, rng) -> bytes:
    """A touch with this share of the own minutiae."""
    kept = rng.permutation(len(own))[: round(share * len(own))]
    added = rng.permutation(len(other))[: round((1 - share) * len(other))]
    columns = [
        np.concatenate([getattr(own, name)[kept], getattr(other, name)[added]])
        for name in ("x_px500", "y_px500", "angle_rad")
    ]
    width, height = (max(getattr(t, n) for t in (own, other)) for n in ("width_px500", "height_px500"))
    return FingerprintTemplate.from_minutiae(*columns, width_px500=width, height_px500=height).to_bytes()


class Fingers(Kit):
    """People with one finger each."""

    def owner(self, number: int) -> Owner:
        person = self.person()
        for purpose in Purpose:
            token = self.pin_token(person)
            grant = policy.GrantConsent(
                user=person.user, modalities=(FINGER,), purposes=(purpose,), days=365, of_age=True, token=token
            )
            self.need(self.ask(BIOMETRIC_UUID, policy.GRANT, grant).status, "consent")
        touches = list(finger_impressions(SEED, person=number, count=8))
        token = self.pin_token(person, self.challenge(person, FINGER))
        samples = [touch.to_bytes() for touch in touches[:3]]
        assert self.enroll(person, token, samples=samples, modality=FINGER) is ReplyStatus.OK
        return Owner(person, touches[3:])

    def unlock(self, person: Person) -> None:
        request = sensor.ResetLockout(user=person.user, sensor=SENSOR_IDS[FINGER], token=self.pin_token(person))
        assert self.target.call(BIOMETRIC_UUID, sensor.RESET_LOCKOUT, request).status is SensorStatus.OK

    def counts(self) -> list[int]:
        tally = read_tally(MemoryStore(self.target.disk, BIOMETRIC_UUID.bytes), SENSOR_IDS[FINGER])
        return list(tally.counts)


@pytest.mark.parametrize("profile", list(Profile))
def test_the_disk_sees_the_same_of_every_decision_about_a_finger(profile: Profile) -> None:
    phone = Fingers(Watched(manifests()), configuration=Configuration(profile=profile))
    owners = [phone.owner(number) for number in range(3)]
    alice = owners[0].person
    stranger = finger_impressions(SEED, person=9, count=1)[0]
    rng = np.random.default_rng(5)
    phone.identify(stranger.to_bytes())
    phone.authenticate(alice, stranger.to_bytes())  # what the first decision of a start reads is kept
    shapes: dict[str, set] = {"authenticate": set(), "identify": set()}
    answers: dict[str, set] = {"authenticate": set(), "identify": set()}
    seen: set[int] = set()
    near: list[bytes] = []
    renewed = 0

    def decide(probe: bytes) -> None:
        acts = {"authenticate": lambda: phone.authenticate(alice, probe), "identify": lambda: phone.identify(probe)}
        for name, act in acts.items():
            shapes[name].add(phone.target.shape(lambda act=act, name=name: answers[name].add(act().match)))

    for turn in range(54):
        phone.unlock(alice)
        owner = owners[int(rng.choice(3, p=[0.6, 0.2, 0.2]))]
        probe = blend(owner.touches[turn % len(owner.touches)], stranger, SHARES[turn % len(SHARES)], rng)
        before = sum(phone.counts())
        decide(probe)
        renewed += sum(phone.counts()) < before
        near += [probe] if sum(phone.counts()) > before else []
        seen |= set(phone.counts())
    for probe in near * LIMIT:
        if max(seen) > LIMIT:
            break
        phone.unlock(alice)
        decide(probe)
        seen |= set(phone.counts())
    assert answers == {"authenticate": {False, True}, "identify": {False, True}}
    assert renewed
    assert max(seen) > LIMIT
    assert {name: len(found) for name, found in shapes.items()} == {"authenticate": 1, "identify": 1}
    (claim,), (search,) = shapes["authenticate"], shapes["identify"]
    number = bytes([SENSOR_IDS[FINGER]])
    for shape, charged in ((claim, b"S" + number + alice.user), (search, b"X" + number)):
        writes = [tuple(i for i, _ in about) for what, about, *_ in shape if what == "write"]
        assert writes[0] == (charged,)
        assert len(writes) == 2
        kinds = {i[:2] for i in writes[1]}
        assert kinds == {b"H", b"L", b"X" + number} | ({b"S" + number} if shape is claim else set())
