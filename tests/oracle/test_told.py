"""Devices that differ in nothing but what is enrolled answer alike: by every reply, and by what they ask of the disk.

Two devices with the same randomness, the same people and the same calls. On one the face shown comes near to the
enrolled one and is refused; on the other it is far from it. Afterwards every command is asked.
"""

from collections import Counter
from dataclasses import replace
from itertools import islice, product

import numpy as np
import pytest

from bench.oracle.places import fast_pins
from bench.oracle.told import COMPARING, compares, every_command, rows
from bioguard.commands import biometric, keystore, policy
from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.gatekeeper import GATEKEEPER_UUID
from bioguard.commands.keystore import KEYSTORE_UUID
from bioguard.device.applications import manifests
from bioguard.evidence.attack.kit import FACE, FACE_SENSOR, Kit
from bioguard.evidence.attack.target import Target
from bioguard.records import FaceEmbedding
from bioguard.records.consent import Purpose
from bioguard.records.locks import AttemptOutcome
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import SENSOR_IDS
from bioguard.simulate.people import finger_impressions
from bioguard.trusted.biometric import sensor_commands
from bioguard.trusted.biometric.app import BiometricApp
from tee_sim.shared.rng import SeededRng
from tee_sim.shared.schema import Fixed, Items, Record, UpTo, record_fields

FINGER_SENSOR = SENSOR_IDS[Modality.FINGERPRINT]
UUIDS = {"gatekeeper": GATEKEEPER_UUID, "keystore": KEYSTORE_UUID}
DIMENSION = 512
COSINES = {"near": 0.33, "far": 0.0}
COMMITMENTS = 32
"""Replies of this size commit to what is enrolled: salted digests, roots, hashes. They differ, and tell nothing."""
MISSES = 5
"""As many as bring a wait about."""
MOST = 24
LAST = ("REMOVE_USER", "ERASE", "DELETE_USER", "WITHDRAW", "OBJECT", "MARK_UNDERAGE", "PURGE", "RENEW_CODES")
"""Commands after which less is there to be asked about."""


def unit(vector):
    return vector / np.linalg.norm(vector)


class Twin:
    """A device; `how` says how near the face that will be shown comes to the enrolled one."""

    def __init__(self, how: str, *, fingers: int = 0) -> None:
        self.kit = Kit(Target(manifests(), rng=SeededRng(b"twins")))
        rng = np.random.default_rng(5)
        self.shown, aside, *noise = (unit(rng.normal(size=DIMENSION)) for _ in range(12))
        aside = unit(aside - (aside @ self.shown) * self.shown)
        enrolled = COSINES[how] * self.shown + np.sqrt(1 - COSINES[how] ** 2) * aside
        self.victim = self.kit.person()
        self.mallory = self.kit.person()
        views = [FaceEmbedding.from_features(enrolled + 0.05 * n).to_bytes() for n in noise[:3]]
        self.record = self._enroll(self.victim, FACE, 0, views)
        own = unit(rng.normal(size=DIMENSION))
        self._enroll(
            self.mallory, FACE, 0, [FaceEmbedding.from_features(own + 0.05 * n).to_bytes() for n in noise[3:6]]
        )
        self.touches = [t.to_bytes() for t in finger_impressions(3, person=fingers, count=4)]
        for purpose in Purpose:
            grant = policy.GrantConsent(
                user=self.victim.user,
                modalities=(Modality.FINGERPRINT,),
                purposes=(purpose,),
                days=30,
                of_age=True,
                token=self.kit.pin_token(self.victim),
            )
            self.kit.need(self.ask("biometric", policy.GRANT, grant).status, "consent")
        self._enroll(self.victim, Modality.FINGERPRINT, 2, self.touches[:3])
        self.key = self.kit.key(self.victim.secure_user_id)

    def _enroll(self, person, modality, position, samples) -> bytes:
        request = biometric.Enroll(
            user=person.user,
            sensor=SENSOR_IDS[modality],
            position=position,
            samples=tuple(samples),
            token=self.kit.pin_token(person, self.kit.challenge(person, modality)),
        )
        answer = self.ask("biometric", biometric.ENROLL, request)
        self.kit.need(answer.status, "enrollment")
        return answer.record_id

    def ask(self, table, command, request):
        return self.kit.target.call(UUIDS.get(table, BIOMETRIC_UUID), command, request)

    def traffic(self) -> list:
        seen, self.kit.target.disk.traffic = self.kit.target.disk.traffic, []
        return seen

    def show(self) -> list:
        """The face, to every door; what comes back and what it asked of the disk."""
        sample = FaceEmbedding.from_features(self.shown).to_bytes()
        claim = biometric.Authenticate(user=self.victim.user, sensor=FACE_SENSOR, sample=sample)
        seen = []
        for request, command in (
            (biometric.Identify(sensor=FACE_SENSOR, sample=sample), biometric.IDENTIFY),
            *[(claim, biometric.AUTHENTICATE)] * MISSES,
            (replace(claim, user=self.mallory.user, operation_id=7), biometric.AUTHENTICATE),
            (biometric.Identify(sensor=FINGER_SENSOR, sample=self.touches[3], fpir_inverse=1_000), biometric.IDENTIFY),
        ):
            self.traffic()
            seen.append((self.ask("biometric", command, request), self.traffic()))
        return seen

    def pool(self) -> dict[str, list]:
        return {
            "user": [self.victim.user, self.mallory.user, b"n" * 16],
            "record_id": [self.record, bytes(16)],
            "token": [self.kit.pin_token(self.victim), self.kit.pin_token(self.mallory), b""],
            "label": [bytes(32)],
            "handle": [self.victim.handle, self.mallory.handle],
            "current_handle": [None, self.victim.handle],
            "pin": [b"1234", b"0000"],
            "current": [b"1234"],
            "desired": [b"5678"],
            "key_id": [self.key, bytes(16)],
            "nonce": [bytes(32)],
        }


def choices(name: str, kind: type, bound: object, pool: dict) -> list:
    if name in pool:
        return pool[name]
    if kind is bool:
        return [False, True]
    if issubclass(kind, Record):
        return list(islice(requests(kind, pool), 4))
    if isinstance(bound, UpTo):
        return list(kind) if kind is not int else [0, 1, min(bound.maximum, 30)]
    return [bytes(bound.size_bytes if isinstance(bound, Fixed) else 0)]


def requests(record: type[Record], pool: dict):
    fields = record_fields(record)
    values = [
        [()]
        if isinstance(f.bound, Items)
        else (list(f.kind) if hasattr(f.kind, "__members__") else choices(f.name, f.kind, f.bound, pool))
        for f in fields
    ]
    for chosen in product(*values):
        yield record(**dict(zip((f.name for f in fields), chosen, strict=True)))


def plain(value: object, bound: object = None) -> object:
    """A reply without its commitments."""
    if isinstance(value, Record):
        return [plain(getattr(value, f.name), f.bound) for f in record_fields(type(value))]
    if isinstance(value, tuple):
        return [plain(entry, getattr(bound, "item", None)) for entry in value]
    return len(value) if isinstance(value, bytes) and len(value) >= COMMITMENTS and len(value) != 69 else value


@pytest.fixture(scope="module")
def twins():
    with fast_pins():
        yield Twin("near"), Twin("far")


def shown_alike(twins) -> bool:
    near, far = (twin.show() for twin in twins)
    assert not any(reply.match for reply, _ in (*near[:-1], *far[:-1]))
    return near == far


def told_afterwards(twins) -> Counter[str]:
    """Every command without a sample, with everything that gets past its first check: what is told apart, how often."""
    pools = [twin.pool() for twin in twins]
    assert pools[0] == pools[1]
    told: Counter[str] = Counter()
    for table, name, command in sorted(every_command(), key=lambda row: row[1] in LAST):
        for request in () if compares(command) else islice(requests(command.request, pools[0]), MOST):
            replies = []
            for twin in twins:
                twin.traffic()
                replies.append((plain(twin.ask(table, command, request)), [t[::2] for t in twin.traffic()]))
            told[name] += replies[0] != replies[1]
    return told


def test_a_near_miss_and_a_far_one_look_alike_then_and_afterwards(twins) -> None:
    assert shown_alike(twins)
    told = told_afterwards(twins)
    assert set(told) == {name for _, name, command in every_command() if not compares(command)}
    assert not any(told.values()), +told


def written_when_near(patch: pytest.MonkeyPatch) -> None:
    """The tally is stored only when something changed."""
    real = sensor_commands.put_tally

    def put(transaction, sensor_id, tally):
        if any(tally.counts):
            real(transaction, sensor_id, tally)

    patch.setattr(sensor_commands, "put_tally", put)


def near_is_forgiven(patch: pytest.MonkeyPatch) -> None:
    """A near miss is taken for a poor capture and given back."""
    real = BiometricApp._outcome

    def outcome(verdict, terms):
        return AttemptOutcome.POOR_CAPTURE if verdict.near and verdict.accepted is None else real(verdict, terms)

    patch.setattr(BiometricApp, "_outcome", staticmethod(outcome))


@pytest.mark.parametrize(("mutant", "by"), [(written_when_near, set()), (near_is_forgiven, {"LOCK_STATUS"})])
def test_what_tells_is_noticed(mutant, by: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    with fast_pins():
        twins = Twin("near"), Twin("far")
        assert not shown_alike(twins)
        assert by <= set(+told_afterwards(twins))


def test_an_enrollment_tells_of_strong_matches_only(twins) -> None:
    """A finger that is enrolled already is refused; what is merely near is not."""
    answers = set()
    for twin in (Twin("near", fingers=0), Twin("near", fingers=1)):
        touches = [t.to_bytes() for t in finger_impressions(3, person=2, count=3)]
        token = twin.kit.pin_token(twin.victim, twin.kit.challenge(twin.victim, Modality.FINGERPRINT))
        request = biometric.Enroll(
            user=twin.victim.user,
            sensor=SENSOR_IDS[Modality.FINGERPRINT],
            position=3,
            samples=tuple(touches),
            token=token,
        )
        answers.add(twin.ask("biometric", biometric.ENROLL, request).status.name)
    assert answers == {"OK"}


def test_every_command_that_compares_has_a_row_and_no_other() -> None:
    assert {name for _, name, command in every_command() if compares(command)} == set(COMPARING)
    assert len(list(rows())) == len(list(every_command())) > 40
    assert keystore.CHECK_TOKEN in [command for _, _, command in every_command()]
