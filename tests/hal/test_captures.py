"""What a capture leads to: frames of faces, judged quality, stages and cells, features, and the time it takes."""

import pytest

from bioguard.errors import NotPermitted
from bioguard.hal import callbacks as cb
from bioguard.hal.aidl_codes import EnrollmentStage, EnrollmentType, ErrorCode, FaceAcquired, Feature
from bioguard.hal.backend import BackendDied, NotMatched, PoorCapture
from bioguard.hal.callbacks import OperationError
from bioguard.hal.enrollment import CENTER, Cell, Pose
from bioguard.hal.hal import FaceEnrollOptions
from bioguard.hal.scripting import Capture
from bioguard.hal.session import SessionState
from bioguard.records.acquired import AcquiredCode
from bioguard.records.locks import Lock, LockStatus
from tests.hal.rig import Rig


def test_a_finger_is_stored_with_its_last_good_touch(finger: Rig) -> None:
    finger.run(lambda: finger.session.enroll(b"t", touches=2, position=4))
    assert finger.run(lambda: finger.session.present("a")) == [cb.Acquired(1), cb.EnrollmentProgress(0, 1)]
    finger.backend.judged = AcquiredCode.PARTIAL
    assert finger.run(lambda: finger.session.present("b")) == [cb.Acquired(2)]
    finger.backend.judged = AcquiredCode.GOOD
    assert finger.run(lambda: finger.session.present("c")) == [cb.Acquired(1), cb.EnrollmentProgress(6, 0)]
    assert finger.backend.asked == [
        ("prepare_enrollment", b"t"),
        ("judge", (), "a"),
        ("judge", ("a",), "b"),
        ("judge", ("a",), "c"),
        ("enroll", b"t", ("a", "c"), 4),
    ]


@pytest.mark.parametrize(
    ("code", "number", "vendor"),
    [
        ("enroll.duplicate_finger", ErrorCode.VENDOR, 1),
        ("enroll.inconsistent", ErrorCode.UNABLE_TO_PROCESS, 0),
        ("sample.other_extractor", ErrorCode.UNABLE_TO_PROCESS, 0),
    ],
)
def test_an_enrollment_that_cannot_be_stored_ends_with_the_reason(
    finger: Rig, code: str, number: ErrorCode, vendor: int
) -> None:
    finger.run(lambda: finger.session.enroll(b"t", touches=1))
    finger.backend.raises["enroll"] = NotPermitted("no", hint="-", code=code)
    expected = [cb.Acquired(1), OperationError(number, vendor, code)]
    assert finger.run(lambda: finger.session.present("a")) == expected
    assert finger.session.state is SessionState.IDLING


def test_what_was_canceled_leaves_nothing_for_the_next_enrollment(finger: Rig) -> None:
    finger.run(lambda: finger.session.enroll(b"t", touches=2))
    finger.run(lambda: finger.session.present("a"))
    finger.run(finger.session.cancel)
    finger.run(lambda: finger.session.enroll(b"u", touches=1))
    finger.run(lambda: finger.session.present("b"))
    assert finger.backend.asked[-1] == ("enroll", b"u", ("b",), 0)


def test_a_poor_capture_is_acquired_and_no_attempt(finger: Rig) -> None:
    finger.run(lambda: finger.session.authenticate(1))
    finger.backend.outcome = PoorCapture(AcquiredCode.INSUFFICIENT)
    assert finger.run(lambda: finger.session.present("x")) == [cb.Acquired(3)]
    assert finger.session.state is SessionState.AUTHENTICATING


def test_a_rejected_finger_that_locks_says_both_and_waits_on(finger: Rig) -> None:
    finger.run(lambda: finger.session.authenticate(1))
    finger.backend.outcome, finger.backend.lock = NotMatched(), LockStatus(Lock.TIMED, 30_000)
    heard = finger.run(lambda: finger.session.present("x"))
    assert heard == [cb.Acquired(1), cb.AuthenticationFailed(), cb.LockoutTimed(30_000)]
    assert finger.session.state is SessionState.AUTHENTICATING


def test_an_attempt_that_was_not_allowed_tells_the_lock(finger: Rig, face: Rig) -> None:
    finger.run(lambda: finger.session.authenticate(1))
    finger.backend.outcome = LockStatus(Lock.PERMANENT)
    assert finger.run(lambda: finger.session.present("x")) == [cb.Acquired(1), cb.LockoutPermanent()]
    face.run(lambda: face.session.authenticate(1))
    face.backend.outcome = LockStatus(Lock.PERMANENT)
    assert face.run(lambda: face.session.present("x"))[-1] == cb.LockoutPermanent()
    assert face.session.state is SessionState.IDLING


def test_a_face_is_acquired_in_frames(face: Rig) -> None:
    face.run(lambda: face.session.authenticate(1))
    heard = face.run(lambda: face.session.present("x", Pose(0.1, -0.2)))
    assert heard == [cb.AuthenticationFrame(1, 0, 0.1, -0.2), cb.AuthenticationSucceeded(5, None)]
    face.run(face.session.detect_interaction)
    assert face.run(lambda: face.session.present("x")) == [cb.AuthenticationFrame(1), cb.InteractionDetected()]


@pytest.mark.parametrize(
    ("pose", "features", "code"),
    [
        (Pose(0.95), set(), FaceAcquired.PAN_TOO_EXTREME),
        (Pose(roll=0.7), {Feature.REQUIRE_ATTENTION}, FaceAcquired.ROLL_TOO_EXTREME),
        (Pose(0.4), {Feature.REQUIRE_ATTENTION}, FaceAcquired.POOR_GAZE),
        (Pose(0.4), {Feature.REQUIRE_DIVERSE_POSES}, None),
        (Pose(0.1), {Feature.REQUIRE_ATTENTION}, None),
    ],
)
def test_a_face_that_looks_away_is_not_compared(
    face: Rig, pose: Pose, features: set[Feature], code: FaceAcquired | None
) -> None:
    face.backend.set_features = {int(one) for one in features}
    face.run(lambda: face.session.authenticate(1))
    heard = face.run(lambda: face.session.present("x", pose))
    compared = any(name == "authenticate" for name, *_ in face.backend.asked)
    assert compared is (code is None)
    assert heard[0].info == int(code or FaceAcquired.GOOD)
    assert face.session.state is (SessionState.IDLING if compared else SessionState.AUTHENTICATING)


def test_a_face_is_walked_through_stages_and_its_features_are_set_when_it_is_stored(face: Rig) -> None:
    options = FaceEnrollOptions(features=(Feature.REQUIRE_ATTENTION, Feature.REQUIRE_DIVERSE_POSES))
    face.run(lambda: face.session.enroll(b"t", options=options))
    told = []
    for pose in (Pose(), Pose(0.2), Pose(-0.5), Pose(0.5), Pose(tilt=-0.5), Pose(tilt=0.5)):
        told += face.run(lambda pose=pose: face.session.present(pose, pose))
    frames = [(one.info, one.stage.name, one.cell) for one in told if isinstance(one, cb.EnrollmentFrame)]
    assert frames == [
        (1, "HOLD_STILL_IN_CENTER", CENTER),
        (int(FaceAcquired.TOO_SIMILAR), "ENROLLING_MOVEMENT_1", CENTER),
        (1, "ENROLLING_MOVEMENT_1", Cell(-1, 0)),
        (1, "ENROLLING_MOVEMENT_1", Cell(1, 0)),
        (1, "ENROLLING_MOVEMENT_2", Cell(0, -1)),
        (1, "ENROLLMENT_FINISHED", Cell(0, 1)),
    ]
    assert [one.remaining for one in told if isinstance(one, cb.EnrollmentProgress)] == [4, 3, 2, 1, 0]
    kept = (Pose(), Pose(-0.5), Pose(0.5), Pose(tilt=-0.5), Pose(tilt=0.5))
    assert face.backend.asked[-3:] == [
        ("enroll", b"t", kept, 0),
        ("set_feature", b"t", 0, True),
        ("set_feature", b"t", 1, True),
    ]


def test_a_view_that_is_judged_poor_completes_no_cell(face: Rig) -> None:
    face.run(lambda: face.session.enroll(b"t", options=FaceEnrollOptions(enrollment_type=EnrollmentType.ACCESSIBILITY)))
    face.backend.judged = AcquiredCode.TOO_DIFFERENT
    heard = face.run(lambda: face.session.present("x"))
    assert heard == [cb.EnrollmentFrame(15, 0, EnrollmentStage.HOLD_STILL_IN_CENTER, None, 0.0, 0.0)]
    face.backend.judged = AcquiredCode.GOOD
    assert face.run(lambda: face.session.present("x"))[-1] == cb.EnrollmentProgress(6, 0)


def test_a_face_can_be_enrolled_by_count(face: Rig) -> None:
    face.run(lambda: face.session.enroll(b"t", touches=2, options=FaceEnrollOptions(guided=False)))
    first, second = (face.run(lambda: face.session.present("x")) for _ in range(2))
    assert first == [
        cb.EnrollmentFrame(1, 0, EnrollmentStage.HOLD_STILL_IN_CENTER, None, 0.0, 0.0),
        cb.EnrollmentProgress(0, 1),
    ]
    assert second == [
        cb.EnrollmentFrame(1, 0, EnrollmentStage.ENROLLMENT_FINISHED, None, 0.0, 0.0),
        cb.EnrollmentProgress(6, 0),
    ]


def test_time_passes_before_the_codes_and_before_the_answer(finger: Rig) -> None:
    finger.run(lambda: finger.session.authenticate(1))
    passed = [len(finger.passed_ms)]
    finger.session._notify = lambda _callback: passed.append(len(finger.passed_ms))
    finger.session.take(Capture(sample="x", delay_ms=40, match_ms=9))
    assert finger.passed_ms == [40, 9]
    assert passed == [0, 1, 2], "nothing, the code after the capture, the answer after the comparison"


def test_a_scripted_error_ends_and_what_was_acquired_before_it_is_told(finger: Rig) -> None:
    finger.run(lambda: finger.session.authenticate(1))
    error = OperationError(ErrorCode.VENDOR, 9)
    assert finger.run(lambda: finger.session.take(Capture(((4, 0),), error=error))) == [cb.Acquired(4), error]
    finger.run(lambda: finger.session.authenticate(1))
    locked = Capture((), error=OperationError(ErrorCode.HW_UNAVAILABLE), locked=True)
    expected = [cb.LockoutPermanent(), OperationError(ErrorCode.HW_UNAVAILABLE)]
    assert finger.run(lambda: finger.session.take(locked)) == expected


def test_a_frame_without_a_sample_completes_no_cell(face: Rig) -> None:
    face.run(lambda: face.session.enroll(b"t", options=FaceEnrollOptions()))
    heard = face.run(lambda: face.session.take(Capture(((1, 0),), sample=None)))
    assert [type(one) for one in heard] == [cb.EnrollmentFrame]
    assert face.run(lambda: face.session.present("x"))[-1] == cb.EnrollmentProgress(0, 4)


def test_a_death_over_the_last_touch_is_no_callback(finger: Rig) -> None:
    finger.run(lambda: finger.session.enroll(b"t", touches=1))
    finger.backend.raises["enroll"] = BackendDied("gone", hint="-")
    finger.heard.clear()
    with pytest.raises(BackendDied):
        finger.session.present("x")
    assert (finger.heard, finger.session.state) == ([cb.Acquired(1)], SessionState.CLOSED)
