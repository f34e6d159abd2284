"""Rates, the counter of 1:N and the exposure budget in the application itself, and what the disk sees of a decision."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bioguard.commands import biometric, sensor
from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.configuration import CONFIGURE, FMR_INVERSES, SHOW_CONFIGURATION, Configuration
from bioguard.commands.status import Nothing, ReplyStatus
from bioguard.device.applications import manifests
from bioguard.evidence.attack.kit import Kit, Person
from bioguard.evidence.attack.memory import MemoryStore
from bioguard.evidence.attack.target import Target
from bioguard.match.thresholds import basis_for_fmr, builtin_profile, builtin_profiles
from bioguard.records import FaceEmbedding
from bioguard.records.audit_events import NOBODY, Cause, Entry, Event
from bioguard.records.consent import Purpose
from bioguard.records.locks import Lock
from bioguard.records.modality import Modality
from bioguard.records.scores import Score
from bioguard.records.sensor_props import SENSOR_IDS
from bioguard.trusted.biometric.levels import Kind, levels
from bioguard.trusted.biometric.rates import claim_terms
from bioguard.trusted.sensor.exposure import CLOSED, LIMIT
from bioguard.trusted.sensor.tally import read_tally
from tee_sim.shared.errors import TeeError
from tests.contract.watched import Watched

pytestmark = pytest.mark.usefixtures("fast_pins")
FAR, NEAR_MISS, NEAR_MATCH, STRONG = 0.0, 0.5, 0.63, 0.95
"""Cosines of a probe to a face of 128 dimensions with three views."""


def kit(**configuration) -> Kit:
    return Kit(Target(manifests()), configuration=Configuration(**configuration))


@pytest.fixture
def phone() -> Kit:
    return kit()


def exposures(phone: Kit) -> dict[int, int]:
    tally = read_tally(MemoryStore(phone.target.disk, BIOMETRIC_UUID.bytes), 1)
    return dict(zip(tally.exposures.keys, tally.counts, strict=True))


def count(phone: Kit, person: Person) -> int:
    page = phone.target.call(BIOMETRIC_UUID, biometric.LIST, biometric.ListRecords(user=person.user))
    return exposures(phone)[int.from_bytes(page.records[0].record_id[:8], "big")]


def unlocked(phone: Kit, person: Person) -> None:
    assert phone.reset_lockout(person, phone.pin_token(person))


def test_the_cosines_of_these_tests_are_in_their_zones() -> None:
    at = levels(Kind(builtin_profile(Modality.FACE, 128), protected=False), claim_terms(Configuration(), 0), 3)
    assert at.near - 0.2 > FAR
    assert at.near + 0.05 < NEAR_MISS < at.accept - 0.05
    assert at.accept + 0.04 < NEAR_MATCH < at.strong - 0.04
    assert at.strong + 0.1 < STRONG


# -- rates -----------------------------------------------------------------------------------------------------------


def test_a_device_tells_what_it_was_made_as() -> None:
    made = kit(fmr_inverse=500_000, fpir_inverse=1_000, for_testing=True)
    told = made.target.call(BIOMETRIC_UUID, SHOW_CONFIGURATION, Nothing())
    sealed = replace(made.configuration, comparison=tuple(profile.digest for profile in builtin_profiles()))
    assert (told.status, told.configuration) == (ReplyStatus.OK, sealed)
    assert [(p.name, p.dimension, p.digest) for p in told.profiles] == [
        (p.name, p.dimension, p.digest) for p in builtin_profiles()
    ]


@pytest.mark.parametrize("rates", [(49_999, 100), (10_000, 100), (0, 100), (50_001, 100), (50_000, 99), (50_000, 0)])
def test_no_device_is_made_at_another_rate(rates) -> None:
    target = Target(manifests())
    wanted = Configuration(fmr_inverse=rates[0], fpir_inverse=rates[1])
    assert target.call(BIOMETRIC_UUID, CONFIGURE, wanted).status is ReplyStatus.RATE_NOT_OFFERED
    assert target.call(BIOMETRIC_UUID, CONFIGURE, Configuration()).status is ReplyStatus.OK


@pytest.mark.parametrize("inverse", [1, 2, 10, 49_999, 50_001, 99_999, 500_001, 10_000_000])
def test_a_rate_that_is_not_offered_is_refused_before_anything_is_counted(phone: Kit, inverse: int) -> None:
    alice = phone.person(enrolled=True)
    for _ in range(8):
        answer = phone.authenticate(alice, phone.near(alice.face, NEAR_MATCH), fmr_inverse=inverse)
        assert answer == biometric.Decision(status=ReplyStatus.RATE_NOT_OFFERED)
        assert phone.identify(phone.near(alice.face, NEAR_MATCH), fpir_inverse=inverse or 1) == biometric.Identified(
            status=ReplyStatus.RATE_NOT_OFFERED
        )
    assert not phone.locked(alice)
    assert not phone.search_locked()
    assert count(phone, alice) == 0


@pytest.mark.parametrize("inverse", [0, 50_000, 100_000, 500_000, 1_000_000])
def test_a_stricter_step_answers_as_the_default_does(phone: Kit, inverse: int) -> None:
    alice = phone.person(enrolled=True)
    answer = phone.authenticate(alice, phone.sample(alice.face), 7, fmr_inverse=inverse)
    assert (answer.status, answer.match, len(answer.token or b"")) == (ReplyStatus.OK, True, 69)
    missed = phone.authenticate(alice, phone.near(alice.face, NEAR_MISS), fmr_inverse=inverse)
    assert missed == biometric.Decision(status=ReplyStatus.OK, match=False)
    assert count(phone, alice) == 1  # near goes by the device's rate


def test_a_stricter_device_does_not_go_back_to_a_looser_step() -> None:
    strict = kit(fmr_inverse=500_000, fpir_inverse=1_000)
    alice = strict.person(enrolled=True)
    for inverse, status in (
        (50_000, ReplyStatus.RATE_NOT_OFFERED),
        (100_000, ReplyStatus.RATE_NOT_OFFERED),
        (500_000, ReplyStatus.OK),
    ):
        assert strict.authenticate(alice, strict.sample(alice.face), fmr_inverse=inverse).status is status
    assert strict.identify(strict.sample(alice.face), fpir_inverse=100).status is ReplyStatus.RATE_NOT_OFFERED
    assert strict.identify(strict.sample(alice.face), fpir_inverse=10_000).match


@pytest.mark.parametrize("cosine", np.linspace(0.5, 0.75, 11).tolist())
def test_a_search_names_nobody_whom_a_claim_would_refuse(cosine: float) -> None:
    """Two people enrolled: an FPIR of 1 % alone would name a stranger at 1/600, not at 1/50 000."""
    phone = kit()
    alice, _ = phone.person(enrolled=True), phone.person(enrolled=True)
    probe = phone.near(alice.face, float(cosine))
    found = phone.identify(probe).match
    claimed = phone.authenticate(alice, probe).match
    assert found == claimed


# -- a device for testing --------------------------------------------------------------------------------------------


def test_a_device_for_testing_takes_any_rate_and_gives_no_token() -> None:
    lab = kit(for_testing=True, fmr_inverse=10, fpir_inverse=2)
    alice = lab.person(enrolled=True)
    for inverse in (0, 10, 12_345, 50_000, 1_000_000):
        answer = lab.authenticate(alice, lab.sample(alice.face), 7, fmr_inverse=inverse)
        assert (answer.match, answer.token) == (True, None)
    assert lab.authenticate(alice, lab.near(alice.face, 0.3), fmr_inverse=10).match
    assert lab.identify(lab.near(alice.face, 0.3), fpir_inverse=10).match


def test_a_loose_match_clears_no_counter_and_is_not_counted() -> None:
    lab = kit(for_testing=True)
    alice = lab.person(enrolled=True)
    for _ in range(4):
        lab.authenticate(alice, lab.sample(lab.direction()))
        for _ in range(3):
            assert lab.authenticate(alice, lab.near(alice.face, NEAR_MISS), fmr_inverse=50).match
    assert not lab.locked(alice)
    lab.authenticate(alice, lab.sample(lab.direction()))
    assert lab.locked(alice)
    assert count(lab, alice) == 0


def test_a_rate_without_a_threshold_is_refused_uncounted() -> None:
    lab = kit(for_testing=True)
    alice = lab.person(enrolled=True)
    for _ in range(8):
        assert lab.authenticate(alice, lab.sample(alice.face), fmr_inverse=2).status is ReplyStatus.FMR_NOT_MEASURABLE
        assert lab.identify(lab.sample(alice.face), fpir_inverse=2).status is ReplyStatus.FMR_NOT_MEASURABLE
    assert not lab.locked(alice)
    assert not lab.search_locked()


# -- 1:N counts ------------------------------------------------------------------------------------------------------


def misses(phone: Kit, number: int) -> None:
    for _ in range(number):
        assert phone.identify(phone.sample(phone.direction())) == biometric.Identified(status=ReplyStatus.OK)


def test_misses_lock_searches_of_their_sensor_and_nothing_else(phone: Kit) -> None:
    alice = phone.person(enrolled=True)
    misses(phone, 5)
    assert phone.identify(phone.sample(alice.face)) == biometric.Identified(status=ReplyStatus.LOCKED_TIMED)
    assert phone.search_locked()
    assert not phone.locked(alice)
    assert phone.authenticate(alice, phone.sample(alice.face)).match
    fingers = sensor.SearchRequest(sensor=SENSOR_IDS[biometric.Modality.FINGERPRINT])
    assert phone.target.call(BIOMETRIC_UUID, sensor.SEARCH_LOCK_STATUS, fingers).lock is Lock.NONE
    phone.target.clock.advance(30_000)
    assert phone.identify(phone.sample(alice.face)).match


def test_a_match_gives_its_own_search_back_and_clears_nothing(phone: Kit) -> None:
    alice = phone.person(enrolled=True)
    misses(phone, 4)
    for _ in range(6):
        assert phone.identify(phone.sample(alice.face)).match
    misses(phone, 1)
    assert phone.search_locked()


def test_a_claim_clears_no_search_and_a_search_no_claim(phone: Kit) -> None:
    alice = phone.person(enrolled=True)
    misses(phone, 4)
    for _ in range(4):
        phone.authenticate(alice, phone.sample(phone.direction()))
    assert phone.identify(phone.sample(alice.face)).match
    phone.authenticate(alice, phone.sample(phone.direction()))
    assert phone.locked(alice)
    unlocked(phone, alice)
    misses(phone, 4)  # the PIN cleared the searches as well
    assert not phone.search_locked()
    assert phone.authenticate(alice, phone.sample(alice.face)).match
    misses(phone, 1)
    assert phone.search_locked()


def test_twenty_misses_need_a_pin_of_somebody_enrolled_on_this_sensor(phone: Kit) -> None:
    alice, guest = phone.person(enrolled=True), phone.person()
    for _ in range(20):
        misses(phone, 1)
        phone.target.clock.advance(30_000)
    assert phone.identify(phone.sample(alice.face)).status is ReplyStatus.LOCKED_PERMANENT
    phone.target.clock.advance(1_000_000_000)
    phone.target.restart()
    assert phone.identify(phone.sample(alice.face)).status is ReplyStatus.LOCKED_PERMANENT
    assert not phone.reset_lockout(guest, phone.pin_token(guest))
    assert phone.search_locked()
    unlocked(phone, alice)
    assert phone.identify(phone.sample(alice.face)).match


def test_a_search_is_counted_before_it_is_made(phone: Kit) -> None:
    alice = phone.person(enrolled=True)
    misses(phone, 4)
    phone.target.disk.cut_after = 1  # the charge is stored, the answer's transaction dies
    with pytest.raises(TeeError):
        phone.identify(phone.sample(alice.face))
    phone.target.restart()
    assert phone.search_locked()


@pytest.mark.parametrize("dimension", [64, 512])
def test_a_probe_of_another_dimension_is_refused_uncounted(phone: Kit, dimension: int) -> None:
    alice = phone.person(enrolled=True)
    probe = FaceEmbedding.from_features(np.ones(dimension) + np.arange(dimension)).to_bytes()
    for _ in range(8):
        assert phone.authenticate(alice, probe) == biometric.Decision(status=ReplyStatus.PROBE_DIMENSION)
        assert phone.identify(probe) == biometric.Identified(status=ReplyStatus.PROBE_DIMENSION)
    assert not phone.locked(alice)
    assert phone.identify(phone.sample(alice.face)).match


def test_a_search_among_nobody_is_no_attempt(phone: Kit) -> None:
    misses(phone, 30)
    assert not phone.search_locked()


def test_who_is_locked_is_not_named(phone: Kit) -> None:
    alice, bob = phone.person(enrolled=True), phone.person(enrolled=True)
    assert phone.identify(phone.sample(alice.face)).user == alice.user
    for _ in range(5):
        phone.authenticate(alice, phone.sample(phone.direction()))
    assert phone.identify(phone.sample(alice.face)) == biometric.Identified(status=ReplyStatus.OK)
    assert phone.identify(phone.sample(bob.face)).user == bob.user
    phone.target.restart()
    assert not phone.identify(phone.sample(alice.face)).match
    phone.target.clock.advance(30_000)
    assert phone.identify(phone.sample(alice.face)).user == alice.user


# -- exposure --------------------------------------------------------------------------------------------------------


def spend(phone: Kit, person: Person) -> None:
    for _ in range(LIMIT):
        assert phone.authenticate(person, phone.near(person.face, NEAR_MATCH)).match
    assert not phone.authenticate(person, phone.near(person.face, NEAR_MATCH)).match
    assert count(phone, person) == LIMIT + 1


def test_a_closed_record_is_found_by_no_search_until_it_is_claimed_strongly(phone: Kit) -> None:
    """Whoever clears the counter of 1:N could else ask on at the strong threshold."""
    alice, bob = phone.person(enrolled=True), phone.person(enrolled=True)
    while count(phone, alice) < CLOSED - 1:
        unlocked(phone, alice)
        phone.identify(phone.near(alice.face, NEAR_MISS))
    unlocked(phone, alice)
    phone.identify(phone.near(alice.face, NEAR_MISS))
    unlocked(phone, alice)
    for cosine in (1.0, STRONG, NEAR_MATCH):
        assert not phone.identify(phone.near(alice.face, cosine)).match
    assert count(phone, alice) == CLOSED
    assert phone.identify(phone.sample(bob.face)).user == bob.user
    phone.target.reboot()
    unlocked(phone, alice)
    assert not phone.identify(phone.sample(alice.face)).match
    assert phone.authenticate(alice, phone.sample(alice.face)).match
    assert phone.identify(phone.sample(alice.face)).user == alice.user


def test_the_search_before_the_last_one_finds_a_strong_match_and_opens(phone: Kit) -> None:
    alice = phone.person(enrolled=True)
    while count(phone, alice) < CLOSED - 1:
        unlocked(phone, alice)
        phone.identify(phone.near(alice.face, NEAR_MISS))
    unlocked(phone, alice)
    assert phone.identify(phone.sample(alice.face)).match
    assert count(phone, alice) == 0


def test_near_decisions_are_counted_whatever_was_answered(phone: Kit) -> None:
    alice = phone.person(enrolled=True)
    for number, cosine in enumerate((NEAR_MISS, NEAR_MATCH, NEAR_MISS), 1):
        phone.authenticate(alice, phone.near(alice.face, cosine))
        assert count(phone, alice) == number
    for number, cosine in enumerate((NEAR_MISS, NEAR_MATCH), 4):
        phone.identify(phone.near(alice.face, cosine))
        assert count(phone, alice) == number
    phone.authenticate(alice, phone.near(alice.face, FAR))
    phone.identify(phone.near(alice.face, FAR))
    assert count(phone, alice) == 5
    assert phone.identify(phone.near(alice.face, STRONG)).match
    assert count(phone, alice) == 0


def test_only_a_strong_match_of_this_record_gives_the_budget_back(phone: Kit) -> None:
    alice, bob = phone.person(enrolled=True), phone.person(enrolled=True)
    spend(phone, alice)
    unlocked(phone, alice)
    phone.match_token(bob)
    phone.identify(phone.sample(bob.face))
    phone.set_pin(alice, b"new", trusted=True)
    unlocked(phone, alice)
    phone.target.clock.advance(1_000_000_000)
    phone.target.restart()
    phone.target.reboot()
    assert not phone.authenticate(alice, phone.near(alice.face, NEAR_MATCH)).match
    assert not phone.identify(phone.near(alice.face, NEAR_MATCH)).match
    assert phone.authenticate(alice, phone.sample(alice.face)).match
    assert phone.authenticate(alice, phone.near(alice.face, NEAR_MATCH)).match


def test_an_own_record_in_the_same_account_does_not_give_it_back(phone: Kit) -> None:
    alice = phone.person(enrolled=True)
    spend(phone, alice)
    own = phone.direction()
    assert phone.enroll(alice, phone.pin_token(alice, phone.challenge(alice)), face=own) is ReplyStatus.OK
    for _ in range(3):
        assert phone.authenticate(alice, phone.sample(own)).match
    assert not phone.authenticate(alice, phone.near(alice.face, NEAR_MATCH)).match


def test_a_near_decision_counts_when_the_power_fails_before_the_answer(phone: Kit) -> None:
    """Not stored, not answered: whoever cuts the power learns nothing and pays with an attempt."""
    alice = phone.person(enrolled=True)
    phone.target.disk.cut_after = 1
    with pytest.raises(TeeError):
        phone.authenticate(alice, phone.near(alice.face, NEAR_MATCH))
    phone.target.restart()
    assert count(phone, alice) == 0
    for _ in range(4):
        phone.authenticate(alice, phone.near(alice.face, FAR))
    assert phone.locked(alice)


def test_an_erased_record_leaves_no_count_and_a_new_one_starts_at_nothing(phone: Kit) -> None:
    alice, bob = phone.person(enrolled=True), phone.person(enrolled=True)
    spend(phone, alice)
    page = phone.target.call(BIOMETRIC_UUID, biometric.LIST, biometric.ListRecords(user=alice.user))
    leave = biometric.EraseAuthorization(by_operator=True)
    request = biometric.Erase(user=alice.user, record_id=page.records[0].record_id, leave=leave)
    assert phone.target.call(BIOMETRIC_UUID, biometric.ERASE, request).status is ReplyStatus.OK
    assert list(exposures(phone).values()) == [0]
    assert phone.enroll(alice, phone.pin_token(alice, phone.challenge(alice))) is ReplyStatus.OK
    assert count(phone, alice) == 0
    removal = biometric.RemoveUser(user=bob.user, leave=leave)
    assert phone.target.call(BIOMETRIC_UUID, biometric.REMOVE_USER, removal).status is ReplyStatus.OK
    assert len(exposures(phone)) == 1


# -- what the disk sees ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", list(biometric.Profile))
def test_the_disk_sees_the_same_of_every_decision(profile) -> None:
    phone = Kit(Watched(manifests()), configuration=Configuration(profile=profile))
    people = [phone.person(enrolled=True) for _ in range(3)]
    alice = people[0]
    phone.identify(phone.sample(alice.face))
    phone.authenticate(alice, phone.sample(alice.face))  # what the first decision of a start reads is kept
    shapes: dict[str, set] = {"authenticate": set(), "identify": set()}
    counts = set()
    rng = np.random.default_rng(5)
    for _ in range(80):
        unlocked(phone, alice)
        who = people[int(rng.choice(3, p=[0.6, 0.2, 0.2]))]
        probe = phone.near(who.face, float(rng.choice([FAR, NEAR_MISS, NEAR_MATCH, STRONG], p=[0.1, 0.4, 0.45, 0.05])))
        acts = {
            "authenticate": lambda probe=probe: phone.authenticate(alice, probe),
            "identify": lambda probe=probe: phone.identify(probe),
        }
        for name, act in acts.items():
            shapes[name].add(phone.target.shape(act))
        counts |= set(exposures(phone).values())
    assert counts >= set(range(LIMIT + 1))
    assert {name: len(found) for name, found in shapes.items()} == {"authenticate": 1, "identify": 1}
    (claim,), (search,) = shapes["authenticate"], shapes["identify"]
    for shape, charged in ((claim, b"S\1" + alice.user), (search, b"X\1")):
        writes = [tuple(i for i, _ in about) for what, about, *_ in shape if what == "write"]
        assert writes[0] == (charged,)
        assert len(writes) == 2
        assert {i[:2] for i in writes[1]} == ({b"H", b"L", b"X\1", b"S\1"} if shape is claim else {b"H", b"L", b"X\1"})


def test_the_log_is_as_long_whatever_was_decided() -> None:
    told = [
        Entry(sequence=7, wall_ms=1 << 40, event=Event.DECIDED, blind=bytes(16), subject=who,
              modality=biometric.Modality.FACE, purpose=Purpose.IDENTIFY, cause=cause)
        for who, cause in ((NOBODY, Cause.NOT_SIMILAR), (b"u" * 16, Cause.ACCEPTED))
    ]  # fmt: skip
    assert len({len(entry.to_bytes()) for entry in told}) == 1


def test_no_view_is_read_for_a_search() -> None:
    """Which records a search opens would tell who is near, whatever it answers."""
    phone = Kit(Watched(manifests()))
    people = [phone.person(enrolled=True) for _ in range(4)]
    phone.identify(phone.sample(people[0].face))
    reads = [about[:1] for what, about, *_ in phone.target.shape(lambda: phone.identify(phone.sample(people[1].face)))
             if what == "read"]  # fmt: skip
    assert not {b"R", b"C", b"S"} & set(reads)


def test_the_page_says_how_far_each_rate_is_founded() -> None:
    page = (Path(__file__).parents[2] / "docs" / "android-contract.md").read_text("utf-8")
    rows = page.partition("<!-- rates -->")[2].partition("<!-- end rates -->")[0].strip().splitlines()[2:]
    expected = []
    for inverse, rate in ((n, 1 / (3 * n)) for n in FMR_INVERSES):
        founded = tuple(
            basis_for_fmr(rate, profile=builtin_profile(s.modality, 512 if s is Score.COSINE else 0), score=s).word
            for s in (Score.COSINE, Score.LIKELIHOOD_RATIO, Score.PROTECTED)
        )
        expected.append(" | ".join((f"| 1/{inverse}", *founded)) + " |")
    assert rows == expected
