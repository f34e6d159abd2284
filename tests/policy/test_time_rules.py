"""What time does to records, grants and log entries: on the trusted applications, whose clock anybody can set."""

import pytest

from bioguard.commands import biometric, policy
from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.policy import Purged
from bioguard.commands.status import Nothing, ReplyStatus
from bioguard.device.applications import manifests
from bioguard.evidence.attack.kit import FACE, Kit, Person
from bioguard.evidence.attack.target import Target
from bioguard.records.audit_events import Cause, Entry, Event
from bioguard.records.consent import DAY_MS, Purpose
from bioguard.records.sensor_props import SENSOR_IDS

pytestmark = pytest.mark.usefixtures("fast_pins")
YEAR_MS = 365 * DAY_MS


class Life(Kit):
    """A target with the moves that are about time."""

    def days(self, count: float, *, start: bool = True) -> None:
        self.target.clock.advance(int(count * DAY_MS))
        if start:
            self.target.restart()

    def set_wall(self, by_ms: int) -> None:
        self.target.clock.set_wall_ms(self.target.clock.wall_ms() + by_ms)

    def purge(self, *, confirmed: bool = False) -> Purged:
        return self.target.call(BIOMETRIC_UUID, policy.PURGE, policy.Purge(confirmed=confirmed))

    def at_start(self) -> Purged:
        return self.target.call(BIOMETRIC_UUID, policy.AT_START, Nothing())

    def keep_for(self, days: int) -> None:
        request = policy.SetPolicy(version=1, minimum_age=16, retention_days=days)
        self.need(self.target.call(BIOMETRIC_UUID, policy.SET_POLICY, request).status, "the retention")

    def grant(self, someone: Person, days: int, purpose: Purpose = Purpose.UNLOCK) -> None:
        request = policy.GrantConsent(
            user=someone.user,
            modalities=(FACE,),
            purposes=(purpose,),
            days=days,
            of_age=True,
            token=self.pin_token(someone),
        )
        self.need(self.target.call(BIOMETRIC_UUID, policy.GRANT, request).status, "the grant")

    def only(self, someone: Person, days: int) -> None:
        """Leave one grant, for so many days."""
        for purpose in Purpose:
            request = policy.Withdraw(user=someone.user, modality=FACE, purpose=purpose, token=self.pin_token(someone))
            if purpose is Purpose.UNLOCK:
                self.grant(someone, days)
            else:
                self.target.call(BIOMETRIC_UUID, policy.WITHDRAW, request)

    def records(self) -> int:
        return len(self.target.call(BIOMETRIC_UUID, biometric.LIST, biometric.ListRecords()).records)

    def use(self, someone: Person) -> ReplyStatus:
        answer = self.authenticate(someone, self.sample(someone.face))
        assert answer.match == (answer.status is ReplyStatus.OK)
        return answer.status

    def entries(self) -> list[Entry]:
        found: list[Entry] = []
        size = self.target.call(BIOMETRIC_UUID, policy.LOG_HEAD, Nothing()).size
        first = 0
        while first < size:
            items = self.target.call(BIOMETRIC_UUID, policy.LOG_READ, policy.LogRead(first=first)).items
            found += [item.entry for item in items if item.entry is not None]
            first += len(items)
        return found


@pytest.fixture
def life() -> Life:
    return Life(Target(manifests()))


def test_in_plausible_steps_a_record_goes_when_its_time_is_over_and_the_start_says_so(life: Life) -> None:
    life.keep_for(100)
    someone = life.person(enrolled=True)
    for day in (40, 80, 99.9):
        life.days(40 if day < 99 else 19.9)
        assert (life.records(), life.at_start().erased, life.use(someone)) == (1, 0, ReplyStatus.OK), day
    life.days(0.2)
    start = life.at_start()
    assert (start.erased, len(start.digests), start.held, start.moved_days, life.records()) == (1, 1, 0, 0, 0)
    assert [(e.cause, e.digest) for e in life.entries() if e.event is Event.RECORD_ERASED] == [
        (Cause.RETENTION, start.digests[0])
    ]
    life.target.restart()
    assert life.at_start().erased == 0


def test_a_record_whose_time_is_over_is_not_used_even_before_it_is_erased(life: Life) -> None:
    life.keep_for(30)
    someone, other = life.person(enrolled=True), life.person()
    assert life.identify(life.sample(someone.face)).user == someone.user
    life.days(29.9, start=False)
    life.enroll(other, life.pin_token(other, life.challenge(other)))
    assert life.use(someone) is ReplyStatus.OK
    life.days(0.1, start=False)
    assert life.use(someone) is ReplyStatus.RECORD_EXPIRED
    assert (life.identify(life.sample(someone.face)).match, life.records()) == (False, 2)
    assert life.identify(life.sample(other.face)).user == other.user
    assert life.entries()[-3].cause is Cause.RETENTION
    assert not life.locked(someone)


def test_whose_consent_to_be_searched_for_has_run_out_is_in_no_gallery_that_is_made_later(life: Life) -> None:
    """Not only left out of the answers: how many may be found says how rare a likeness has to be, and can be asked."""
    someone = life.person(enrolled=True)
    life.grant(someone, 10, Purpose.IDENTIFY)
    asked = biometric.AskBasis(sensor=SENSOR_IDS[FACE], dimension=len(someone.face))
    assert life.identify(life.sample(someone.face)).user == someone.user
    assert life.target.call(BIOMETRIC_UUID, biometric.RATE_BASIS, asked).basis is not None
    life.days(10.1, start=False)
    assert not life.identify(life.sample(someone.face)).match, "nor is anybody found in the one that there is"
    life.target.restart()
    assert not life.identify(life.sample(someone.face)).match
    assert life.target.call(BIOMETRIC_UUID, biometric.RATE_BASIS, asked).basis is None
    assert (life.records(), life.use(someone)) == (1, ReplyStatus.OK)


@pytest.mark.parametrize("days", [41, 366, 4000])
def test_an_implausible_move_erases_nothing_until_a_person_confirms(life: Life, days: int) -> None:
    life.keep_for(30)
    someone = life.person(enrolled=True)
    life.days(days)
    for _ in range(3):
        start = life.at_start()
        assert (life.records(), start.erased, start.held, start.log_held) == (1, 0, 1, True)
        assert life.use(someone) in (ReplyStatus.RECORD_EXPIRED, ReplyStatus.CONSENT_EXPIRED)
        assert not life.identify(life.sample(someone.face)).match
        assert life.purge().held == 1
        life.days(1)
    moved = [e.number for e in life.entries() if e.event is Event.CLOCK_MOVED]
    assert moved == [days]
    done = life.purge(confirmed=True)
    assert (done.erased, done.held, done.log_held, life.records()) == (1, 0, False, 0)
    assert done.pruned > 0
    life.target.restart()
    assert life.at_start() == Purged(status=ReplyStatus.OK)


def test_what_is_enrolled_after_the_move_lives_its_own_time(life: Life) -> None:
    """Played against the product: everything that was enrolled later was erased at the next start, for years."""
    life.keep_for(60)
    life.set_wall(10 * YEAR_MS)
    life.target.restart()
    life.at_start()
    life.set_wall(-10 * YEAR_MS)
    someone = life.person(enrolled=True)
    stamped = life.target.call(BIOMETRIC_UUID, biometric.LIST, biometric.ListRecords()).records[0].enrolled_s * 1000
    assert stamped > life.target.clock.wall_ms() + 9 * YEAR_MS
    for _ in range(2):
        life.days(29)
        assert (life.records(), life.use(someone)) == (1, ReplyStatus.OK)
    life.days(2)
    assert (life.records(), life.at_start().erased) == (0, 1)


def test_a_clock_that_is_set_while_the_device_runs_erases_nothing(life: Life) -> None:
    life.keep_for(30)
    someone, other = life.person(enrolled=True), life.person(enrolled=True)
    life.set_wall(4000 * DAY_MS)
    assert [(done.held, done.moved_days) for done in (life.purge(), life.purge())] == [(2, 4000), (2, 0)]
    request = policy.Withdraw(user=other.user, modality=FACE, purpose=Purpose.UNLOCK, token=life.pin_token(other))
    assert life.target.call(BIOMETRIC_UUID, policy.WITHDRAW, request).count == 0
    assert life.records() == 2
    life.target.restart()
    assert (life.records(), life.at_start().held) == (2, 2)
    assert [e.number for e in life.entries() if e.event is Event.CLOCK_MOVED] == [4000]
    assert life.use(someone) is ReplyStatus.CONSENT_EXPIRED


def test_purges_in_plausible_steps_are_looks_at_the_clock_like_starts(life: Life) -> None:
    life.keep_for(100)
    life.person(enrolled=True)
    for _ in range(3):
        life.days(30, start=False)
        assert life.purge().erased == 0
    life.days(11, start=False)
    assert (life.purge().erased, life.records()) == (1, 0)


def test_a_grant_that_ran_out_is_not_revived_by_a_clock_that_is_set_back(life: Life) -> None:
    someone = life.person(enrolled=True)
    life.only(someone, 10)
    life.set_wall(11 * DAY_MS)
    assert life.use(someone) is ReplyStatus.CONSENT_EXPIRED
    life.set_wall(-2 * YEAR_MS)
    assert life.use(someone) is ReplyStatus.CONSENT_EXPIRED
    life.target.reboot()
    assert (life.records(), life.at_start().erased) == (0, 1)


def test_a_grant_does_not_live_longer_for_a_clock_that_is_set_back(life: Life) -> None:
    """Days go by on the machine while its wall clock shows last year."""
    someone = life.person(enrolled=True)
    life.only(someone, 10)
    life.set_wall(-YEAR_MS)
    life.days(9, start=False)
    assert life.use(someone) is ReplyStatus.OK
    life.days(1, start=False)
    assert life.use(someone) is ReplyStatus.CONSENT_EXPIRED


def test_retention_is_not_longer_for_a_clock_that_is_set_back_and_forth(life: Life) -> None:
    life.keep_for(20)
    someone = life.person(enrolled=True)
    life.set_wall(-YEAR_MS)
    life.days(10)
    life.set_wall(YEAR_MS)
    life.set_wall(-3 * YEAR_MS)
    life.days(9)
    assert life.use(someone) is ReplyStatus.OK
    life.days(1)
    assert (life.records(), life.at_start().erased) == (0, 1)


def test_log_bodies_are_kept_over_an_implausible_move_and_pruned_after_a_plausible_one(life: Life) -> None:
    first = life.entries()[0]
    life.days(45)
    assert life.at_start().log_held
    assert life.entries()[0] == first
    life.days(35)
    assert (life.at_start().pruned, life.entries()[0]) == (0, first)
    assert life.purge(confirmed=True).pruned > 0
    life.days(35)
    assert (life.at_start().log_held, life.at_start().pruned > 0) == (False, True)


def test_a_request_is_due_by_the_time_of_the_log(life: Life) -> None:
    someone = life.person(enrolled=True)
    life.set_wall(-YEAR_MS)
    life.days(3, start=False)
    request = policy.OpenRequest(user=someone.user, kind=Cause.ACCESS, token=life.pin_token(someone))
    opened = life.target.call(BIOMETRIC_UUID, policy.OPEN_REQUEST, request).request
    assert opened is not None
    assert opened.opened_ms > life.target.clock.wall_ms() + YEAR_MS - 4 * DAY_MS
    assert opened.due_ms - opened.opened_ms == 7 * DAY_MS
