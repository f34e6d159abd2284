"""The world of the experiment: victims, and an insider with a PIN, a face and a finger, enrolled at a place."""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from bench.oracle.people import VIEWS, Faces
from bench.oracle.places import Place
from bench.oracle.world import Answer, Insider, Remedy, Traffic
from bioguard.commands import biometric, policy, sensor
from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.configuration import Configuration
from bioguard.commands.status import ReplyStatus
from bioguard.evidence.attack.kit import FACE, Kit, Person
from bioguard.evidence.attack.target import Target
from bioguard.records import FaceEmbedding
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import SENSOR_IDS
from bioguard.simulate.people import finger_impressions

Array = NDArray[np.float64]
WAIT_MS = 31_000
DAY_MS = 86_400_000
SEED = 7


def canonical(vector: Array) -> bytes:
    """A face as it is sent."""
    return FaceEmbedding.from_features(vector).to_bytes()


class EnrolledWorld:
    """`World` over commands."""

    def __init__(self, faces: Faces, place: Place) -> None:
        self._faces = faces
        self._place = place
        self._kit = Kit(cast("Target", place), configuration=None if place.made else Configuration())
        self.victims = len(faces.victims)
        self._people = [self._person(views) for views in faces.victims]
        self._mallory = self._person(faces.insider[:VIEWS])
        self._fingers = finger_impressions(SEED, person=0, count=VIEWS + 1)
        self._enroll_finger()
        self._index = {person.user: i for i, person in enumerate(self._people)}

    def _person(self, views: Array) -> Person:
        person = self._kit.person()
        samples = tuple(canonical(view) for view in views)
        self._enroll(person, FACE, 0, samples)
        return person

    def _enroll(self, person: Person, modality: Modality, position: int, samples: tuple[bytes, ...]) -> None:
        token = self._kit.pin_token(person, self._kit.challenge(person, modality))
        request = biometric.Enroll(
            user=person.user, sensor=SENSOR_IDS[modality], position=position, samples=samples, token=token
        )
        self._kit.need(self._place.call(BIOMETRIC_UUID, biometric.ENROLL, request).status, "enrollment")

    def _enroll_finger(self) -> None:
        mallory, finger = self._mallory, Modality.FINGERPRINT
        for purpose in Purpose:
            token = self._kit.pin_token(mallory)
            grant = policy.GrantConsent(
                user=mallory.user, modalities=(finger,), purposes=(purpose,), days=365, of_age=True, token=token
            )
            self._kit.need(self._place.call(BIOMETRIC_UUID, policy.GRANT, grant).status, "consent")
        self._enroll(mallory, finger, 2, tuple(touch.to_bytes() for touch in self._fingers[:VIEWS]))

    def identify(self, probe: Array, rate: int | None) -> Answer:
        request = biometric.Identify(sensor=SENSOR_IDS[FACE], sample=canonical(probe), fpir_inverse=rate or 0)
        self._place.seen()
        reply = self._place.call(BIOMETRIC_UUID, biometric.IDENTIFY, request)
        return Answer(reply.status, self._index.get(reply.user) if reply.user else None)

    def authenticate(self, victim: int, probe: Array, rate: int | None) -> Answer:
        self._place.seen()
        reply = self._claim(self._people[victim], canonical(probe), rate or 0)
        return Answer(reply.status, victim if reply.match else None)

    def _claim(
        self, person: Person, sample: bytes, rate: int = 0, sensor_id: int = SENSOR_IDS[FACE]
    ) -> biometric.Decision:
        request = biometric.Authenticate(user=person.user, sensor=sensor_id, sample=sample, fmr_inverse=rate)
        return self._place.call(BIOMETRIC_UUID, biometric.AUTHENTICATE, request)

    def traffic(self) -> Traffic:
        return self._place.seen()

    # -- what may open a lock ----------------------------------------------------------------------------------------

    def remedies(self, insider: Insider) -> list[Remedy]:
        advance = self._place.clock.advance
        chosen = [Remedy("wait", lambda: advance(WAIT_MS), 0)]
        if insider in (Insider.PIN, Insider.BOTH):
            chosen.append(Remedy("own PIN", lambda: self._give_pin(self._mallory), 3))
        if insider in (Insider.FACE, Insider.BOTH):
            chosen.append(Remedy("own face and finger", self._show_own, 4))
        chosen.append(Remedy("restart", self._place.restart, 0))
        chosen.append(Remedy("reboot", self._place.reboot, 0))
        chosen.append(Remedy("a day", lambda: advance(DAY_MS), 0))
        return chosen

    def _give_pin(self, person: Person) -> None:
        token = self._kit.pin_token(person)
        for sensor_id in SENSOR_IDS.values():
            request = sensor.ResetLockout(user=person.user, sensor=sensor_id, token=token)
            self._place.call(BIOMETRIC_UUID, sensor.RESET_LOCKOUT, request)

    def _show_own(self) -> None:
        own = {FACE: canonical(self._faces.insider[VIEWS]), Modality.FINGERPRINT: self._fingers[VIEWS].to_bytes()}
        for kind, sample in own.items():
            self._claim(self._mallory, sample, sensor_id=SENSOR_IDS[kind])
            request = biometric.Identify(sensor=SENSOR_IDS[kind], sample=sample, fpir_inverse=0)
            self._place.call(BIOMETRIC_UUID, biometric.IDENTIFY, request)

    def owners_day(self) -> None:
        for person, face in zip(self._people, self._faces.genuine, strict=True):
            if self._claim(person, canonical(face)).status is not ReplyStatus.OK:
                self._give_pin(person)
                self._claim(person, canonical(face))
