"""The behaviors that Android's own tests of its virtual fingerprint HAL assert, by their names.

Where ours differs on purpose, the test says so and docs/android-contract.md section 5 says why.
"""

import pytest

from bioguard.hal import callbacks as cb
from bioguard.hal.aidl_codes import ErrorCode
from bioguard.hal.callbacks import OperationError
from bioguard.hal.session import SessionState
from bioguard.records.locks import Lock
from bioguard.simulate.knobs.grammar import latency
from tee_sim.shared.rng import SeededRng

ALICE = b"A" * 16


def acquired(heard) -> list[tuple[int, int]]:
    return [(c.info, c.vendor_code) for c in heard if isinstance(c, cb.Acquired)]


def ids(world) -> tuple[int, ...]:
    return world.hal.templates.ids(ALICE)


def test_generate_challenge(world) -> None:
    session = world.start(challenge="4711")
    session.generate_challenge()
    assert world.heard == [cb.ChallengeGenerated(4711)]
    session.enroll(world.pin_token(4711))
    assert session.calls.state is SessionState.ENROLLING


def test_revoke_challenge(world) -> None:
    """Departure: only the named challenge ends; theirs clears whatever is stored."""
    session = world.start()
    challenge = world.challenge(session)
    session.calls.revoke_challenge(challenge ^ 1)
    session.calls.pump()
    assert world.heard[-1] == cb.ChallengeRevoked(challenge ^ 1)
    session.enroll(world.pin_token(challenge))
    assert session.calls.state is SessionState.ENROLLING


def test_reset_lockout(world) -> None:
    """Departure: theirs takes any non-empty MAC; ours only a recent token of the owner's PIN."""
    session = world.start(lockout="true", enrollments="1", enrollment_hit="1")
    session.calls.reset_lockout(b"x" * 69)
    session.calls.pump()
    assert world.heard[-1] == OperationError(ErrorCode.UNABLE_TO_PROCESS)
    assert world.hal.knobs.flag("lockout")
    session.calls.reset_lockout(world.pin_token())
    session.calls.pump()
    assert world.heard[-1] == cb.LockoutCleared()
    assert not world.hal.knobs.flag("lockout")


def test_authenticator_id(world) -> None:
    session = world.start(authenticator_id="50", enrollments="1")
    session.calls.get_authenticator_id()
    session.calls.pump()
    assert world.heard == [cb.AuthenticatorIdRetrieved(50)]


def test_authenticator_id_invalidate(world) -> None:
    session = world.start(authenticator_id="500", enrollments="1")
    session.calls.invalidate_authenticator_id()
    session.calls.pump()
    assert world.heard[0].authenticator_id not in (0, 500, 501)


def test_enroll(world) -> None:
    session = world.start(enrollments="1,2", next_enrollment="4:0,0:true")
    world.enroll(session)
    assert ids(world) == (1, 2, 4)
    assert world.hal.knobs.text("next_enrollment") == ""
    assert acquired(world.heard)[-1] == (1, 0)
    assert world.heard[-3:] == [cb.EnrollmentProgress(4, 1), cb.Acquired(1, 0), cb.EnrollmentProgress(4, 0)]
    assert session.calls.state is SessionState.IDLING


def test_enroll_cancel(world) -> None:
    session = world.start(next_enrollment="4:0,0:true")
    session.enroll(world.pin_token(world.challenge(session)))
    session.calls.cancel()
    assert world.heard[-1] == OperationError(ErrorCode.CANCELED)
    assert ids(world) == ()
    assert world.hal.knobs.text("next_enrollment") == "4:0-[1],0-[1]:true"


def test_enroll_fail(world) -> None:
    session = world.start(next_enrollment="2:0,0:false")
    world.enroll(session)
    assert world.heard[-1] == OperationError(ErrorCode.UNABLE_TO_PROCESS)
    assert ids(world) == ()
    assert world.hal.knobs.text("next_enrollment") == ""


def test_enroll_acquired(world) -> None:
    session = world.start(next_enrollment="4:0,5-[12,1013]:true")
    world.enroll(session)
    assert acquired(world.heard) == [(1, 0), (12, 0), (7, 13)]
    assert ids(world) == (4,)


def test_authenticate(world) -> None:
    session = world.start(enrollments="1,2", enrollment_hit="2")
    heard = world.authenticate(session)
    assert acquired(heard) == [(1, 0)]
    assert heard[-1].enrollment_id == 2
    assert session.calls.state is SessionState.IDLING


def test_authenticate_cancel(world) -> None:
    session = world.start(enrollments="2", enrollment_hit="2")
    session.calls.authenticate(0)
    session.calls.pump()
    session.calls.cancel()
    assert world.heard == [OperationError(ErrorCode.CANCELED)]


@pytest.mark.parametrize("hit", ["0", "3"], ids=["NotSet", "NotEnrolled"])
def test_authenticate_not_set_or_not_enrolled(world, hit: str) -> None:
    session = world.start(enrollments="1,2", enrollment_hit=hit)
    session.calls.authenticate(100)
    session.pointer_down()
    assert world.heard[-1] == cb.AuthenticationFailed()
    assert session.calls.state is SessionState.AUTHENTICATING


def test_authenticate_lockout(world) -> None:
    session = world.start(enrollments="1,2", enrollment_hit="2", lockout="true")
    assert world.authenticate(session) == [cb.LockoutPermanent(), OperationError(ErrorCode.HW_UNAVAILABLE)]


def test_authenticate_error_8(world) -> None:
    session = world.start(enrollments="2", enrollment_hit="2", operation_authenticate_error="8")
    assert world.authenticate(session) == [OperationError(ErrorCode.BAD_CALIBRATION, 0)]


def test_authenticate_error_9(world) -> None:
    session = world.start(enrollments="2", enrollment_hit="2", operation_authenticate_error="1009")
    assert world.authenticate(session) == [OperationError(ErrorCode.VENDOR, 9)]


def test_authenticate_fails(world) -> None:
    session = world.start(enrollments="2", enrollment_hit="2", operation_authenticate_fails="true")
    session.calls.authenticate(0)
    session.pointer_down()
    assert world.heard[-1] == cb.AuthenticationFailed()
    assert session.calls.state is SessionState.AUTHENTICATING


def test_authenticate_acquired(world) -> None:
    session = world.start(enrollments="2", enrollment_hit="2", operation_authenticate_acquired="4,1009")
    heard = world.authenticate(session)
    assert acquired(heard) == [(4, 0), (7, 9)]
    assert isinstance(heard[-1], cb.AuthenticationSucceeded)


@pytest.mark.parametrize("hit", ["2", "0", "25"], ids=["plain", "NotSet", "NotEnrolled"])
def test_interaction_detect(world, hit: str) -> None:
    session = world.start(
        detect_interaction="true", enrollments="1,2", enrollment_hit=hit, operation_detect_interaction_acquired="1"
    )
    session.calls.detect_interaction()
    session.pointer_down()
    session.pointer_down()
    assert world.heard == [cb.Acquired(1, 0), cb.InteractionDetected()]


def test_interaction_detect_cancel(world) -> None:
    session = world.start(detect_interaction="true")
    session.calls.detect_interaction()
    session.calls.pump()
    session.calls.cancel()
    assert world.heard == [OperationError(ErrorCode.CANCELED)]


def test_interaction_detect_error(world) -> None:
    session = world.start(detect_interaction="true", operation_detect_interaction_error="8")
    session.calls.detect_interaction()
    session.pointer_down()
    assert world.heard == [OperationError(ErrorCode.BAD_CALIBRATION, 0)]


def test_interaction_detect_acquired(world) -> None:
    session = world.start(detect_interaction="true", operation_detect_interaction_acquired="4,1013")
    session.calls.detect_interaction()
    session.pointer_down()
    assert world.heard == [cb.Acquired(4, 0), cb.Acquired(7, 13), cb.InteractionDetected()]


def test_interaction_detect_unsupported(world) -> None:
    session = world.start()
    session.calls.detect_interaction()
    session.calls.pump()
    assert world.heard == [OperationError(ErrorCode.UNABLE_TO_PROCESS, 0)]


def test_enumerate_enrolled(world) -> None:
    session = world.start(enrollments="2,4,8")
    session.calls.enumerate_enrollments()
    session.calls.pump()
    assert world.heard == [cb.EnrollmentsEnumerated((2, 4, 8))]


def test_remove_enrolled(world) -> None:
    """Departure: the answer names what was removed; theirs echoes the request."""
    session = world.start(enrollments="2,4,8,1")
    session.calls.remove_enrollments((2, 8, 99))
    session.calls.pump()
    assert world.heard == [cb.EnrollmentsRemoved((2, 8))]
    assert ids(world) == (4, 1)


def test_random_latency() -> None:
    rng = SeededRng(b"latency")

    def draws(*values: int) -> set[int]:
        return {latency(values).draw(int.from_bytes(rng.bytes(8), "little")) for _ in range(100)}

    assert draws() == {400}
    assert draws(500) == {500}
    assert len(draws(1, 1000)) > 85
    assert draws(5, 1) <= {1, 2, 3, 4, 5}


def test_lockout_timer(world) -> None:
    session = world.start(
        enrollments="1", lockout_enable="true", lockout_timed_threshold="1", lockout_timed_duration="200"
    )
    world.authenticate(session)
    world.heard.clear()
    world.clock.advance(199)
    session.tick()
    assert world.heard == []
    world.clock.advance(1)
    session.tick()
    session.tick()
    assert world.heard == [cb.LockoutCleared()]


# -- udfps -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["authenticate", "enroll", "detect_interaction"])
@pytest.mark.parametrize("illumination", [False, True])
def test_udfps_acts_when_the_display_is_ready(world, operation: str, illumination: bool) -> None:
    session = world.start(
        type="udfps",
        enrollments="1",
        enrollment_hit="1",
        detect_interaction="true",
        next_enrollment="2:0:true",
        **{"udfps.control_illumination": str(illumination).lower()},
    )
    assert session.calls.state is SessionState.IDLING
    token = world.pin_token(world.challenge(session))
    {
        "authenticate": lambda: session.calls.authenticate(1),
        "enroll": lambda: session.enroll(token),
        "detect_interaction": session.calls.detect_interaction,
    }[operation]()
    session.calls.pump()
    world.heard.clear()
    session.pointer_down()
    assert bool(world.heard) is illumination
    if not illumination:
        session.ui_ready()
    assert session.calls.state is SessionState.IDLING
    assert acquired(world.heard) == [(1, 0)]


# -- lockout tracker -------------------------------------------------------------------------------------------------


def lock(world):
    return world.hal.authority.lock_status(0, ALICE)


def fail(world, session, count: int) -> None:
    for _ in range(count):
        world.authenticate(session)


TRACKER = {"lockout_enable": "true", "lockout_timed_threshold": "3", "lockout_timed_duration": "100"}


def test_tracker_disabled(world) -> None:
    """Departure: a lockout cannot be switched off; without the knob the product's own policy counts."""
    session = world.start(enrollments="1", lockout_timed_threshold="2")
    fail(world, session, 4)
    assert lock(world).lock is Lock.NONE
    fail(world, session, 1)
    assert lock(world).lock is Lock.TIMED


def test_tracker_timed(world) -> None:
    session = world.start(enrollments="1", lockout_permanent_threshold="5", **TRACKER)
    fail(world, session, 3)
    left = []
    for _ in range(4):
        left.append(lock(world).remaining_ms)
        world.clock.advance(20)
    assert left == [100, 80, 60, 40]
    world.clock.advance(20)
    assert lock(world).lock is Lock.NONE


def test_tracker_permanent(world) -> None:
    """Departure: reached through the timed tier too, because its end does not clear the counter."""
    session = world.start(enrollments="1", lockout_permanent_threshold="5", **TRACKER)
    fail(world, session, 3)
    world.clock.advance(100)
    fail(world, session, 2)
    assert lock(world).lock is Lock.PERMANENT


# -- session lifetime ------------------------------------------------------------------------------------------------


def test_death_of_the_client_closes_once(world) -> None:
    session = world.start()
    session.calls.client_died()
    session.calls.client_died()
    assert world.heard == [cb.SessionClosed()]


# -- VTS -------------------------------------------------------------------------------------------------------------


def test_vts_sensor_properties(world) -> None:
    world.start(sensor_id="5", max_enrollments="7")
    props = world.hal.props
    assert (props.sensor_id, props.max_enrollments, bool(props.component_id)) == (5, 7, True)


def test_vts_revoke_unknown_and_known(world) -> None:
    session = world.start()
    known = world.challenge(session)
    for value in (123, known):
        session.calls.revoke_challenge(value)
        session.calls.pump()
        assert world.heard[-1] == cb.ChallengeRevoked(value)


def test_vts_remove_nothing(world) -> None:
    session = world.start()
    session.calls.remove_enrollments(())
    session.calls.pump()
    assert world.heard == [cb.EnrollmentsRemoved(())]


# -- what the virtual HAL does not check -----------------------------------------------------------------------------


def test_no_space(world) -> None:
    session = world.start(enrollments="1,2,3,4,5")
    session.enroll(world.pin_token(world.challenge(session)))
    assert world.heard[-1] == OperationError(ErrorCode.NO_SPACE)


def test_duplicate_finger_and_duplicate_id_are_reported(world) -> None:
    session = world.start(enrollments="4", next_enrollment="4:0:true")
    session.enroll(world.pin_token(world.challenge(session)))
    assert world.heard[-1] == OperationError(ErrorCode.UNABLE_TO_PROCESS, reason="fault.value")
    world.hal.knobs.clear("next_enrollment")
    session.calls.enroll(world.pin_token(world.challenge(session)), touches=1)
    session.calls.pump()
    session.calls.take(world_capture(4))
    assert world.heard[-1] == OperationError(ErrorCode.VENDOR, 1, "enroll.duplicate_finger")
    assert ids(world) == (4,)


def world_capture(sample: int):
    from bioguard.hal.scripting import Capture

    return Capture(sample=sample)


def test_operation_enroll_fails_is_read(world) -> None:
    """Android declares this knob and never reads it."""
    session = world.start(operation_enroll_fails="true", next_enrollment="1:0,0:true")
    world.enroll(session)
    assert world.heard[-1] == OperationError(ErrorCode.UNABLE_TO_PROCESS)
    assert ids(world) == ()


def test_spoof_counts_as_a_failed_attempt(world) -> None:
    session = world.start(enrollments="1", enrollment_hit="1", spoof_score="0.9")
    assert world.authenticate(session)[-1] == cb.AuthenticationFailed()
    world.hal.knobs.set("spoof_score", "0.4")
    assert isinstance(world.authenticate(session)[-1], cb.AuthenticationSucceeded)


@pytest.mark.parametrize("noise", ["0", "1"])
def test_sensor_noise(world, noise: str) -> None:
    session = world.start(enrollments="1", enrollment_hit="1", sensor_noise=noise)
    expected = cb.AuthenticationSucceeded if noise == "0" else cb.AuthenticationFailed
    assert isinstance(world.authenticate(session)[-1], expected)


def test_same_seed_same_story(world) -> None:
    def story() -> list[object]:
        fresh = type(world)()
        session = fresh.start(
            enrollments="1", enrollment_hit="1", sensor_noise="0.5", operation_authenticate_latency="1,999"
        )
        return [(fresh.clock.boot_ms(), *map(repr, fresh.authenticate(session))) for _ in range(12)]

    first = story()
    assert first == story()
    assert len({str(s[1:]) for s in first}) > 1


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("udfps", "", (400, 1600, 150, "")),
        ("udfps", "100:200:30", (100, 200, 30, "")),
        ("udfps-us", "", (400, 1600, 150, "")),
        ("side", "", (0, 600, 150, "")),
        ("rear", "", None),
        ("side", "1:2:3:outer", (1, 2, 3, "outer")),
    ],
)
def test_sensor_location(world, kind: str, text: str, expected: tuple | None) -> None:
    world.start(type=kind, sensor_location=text, navigation_guesture="true")
    place = world.hal.props.location
    assert (place and (place.x, place.y, place.radius, place.display)) == expected
    assert world.hal.props.navigation_gestures
