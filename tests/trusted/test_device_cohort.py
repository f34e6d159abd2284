"""Decisions among other people's fingers: never looser than alone, never stricter without end, and whose they are."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bioguard.commands import biometric, policy
from bioguard.commands.biometric import BIOMETRIC_UUID, EraseAuthorization
from bioguard.commands.configuration import MAX_COHORT_FINGERS, SHOW_CONFIGURATION, Configuration
from bioguard.commands.status import Nothing
from bioguard.device.applications import manifests
from bioguard.evidence.attack import cohorts
from bioguard.evidence.attack.kit import Kit, Person
from bioguard.evidence.attack.memory import MemoryStore
from bioguard.evidence.attack.target import Target
from bioguard.match.fingerprint.cohort import MOST_FINGERS, SCALES
from bioguard.match.thresholds import builtin_profile
from bioguard.records.comparison_profile import ComparisonProfile, RatePoint, ScoreTable
from bioguard.records.consent import DAY_MS, Purpose
from bioguard.records.modality import Modality, Profile
from bioguard.records.scores import Basis, Score
from bioguard.records.sensor_props import SENSOR_IDS
from bioguard.trusted.biometric.decision import ReadyRecord, finger_samples
from bioguard.trusted.biometric.device_cohort import ALONE, DeviceCohort, Member, Standing, stricter
from bioguard.trusted.biometric.levels import Kind, levels
from bioguard.trusted.biometric.rates import Terms
from bioguard.trusted.biometric.sensor_commands import SensorCommands
from bioguard.trusted.biometric.stored_objects import StoredRecord
from tee_sim.shared.errors import TeeError, TeeResult

pytestmark = pytest.mark.usefixtures("fast_pins")
ALWAYS_MS = 1 << 40
TERMS = Terms(fmr=1 / 50_000, device_fmr=1 / 50_000)


def without_tables() -> ComparisonProfile:
    profile = builtin_profile(Modality.FINGERPRINT)
    return replace(profile, tables=tuple(table for table in profile.tables if not table.cohort))


def with_tables(*sizes: int) -> ComparisonProfile:
    """The built-in profile with tables of these cohorts: at every rate a tenth below its own."""
    profile = without_tables()
    plain = profile.table(Score.LIKELIHOOD_RATIO)
    assert plain is not None
    points = tuple(RatePoint.of(p.rate, p.threshold - 0.1, Basis.EXTRAPOLATED) for p in plain.points)
    tables = (ScoreTable(score=Score.LIKELIHOOD_RATIO, cohort=size, points=points) for size in sizes)
    return replace(profile, tables=(*profile.tables, *tables))


def record(person: int, views: int = 3) -> StoredRecord:
    samples = tuple(touch.to_bytes() for touch in cohorts._touches(person)[:views])
    return StoredRecord(
        salt=bytes(16),
        sensor=0,
        modality=Modality.FINGERPRINT,
        position=1,
        profile=Profile.STANDARD,
        enrolled_s=0,
        views=samples,
    )


def members(people: Sequence[int], views: int = 3) -> list[Member]:
    return [Member(bytes([person]) * 16, ALWAYS_MS, record(person, views)) for person in people]


def standing(held: DeviceCohort, kind: Kind, *, claimed: int = 1, probe: int = 1, now_ms: int = 0) -> Standing:
    ready = finger_samples(record(probe))[0]
    (one,) = held.standings(bytes([claimed]) * 16, ready, [(bytes(16), ReadyRecord.of(record(claimed)))], kind, now_ms)
    return one


@pytest.fixture(scope="module")
def kind() -> Kind:
    return Kind(with_tables(15, 9, 5), protected=False)


def test_the_first_five_others_with_three_views_are_the_cohort(kind: Kind) -> None:
    assert standing(DeviceCohort(members(range(1, 8))), kind).templates == 15
    assert standing(DeviceCohort(members([2, 3, 4])), kind).templates == 9
    assert standing(DeviceCohort(members(range(2, 8), views=1)), kind).templates == 5


def test_too_few_others_are_none(kind: Kind) -> None:
    assert standing(DeviceCohort(members([1, 2, 3])), kind) == ALONE
    assert standing(DeviceCohort(members([2, 3, 4], views=2)), kind) == ALONE
    assert standing(DeviceCohort(), kind) == ALONE


def test_a_profile_without_the_table_has_no_cohort_of_that_size() -> None:
    held = DeviceCohort(members(range(2, 8)))
    assert standing(held, Kind(with_tables(9), protected=False)).templates == 9
    assert standing(held, Kind(without_tables(), protected=False)) == ALONE


def test_a_finger_whose_time_is_over_is_not_there(kind: Kind) -> None:
    held = DeviceCohort([replace(m, until_ms=1000) if m.user[0] == 4 else m for m in members([2, 3, 4])])
    assert standing(held, kind, now_ms=999).templates == 9
    assert standing(held, kind, now_ms=1000) == ALONE


def test_the_same_finger_under_another_name_is_left_out(kind: Kind) -> None:
    copies = [Member(bytes([person]) * 16, ALWAYS_MS, record(1)) for person in (20, 21, 22)]
    assert standing(DeviceCohort([*copies, *members([2, 3, 4])]), kind) == ALONE  # of the first five two are others
    assert standing(DeviceCohort([*copies[:2], *members([2, 3, 4])]), kind).templates == 9


def test_a_penalty_is_at_most_what_the_scale_says_and_what_is_kept_of_a_record_goes(kind: Kind) -> None:
    held = DeviceCohort(members([2, 3, 4, 5, 6]))
    first = standing(held, kind, probe=2)  # a member who claims to be somebody else
    assert 0 <= first.penalty <= SCALES[Score.LIKELIHOOD_RATIO].most
    assert held._references
    held.forget({bytes(16)})
    assert not held._references


@pytest.mark.parametrize("penalty", [0.0, 0.05, 0.1, 0.7, 1.25])
def test_among_others_a_decision_is_as_alone_or_stricter(kind: Kind, penalty: float) -> None:
    plain = levels(kind, TERMS, 3)
    among = stricter(plain, kind, TERMS, 3, Standing(15, penalty))
    for name in ("near", "own", "accept", "strong"):
        assert getattr(among, name) == pytest.approx(getattr(plain, name) + max(0.0, penalty - 0.1), abs=1e-5)
        assert getattr(among, name) >= getattr(plain, name)
    assert stricter(plain, kind, TERMS, 3, ALONE) == plain


class Watched(DeviceCohort):
    """Remembers who was held against whom."""

    held: list[list[bytes]]
    asked: DeviceCohort
    sizes: list[int] = []  # noqa: RUF012  # of all tests

    def standings(self, user, probe, records, kind, now_ms):  # type: ignore[no-untyped-def]
        found = super().standings(user, probe, records, kind, now_ms)
        Watched.held.append([self._members[i].user for i in self._others(user, now_ms)] if found[0].templates else [])
        Watched.sizes.append(found[0].templates)
        Watched.asked = self
        return found


@pytest.fixture
def kit(monkeypatch: pytest.MonkeyPatch) -> Kit:
    Watched.held = []
    monkeypatch.setattr("bioguard.trusted.biometric.calibration.builtin_profiles", lambda: (with_tables(15, 9, 5),))
    monkeypatch.setattr("bioguard.trusted.biometric.cohort_fingers.DeviceCohort", Watched)
    return Kit(Target(manifests()))


def held_against(kit: Kit, person: Person, probe: int) -> list[bytes]:
    Watched.held.clear()
    kit.authenticate(person, cohorts._touches(probe)[0].to_bytes())
    return Watched.held[-1] if Watched.held else []


def test_life_of_a_cohort(kit: Kit) -> None:
    people = [cohorts._enrolled(kit, cohorts._touches(number)) for number in range(1, 8)]
    users = [person.user for person in people]
    assert held_against(kit, people[0], 1) == users[1:6]
    assert kit.ask(BIOMETRIC_UUID, SHOW_CONFIGURATION, Nothing()).cohort == MOST_FINGERS == MAX_COHORT_FINGERS
    assert held_against(kit, people[6], 7) == users[:5]
    kit.target.restart()
    assert held_against(kit, people[6], 7) == users[:5]

    restrict = policy.Restrict(user=users[1], on=True, token=kit.pin_token(people[1]))
    kit.ask(BIOMETRIC_UUID, policy.RESTRICT, restrict)
    assert held_against(kit, people[6], 7) == [users[0], *users[2:6]]

    leave = EraseAuthorization(by_operator=True)
    for gone in (0, 2, 3):
        kit.ask(BIOMETRIC_UUID, biometric.REMOVE_USER, biometric.RemoveUser(user=users[gone], leave=leave))
    assert held_against(kit, people[6], 7) == []  # two others are left
    assert held_against(kit, people[4], 5) == []
    kit.ask(BIOMETRIC_UUID, policy.RESTRICT, replace(restrict, user=users[6], token=kit.pin_token(people[6])))
    assert kit.ask(BIOMETRIC_UUID, SHOW_CONFIGURATION, Nothing()).cohort == 0
    kit.ask(BIOMETRIC_UUID, policy.RESTRICT, replace(restrict, user=users[6], on=False, token=kit.pin_token(people[6])))
    newcomer = cohorts._enrolled(kit, cohorts._touches(9))
    assert held_against(kit, newcomer, 9) == [*users[4:6], users[6]]  # who was there before takes a place first


def replace_finger(kit: Kit, person: Person) -> None:
    """By finger 11."""
    enroll = biometric.Enroll(
        user=person.user,
        sensor=SENSOR_IDS[Modality.FINGERPRINT],
        position=1,
        samples=tuple(touch.to_bytes() for touch in cohorts._touches(11)),
        token=kit.pin_token(person, kit.challenge(person, Modality.FINGERPRINT)),
        replace=True,
    )
    kit.ask(BIOMETRIC_UUID, biometric.ENROLL, enroll)


def test_who_replaces_a_finger_keeps_the_place(kit: Kit) -> None:
    people = [cohorts._enrolled(kit, cohorts._touches(number)) for number in range(1, 8)]
    replace_finger(kit, people[0])
    assert held_against(kit, people[6], 7) == [person.user for person in people[:5]]
    assert held_against(kit, people[0], 11) == [person.user for person in people[1:6]]


def test_who_replaces_a_finger_and_takes_a_place_with_it_takes_it_with_the_new_one(kit: Kit) -> None:
    people = [cohorts._enrolled(kit, cohorts._touches(number)) for number in range(1, 8)]
    leave = EraseAuthorization(by_operator=True)
    kit.ask(BIOMETRIC_UUID, biometric.REMOVE_USER, biometric.RemoveUser(user=people[0].user, leave=leave))
    replace_finger(kit, people[6])
    assert held_against(kit, people[1], 2) == [person.user for person in people[2:]]


def test_nothing_is_kept_of_a_record_that_is_erased(kit: Kit) -> None:
    """Of one that is in no cohort too: then the cohort stays."""
    people = [cohorts._enrolled(kit, cohorts._touches(number)) for number in range(1, 8)]
    assert held_against(kit, people[6], 7)
    held = Watched.asked
    assert held._references
    leave = EraseAuthorization(by_operator=True)
    kit.ask(BIOMETRIC_UUID, biometric.REMOVE_USER, biometric.RemoveUser(user=people[6].user, leave=leave))
    assert not held._references
    assert held_against(kit, people[0], 1)
    assert Watched.asked is held


@pytest.mark.parametrize("kind_of_row", [b"C", b"R"])
def test_a_row_that_is_damaged_takes_one_finger_out_and_stops_nothing(
    kind_of_row: bytes, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [cohorts._enrolled(kit, cohorts._touches(number)) for number in range(1, 6)]
    assert held_against(kit, people[4], 5) == [person.user for person in people[:4]]
    owned = (
        o.header for o in kit.target.disk.objects[BIOMETRIC_UUID.bytes].values() if o.header.owner == people[1].user
    )
    (damaged,) = (header.object_id for header in owned if header.object_id[:1] == kind_of_row)
    sound = MemoryStore.find

    def find(self: MemoryStore, object_id: bytes) -> object:
        if object_id == damaged:
            raise TeeError(TeeResult.CORRUPT_OBJECT, "a row is damaged")
        return sound(self, object_id)

    monkeypatch.setattr(MemoryStore, "find", find)
    kit.target.restart()
    assert held_against(kit, people[4], 5) == [people[i].user for i in (0, 2, 3)]


def test_after_a_failure_decisions_are_made_alone_and_read_nobody(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [cohorts._enrolled(kit, cohorts._touches(number)) for number in range(1, 5)]
    others = [person.user for person in people[1:]]
    assert held_against(kit, people[0], 1) == others

    def fail(*_: object, **__: object) -> None:
        raise TeeError(TeeResult.OUT_OF_MEMORY, "no room to settle")

    with monkeypatch.context() as broken:
        broken.setattr(SensorCommands, "settle", fail)
        with pytest.raises(TeeError):
            held_against(kit, people[0], 1)
    assert [held_against(kit, people[0], 1) for _ in range(2)] == [[], []]
    kit.ask(BIOMETRIC_UUID, SHOW_CONFIGURATION, Nothing())
    assert held_against(kit, people[0], 1) == others


def test_a_finger_is_there_until_the_last_consent_or_its_retention_ends(kit: Kit) -> None:
    retention = policy.SetPolicy(version=1, minimum_age=14, retention_days=4)
    kit.ask(BIOMETRIC_UUID, policy.SET_POLICY, retention)
    others = [cohorts._enrolled(kit, cohorts._touches(number)) for number in range(1, 4)]
    kit.target.clock.advance(2 * DAY_MS)
    short = policy.GrantConsent(
        user=others[0].user,
        modalities=(Modality.FINGERPRINT,),
        purposes=(Purpose.IDENTIFY,),
        days=1,
        of_age=True,
        token=kit.pin_token(others[0]),
    )
    kit.ask(BIOMETRIC_UUID, policy.GRANT, short)
    claimed = cohorts._enrolled(kit, cohorts._touches(4))
    kit.target.clock.advance(3 * DAY_MS // 2)
    assert held_against(kit, claimed, 4) == [person.user for person in others]
    kit.target.clock.advance(DAY_MS)
    assert held_against(kit, claimed, 4) == []


def test_consent_that_ends_takes_the_finger_out(kit: Kit) -> None:
    people = [cohorts._enrolled(kit, cohorts._touches(number)) for number in range(1, 5)]
    assert len(held_against(kit, people[3], 4)) == 3
    withdraw = policy.Withdraw(
        user=people[0].user,
        modality=Modality.FINGERPRINT,
        purpose=Purpose.UNLOCK,
        token=kit.pin_token(people[0]),
    )
    kit.ask(BIOMETRIC_UUID, policy.WITHDRAW, withdraw)
    assert held_against(kit, people[3], 4) == []


def test_protected_codes_are_held_against_five_others_with_a_code_each(monkeypatch: pytest.MonkeyPatch) -> None:
    Watched.held = []
    monkeypatch.setattr("bioguard.trusted.biometric.cohort_fingers.DeviceCohort", Watched)
    kit = Kit(Target(manifests()), configuration=Configuration(profile=Profile.DIGEST_ONLY))
    people = [cohorts._enrolled(kit, cohorts._touches(number)) for number in range(1, 7)]
    (claimed, *others) = (person.user for person in people)
    assert kit.authenticate(people[0], cohorts._touches(1)[1].to_bytes()).match
    assert Watched.held == [others]
    assert Watched.sizes[-1] == 5
    assert not kit.authenticate(people[0], cohorts._touches(2)[0].to_bytes()).match
    assert claimed not in Watched.held[-1]
