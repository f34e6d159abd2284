"""Several sensors of one device: what one has of a user, no other one has.

Two strong fingerprint sensors and a weak face, in the trusted applications themselves. Every test but the last ones
would pass on a device of one sensor of each kind as well, and fails where a question is asked of the kind.
"""

from dataclasses import replace

import pytest

from bioguard.commands import biometric, policy, sensor
from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.configuration import CONFIGURE, SHOW_CONFIGURATION, Configuration
from bioguard.commands.status import Nothing, ReplyStatus, SensorStatus
from bioguard.device.applications import manifests
from bioguard.evidence.attack.kit import Kit, Person
from bioguard.evidence.attack.target import Target
from bioguard.records.acquired import AcquiredCode
from bioguard.records.consent import Purpose
from bioguard.records.locks import Lock
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import FaceSensorType, SensorProps
from bioguard.records.strength import SensorStrength
from bioguard.simulate.people import finger_impressions
from tee_sim.shared.schema import MisfitError

pytestmark = pytest.mark.usefixtures("fast_pins")
FIRST, SECOND, WEAK = 0, 1, 2
FINGER, FACE = Modality.FINGERPRINT, Modality.FACE
TABLE = (
    SensorProps(sensor_id=FIRST, kind=FINGER, max_enrollments=3),
    SensorProps(sensor_id=SECOND, kind=FINGER, max_enrollments=2),
    SensorProps(
        sensor_id=WEAK, kind=FACE, strength=SensorStrength.WEAK, sensor_type=FaceSensorType.IR, max_enrollments=1
    ),
)
TOUCHES = {person: [t.to_bytes() for t in finger_impressions(71, person=person, count=5)] for person in range(5)}


class Phone:
    """A device with these sensors and one person, who consents to everything."""

    def __init__(self, *, cascade: bool = False) -> None:
        self.kit = Kit(Target(manifests()), configuration=Configuration(sensor_table=TABLE, lockout_cascade=cascade))
        self.alice = self.person()

    def person(self) -> Person:
        someone = self.kit.person()
        grant = policy.GrantConsent(
            user=someone.user, modalities=(FINGER,), purposes=tuple(Purpose), days=365, of_age=True,
            token=self.kit.pin_token(someone),
        )  # fmt: skip
        self.ask(policy.GRANT, grant)
        return someone

    def call(self, command, request):  # type: ignore[no-untyped-def]
        return self.kit.target.call(BIOMETRIC_UUID, command, request)

    def ask(self, command, request):  # type: ignore[no-untyped-def]
        return self.kit.ask(BIOMETRIC_UUID, command, request)

    def about(self, on: int) -> sensor.SensorRequest:
        return sensor.SensorRequest(user=self.alice.user, sensor=on)

    def token(self, on: int) -> bytes:
        """For an enrollment there."""
        return self.kit.pin_token(self.alice, self.ask(sensor.GENERATE_CHALLENGE, self.about(on)).challenge)

    def enroll(self, on: int, samples: list[bytes], *, position: int = 0, token: bytes | None = None, **more: bool):
        request = biometric.Enroll(
            user=self.alice.user, sensor=on, position=position, samples=tuple(samples),
            token=self.token(on) if token is None else token, **more,
        )  # fmt: skip
        return self.call(biometric.ENROLL, request)

    def claim(self, on: int, sample: bytes) -> biometric.Decision:
        request = biometric.Authenticate(user=self.alice.user, sensor=on, sample=sample, operation_id=7)
        return self.call(biometric.AUTHENTICATE, request)

    def search(self, on: int, sample: bytes) -> biometric.Identified:
        return self.call(biometric.IDENTIFY, biometric.Identify(sensor=on, sample=sample))

    def lock(self, on: int) -> Lock:
        return self.ask(sensor.LOCK_STATUS, self.about(on)).lock

    def authenticator(self, on: int) -> int:
        return self.ask(sensor.GET_AUTHENTICATOR_ID, self.about(on)).authenticator_id

    def miss(self, on: int, times: int = 5) -> None:
        wrong = TOUCHES[4][0] if on != WEAK else self.kit.sample(self.kit.direction())
        for _ in range(times):
            assert self.claim(on, wrong).status is ReplyStatus.OK

    def first_record(self) -> biometric.RecordSummary:
        """The one on the first sensor."""
        listed = self.ask(biometric.LIST, biometric.ListRecords(user=self.alice.user)).records
        return next(one for one in listed if one.sensor == FIRST)

    def view(self) -> bytes:
        return self.kit.sample(self.alice.face)


@pytest.fixture
def phone() -> Phone:
    """With a finger on each fingerprint sensor, another one each, and the face."""
    made = Phone()
    assert made.enroll(FIRST, TOUCHES[0][:3], position=2).status is ReplyStatus.OK
    assert made.enroll(SECOND, TOUCHES[1][:3], position=2).status is ReplyStatus.OK, "a position of each sensor"
    assert made.enroll(WEAK, [made.view() for _ in range(3)]).status is ReplyStatus.OK
    return made


def test_a_sample_is_compared_with_the_records_of_its_sensor_only(phone: Phone) -> None:
    for on, own, other in ((FIRST, 0, 1), (SECOND, 1, 0)):
        assert (phone.claim(on, TOUCHES[own][3]).match, phone.claim(on, TOUCHES[other][3]).match) == (True, False)
        assert (phone.search(on, TOUCHES[own][4]).match, phone.search(on, TOUCHES[other][4]).match) == (True, False)
    listed = phone.ask(biometric.LIST, biometric.ListRecords(user=phone.alice.user)).records
    assert sorted((r.sensor, r.modality) for r in listed) == [(FIRST, FINGER), (SECOND, FINGER), (WEAK, FACE)]
    phone.kit.target.restart()
    assert phone.search(FIRST, TOUCHES[0][4]).match, "the index is read anew"
    assert not phone.search(FIRST, TOUCHES[1][4]).match


def test_nothing_is_found_on_a_sensor_where_the_person_has_erased_all(phone: Phone) -> None:
    old = phone.first_record()
    leave = biometric.EraseAuthorization(token=phone.kit.pin_token(phone.alice))
    phone.ask(biometric.ERASE, biometric.Erase(user=phone.alice.user, record_id=old.record_id, leave=leave))
    assert phone.claim(FIRST, TOUCHES[0][3]).status is ReplyStatus.NOT_ENROLLED
    assert phone.authenticator(FIRST) == 0
    assert phone.claim(SECOND, TOUCHES[1][3]).match
    assert phone.authenticator(SECOND) != 0


def test_the_same_finger_may_be_enrolled_on_both_and_twice_on_none(phone: Phone) -> None:
    assert phone.enroll(SECOND, TOUCHES[0][:3], position=5).status is ReplyStatus.OK
    assert phone.enroll(FIRST, TOUCHES[0][2:5], position=5).status is ReplyStatus.DUPLICATE_FINGER


def test_each_sensor_has_its_own_limit(phone: Phone) -> None:
    assert phone.enroll(SECOND, TOUCHES[2][:3], position=4).status is ReplyStatus.OK
    assert phone.enroll(SECOND, TOUCHES[3][:3], position=6).status is ReplyStatus.USER_FULL
    prepare = biometric.PrepareEnrollment(user=phone.alice.user, sensor=SECOND, token=phone.token(SECOND))
    assert phone.call(biometric.PREPARE_ENROLLMENT, prepare).status is ReplyStatus.USER_FULL
    assert phone.enroll(FIRST, TOUCHES[3][:3], position=6).status is ReplyStatus.OK
    assert phone.enroll(WEAK, [phone.view() for _ in range(3)]).status is ReplyStatus.USER_FULL


def test_a_challenge_is_of_one_sensor(phone: Phone) -> None:
    """Also of two sensors of one kind: the token for one enrolls nothing on the other."""
    token = phone.token(FIRST)
    assert phone.enroll(SECOND, TOUCHES[2][:3], position=4, token=token).status is ReplyStatus.TOKEN_REFUSED
    assert phone.enroll(FIRST, TOUCHES[2][:3], position=4, token=token).status is ReplyStatus.OK
    challenge = phone.ask(sensor.GENERATE_CHALLENGE, phone.about(FIRST)).challenge
    late = phone.kit.pin_token(phone.alice, challenge)
    revoke = sensor.RevokeChallenge(user=phone.alice.user, sensor=SECOND, challenge=challenge)
    prepare = biometric.PrepareEnrollment(user=phone.alice.user, sensor=FIRST, token=late)
    for on, status in ((SECOND, ReplyStatus.OK), (FIRST, ReplyStatus.TOKEN_REFUSED)):
        phone.ask(sensor.REVOKE_CHALLENGE, replace(revoke, sensor=on))
        assert phone.call(biometric.PREPARE_ENROLLMENT, prepare).status is status


def test_an_authenticator_id_changes_with_the_enrollments_of_its_sensor(phone: Phone) -> None:
    before = {on: phone.authenticator(on) for on in (FIRST, SECOND, WEAK)}
    assert len({before[FIRST], before[SECOND], 0}) == 3
    assert before[WEAK] == 0, "a weak sensor has none"
    assert phone.enroll(SECOND, TOUCHES[2][:3], position=4).status is ReplyStatus.OK
    assert (phone.authenticator(FIRST), phone.authenticator(SECOND) == before[SECOND]) == (before[FIRST], False)
    phone.ask(sensor.INVALIDATE_AUTHENTICATOR_ID, phone.about(FIRST))
    assert phone.authenticator(FIRST) != before[FIRST]


def test_a_weak_sensor_matches_and_gives_no_token(phone: Phone) -> None:
    answers = {on: phone.claim(on, sample) for on, sample in (
        (FIRST, TOUCHES[0][3]), (SECOND, TOUCHES[1][3]), (WEAK, phone.view()))}  # fmt: skip
    assert [answers[on].match for on in answers] == [True] * 3
    assert [answers[on].token is not None for on in answers] == [True, True, False]
    tokens = [answers[on].token or b"" for on in (FIRST, SECOND)]
    assert tokens[0][17:25] != tokens[1][17:25], "of the sensor's own authenticator id"


@pytest.mark.parametrize("locked", [FIRST, SECOND, WEAK])
def test_a_lock_is_of_one_sensor(phone: Phone, locked: int) -> None:
    others = [on for on in (FIRST, SECOND, WEAK) if on != locked]
    phone.miss(locked)
    assert (phone.lock(locked), [phone.lock(on) for on in others]) == (Lock.TIMED, [Lock.NONE] * 2)
    assert phone.claim(locked, TOUCHES[0][3] if locked != WEAK else phone.view()).status is ReplyStatus.LOCKED_TIMED
    token = phone.kit.pin_token(phone.alice)
    for on in others:
        phone.ask(sensor.RESET_LOCKOUT, sensor.ResetLockout(user=phone.alice.user, sensor=on, token=token))
    assert phone.lock(locked) is Lock.TIMED
    phone.ask(sensor.RESET_LOCKOUT, sensor.ResetLockout(user=phone.alice.user, sensor=locked, token=token))
    assert phone.lock(locked) is Lock.NONE


def test_with_the_cascade_a_strong_lock_is_that_of_all_and_a_weak_one_its_own() -> None:
    phone = Phone(cascade=True)
    phone.enroll(FIRST, TOUCHES[0][:3], position=2)
    phone.enroll(SECOND, TOUCHES[1][:3], position=2)
    phone.enroll(WEAK, [phone.view() for _ in range(3)])
    phone.miss(WEAK)
    assert [phone.lock(on) for on in (FIRST, SECOND, WEAK)] == [Lock.NONE, Lock.NONE, Lock.TIMED]
    phone.miss(SECOND)
    assert [phone.lock(on) for on in (FIRST, SECOND, WEAK)] == [Lock.TIMED] * 3
    reset = sensor.ResetLockout(user=phone.alice.user, sensor=WEAK, token=phone.kit.pin_token(phone.alice))
    phone.ask(sensor.RESET_LOCKOUT, reset)
    assert [phone.lock(on) for on in (FIRST, SECOND, WEAK)] == [Lock.TIMED] * 3, "a weak one clears no strong one"
    phone.ask(sensor.RESET_LOCKOUT, replace(reset, sensor=FIRST))
    assert [phone.lock(on) for on in (FIRST, SECOND, WEAK)] == [Lock.NONE] * 3


def test_searches_are_counted_sensor_by_sensor(phone: Phone) -> None:
    for _ in range(5):
        assert not phone.search(SECOND, TOUCHES[4][0]).match
    assert phone.search(SECOND, TOUCHES[1][4]).status is ReplyStatus.LOCKED_TIMED
    assert phone.search(FIRST, TOUCHES[0][4]).match
    locks = [phone.ask(sensor.SEARCH_LOCK_STATUS, sensor.SearchRequest(sensor=on)).lock for on in (FIRST, SECOND)]
    assert locks == [Lock.NONE, Lock.TIMED]


def test_who_is_locked_on_one_sensor_is_found_on_the_other(phone: Phone) -> None:
    phone.miss(FIRST)
    assert (phone.search(FIRST, TOUCHES[0][4]).match, phone.search(SECOND, TOUCHES[1][4]).match) == (False, True)


def test_with_the_cascade_who_is_locked_is_found_on_no_sensor_as_strong() -> None:
    phone = Phone(cascade=True)
    for on in (FIRST, SECOND):
        phone.enroll(on, TOUCHES[on][:3], position=2)
    assert phone.search(SECOND, TOUCHES[1][4]).match
    phone.miss(FIRST)
    assert not phone.search(SECOND, TOUCHES[1][4]).match


def test_who_has_erased_all_on_a_sensor_opens_no_searches_there(phone: Phone) -> None:
    old = phone.first_record()
    alice, phone.alice = phone.alice, phone.person()
    assert phone.enroll(FIRST, TOUCHES[2][:3]).status is ReplyStatus.OK, "somebody to be searched"
    for _ in range(5):
        phone.search(FIRST, TOUCHES[4][0])
    reset = sensor.ResetLockout(user=alice.user, sensor=FIRST, token=phone.kit.pin_token(alice))
    erase = biometric.Erase(
        user=alice.user, record_id=old.record_id, leave=biometric.EraseAuthorization(token=reset.token)
    )
    phone.ask(biometric.ERASE, erase)
    for who, lock in ((alice, Lock.TIMED), (phone.alice, Lock.NONE)):
        phone.ask(sensor.RESET_LOCKOUT, replace(reset, user=who.user, token=phone.kit.pin_token(who)))
        assert phone.ask(sensor.SEARCH_LOCK_STATUS, sensor.SearchRequest(sensor=FIRST)).lock is lock


def test_fingers_without_a_name_up_to_the_limit(phone: Phone) -> None:
    elsewhere = phone.enroll(SECOND, TOUCHES[3][:3], position=7)
    assert elsewhere.status is ReplyStatus.OK, "a position there is none here"
    made = [phone.enroll(FIRST, TOUCHES[person][:3]) for person in (2, 3)]
    assert [answer.status for answer in made] == [ReplyStatus.OK] * 2
    assert phone.enroll(FIRST, TOUCHES[1][:3]).status is ReplyStatus.USER_FULL
    assert phone.enroll(FIRST, TOUCHES[2][1:4], replace=True).status is ReplyStatus.BAD_REQUEST
    assert phone.claim(FIRST, TOUCHES[2][4]).record_id == made[0].record_id
    relabel = biometric.Relabel(
        user=phone.alice.user, record_id=made[0].record_id, position=7, token=phone.kit.pin_token(phone.alice)
    )
    named = phone.ask(biometric.RELABEL, relabel)
    back = replace(relabel, record_id=named.record_id, position=0)
    assert phone.call(biometric.RELABEL, back).status is ReplyStatus.BAD_REQUEST
    assert phone.ask(biometric.SHOW, biometric.Show(record_id=named.record_id)).record.position == 7


def test_an_enrollment_is_refused_before_a_capture_as_it_would_be_after_one(phone: Phone) -> None:
    def prepared(token: bytes, on: int = FIRST) -> ReplyStatus:
        request = biometric.PrepareEnrollment(user=phone.alice.user, sensor=on, token=token)
        return phone.call(biometric.PREPARE_ENROLLMENT, request).status

    assert prepared(b"") is ReplyStatus.TOKEN_REFUSED
    assert prepared(phone.token(SECOND)) is ReplyStatus.TOKEN_REFUSED
    token = phone.token(FIRST)
    assert prepared(token) is ReplyStatus.OK
    assert phone.enroll(FIRST, TOUCHES[2][:3], position=4, token=token).status is ReplyStatus.OK, "it used nothing up"
    withdraw = policy.Withdraw(
        user=phone.alice.user, modality=FINGER, purpose=Purpose.UNLOCK, token=phone.kit.pin_token(phone.alice)
    )
    for purpose in Purpose:
        phone.ask(policy.WITHDRAW, replace(withdraw, purpose=purpose, token=phone.kit.pin_token(phone.alice)))
    assert prepared(phone.token(FIRST)) is ReplyStatus.NO_CONSENT
    assert prepared(phone.token(FIRST), 9) is ReplyStatus.UNKNOWN_SENSOR


def test_a_judgment_is_of_the_shown_samples_alone(phone: Phone) -> None:
    def judged(on: int, *samples: bytes) -> biometric.Judged:
        return phone.call(biometric.JUDGE, biometric.Judge(sensor=on, samples=samples))

    assert judged(SECOND, TOUCHES[0][0]).acquired is AcquiredCode.GOOD, "enrolled elsewhere or here: not looked at"
    assert judged(SECOND, TOUCHES[1][0], TOUCHES[1][1]).acquired is AcquiredCode.GOOD
    assert judged(SECOND, TOUCHES[1][0], TOUCHES[1][1], TOUCHES[0][0]).acquired is AcquiredCode.TOO_DIFFERENT
    assert judged(FIRST, TOUCHES[1][0], TOUCHES[1][0]).acquired is AcquiredCode.IMMOBILE
    assert judged(WEAK, phone.view(), phone.kit.sample(phone.kit.direction())).acquired is AcquiredCode.TOO_DIFFERENT
    assert judged(WEAK, TOUCHES[0][0]).status is ReplyStatus.BAD_REQUEST
    assert judged(SECOND).status is ReplyStatus.BAD_REQUEST
    assert judged(7, TOUCHES[0][0]).status is ReplyStatus.UNKNOWN_SENSOR
    assert phone.lock(SECOND) is Lock.NONE


def test_features_are_of_a_face_its_owner_and_its_enrollments(phone: Phone) -> None:
    def features(on: int = WEAK):  # type: ignore[no-untyped-def]
        return phone.call(sensor.GET_FEATURES, phone.about(on))

    def switch(feature: int, enabled: bool, token: bytes, on: int = WEAK) -> ReplyStatus:
        request = sensor.SetFeature(
            user=phone.alice.user, sensor=on, token=token, feature=feature, enabled=enabled
        )  # fmt: skip
        return phone.call(sensor.SET_FEATURE, request).status

    assert features().features == ()
    token = phone.kit.pin_token(phone.alice)
    assert (switch(0, True, token), switch(2, True, token)) == (ReplyStatus.OK, ReplyStatus.OK)
    phone.kit.target.restart()
    assert features().features == (0, 2)
    assert switch(2, False, b"") is ReplyStatus.TOKEN_REFUSED
    assert switch(2, False, phone.kit.pin_token(phone.person())) is ReplyStatus.TOKEN_REFUSED
    phone.miss(WEAK, 2)
    assert phone.claim(WEAK, phone.view()).match
    assert features().features == (0, 2), "a decision keeps them"
    assert switch(2, False, phone.kit.pin_token(phone.alice)) is ReplyStatus.OK
    assert features().features == (0,)
    assert (features(FIRST).status, switch(0, True, token, FIRST)) == (ReplyStatus.NO_FEATURE,) * 2
    leave = biometric.EraseAuthorization(by_operator=True)
    records = phone.ask(biometric.LIST, biometric.ListRecords(user=phone.alice.user)).records
    (face,) = (r for r in records if r.sensor == WEAK)
    phone.ask(biometric.ERASE, biometric.Erase(user=phone.alice.user, record_id=face.record_id, leave=leave))
    assert (features().status, switch(0, False, phone.kit.pin_token(phone.alice))) == (ReplyStatus.NOT_ENROLLED,) * 2
    assert phone.enroll(WEAK, [phone.view() for _ in range(3)]).status is ReplyStatus.OK
    assert features().features == (), "the next set of enrollments begins anew"


def test_a_sensor_that_is_not_there_and_a_sample_of_another_kind(phone: Phone) -> None:
    for on, status in ((3, ReplyStatus.UNKNOWN_SENSOR), (WEAK, ReplyStatus.BAD_REQUEST)):
        answers = (phone.claim(on, TOUCHES[0][3]), phone.search(on, TOUCHES[0][3]), phone.enroll(
            on, TOUCHES[2][:3], token=b""))  # fmt: skip
        assert [answer.status for answer in answers] == [status] * 3
    assert phone.call(sensor.LOCK_STATUS, phone.about(3)).status is SensorStatus.UNKNOWN_SENSOR
    search = sensor.SearchRequest(sensor=3)
    assert phone.call(sensor.SEARCH_LOCK_STATUS, search).status is SensorStatus.UNKNOWN_SENSOR
    assert phone.lock(WEAK) is Lock.NONE, "and nothing was counted"


def test_who_is_removed_leaves_nothing_on_any_sensor(phone: Phone) -> None:
    leave = biometric.EraseAuthorization(token=phone.kit.pin_token(phone.alice))
    late = phone.token(FIRST)
    phone.ask(biometric.REMOVE_USER, biometric.RemoveUser(user=phone.alice.user, leave=leave))
    rows = phone.kit.target.disk.objects[BIOMETRIC_UUID.bytes]
    assert [object_id for object_id in rows if phone.alice.user in object_id] == []
    assert not phone.search(FIRST, TOUCHES[0][4]).match
    phone.ask(biometric.ADD_USER, biometric.AddUser(user=phone.alice.user, label=bytes(32)))
    prepare = biometric.PrepareEnrollment(user=phone.alice.user, sensor=FIRST, token=late)
    answer = phone.call(biometric.PREPARE_ENROLLMENT, prepare)
    assert answer.status is ReplyStatus.TOKEN_REFUSED, "a challenge of one who is gone"


@pytest.mark.parametrize(
    "table",
    [
        (),
        TABLE[1:],
        (TABLE[0], TABLE[0]),
        (replace(TABLE[0], max_enrollments=11),),
        tuple(replace(TABLE[0], sensor_id=i, max_enrollments=9) for i in range(5)),
    ],
    ids=["none", "not from 0", "twice", "eleven", "45 together"],
)
def test_tables_that_no_device_has(table: tuple[SensorProps, ...]) -> None:
    kit = Kit(Target(manifests()), configuration=None)
    answer = kit.target.call(BIOMETRIC_UUID, CONFIGURE, Configuration(sensor_table=table))
    assert answer.status is ReplyStatus.BAD_REQUEST
    assert kit.target.call(BIOMETRIC_UUID, CONFIGURE, Configuration(sensor_table=TABLE)).status is ReplyStatus.OK
    shown = kit.ask(BIOMETRIC_UUID, SHOW_CONFIGURATION, Nothing()).configuration
    assert shown is not None
    assert shown.sensor_table == TABLE


def test_properties_that_do_not_fit_are_no_request() -> None:
    """A home button as the type of a face: refused as a record that does not fit, and by nobody's panic."""
    plain = Configuration(sensor_table=TABLE).to_plain()
    table = next(field for field in plain if isinstance(field, list) and len(field) == len(TABLE))
    table[WEAK][4] = 5
    with pytest.raises(MisfitError, match="sensor properties do not fit together"):
        Configuration.from_plain(plain)
