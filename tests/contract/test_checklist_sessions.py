"""Rows 4, 5, 6 and 10 of the contract checklist: tokens of a success, what ends an operation, lockout, silence."""

from collections.abc import Iterable

import pytest

from bioguard.errors import NotPermitted
from bioguard.hal import callbacks as cb
from bioguard.hal.aidl_codes import ErrorCode
from bioguard.hal.callbacks import OperationError, is_terminal
from bioguard.hal.hal import SessionInUse
from bioguard.hal.operations import QueueFull
from bioguard.hal.scripting import Capture
from bioguard.hal.session import SessionState, WrongState
from bioguard.records.locks import AttemptOutcome, Lock
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import SensorProps
from bioguard.records.strength import SensorStrength
from bioguard.records.tokens import AuthToken
from bioguard.simulate.virtual_hal.virtual_hal_state import KeyTokens
from bioguard.trusted.sensor.authorization import RESET_TOKEN_AGE_MS, SensorAuthorization, SensorUserState
from bioguard.trusted.sensor.lockout import ANDROID_13
from tee_sim.shared.clock import FakeClock

KEY = bytes(range(32))
ALICE, BOB = b"A" * 16, b"B" * 16
UNABLE = OperationError(ErrorCode.UNABLE_TO_PROCESS)
FP, FACE = Modality.FINGERPRINT, Modality.FACE


def authenticator_id(world, session) -> int:
    session.calls.get_authenticator_id()
    session.calls.pump()
    return world.heard[-1].authenticator_id


# -- row 4: the token of a success -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [FP, FACE])
def test_row4_strong_success(world, kind: Modality) -> None:
    session = world.start(kind, enrollment_hit="1")
    world.enroll(session, script="1:5:true")
    world.authenticate(session, operation_id=0xABCDEF)
    success = world.heard[-1]
    token = success.token.verify(KEY)
    assert (success.enrollment_id, token.challenge, token.authenticator_type) == (1, 0xABCDEF, 2)
    assert token.user_id == world.sids[ALICE]
    assert token.authenticator_id == authenticator_id(world, session) != 0
    assert token.timestamp_ms == world.clock.boot_ms()


@pytest.mark.parametrize("strength", ["0", "1"])
def test_row4_weak_success_has_no_token(world, strength: str) -> None:
    session = world.start(sensor_strength=strength, enrollment_hit="1")
    world.enroll(session)
    world.authenticate(session)
    assert world.heard[-1] == cb.AuthenticationSucceeded(1, None)


# -- row 5: what ends an operation -----------------------------------------------------------------------------------


def test_row5_a_rejected_finger_may_try_again(world) -> None:
    session = world.start(enrollments="1", enrollment_hit="2")
    session.calls.authenticate(1)
    session.pointer_down()
    assert world.heard[-1] == cb.AuthenticationFailed()
    assert session.calls.state is SessionState.AUTHENTICATING
    world.hal.knobs.set("enrollment_hit", "1")
    session.pointer_down()
    assert isinstance(world.heard[-1], cb.AuthenticationSucceeded)
    assert session.calls.state is SessionState.IDLING


def test_row5_a_rejected_face_is_done(world) -> None:
    session = world.start(FACE, enrollments="1", enrollment_hit="2")
    session.calls.authenticate(1)
    session.pointer_down()
    assert world.heard[-1] == cb.AuthenticationFailed()
    assert session.calls.state is SessionState.IDLING


@pytest.mark.parametrize("kind", [FP, FACE])
def test_row5_cancel_is_told_once(world, kind: Modality) -> None:
    session = world.start(kind, enrollments="1", detect_interaction="true", next_enrollment="2:5:true")
    for start in (
        lambda: session.calls.authenticate(1),
        session.calls.detect_interaction,
        lambda: session.enroll(world.pin_token(world.challenge(session))),
    ):
        start()
        session.calls.pump()
        world.heard.clear()
        session.calls.cancel()
        session.calls.cancel()
        assert world.heard == [OperationError(ErrorCode.CANCELED)]


def test_row5_cancel_before_it_runs(world) -> None:
    session = world.start(enrollments="1")
    session.calls.authenticate(1)
    waiting = session.calls.authenticate(2)
    session.calls.pump()
    world.heard.clear()
    session.calls.cancel(waiting)
    assert world.heard == [OperationError(ErrorCode.CANCELED)]
    assert session.calls.state is SessionState.AUTHENTICATING


def test_row5_closed_means_closed(world) -> None:
    session = world.start()
    session.calls.close()
    assert world.heard == [cb.SessionClosed()]
    for call in (
        session.calls.generate_challenge,
        lambda: session.calls.authenticate(1),
        lambda: session.calls.enroll(b""),
        session.calls.close,
        lambda: session.calls.present(None),
        lambda: session.calls.take(Capture()),
    ):
        with pytest.raises(WrongState, match="is not allowed while closed"):
            call()
    assert world.heard == [cb.SessionClosed()]


def test_row5_close_only_when_idle(world) -> None:
    session = world.start()
    session.calls.authenticate(1)
    with pytest.raises(WrongState, match=r"^close is not allowed while operations wait$"):
        session.calls.close()
    session.calls.pump()
    with pytest.raises(WrongState, match=r"^close is not allowed while authenticating$"):
        session.calls.close()


def test_row5_second_session_is_refused_and_a_dead_client_makes_room(world) -> None:
    session = world.start()
    with pytest.raises(SessionInUse, match=r"^session 1 is open$"):
        world.session(BOB)
    session.calls.authenticate(1)
    session.calls.pump()
    world.heard.clear()
    session.calls.client_died()
    session.calls.client_died()
    assert world.heard == [cb.SessionClosed()]
    world.session(BOB)


def test_row5_fifo_and_a_full_queue_is_told(world) -> None:
    session = world.start()
    for value in range(1, 6):
        session.calls.revoke_challenge(value)
    with pytest.raises(QueueFull, match=r"^5 operations are waiting$"):
        session.calls.enumerate_enrollments()
    session.calls.pump()
    assert world.heard == [cb.ChallengeRevoked(v) for v in range(1, 6)]


@pytest.mark.parametrize("kind", [FP, FACE])
def test_row5_exactly_one_terminal_callback(world, kind: Modality) -> None:
    session = world.start(kind, enrollments="1", detect_interaction="true")
    token = world.pin_token(world.challenge(session))
    operations = [
        session.calls.generate_challenge,
        lambda: session.calls.revoke_challenge(1),
        session.calls.enumerate_enrollments,
        lambda: session.calls.remove_enrollments((9,)),
        session.calls.get_authenticator_id,
        session.calls.invalidate_authenticator_id,
        lambda: session.calls.reset_lockout(token),
        lambda: session.calls.reset_lockout(b""),
        *((session.calls.get_features,) if kind is FACE else ()),
        lambda: session.enroll(token),
        lambda: session.calls.authenticate(1),
        session.calls.detect_interaction,
    ]
    for hit in ("1", "0", "7"):
        world.hal.knobs.set("enrollment_hit", hit)
        for start in operations:
            world.heard.clear()
            start()
            session.pointer_down()
            session.calls.cancel()
            assert [is_terminal(c, kind) for c in world.heard].count(True) == 1, world.heard
            assert is_terminal(world.heard[-1], kind)
            assert session.calls.state is SessionState.IDLING


# -- row 6: lockout --------------------------------------------------------------------------------------------------


def misses(world, session, count: int) -> None:
    world.hal.knobs.set("enrollment_hit", "9")
    for _ in range(count):
        world.authenticate(session)


def lock(world, sensor_id: int = 0, user: bytes = ALICE):
    return world.hal.authority.lock_status(sensor_id, user)


def test_row6_5_fails_30_seconds_multiples_again_20_permanent(world) -> None:
    session = world.start(enrollments="1")
    for threshold in (5, 10, 15):
        misses(world, session, 5)
        assert lock(world).lock is Lock.TIMED
        assert lock(world).remaining_ms == 30_000
        assert world.states.load(0, ALICE).lockout.failed_attempts == threshold
        world.clock.advance(30_000)
        assert lock(world).lock is Lock.NONE
    misses(world, session, 5)
    assert lock(world).lock is Lock.PERMANENT
    world.clock.advance(10**9)
    assert lock(world).lock is Lock.PERMANENT


def test_row6_attempts_while_locked_do_not_count_and_are_told(world) -> None:
    session = world.start(enrollments="1")
    misses(world, session, 5)
    world.hal.knobs.set("enrollment_hit", "1")
    heard = world.authenticate(session)
    assert isinstance(heard[0], cb.LockoutTimed)
    assert not any(isinstance(c, cb.AuthenticationSucceeded) for c in heard)
    assert world.states.load(0, ALICE).lockout.failed_attempts == 5


def test_row6_counter_survives_restart_and_reboot(world) -> None:
    session = world.start(enrollments="1")
    misses(world, session, 4)
    session = world.start(enrollments="1")
    misses(world, session, 1)
    assert lock(world).lock is Lock.TIMED
    world.clock.advance(29_000)
    world.clock = FakeClock(boot_ms=500)
    session = world.start(enrollments="1")
    assert lock(world).remaining_ms == 30_000
    world.clock.advance(30_000)
    misses(world, session, 5)
    assert world.states.load(0, ALICE).lockout.failed_attempts == 10


def test_row6_success_zeroes(world) -> None:
    session = world.start(enrollments="1")
    misses(world, session, 4)
    world.hal.knobs.set("enrollment_hit", "1")
    world.authenticate(session)
    assert world.states.load(0, ALICE).lockout.failed_attempts == 0


def test_row6_only_good_quality_counts(world) -> None:
    session = world.start(enrollments="1", quality_sequence="2,3,4,5,6,9,13")
    misses(world, session, 7)
    assert world.states.load(0, ALICE).lockout.failed_attempts == 0
    misses(world, session, 1)
    assert world.states.load(0, ALICE).lockout.failed_attempts == 1


def test_row6_a_poor_capture_is_not_compared_so_it_gives_no_free_guess(world) -> None:
    session = world.start(enrollments="1", enrollment_hit="1", quality_sequence="2")
    assert world.authenticate(session)[:1] == [cb.Acquired(2, 0)]
    assert not any(isinstance(c, cb.AuthenticationSucceeded) for c in world.heard)


def test_row6_detect_interaction_never_counts(world) -> None:
    session = world.start(enrollments="1", detect_interaction="true", enrollment_hit="9")
    for _ in range(30):
        session.calls.detect_interaction()
        session.pointer_down()
        assert world.heard[-1] == cb.InteractionDetected()
    assert world.states.rows.get((0, ALICE)) == world.states.load(0, ALICE).to_bytes()
    assert world.states.load(0, ALICE).lockout.failed_attempts == 0


def test_row6_an_attempt_is_counted_before_it_is_compared(world) -> None:
    session = world.start(enrollments="1", enrollment_hit="1")
    seen: list[int] = []
    match = world.hal.templates.match
    world.hal.templates.match = lambda u, s: (
        seen.append(world.states.load(0, ALICE).lockout.failed_attempts),
        match(u, s),
    )[1]
    world.authenticate(session)
    assert seen == [1]
    assert world.states.load(0, ALICE).lockout.failed_attempts == 0


def test_row6_reset_wants_a_valid_recent_pin_token_of_the_owner(world) -> None:
    session = world.start(enrollments="1")
    misses(world, session, 5)
    good = world.pin_token(0)
    old = world.forged(user_id=world.sids[ALICE], timestamp_ms=world.clock.boot_ms())
    world.clock.advance(RESET_TOKEN_AGE_MS + 1)
    misses(world, session, 15)
    while lock(world).lock is not Lock.PERMANENT:
        world.clock.advance(30_000)
        misses(world, session, 5)
    bad = [
        b"",
        old,
        good,
        world.pin_token(0, BOB),
        world.forged(key=bytes(32), user_id=world.sids[ALICE]),
        world.forged(user_id=world.sids[ALICE], authenticator_type=2),
        world.forged(user_id=world.sids[ALICE], timestamp_ms=world.clock.boot_ms() + 1),
    ]
    for token in bad:
        session.calls.reset_lockout(token)
        session.calls.pump()
        assert world.heard[-1] == UNABLE
        assert lock(world).lock is Lock.PERMANENT
    session.calls.reset_lockout(world.pin_token(12345))
    session.calls.pump()
    assert world.heard[-1] == cb.LockoutCleared()
    assert lock(world).lock is Lock.NONE


def test_row6_per_user(world) -> None:
    session = world.start(enrollments="1")
    misses(world, session, 5)
    assert lock(world, user=ALICE).lock is Lock.TIMED
    assert lock(world, user=BOB).lock is Lock.NONE


def three_sensors(world, *, cascade: bool = True) -> SensorAuthorization:
    world.set_pin()
    for strength in SensorStrength:
        world.states.save(int(strength), ALICE, SensorUserState(secure_user_id=world.sids[ALICE]))
    sensors = [SensorProps(sensor_id=int(s), kind=FP, strength=s) for s in SensorStrength]
    return SensorAuthorization(
        sensors,
        states=world.states,
        policy=ANDROID_13,
        clock=world.clock,
        rng=world.rng,
        boot_tokens=KeyTokens(KEY, world.states, world.clock),
        pins=world.held,
        cascade=cascade,
    )


@pytest.mark.parametrize("locked", SensorStrength)
def test_row6_without_the_cascade_a_lock_and_its_end_are_of_one_sensor(world, locked: SensorStrength) -> None:
    authority = three_sensors(world, cascade=False)
    others = [strength for strength in SensorStrength if strength is not locked]

    def locks(strengths: Iterable[SensorStrength]) -> list[Lock]:
        return [authority.lock_status(int(strength), ALICE).lock for strength in strengths]

    for _ in range(5):
        authority.settle_attempt(authority.begin_attempt(int(locked), ALICE), AttemptOutcome.NO_MATCH, 0)
    assert (locks([locked]), locks(others)) == ([Lock.TIMED], [Lock.NONE] * 2)
    for other in others:
        assert authority.reset_lockout(int(other), ALICE, world.pin_token()) == (int(other),)
    assert locks([locked]) == [Lock.TIMED]
    assert authority.reset_lockout(int(locked), ALICE, world.pin_token()) == (int(locked),)
    assert locks(SensorStrength) == [Lock.NONE] * 3


@pytest.mark.parametrize("locked", SensorStrength)
def test_row6_cascades_down_strengths(world, locked: SensorStrength) -> None:
    authority = three_sensors(world)
    for _ in range(5):
        authority.settle_attempt(authority.begin_attempt(int(locked), ALICE), AttemptOutcome.NO_MATCH, 0)
    for strength in SensorStrength:
        expected = Lock.TIMED if strength <= locked else Lock.NONE
        assert authority.lock_status(int(strength), ALICE).lock is expected, strength
    authority.reset_lockout(int(locked), ALICE, world.pin_token())
    assert all(authority.lock_status(int(s), ALICE).lock is Lock.NONE for s in SensorStrength)


def test_row6_clearing_a_weak_sensor_does_not_clear_a_strong_one(world) -> None:
    authority = three_sensors(world)
    for _ in range(5):
        authority.settle_attempt(authority.begin_attempt(2, ALICE), AttemptOutcome.NO_MATCH, 0)
    authority.reset_lockout(0, ALICE, world.pin_token())
    assert authority.lock_status(0, ALICE).lock is Lock.TIMED


def test_row6_clearing_does_not_touch_another_owners_sensor(world) -> None:
    authority = three_sensors(world)
    world.states.save(0, ALICE, SensorUserState(secure_user_id=1))
    for _ in range(5):
        authority.settle_attempt(authority.begin_attempt(0, ALICE), AttemptOutcome.NO_MATCH, 0)
    authority.reset_lockout(2, ALICE, world.pin_token())
    assert authority.lock_status(0, ALICE).lock is Lock.TIMED


# -- row 10: nothing secret in answers -------------------------------------------------------------------------------


def test_row10_every_refusal_of_a_token_is_the_same_answer(world) -> None:
    session = world.start()
    tokens = [b"", bytes(69), world.pin_token(5), world.forged(authenticator_type=2), world.forged(key=bytes(32))]
    texts = set()
    for token in tokens:
        with pytest.raises(NotPermitted) as caught:
            world.hal.authority.allow_enrollment(0, ALICE, token, enrollments=0)
        texts.add((str(caught.value), caught.value.hint, caught.value.code))
    assert len(texts) == 1
    assert session.calls.state is SessionState.IDLING


def test_row10_callbacks_do_not_print_tokens_or_keys(world) -> None:
    session = world.start(enrollment_hit="1")
    world.enroll(session)
    world.authenticate(session)
    token: AuthToken = world.heard[-1].token
    text = repr(world.heard)
    assert token.mac.hex() not in text
    assert KEY.hex() not in text
    assert repr(KEY) not in text
