"""Rows 2 and 3 of the contract checklist (docs/android-contract.md section 3): enrollment and the authenticator id.

Rows 1, 8 and 9 have files of their own (test_token, test_gatekeeper, test_keystore_rules); row 7 belongs to the store.
"""

import pytest

from bioguard.hal import callbacks as cb
from bioguard.hal.aidl_codes import ErrorCode
from bioguard.hal.callbacks import OperationError
from bioguard.hal.session import SessionState
from bioguard.records.locks import AttemptOutcome
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import SensorProps
from bioguard.records.tokens import Denial, TokenUnusable
from bioguard.simulate.virtual_hal.virtual_hal_state import KeyTokens
from bioguard.trusted.sensor.authorization import SensorAuthorization
from bioguard.trusted.sensor.challenges import LIFETIME_MS, MAX_LIVE, ChallengeTable
from bioguard.trusted.sensor.lockout import ANDROID_13

KEY = bytes(range(32))
ALICE, BOB = b"A" * 16, b"B" * 16
UNABLE = OperationError(ErrorCode.UNABLE_TO_PROCESS)
FP = Modality.FINGERPRINT


# -- row 2: enroll ---------------------------------------------------------------------------------------------------


def refused_enrollment(world, session, token: bytes) -> None:
    before = dict(world.states.rows)
    world.heard.clear()
    session.enroll(token)
    assert world.heard == [UNABLE]
    assert session.calls.state is SessionState.IDLING
    session.pointer_down()
    assert world.heard == [UNABLE]
    assert world.states.rows == before
    assert world.hal.templates.ids(ALICE) == ()


def test_row2_bad_mac(world) -> None:
    session = world.start()
    token = bytearray(world.pin_token(world.challenge(session)))
    token[-1] ^= 1
    refused_enrollment(world, session, bytes(token))


@pytest.mark.parametrize("token", [b"", bytes(69), bytes(37)], ids=["empty", "zeros", "no-mac"])
def test_row2_no_token(world, token: bytes) -> None:
    refused_enrollment(world, world.start(), token)


def test_row2_unknown_challenge(world) -> None:
    refused_enrollment(world, world.start(), world.pin_token(4711))


def test_row2_expired_challenge(world) -> None:
    session = world.start()
    token = world.pin_token(world.challenge(session))
    world.clock.advance(LIFETIME_MS)
    refused_enrollment(world, session, token)


def test_row2_revoked_challenge(world) -> None:
    session = world.start()
    challenge = world.challenge(session)
    session.calls.revoke_challenge(challenge)
    session.calls.pump()
    refused_enrollment(world, session, world.pin_token(challenge))


def test_row2_other_users_challenge(world) -> None:
    session = world.start(user=BOB)
    challenge = world.challenge(session)
    session.calls.close()
    refused_enrollment(world, world.session(ALICE), world.pin_token(challenge))


def test_row2_other_sensors_challenge(world) -> None:
    world.start()
    sensors = [SensorProps(sensor_id=0, kind=FP), SensorProps(sensor_id=1, kind=FP)]
    authority = SensorAuthorization(
        sensors,
        states=world.states,
        policy=ANDROID_13,
        clock=world.clock,
        rng=world.rng,
        boot_tokens=KeyTokens(KEY, world.states, world.clock),
        pins=world.held,
    )
    challenge = authority.generate_challenge(0, ALICE)
    token = world.pin_token(challenge)
    assert authority.allow_enrollment(0, ALICE, token, enrollments=0).challenge == challenge
    with pytest.raises(TokenUnusable, match=r"^the auth token does not allow this$"):
        authority.allow_enrollment(1, ALICE, token, enrollments=0)


def test_row2_a_token_from_a_finger_is_not_a_pin(world) -> None:
    """Stricter than the words of AIDL: CDD wants the chain of trust to start at the credential."""
    session = world.start()
    forged = world.forged(challenge=world.challenge(session), user_id=world.sids[ALICE], authenticator_type=2)
    refused_enrollment(world, session, forged)


def test_row2_a_token_from_the_future(world) -> None:
    session = world.start()
    challenge = world.challenge(session)
    stamp = world.clock.boot_ms() + 1
    refused_enrollment(world, session, world.forged(challenge=challenge, user_id=world.sids[ALICE], timestamp_ms=stamp))


def test_row2_a_token_of_nobody(world) -> None:
    session = world.start()
    refused_enrollment(world, session, world.forged(challenge=world.challenge(session), user_id=0))


def test_row2_two_live_challenges_both_work_and_may_be_used_twice(world) -> None:
    session = world.start()
    first, second = world.challenge(session), world.challenge(session)
    for number, challenge in enumerate((first, second, first, second), 1):
        session.enroll(world.pin_token(challenge))
        session.pointer_down()
        assert world.heard[-1] == cb.EnrollmentProgress(number, 0)


def test_row2_a_second_owner_cannot_enroll_next_to_the_first(world) -> None:
    """An untrusted re-enroll makes a new secure user id: it must not get at the old enrollments."""
    session = world.start()
    world.enroll(session)
    world.set_pin(ALICE, b"other")
    session.enroll(world.pin_token(world.challenge(session), pin=b"other"))
    assert world.heard[-1] == UNABLE


def test_row2_challenges_are_unpredictable_distinct_and_never_zero(world) -> None:
    session = world.start()
    values = [world.challenge(session) for _ in range(100)]
    assert len(set(values)) == 100
    assert 0 not in values
    assert len({v >> 32 for v in values}) > 95
    token = world.pin_token(values[0])
    session.enroll(token)
    assert session.calls.state is SessionState.ENROLLING


def test_challenge_table_is_bounded_and_never_hands_out_zero(world) -> None:
    class Stuck:
        def __init__(self) -> None:
            self.answers = [bytes(8), b"\1" + bytes(7), b"\1" + bytes(7), b"\2" + bytes(7)]

        def bytes(self, n: int) -> bytes:
            return self.answers.pop(0)

    rng = Stuck()
    table, first = ChallengeTable().generate(rng, 0)
    table, second = table.generate(rng, 0)
    assert (first, second) == (1, 2)
    for _ in range(MAX_LIVE + 5):
        table, _ = table.generate(world.rng, 0)
    assert len(table.live) == MAX_LIVE
    assert not table.holds(1, 0)


def unbound(world, *, allow_unbound: bool = True, sensors: list[SensorProps] | None = None) -> SensorAuthorization:
    return SensorAuthorization(
        sensors or [SensorProps(sensor_id=0, kind=FP)],
        states=world.states,
        policy=ANDROID_13,
        clock=world.clock,
        rng=world.rng,
        boot_tokens=KeyTokens(KEY, world.states, world.clock),
        pins=world.held,
        allow_unbound=allow_unbound,
    )


def denied(authority: SensorAuthorization, token: bytes, *, enrollments: int, user: bytes = ALICE) -> Denial:
    with pytest.raises(TokenUnusable) as caught:
        authority.allow_enrollment(0, user, token, enrollments=enrollments)
    return caught.value.why


def test_row2_enrollments_with_and_without_a_pin_never_mix(world) -> None:
    authority = unbound(world)
    assert authority.allow_enrollment(0, ALICE, b"", enrollments=0) is None
    world.states.save(0, ALICE, authority.enrolled(0, ALICE, None))
    token = world.pin_token(authority.generate_challenge(0, ALICE))
    assert denied(authority, token, enrollments=1) is Denial.WITHOUT_PIN
    seen = authority.allow_enrollment(0, ALICE, token, enrollments=0)
    world.states.save(0, ALICE, authority.enrolled(0, ALICE, seen))
    for count in (0, 1):
        assert denied(authority, b"", enrollments=count) is Denial.TOKEN


@pytest.mark.parametrize("count", [0, 1])
@pytest.mark.parametrize("allow_unbound", [True, False])
def test_row2_no_token_will_do_once_there_is_a_pin_whatever_is_enrolled(world, allow_unbound, count) -> None:
    authority = unbound(world, allow_unbound=allow_unbound)
    world.set_pin(ALICE)
    assert denied(authority, b"", enrollments=count) is Denial.TOKEN
    if allow_unbound:
        assert authority.allow_enrollment(0, BOB, b"", enrollments=0) is None, "bob has none"
    else:
        assert denied(authority, b"", enrollments=count, user=BOB) is Denial.NO_PIN


def test_row2_a_user_who_showed_a_pin_once_does_not_enroll_without_after_it_was_deleted(world) -> None:
    sensors = [SensorProps(sensor_id=0, kind=FP), SensorProps(sensor_id=1, kind=FP)]
    authority = unbound(world, sensors=sensors)
    token = world.pin_token(authority.generate_challenge(1, ALICE))
    seen = authority.allow_enrollment(1, ALICE, token, enrollments=0)
    world.states.save(1, ALICE, authority.enrolled(1, ALICE, seen))
    world.gatekeeper.delete_user(ALICE)
    assert denied(authority, b"", enrollments=0) is Denial.NO_PIN


def test_row2_the_pin_of_somebody_else_does_not_enroll_for_a_user_who_has_nothing_yet(world) -> None:
    authority = unbound(world)
    for victim_has_a_pin in (False, True):
        if victim_has_a_pin:
            world.set_pin(ALICE)
        stolen = authority.generate_challenge(0, ALICE)
        assert denied(authority, world.pin_token(stolen, BOB), enrollments=0) is Denial.TOKEN


def test_row2_a_token_of_a_pin_that_was_reset_since_is_none(world) -> None:
    authority = unbound(world)
    world.set_pin(ALICE, b"old")
    challenge = authority.generate_challenge(0, ALICE)
    before = world.pin_token(challenge, pin=b"old")
    seen = authority.allow_enrollment(0, ALICE, before, enrollments=0)
    world.states.save(0, ALICE, authority.enrolled(0, ALICE, seen))
    world.set_pin(ALICE, b"new")
    assert denied(authority, before, enrollments=1) is Denial.TOKEN
    assert denied(authority, world.pin_token(challenge, pin=b"new"), enrollments=1) is Denial.OTHER_PIN
    with pytest.raises(TokenUnusable):
        authority.reset_lockout(0, ALICE, before)


def test_row2_an_unbound_match_makes_no_token_and_an_unbound_lockout_has_no_owner(world) -> None:
    authority = unbound(world)
    world.states.save(0, ALICE, authority.enrolled(0, ALICE, None))
    assert authority.settle_attempt(authority.begin_attempt(0, ALICE), AttemptOutcome.MATCH, 7) is None
    with pytest.raises(TokenUnusable):
        authority.reset_lockout(0, ALICE, world.pin_token(0, BOB))


# -- row 3: authenticator id -----------------------------------------------------------------------------------------


def authenticator_id(world, session) -> int:
    session.calls.get_authenticator_id()
    session.calls.pump()
    return world.heard[-1].authenticator_id


def test_row3_life_of_an_authenticator_id(world) -> None:
    session = world.start()
    assert authenticator_id(world, session) == 0
    at_progress: list[int] = []
    notify = session.calls._notify
    session.calls._notify = lambda c: (
        at_progress.append(world.states.load(0, ALICE).authenticator_id) if c == cb.EnrollmentProgress(1, 0) else None,
        notify(c),
    )
    world.enroll(session)
    first = authenticator_id(world, session)
    assert at_progress == [first], "the new id must be stored before remaining = 0 is told"
    world.enroll(session)
    second = authenticator_id(world, session)
    assert len({0, first, second}) == 3
    assert abs(second - first) > 1 << 16, "random, not a counter"
    session.calls.remove_enrollments((1,))
    assert authenticator_id(world, session) == second
    session.calls.remove_enrollments((2,))
    assert authenticator_id(world, session) == 0


def test_row3_persisted_and_invalidate_rotates(world) -> None:
    session = world.start()
    world.enroll(session)
    before = authenticator_id(world, session)
    enrolled = world.hal.templates.enrolled
    again = world.start()
    world.hal.templates.enrolled.update(enrolled)
    assert authenticator_id(world, again) == before
    again.calls.invalidate_authenticator_id()
    again.calls.pump()
    rotated = world.heard[-1]
    assert isinstance(rotated, cb.AuthenticatorIdInvalidated)
    assert rotated.authenticator_id not in (0, before)
    assert authenticator_id(world, again) == rotated.authenticator_id


@pytest.mark.parametrize("strength", ["0", "1"])
def test_row3_zero_for_weaker_classes(world, strength: str) -> None:
    session = world.start(sensor_strength=strength)
    world.enroll(session)
    assert authenticator_id(world, session) == 0
    session.calls.invalidate_authenticator_id()
    session.calls.pump()
    assert world.heard[-1] == cb.AuthenticatorIdInvalidated(0)
