"""Attacks from one sensor of a device on another: what was enrolled, locked or authorized here must not count there.

Three sensors of faces, two strong and a weak one, so that nothing but the sensor tells them apart.
"""

import numpy as np
from numpy.typing import NDArray

from bioguard.commands import biometric, sensor
from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.configuration import Configuration
from bioguard.commands.status import ReplyStatus
from bioguard.evidence.attack.enrollment import REFUSED_BY_TOKEN
from bioguard.evidence.attack.kit import FACE, Attack, Kit, Person
from bioguard.evidence.attack.target import Target
from bioguard.records.locks import Lock
from bioguard.records.sensor_props import FaceSensorType, SensorProps
from bioguard.records.strength import SensorStrength

SOURCE = "ISession.aidl: a session is of one sensor and one user"
CLASSES = "CDD 7.3.10: only Class 3 may be used with keystore"
ONE, TWO, WEAK = range(3)
_MISSES = 5


def _props(sensor_id: int, strength: SensorStrength = SensorStrength.STRONG) -> SensorProps:
    return SensorProps(sensor_id=sensor_id, kind=FACE, sensor_type=FaceSensorType.RGB, strength=strength)


TABLE = (_props(ONE), _props(TWO), _props(WEAK, SensorStrength.WEAK))


def _phone(kit: Kit) -> tuple[Kit, Person]:
    """A device with these sensors; its owner has a face on the first, and another one's on the two others."""
    phone = Kit(Target(kit.target.manifests), configuration=Configuration(sensor_table=TABLE))
    owner = phone.person()
    phone.need(_enroll(phone, owner, ONE, _views(phone, owner.face)), "enrollment")
    for on in (TWO, WEAK):
        phone.need(_enroll(phone, owner, on, _views(phone, phone.direction())), "enrollment")
    return phone, owner


def _views(phone: Kit, face: NDArray[np.float64]) -> list[bytes]:
    return [phone.sample(face) for _ in range(3)]


def _token(phone: Kit, owner: Person, on: int) -> bytes:
    asked = sensor.SensorRequest(user=owner.user, sensor=on)
    return phone.pin_token(owner, phone.ask(BIOMETRIC_UUID, sensor.GENERATE_CHALLENGE, asked).challenge)


def _enroll(phone: Kit, owner: Person, on: int, samples: list[bytes], token: bytes | None = None) -> ReplyStatus:
    token = _token(phone, owner, on) if token is None else token
    request = biometric.Enroll(user=owner.user, sensor=on, position=0, samples=tuple(samples), token=token)
    return phone.target.call(BIOMETRIC_UUID, biometric.ENROLL, request).status


def _claim(phone: Kit, owner: Person, on: int, sample: bytes) -> biometric.Decision:
    request = biometric.Authenticate(user=owner.user, sensor=on, sample=sample, operation_id=7)
    return phone.target.call(BIOMETRIC_UUID, biometric.AUTHENTICATE, request)


def other_record(kit: Kit) -> str | None:
    """Show a sensor the face that was enrolled on another one."""
    phone, owner = _phone(kit)
    sample = phone.sample(owner.face)
    phone.need(_claim(phone, owner, ONE, sample).status, "a claim")
    for on in (TWO, WEAK):
        search = biometric.Identify(sensor=on, sample=sample)
        found = phone.target.call(BIOMETRIC_UUID, biometric.IDENTIFY, search)
        if _claim(phone, owner, on, sample).match or found.match:
            return f"sensor {on} accepts what was enrolled on sensor {ONE}"
    return None


def other_challenge(kit: Kit) -> str | None:
    """Enroll on a sensor with the token that was made for another one of the same kind."""
    phone, owner = _phone(kit)
    status = _enroll(phone, owner, TWO, _views(phone, phone.direction()), _token(phone, owner, ONE))
    return None if status in REFUSED_BY_TOKEN else f"the token for sensor {ONE} is taken by sensor {TWO}"


def weak_token(kit: Kit) -> str | None:
    """Have a weak sensor release a key."""
    phone = Kit(Target(kit.target.manifests), configuration=Configuration(sensor_table=TABLE))
    owner = phone.person()
    phone.need(_enroll(phone, owner, WEAK, _views(phone, owner.face)), "enrollment")
    answer = _claim(phone, owner, WEAK, phone.sample(owner.face))
    asked = sensor.SensorRequest(user=owner.user, sensor=WEAK)
    reported = phone.ask(BIOMETRIC_UUID, sensor.GET_AUTHENTICATOR_ID, asked).authenticator_id
    if answer.token is not None or reported:
        return "a weak sensor makes a token, or has an authenticator id"
    return None


def other_lock(kit: Kit) -> str | None:
    """End a lock by a match on another sensor, or by guessing on."""
    phone, owner = _phone(kit)
    for _ in range(_MISSES):
        _claim(phone, owner, TWO, phone.sample(phone.direction()))
    phone.need(_claim(phone, owner, ONE, phone.sample(owner.face)).status, "a claim on the other sensor")
    asked = sensor.SensorRequest(user=owner.user, sensor=TWO)
    lock = phone.ask(BIOMETRIC_UUID, sensor.LOCK_STATUS, asked).lock
    return "a match on another sensor ends a lock" if lock is Lock.NONE else None


def feature_without_pin(kit: Kit) -> str | None:
    """Switch off what the owner of a face has switched on, without the PIN."""
    phone, owner = _phone(kit)
    of_match = _claim(phone, owner, ONE, phone.sample(owner.face)).token or b""
    for token in (b"", of_match, phone.pin_token(phone.person())):
        request = sensor.SetFeature(user=owner.user, sensor=ONE, token=token, feature=0, enabled=True)
        if phone.target.call(BIOMETRIC_UUID, sensor.SET_FEATURE, request).status is ReplyStatus.OK:
            return "a feature is switched without the owner's PIN"
    return None


def prepared_oracle(kit: Kit) -> str | None:
    """Ask without a token whether an enrollment would be let begin: the answer must not say who is enrolled."""
    phone, owner = _phone(kit)
    full = [_enroll(phone, owner, TWO, _views(phone, phone.direction())) for _ in range(5)]
    if ReplyStatus.USER_FULL not in full:
        phone.need(full[-1], "filling a sensor")
    told = set()
    for on in (ONE, TWO):
        request = biometric.PrepareEnrollment(user=owner.user, sensor=on, token=b"")
        told.add(phone.target.call(BIOMETRIC_UUID, biometric.PREPARE_ENROLLMENT, request).status)
    return None if len(told) == 1 and told <= set(REFUSED_BY_TOKEN) else "an enrollment is prepared without a token"


def judged_oracle(kit: Kit) -> str | None:
    """Have a stranger's face and the owner's judged: the answer must not tell them apart."""
    phone, owner = _phone(kit)
    told = set()
    for face in (owner.face, phone.direction()):
        samples = tuple(phone.sample(face) for _ in range(2))
        answer = phone.target.call(BIOMETRIC_UUID, biometric.JUDGE, biometric.Judge(sensor=ONE, samples=samples))
        told.add((answer.status, answer.acquired))
    return None if len(told) == 1 else "a judgment tells who is enrolled"


ATTACKS = (
    Attack("sensor.other-record", "be accepted by a sensor for what another one enrolled", SOURCE, other_record),
    Attack("sensor.other-challenge", "enroll on a sensor with another one's challenge", SOURCE, other_challenge),
    Attack("sensor.other-lock", "end a sensor's lock by a match on another one", SOURCE, other_lock),
    Attack("sensor.weak-token", "have a weak sensor make a token", CLASSES, weak_token),
    Attack("sensor.feature", "switch a feature without the PIN", "ISession.aidl, setFeature", feature_without_pin),
    Attack("sensor.prepared", "ask without a token what may be enrolled", SOURCE, prepared_oracle),
    Attack("sensor.judged", "ask who is enrolled by a judgment", SOURCE, judged_oracle),
)
