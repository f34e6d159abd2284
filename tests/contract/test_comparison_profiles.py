"""A model that no profile is of is refused; with a profile of its own the rate holds, centered or not."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from bioguard.commands import biometric, policy
from bioguard.commands.biometric import BIOMETRIC_UUID, EraseAuthorization
from bioguard.commands.configuration import (
    CONFIGURE,
    PROVIDE_PROFILE,
    SHOW_CONFIGURATION,
    Configuration,
    ProvideProfile,
)
from bioguard.commands.status import Nothing, ReplyStatus
from bioguard.device.applications import manifests
from bioguard.evidence.attack.kit import Kit, Person
from bioguard.evidence.attack.target import Target
from bioguard.match.thresholds import builtin_profile, threshold_for_fmr
from bioguard.records import FaceEmbedding
from bioguard.records.audit_events import Entry
from bioguard.records.comparison_profile import CalibrationData, ComparisonProfile, RatePoint, ScoreTable
from bioguard.records.consent import DAY_MS
from bioguard.records.modality import Modality, Profile
from bioguard.records.sample_origin import SampleOrigin
from bioguard.records.scores import Basis, Score
from bioguard.records.sensor_props import SENSOR_IDS
from bioguard.simulate.people.faces import EDGEFACE_XS, FacePopulation

pytestmark = pytest.mark.usefixtures("fast_pins")
FACE_SENSOR = SENSOR_IDS[Modality.FACE]
PEOPLE = 700
MAP = np.random.default_rng(5).normal(size=(512, 512)).astype(np.float32)
POPULATION = FacePopulation(EDGEFACE_XS, seed=3)


def relu(rows: np.ndarray) -> np.ndarray:
    """The embeddings of a model that is not centered: no number is negative."""
    mapped = np.maximum(rows @ MAP, 0)
    return mapped / np.linalg.norm(mapped, axis=1, keepdims=True)


def impostors(first: int, count: int) -> np.ndarray:
    rows = relu(POPULATION.embeddings(first, count, 0))
    return (rows @ rows.T)[np.triu_indices(count, 1)]


def made(scores: np.ndarray) -> ComparisonProfile:
    """Measured at each rate that the scores reach."""
    ordered = np.sort(scores)[::-1]
    points = tuple(
        RatePoint.of(
            rate, float(ordered[int(rate * scores.size)]), Basis.MEASURED,
            false_matches=int(rate * scores.size), impostors=scores.size,
        )
        for rate in (0.1, 1e-2, 1e-3, 1e-4, 2e-5)
    )  # fmt: skip
    return ComparisonProfile(
        name="relu-512", modality=Modality.FACE, model="relu 512", dimension=512, centered=False,
        data=CalibrationData(description="drawn", people=PEOPLE, samples=PEOPLE, impostors=scores.size),
        made_by="a test", made_on="2026-11-30", tables=(ScoreTable(score=Score.COSINE, points=points),),
    )  # fmt: skip


OWN = made(impostors(0, PEOPLE))


def kit(*profiles: ComparisonProfile, uncalibrated: Sequence[Modality] = ()) -> Kit:
    target = Target(manifests())
    for profile in profiles:
        answer = target.call(BIOMETRIC_UUID, PROVIDE_PROFILE, ProvideProfile(profile=profile.to_bytes()))
        assert answer.status is ReplyStatus.OK
    digests = tuple(profile.digest for profile in profiles)
    return Kit(target, configuration=Configuration(comparison=digests, uncalibrated=tuple(uncalibrated)))


def views(person: int, count: int = 3, first: int = 0) -> list[bytes]:
    rows = np.concatenate([POPULATION.embeddings(person, 1, view=first + i) for i in range(count)])
    return [FaceEmbedding.from_features(row).to_bytes() for row in relu(rows)]


def enroll(phone: Kit, samples: list[bytes], model: str = "") -> tuple[Person, ReplyStatus]:
    person = phone.person()
    token = phone.pin_token(person, phone.challenge(person))
    request = biometric.Enroll(
        user=person.user, sensor=FACE_SENSOR, position=0, samples=tuple(samples), token=token, model=model
    )
    return person, phone.target.call(BIOMETRIC_UUID, biometric.ENROLL, request).status


def claim(phone: Kit, person: Person, sample: bytes, model: str = "") -> biometric.Decision:
    request = biometric.Authenticate(user=person.user, sensor=FACE_SENSOR, sample=sample, model=model)
    return phone.target.call(BIOMETRIC_UUID, biometric.AUTHENTICATE, request)


def search(phone: Kit, sample: bytes, model: str = "") -> biometric.Identified:
    return phone.target.call(
        BIOMETRIC_UUID,
        biometric.IDENTIFY,
        biometric.Identify(sensor=FACE_SENSOR, sample=sample, model=model),
    )


def logged(phone: Kit, **kinds: str) -> list[tuple[str, object]]:
    """Entries of these kinds, in order, and one field of each."""
    found: list[Entry] = []
    while page := phone.ask(BIOMETRIC_UUID, policy.LOG_READ, policy.LogRead(first=len(found))).items:
        found += [item.entry for item in page if item.entry]
    return [(e.event.name, getattr(e, kinds[e.event.name])) for e in found if e.event.name in kinds]


def test_the_thresholds_of_another_model_let_strangers_in() -> None:
    edgeface = threshold_for_fmr(1e-4, profile=builtin_profile(Modality.FACE, 512), score=Score.COSINE)
    assert np.mean(impostors(2000, 200) >= edgeface) > 0.1


def test_such_a_model_is_refused_without_a_profile() -> None:
    phone = kit()
    assert enroll(phone, views(1))[1] is ReplyStatus.NOT_CENTERED


def test_with_its_own_profile_it_is_enrolled_and_the_rate_holds() -> None:
    phone = kit(OWN)
    person, status = enroll(phone, views(5001))
    assert status is ReplyStatus.OK
    assert claim(phone, person, views(5001, 1, first=5)[0]).match
    unseen = impostors(10_000, PEOPLE)
    for rate in (1e-2, 1e-3, 1e-4):
        false = float(np.mean(unseen >= threshold_for_fmr(rate, profile=OWN, score=Score.COSINE)))
        assert false < 2 * rate, rate
    strangers = [claim(phone, person, views(6000 + i, 1)[0]) for i in range(4)]
    assert [(answer.status, answer.match) for answer in strangers] == [(ReplyStatus.OK, False)] * 4


def test_equal_numbers_are_a_face_of_no_model() -> None:
    phone = kit(OWN)
    same = FaceEmbedding.from_features(np.ones(512)).to_bytes()
    assert enroll(phone, [same])[1] is ReplyStatus.NOT_CENTERED
    assert search(phone, same).status is ReplyStatus.PROBE_NOT_CENTERED


@pytest.mark.parametrize(
    ("model", "enrolls", "compares"),
    [
        ("", ReplyStatus.OK, ReplyStatus.OK),
        ("relu 512", ReplyStatus.OK, ReplyStatus.OK),
        ("arcface", ReplyStatus.NOT_CALIBRATED, ReplyStatus.OTHER_EXTRACTOR),
    ],
)
def test_a_stated_model_is_that_of_the_profile_or_refused(
    model: str, enrolls: ReplyStatus, compares: ReplyStatus
) -> None:
    phone = kit(OWN)
    assert search(phone, views(5001, 1)[0], model).status is enrolls
    assert enroll(phone, views(5001), model)[1] is enrolls
    person, _ = enroll(phone, views(5002))
    assert claim(phone, person, views(5002, 1, first=5)[0], model).status is compares
    assert search(phone, views(5002, 1, first=5)[0], model).status is compares


def test_where_any_model_is_taken_what_is_enrolled_says_which_until_it_is_gone() -> None:
    """A comparison across models has no rate; a claim of one is no attempt, and a search of one finds nobody."""
    phone = kit(uncalibrated=[Modality.FACE])
    person, status = enroll(phone, views(5001), "arcface")
    assert status is ReplyStatus.NOT_CENTERED  # those of the fallback are centered
    drawn = [FaceEmbedding.from_features(row).to_bytes() for row in POPULATION.embeddings(9, 3, 0)]
    person, status = enroll(phone, drawn[:1], "arcface")
    assert status is ReplyStatus.OK
    for model in ("", "edgeface_xs"):
        other = (claim(phone, person, drawn[0], model), search(phone, drawn[0], model))
        assert {answer.status for answer in other} == {ReplyStatus.OTHER_EXTRACTOR}
        assert enroll(phone, drawn[1:2], model)[1] is ReplyStatus.OTHER_EXTRACTOR
    assert claim(phone, person, drawn[0], "arcface").match
    page = phone.ask(BIOMETRIC_UUID, biometric.LIST, biometric.ListRecords())
    assert [record.origin for record in page.records] == [SampleOrigin.STATED]
    shown = phone.ask(BIOMETRIC_UUID, SHOW_CONFIGURATION, Nothing())
    assert [(one.modality, one.model) for one in shown.models] == [(Modality.FACE, "arcface")]
    remove = biometric.RemoveUser(user=person.user, leave=EraseAuthorization(by_operator=True))
    phone.ask(BIOMETRIC_UUID, biometric.REMOVE_USER, remove)
    person, status = enroll(phone, drawn[1:2])
    assert status is ReplyStatus.OK
    assert claim(phone, person, drawn[1]).match
    assert claim(phone, person, drawn[1], "arcface").status is ReplyStatus.OTHER_EXTRACTOR


def test_a_dimension_without_a_profile_needs_the_fallback() -> None:
    face = np.random.default_rng(1).normal(size=256)
    sample = FaceEmbedding.from_features(face).to_bytes()
    assert enroll(kit(), [sample])[1] is ReplyStatus.NOT_CALIBRATED
    phone = kit(uncalibrated=[Modality.FACE])
    person, status = enroll(phone, [sample], "any model")
    assert status is ReplyStatus.OK
    ask = biometric.AskBasis(user=person.user, sensor=FACE_SENSOR, dimension=256)
    assert phone.target.call(BIOMETRIC_UUID, biometric.RATE_BASIS, ask).basis is Basis.EXTRAPOLATED


@pytest.mark.parametrize(
    ("modality", "dimension"), [(Modality.FACE, 0), (Modality.FACE, 1), (Modality.FINGERPRINT, 512)]
)
def test_numbers_that_no_features_have_are_refused_with_the_fallback_too(modality: Modality, dimension: int) -> None:
    target = kit(uncalibrated=[modality]).target
    ask = biometric.AskBasis(sensor=SENSOR_IDS[modality], dimension=dimension)
    assert target.call(BIOMETRIC_UUID, biometric.RATE_BASIS, ask).status is ReplyStatus.NOT_CALIBRATED


def test_what_was_provided_is_what_is_sealed_or_nothing_is() -> None:
    target = Target(manifests())
    for wanted in (Configuration(comparison=(OWN.digest,)), Configuration(comparison=(bytes(32),))):
        assert target.call(BIOMETRIC_UUID, CONFIGURE, wanted).status is ReplyStatus.BAD_REQUEST
    damaged = ProvideProfile(profile=OWN.to_bytes()[:-1])
    assert target.call(BIOMETRIC_UUID, PROVIDE_PROFILE, damaged).status is ReplyStatus.PROFILE_REFUSED
    provided = ProvideProfile(profile=OWN.to_bytes())
    assert target.call(BIOMETRIC_UUID, PROVIDE_PROFILE, provided).status is ReplyStatus.OK
    second = ProvideProfile(profile=replace(OWN, name="other").to_bytes())
    assert target.call(BIOMETRIC_UUID, PROVIDE_PROFILE, second).status is ReplyStatus.PROFILE_REFUSED
    named, finger = (OWN.digest,), Modality.FINGERPRINT
    for wanted in (
        Configuration(),
        Configuration(comparison=named, uncalibrated=(Modality.FACE,)),
        Configuration(comparison=named, uncalibrated=(finger, finger)),
    ):
        assert target.call(BIOMETRIC_UUID, CONFIGURE, wanted).status is ReplyStatus.BAD_REQUEST
    assert target.call(BIOMETRIC_UUID, CONFIGURE, Configuration(comparison=(OWN.digest,))).status is ReplyStatus.OK
    target.restart()
    assert target.call(BIOMETRIC_UUID, PROVIDE_PROFILE, provided).status is ReplyStatus.NOT_CONFIGURABLE


@pytest.mark.parametrize(
    ("scores", "keeps", "status"),
    [
        ((Score.COSINE,), Profile.STANDARD, ReplyStatus.OK),
        ((Score.COSINE,), Profile.DIGEST_ONLY, ReplyStatus.NOT_CALIBRATED),
        ((Score.SCALAR,), Profile.DIGEST_ONLY, ReplyStatus.NOT_CALIBRATED),
        ((Score.COSINE, Score.SCALAR), Profile.DIGEST_ONLY, ReplyStatus.OK),
    ],
)
def test_a_profile_has_a_table_of_what_is_kept_and_of_what_enrollment_compares(
    scores: tuple[Score, ...], keeps: Profile, status: ReplyStatus
) -> None:
    profile = replace(OWN, tables=tuple(replace(OWN.tables[0], score=score) for score in scores))
    target = Target(manifests())
    target.call(BIOMETRIC_UUID, PROVIDE_PROFILE, ProvideProfile(profile=profile.to_bytes()))
    wanted = Configuration(profile=keeps, comparison=(profile.digest,))
    assert target.call(BIOMETRIC_UUID, CONFIGURE, wanted).status is status


def test_the_profiles_that_are_sealed_and_logged_are_those_of_every_later_time() -> None:
    phone = kit(OWN, uncalibrated=[Modality.FINGERPRINT])
    made = phone.ask(BIOMETRIC_UUID, SHOW_CONFIGURATION, Nothing())
    digests = [OWN.digest, builtin_profile(Modality.FINGERPRINT).digest]
    assert [profile.digest for profile in made.profiles] == digests
    assert made.configuration is not None
    assert list(made.configuration.comparison) == digests
    person, _ = enroll(phone, views(5001))
    phone.ask(BIOMETRIC_UUID, biometric.RENEW_CODES, biometric.RenewCodes())
    leave = EraseAuthorization(by_operator=True)
    for change in (None, biometric.RemoveUser(user=person.user, leave=leave)):
        if change is not None:
            phone.ask(BIOMETRIC_UUID, biometric.REMOVE_USER, change)
        phone.target.restart()
        now = phone.ask(BIOMETRIC_UUID, SHOW_CONFIGURATION, Nothing())
        assert replace(now, models=()) == made
    assert logged(phone, PROFILE_SEALED="digest", UNCALIBRATED_ALLOWED="modality") == [
        *(("PROFILE_SEALED", digest) for digest in digests), ("UNCALIBRATED_ALLOWED", Modality.FINGERPRINT),
    ]  # fmt: skip
    assert enroll(phone, views(5003), OWN.model)[1] is ReplyStatus.OK


def test_the_basis_of_a_rate_is_that_of_what_was_asked_and_is_logged_with_the_decision() -> None:
    """Of the rate that is asked for, not of the device's; of a search, that of whoever has most samples."""
    phone = kit(OWN)
    one, _ = enroll(phone, views(5001, 1))
    assert search(phone, views(5001, 1, first=5)[0]).match
    three, _ = enroll(phone, views(5002))
    assert search(phone, views(5002, 1, first=5)[0]).match

    def asked(user: bytes | None, inverse: int = 0) -> Basis | None:
        ask = biometric.AskBasis(user=user, sensor=FACE_SENSOR, dimension=512, inverse=inverse)
        return phone.ask(BIOMETRIC_UUID, biometric.RATE_BASIS, ask).basis

    claims = [(one, 0), (one, 100_000), (three, 0)]
    for person, inverse in claims:
        phone.authenticate(person, views(5001, 1, first=5)[0], fmr_inverse=inverse)
    measured, extrapolated = Basis.MEASURED, Basis.EXTRAPOLATED
    found = [measured, extrapolated, extrapolated]
    assert [asked(person.user, inverse) for person, inverse in claims] == found
    assert logged(phone, DECIDED="number") == [("DECIDED", basis) for basis in (measured, extrapolated, *found)]
    assert asked(None) is extrapolated
    phone.target.clock.advance(4000 * DAY_MS)
    assert asked(one.user) is None
