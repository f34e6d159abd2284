"""Operations: one terminal callback each, refusals as errors, cancel, the queue, and the ends of a session."""

from collections.abc import Iterable

import pytest

from bioguard.errors import InputRefused, IntegrityFailure, NotPermitted, TeeUnavailable
from bioguard.hal import callbacks as cb
from bioguard.hal.aidl_codes import ErrorCode, Feature
from bioguard.hal.backend import BackendDied, NotMatched
from bioguard.hal.callbacks import OperationError
from bioguard.hal.context import OperationContext
from bioguard.hal.enrollment import Pose
from bioguard.hal.hal import FaceEnrollOptions, OtherInterface
from bioguard.hal.operations import QueueFull, SessionDead
from bioguard.hal.scripting import Capture, Unscripted, Waiting
from bioguard.hal.session import SessionState, WrongState
from bioguard.records.locks import Lock, LockStatus
from tests.hal.rig import Rig, rig

CANCELED = OperationError(ErrorCode.CANCELED)


def refused(code: str, kind: type = NotPermitted) -> Exception:
    return kind("no", hint="none", code=code)


SHORT = {
    "generate_challenge": ((), cb.ChallengeGenerated(99)),
    "revoke_challenge": ((4,), cb.ChallengeRevoked(4)),
    "enumerate_enrollments": ((), cb.EnrollmentsEnumerated((5,))),
    "remove_enrollments": (((5, 9),), cb.EnrollmentsRemoved((5,))),
    "get_authenticator_id": ((), cb.AuthenticatorIdRetrieved(7)),
    "invalidate_authenticator_id": ((), cb.AuthenticatorIdInvalidated(8)),
    "reset_lockout": ((b"t",), cb.LockoutCleared()),
}
ASKED = {
    "enumerate_enrollments": "enrollment_ids",
    "remove_enrollments": "remove",
    "get_authenticator_id": "authenticator_id",
    "invalidate_authenticator_id": "invalidate",
}


@pytest.mark.parametrize("method", SHORT)
def test_a_short_operation_is_one_question_and_one_callback(finger: Rig, method: str) -> None:
    arguments, expected = SHORT[method]
    assert finger.run(lambda: getattr(finger.session, method)(*arguments)) == [expected]
    assert finger.backend.asked == [(ASKED.get(method, method), *arguments)]
    assert finger.session.state is SessionState.IDLING


@pytest.mark.parametrize("method", SHORT)
def test_a_refusal_is_the_one_terminal_callback(finger: Rig, method: str) -> None:
    finger.backend.raises[ASKED.get(method, method)] = refused("consent.missing")
    heard = finger.run(lambda: getattr(finger.session, method)(*SHORT[method][0]))
    removes = method == "remove_enrollments"
    number = ErrorCode.UNABLE_TO_REMOVE if removes else ErrorCode.UNABLE_TO_PROCESS
    assert heard == [OperationError(number, 0, "consent.missing")]
    assert finger.session.state is SessionState.IDLING


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (refused("token.refused"), OperationError(ErrorCode.UNABLE_TO_PROCESS)),
        (refused("token.unusable"), OperationError(ErrorCode.UNABLE_TO_PROCESS)),
        (refused("enroll.user_full"), OperationError(ErrorCode.NO_SPACE)),
        (refused("store.full"), OperationError(ErrorCode.NO_SPACE, 0, "store.full")),
        (refused("enroll.duplicate_finger"), OperationError(ErrorCode.VENDOR, 1, "enroll.duplicate_finger")),
        (refused("enroll.already_enrolled"), OperationError(ErrorCode.VENDOR, 1, "enroll.already_enrolled")),
        (refused("enroll.pin_required"), OperationError(ErrorCode.UNABLE_TO_PROCESS, 0, "enroll.pin_required")),
        (refused("tee.panic", TeeUnavailable), OperationError(ErrorCode.HW_UNAVAILABLE, 0, "tee.panic")),
        (refused("store.damaged", IntegrityFailure), OperationError(ErrorCode.HW_UNAVAILABLE, 0, "store.damaged")),
        (
            refused("sample.sensor_only", InputRefused),
            OperationError(ErrorCode.UNABLE_TO_PROCESS, 0, "sample.sensor_only"),
        ),
    ],
)
def test_what_a_refused_enrollment_says(finger: Rig, refusal: Exception, expected: OperationError) -> None:
    finger.backend.raises["prepare_enrollment"] = refusal
    assert finger.run(lambda: finger.session.enroll(b"t")) == [expected]
    assert [name for name, *_ in finger.backend.asked] == ["prepare_enrollment"], "nothing is captured"


def test_a_sample_that_no_sensor_delivers_is_the_callers_refusal_and_the_operation_waits_on(finger: Rig) -> None:
    finger.run(lambda: finger.session.authenticate(1))
    finger.backend.raises["authenticate"] = refused("match.dimension", InputRefused)
    with pytest.raises(InputRefused):
        finger.session.present("x")
    assert (finger.heard, finger.session.state) == ([], SessionState.AUTHENTICATING)
    del finger.backend.raises["authenticate"]
    assert finger.run(lambda: finger.session.present("x"))[-1] == cb.AuthenticationSucceeded(5, None)


def test_an_attempt_that_is_refused_ends_the_operation(finger: Rig) -> None:
    finger.run(lambda: finger.session.authenticate(1))
    finger.backend.raises["authenticate"] = refused("consent.expired")
    heard = finger.run(lambda: finger.session.present("x"))
    assert heard == [OperationError(ErrorCode.UNABLE_TO_PROCESS, 0, "consent.expired")]


@pytest.mark.parametrize("state", ["waiting", "queued", "idle"])
def test_the_death_of_the_secure_world_is_no_callback_and_the_end_of_the_session(finger: Rig, state: str) -> None:
    if state != "idle":
        finger.run(lambda: finger.session.authenticate(1))
        finger.session.generate_challenge()
    finger.backend.raises = {"authenticate": BackendDied("gone", hint="-"), "invalidate": BackendDied("gone", hint="-")}
    with pytest.raises(BackendDied):
        finger.run(
            lambda: finger.session.present("x") if state != "idle" else finger.session.invalidate_authenticator_id()
        )
    assert (finger.heard, finger.session.state) == ([], SessionState.CLOSED)
    for call in (finger.session.generate_challenge, finger.session.close, finger.session.cancel, finger.session.lift):
        with pytest.raises(SessionDead, match=r"^the session ended with the secure world$") as caught:
            call()
        assert (caught.value.code, caught.value.hint) == ("session.dead", "create a session again")
    finger.session.client_died()
    finger.session.tick()
    assert finger.heard == []


def test_what_waited_runs_when_the_operation_before_it_has_ended(finger: Rig) -> None:
    finger.run(lambda: finger.session.authenticate(1))
    for _ in range(5):
        finger.session.generate_challenge()
    with pytest.raises(QueueFull, match=r"^5 operations are waiting$"):
        finger.session.generate_challenge()
    heard = finger.run(lambda: finger.session.present("x"))
    assert heard == [cb.Acquired(1), cb.AuthenticationSucceeded(5, None), *[cb.ChallengeGenerated(99)] * 5]


def test_cancel_takes_one_operation_by_its_number(finger: Rig) -> None:
    first = finger.session.authenticate(1)
    second = finger.session.detect_interaction()
    finger.session.pump()
    assert finger.run(lambda: finger.session.cancel(second)) == [CANCELED]
    assert finger.session.state is SessionState.AUTHENTICATING
    assert finger.run(lambda: finger.session.cancel(second)) == [], "it has had its last callback"
    assert finger.run(lambda: finger.session.cancel(first)) == [CANCELED]
    assert finger.run(finger.session.cancel) == []


def test_what_aidl_lets_nobody_cancel_runs_although_it_is_canceled_while_it_waits(finger: Rig) -> None:
    finger.run(lambda: finger.session.authenticate(1))
    waiting = finger.session.generate_challenge()
    assert finger.run(lambda: finger.session.cancel(waiting)) == []
    assert finger.run(finger.session.cancel) == [CANCELED, cb.ChallengeGenerated(99)]


@pytest.mark.parametrize("status", [LockStatus(Lock.TIMED, 4), LockStatus(Lock.PERMANENT)])
def test_the_end_of_a_lockout_that_was_told_is_told_once_whatever_ended_it(finger: Rig, status: LockStatus) -> None:
    finger.session.tick()
    assert finger.backend.asked == []
    finger.backend.lock = status
    finger.run(lambda: finger.session.authenticate(1))
    assert finger.session.awaits_end_of_lock
    assert finger.session.awaits_time is (status.lock is Lock.TIMED), "nobody waits for the end of a permanent one"
    finger.session.tick()
    assert finger.heard == [cb.LockoutTimed(4) if status.remaining_ms else cb.LockoutPermanent()]
    finger.backend.lock = LockStatus(Lock.NONE)
    finger.backend.raises["lock_status"] = refused("user.unknown")
    assert finger.run(finger.session.tick) == [], "a question that cannot be asked now is asked again"
    finger.backend.raises.clear()
    assert finger.run(finger.session.tick) == [cb.LockoutCleared()]
    assert finger.run(finger.session.tick) == []


def test_nothing_is_told_of_a_lockout_after_the_session_is_closed(finger: Rig) -> None:
    finger.backend.lock = LockStatus(Lock.TIMED, 4)
    finger.run(lambda: finger.session.authenticate(1))
    finger.run(finger.session.cancel)
    assert finger.run(finger.session.close) == [cb.SessionClosed()]
    finger.backend.lock = LockStatus(Lock.NONE)
    assert finger.run(finger.session.tick) == []
    assert not finger.session.awaits_time


def test_captures_of_an_operation_that_a_callback_has_ended_are_not_the_next_ones() -> None:
    class Twice(Unscripted):
        def captures(self, _waiting: Waiting, sample: object | None, pose: Pose | None) -> Iterable[Capture]:
            return [Capture(sample=sample, pose=pose)] * 2

    made = rig(script=Twice())
    made.backend.outcome = NotMatched()

    def again(told: cb.Callback) -> None:
        made.heard.append(told)
        if told == cb.AuthenticationFailed():
            made.session.cancel()
            made.session.authenticate(2)
            made.session.pump()

    made.session._notify = again
    made.run(lambda: made.session.authenticate(1))
    assert made.run(lambda: made.session.present("x")) == [cb.Acquired(1), cb.AuthenticationFailed(), CANCELED]
    assert made.session.state is SessionState.AUTHENTICATING


def test_a_reset_tells_the_end_of_the_lockout_once(finger: Rig) -> None:
    finger.backend.lock = LockStatus(Lock.TIMED, 4)
    finger.run(lambda: finger.session.authenticate(1))
    finger.run(finger.session.cancel)
    finger.backend.lock = LockStatus(Lock.NONE)
    assert finger.run(lambda: finger.session.reset_lockout(b"t")) == [cb.LockoutCleared()]
    assert finger.run(finger.session.tick) == []


def test_a_lock_ends_a_face_and_not_a_finger(finger: Rig, face: Rig) -> None:
    for one, state in ((finger, SessionState.AUTHENTICATING), (face, SessionState.IDLING)):
        one.backend.lock = LockStatus(Lock.TIMED, 4)
        assert one.run(lambda one=one: one.session.authenticate(1)) == [cb.LockoutTimed(4)]
        assert one.session.state is state


def test_presence_where_the_sensor_has_none(finger: Rig) -> None:
    finger.backend.facts.detect_interaction = False
    assert finger.run(finger.session.detect_interaction) == [OperationError(ErrorCode.UNABLE_TO_PROCESS)]
    assert finger.backend.asked == []


def test_each_interface_has_its_own_methods(finger: Rig, face: Rig) -> None:
    for call, text in (
        (finger.session.get_features, "IFingerprint has no getFeatures"),
        (lambda: finger.session.set_feature(b"", Feature.DEBUG, True), "IFingerprint has no setFeature"),
        (lambda: finger.session.enroll(b"", options=FaceEnrollOptions()), "IFingerprint has no enrollWithOptions"),
        (face.session.on_pointer_down, "IFace has no onPointerDown"),
        (face.session.on_pointer_up, "IFace has no onPointerUp"),
        (face.session.on_pointer_cancel, "IFace has no onPointerCancel"),
        (face.session.on_ui_ready, "IFace has no onUiReady"),
        (lambda: face.session.set_ignore_display_touches(True), "IFace has no setIgnoreDisplayTouches"),
    ):
        with pytest.raises(OtherInterface, match=f"^{text}$"):
            call()
    assert finger.heard == face.heard == []


def test_a_position_is_one_of_the_kind(finger: Rig, face: Rig) -> None:
    for made, position, text in (
        (finger, 11, "no fingerprint has the position 11"),
        (finger, -1, "no fingerprint has the position -1"),
        (face, 1, "no face has the position 1"),
    ):
        with pytest.raises(InputRefused, match=f"^{text}$"):
            made.session.enroll(b"", position=position)
        assert made.run(lambda: None) == made.backend.asked == []


@pytest.mark.parametrize("touches", [0, 17, -1])
def test_an_enrollment_takes_a_number_of_touches(finger: Rig, touches: int) -> None:
    with pytest.raises(InputRefused, match=r"^an enrollment takes 1 to 16 touches$"):
        finger.session.enroll(b"", touches=touches)


def test_interrupting_calls_of_a_closed_session_are_refused(finger: Rig) -> None:
    finger.session.close()
    for call in (
        finger.session.on_ui_ready,
        finger.session.on_pointer_down,
        finger.session.lift,
        lambda: finger.session.on_context_changed(OperationContext()),
    ):
        with pytest.raises(WrongState, match=r"^this is not allowed while closed$"):
            call()


def test_a_context_of_an_unknown_reason_has_no_id() -> None:
    with pytest.raises(InputRefused, match=r"^a context of an unknown reason has the id 0$"):
        OperationContext(id=3)
