"""Attacks by what is enrolled or shown: other people's views, copies, vectors that everybody resembles."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bioguard.commands import biometric
from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.status import ReplyStatus
from bioguard.evidence.attack.enrollment import REFUSED_BY_TOKEN
from bioguard.evidence.attack.kit import DIMENSION, FACE_SENSOR, Attack, Kit, Person, SetupError
from bioguard.evidence.attack.target import Target
from bioguard.records import FaceEmbedding
from tee_sim.shared.errors import TeeError, TeeResult

OTHER_DIMENSIONS = (512, 64, 100, 256, 1024)  # the first one is of a model that a device is calibrated for
Vector = NDArray[np.float64]


def _enroll(kit: Kit, person: Person, vectors: Sequence[Vector]) -> ReplyStatus:
    """Enroll these vectors with the right PIN."""
    samples = tuple(FaceEmbedding.from_features(vector).to_bytes() for vector in vectors)
    return kit.enroll(person, kit.pin_token(person, kit.challenge(person)), samples=samples)


def _view(kit: Kit, face: Vector) -> Vector:
    return FaceEmbedding.from_bytes(kit.sample(face)).vector.astype(np.float64)


def second_person(kit: Kit) -> str | None:
    """Slip views of an accomplice between those of the owner, who shows the PIN."""
    for order in ("aba", "ab", "aabb", "abab", "abcabc"):
        owner = kit.person()
        faces = {"a": owner.face, "b": kit.direction(), "c": kit.direction()}
        if _enroll(kit, owner, [_view(kit, faces[who]) for who in order]) is ReplyStatus.OK:
            match = kit.authenticate(owner, kit.sample(faces["b"])).match
            return f"views of different people ({order}) are one enrollment{' and open it' if match else ''}"
    return None


def one_view_three_times(kit: Kit) -> str | None:
    """Pass one view off as several, as it is and slightly rewritten."""
    owner = kit.person()
    view = _view(kit, owner.face)
    copies = {
        "the same": view,
        "scaled": 3.7 * view,
        "rounded to 8 bits": np.rint(view / np.abs(view).max() * 127),
        "with noise": view + 0.02 * kit.direction(),
    }
    for how, copy in copies.items():
        if _enroll(kit, owner, [view, copy, copy]) is ReplyStatus.OK:
            return f"one view, {how}, counts as three"
    return None


def _not_centered(vector: Vector) -> Iterator[tuple[str, Vector]]:
    unit = vector / np.linalg.norm(vector)
    yield "quantized to bytes with a zero point", np.clip(np.rint(unit / np.abs(unit).max() * 127 + 128), 0, 255)
    yield "with an offset", unit + 1.5 / np.sqrt(unit.size)
    yield "with a negative offset", unit - 1.5 / np.sqrt(unit.size)
    yield "rectified", np.maximum(unit, 0)
    yield "behind a row number", np.concatenate(([7.0], unit[1:]))


def everybodys_face(kit: Kit) -> str | None:
    """Enroll vectors of a model that is not centered: whoever uses it resembles everybody."""
    for how, _ in _not_centered(kit.direction()):
        owner, stranger = kit.person(), kit.direction()
        views = [dict(_not_centered(_view(kit, owner.face)))[how] for _ in range(3)]
        if _enroll(kit, owner, views) is ReplyStatus.OK:
            probe = FaceEmbedding.from_features(dict(_not_centered(_view(kit, stranger)))[how])
            match = kit.authenticate(owner, probe.to_bytes()).match
            return f"a face {how} is enrolled{', and a stranger matches it' if match else ''}"
    return None


def no_face_at_all(kit: Kit) -> str | None:
    """Enroll a constant."""
    for value in (1.0, -0.3):
        if _enroll(kit, kit.person(), [np.full(DIMENSION, value)]) is ReplyStatus.OK:
            return "a vector of equal numbers is enrolled as a face"
    return None


def probe_of_no_model(kit: Kit) -> str | None:
    """Show what is no embedding of a centered model, to claim somebody and to be found."""
    owner = kit.person(enrolled=True)
    probes = [("constant", np.ones(DIMENSION)), *_not_centered(kit.direction())]
    for how, vector in probes:
        sample = FaceEmbedding.from_features(vector).to_bytes()
        search = biometric.Identify(sensor=FACE_SENSOR, sample=sample, fpir_inverse=0)
        found = kit.target.call(BIOMETRIC_UUID, biometric.IDENTIFY, search)
        if ReplyStatus.OK in (found.status, kit.authenticate(owner, sample).status):
            return f"a probe that is {how} is compared"
    return "probes that were refused have locked the sensor" if kit.locked(owner) else None


def dimension_of_a_refusal(kit: Kit) -> str | None:
    """Be refused with a face of another dimension, so that nobody can enroll any more."""
    two = kit.rng.normal(size=(2, OTHER_DIMENSIONS[0]))
    for how, pin, rows in (
        ("without a token", False, two[:1]),
        ("of two people", True, two),
        ("that is constant", True, np.ones((1, OTHER_DIMENSIONS[0]))),
    ):
        fresh = Kit(Target(kit.target.manifests))
        attacker, victim = fresh.person(), fresh.person()
        samples = [FaceEmbedding.from_features(row).to_bytes() for row in rows]
        token = fresh.pin_token(attacker, fresh.challenge(attacker)) if pin else b""
        status = fresh.enroll(attacker, token, samples=samples)
        if status is ReplyStatus.OK:
            return f"a face {how} is enrolled"
        if pin and status in REFUSED_BY_TOKEN:
            raise SetupError(f"the right PIN is refused with {status.name}")
        if fresh.enroll(victim, fresh.pin_token(victim, fresh.challenge(victim))) is ReplyStatus.WRONG_DIMENSION:
            return f"a refused face {how} decides which dimension the device takes"
    return None


def dimension_of_an_erased_face(kit: Kit) -> str | None:
    """Enroll a face of another dimension and have it erased: the device should be as before."""
    attacker = kit.person()
    row = kit.rng.normal(size=OTHER_DIMENSIONS[0])
    kit.need(_enroll(kit, attacker, [row]), "enrollment")
    leave = biometric.EraseAuthorization(by_operator=True)
    removed = kit.target.call(
        BIOMETRIC_UUID, biometric.REMOVE_USER, biometric.RemoveUser(user=attacker.user, leave=leave)
    )
    kit.need(removed.status, "removal")
    victim = kit.person()
    status = kit.enroll(victim, kit.pin_token(victim, kit.challenge(victim)))
    return "a face that was erased decides which dimension the device takes" if status is not ReplyStatus.OK else None


def probe_of_another_dimension(kit: Kit) -> str | None:
    """Show faces of other models, to claim somebody and to be found."""
    owner = kit.person(enrolled=True)
    for dimension in OTHER_DIMENSIONS:
        sample = FaceEmbedding.from_features(kit.rng.normal(size=dimension)).to_bytes()
        try:
            found = kit.target.call(
                BIOMETRIC_UUID,
                biometric.IDENTIFY,
                biometric.Identify(sensor=FACE_SENSOR, sample=sample, fpir_inverse=0),
            )
            claimed = kit.authenticate(owner, sample)
        except TeeError as error:
            if error.result is not TeeResult.TARGET_DEAD:
                raise
            return f"a face of {dimension} dimensions ends the application"
        if ReplyStatus.OK in (found.status, claimed.status):
            return f"a face of {dimension} dimensions is compared with one of {DIMENSION}"
    return "probes that were refused have locked the sensor" if kit.locked(owner) else None


SAME = "ISO/IEC 30107-1, attack by a subverted enrollment"
MODEL = "ISO/IEC 19795-1, comparison scores of strangers"
_TABLE: tuple[tuple[str, str, str, Callable[[Kit], str | None]], ...] = (
    ("enroll.second-person", "enroll views of two people as one", SAME, second_person),
    ("enroll.equal-views", "enroll one view as several", SAME, one_view_three_times),
    ("enroll.not-centered", "enroll a vector that everybody resembles", MODEL, everybodys_face),
    ("enroll.constant", "enroll a constant as a face", MODEL, no_face_at_all),
    ("enroll.dimension-refused", "pin the dimension by being refused", "CWE-400", dimension_of_a_refusal),
    ("enroll.dimension-erased", "pin the dimension beyond an erasure", "CWE-400", dimension_of_an_erased_face),
    ("match.not-centered", "show a vector that everybody resembles", MODEL, probe_of_no_model),
    ("match.dimension", "show faces of other dimensions", "CWE-248", probe_of_another_dimension),
)
ATTACKS = tuple(Attack(*row) for row in _TABLE)
