"""The behaviors that Android's own tests of its virtual face HAL assert, by their names, and guided enrollment."""

import pytest

from bioguard.errors import InputRefused
from bioguard.hal import callbacks as cb
from bioguard.hal.aidl_codes import EnrollmentStage, EnrollmentType, ErrorCode, FaceAcquired, Feature
from bioguard.hal.callbacks import OperationError
from bioguard.hal.enrollment import Cell, FaceProgress, Pose, enrollment_config
from bioguard.hal.hal import FaceEnrollOptions
from bioguard.hal.scripting import Capture
from bioguard.hal.session import SessionState
from bioguard.records.locks import Lock
from bioguard.records.modality import Modality

ALICE = b"A" * 16
UNABLE = OperationError(ErrorCode.UNABLE_TO_PROCESS)
NOT_ENROLLED = OperationError(ErrorCode.UNABLE_TO_PROCESS, reason="match.not_enrolled")
SCRIPT = "1:1000-[21,7,1,1103],1500-[1108,1],2000-[1113,1],2500-[1118,1]:true"


@pytest.fixture
def face(world):
    return lambda **knobs: world.start(Modality.FACE, **knobs)


def test_authenticator_id_of_a_weak_sensor_is_0(world, face) -> None:
    session = face(sensor_strength="1", enrollments="1", authenticator_id="9")
    session.calls.get_authenticator_id()
    session.calls.pump()
    assert world.heard == [cb.AuthenticatorIdRetrieved(0)]


def test_enroll_with_the_default_script(world, face) -> None:
    session = face()
    world.enroll(session)
    progress = [c.remaining for c in world.heard if isinstance(c, cb.EnrollmentProgress)]
    assert progress == [3, 2, 1, 0]
    codes = [(c.info, c.vendor_code) for c in world.heard if isinstance(c, cb.EnrollmentFrame)]
    assert codes[:4] == [(21, 0), (7, 0), (1, 0), (23, 103)]
    assert world.hal.templates.ids(ALICE) == (1,)


def test_enroll_fails(world, face) -> None:
    session = face(next_enrollment="1:10:false")
    world.enroll(session)
    assert world.heard[-1] == UNABLE
    assert world.hal.knobs.text("next_enrollment") == ""


def test_enroll_cancel_keeps_the_script(world, face) -> None:
    session = face(next_enrollment=SCRIPT)
    session.enroll(world.pin_token(world.challenge(session)))
    session.calls.cancel()
    assert world.heard[-1] == OperationError(ErrorCode.CANCELED)
    assert world.hal.knobs.text("next_enrollment") == SCRIPT


def test_authenticate(world, face) -> None:
    session = face(enrollments="1,2", enrollment_hit="2")
    heard = world.authenticate(session)
    assert [c.info for c in heard[:-1]] == [21, 24, 3, 3, 3, 3, 1, 1]
    assert heard[-1].enrollment_id == 2


def test_authenticate_unenrolled(world, face) -> None:
    """Departure: theirs tells Failed and TIMEOUT, two ends of one operation; ours tells one."""
    session = face(enrollments="1")
    heard = world.authenticate(session)
    assert [c.info for c in heard[:-1]] == [21, 24, *[12] * 56]
    assert heard[-1] == OperationError(ErrorCode.TIMEOUT)
    world.hal.knobs.set("enrollment_hit", "3")
    assert world.authenticate(session)[-1] == cb.AuthenticationFailed()


def test_detect_interaction_takes_any_face(world, face) -> None:
    """Departure: theirs wants an enrolled face; the contract says any."""
    session = face(detect_interaction="true")
    session.calls.detect_interaction()
    session.pointer_down()
    assert world.heard[-1] == cb.InteractionDetected()
    world.hal.knobs.set("operation_detect_interaction_fails", "true")
    session.calls.detect_interaction()
    session.pointer_down()
    assert world.heard[-1] == OperationError(ErrorCode.TIMEOUT)


def features(world, session):
    session.calls.get_features()
    session.calls.pump()
    return world.heard[-1]


def set_feature(world, session, feature: Feature, enabled: bool):
    session.calls.set_feature(world.pin_token(world.challenge(session)), feature, enabled)
    session.calls.pump()
    return world.heard[-1]


def test_get_features_without_enrollment(world, face) -> None:
    """Departure: their engine test wants an empty list, their VTS UNABLE_TO_PROCESS/0; we follow AIDL and VTS."""
    assert features(world, face()) == NOT_ENROLLED


def test_set_features(world, face) -> None:
    session = face(enrollments="1")
    attention, diverse = Feature.REQUIRE_ATTENTION, Feature.REQUIRE_DIVERSE_POSES
    assert features(world, session) == cb.FeaturesRetrieved(())
    assert set_feature(world, session, attention, False) == cb.FeatureSet(attention)
    assert features(world, session) == cb.FeaturesRetrieved(())
    assert set_feature(world, session, attention, True) == cb.FeatureSet(attention)
    set_feature(world, session, diverse, True)
    set_feature(world, session, diverse, True)
    assert features(world, session) == cb.FeaturesRetrieved((attention, diverse))
    set_feature(world, session, attention, False)
    assert features(world, session) == cb.FeaturesRetrieved((diverse,))


def test_set_feature_wants_a_token_and_an_enrollment(world, face) -> None:
    session = face(enrollments="1")
    session.calls.set_feature(b"", Feature.REQUIRE_ATTENTION, True)
    session.calls.pump()
    assert world.heard[-1] == UNABLE
    session.calls.remove_enrollments((1,))
    session.calls.pump()
    assert set_feature(world, session, Feature.REQUIRE_ATTENTION, True) == NOT_ENROLLED


def test_lockout_reset_success(world, face) -> None:
    session = face(enrollments="1", enrollment_hit="1", lockout="true")
    assert world.authenticate(session)[-2:] == [OperationError(ErrorCode.HW_UNAVAILABLE)]
    session.calls.reset_lockout(world.pin_token())
    session.calls.pump()
    assert isinstance(world.authenticate(session)[-1], cb.AuthenticationSucceeded)


def lock(world) -> Lock:
    return world.hal.authority.lock_status(0, ALICE).lock


def test_tracker_timed_then_permanent_and_reset(world, face) -> None:
    """Departures: an attempt during the timed lock neither counts nor restarts it; the tracker outlives the session."""
    session = face(enrollments="1", enrollment_hit="3", lockout_enable="true")
    for _ in range(3):
        world.authenticate(session)
    assert lock(world) is Lock.TIMED
    assert [type(c) for c in world.authenticate(session)] == [cb.LockoutTimed]
    first = world.heard[-1].remaining_ms
    world.clock.advance(100)
    assert world.authenticate(session)[-1].remaining_ms < first
    world.clock.advance(10_000)
    assert lock(world) is Lock.NONE
    session.calls.close()
    session = world.session()
    for _ in range(2):
        world.authenticate(session)
    assert lock(world) is Lock.PERMANENT
    assert world.authenticate(session) == [cb.LockoutPermanent()]
    session.calls.reset_lockout(world.pin_token())
    session.calls.pump()
    assert lock(world) is Lock.NONE


def test_a_timed_tier_can_be_left_out(world, face) -> None:
    session = face(enrollments="1", enrollment_hit="3", lockout_enable="true", lockout_timed_enable="false")
    for _ in range(4):
        world.authenticate(session)
        assert lock(world) is Lock.NONE
    world.authenticate(session)
    assert lock(world) is Lock.PERMANENT


# -- multi-angle enrollment ------------------------------------------------------------------------------------------


def test_enrollment_config() -> None:
    """Android's virtual HAL always answers an empty list."""
    stages = enrollment_config(EnrollmentType.DEFAULT)
    assert [(s.stage.name, len(s.cells)) for s in stages] == [
        ("HOLD_STILL_IN_CENTER", 1),
        ("ENROLLING_MOVEMENT_1", 2),
        ("ENROLLING_MOVEMENT_2", 2),
    ]
    assert [s.stage for s in enrollment_config(EnrollmentType.ACCESSIBILITY)] == [EnrollmentStage.HOLD_STILL_IN_CENTER]


POSES = {
    "center": Pose(0.1, -0.1),
    "left": Pose(-0.5, 0.0),
    "right": Pose(0.5, 0.0),
    "up": Pose(0.0, -0.5),
    "down": Pose(0.0, 0.5),
}


def test_a_guided_enrollment_end_to_end(world, face) -> None:
    session = face()
    session.calls.enroll(world.pin_token(world.challenge(session)), options=FaceEnrollOptions())
    session.calls.pump()
    world.heard.clear()
    for name in ("center", "left", "right", "up", "down"):
        session.calls.take(Capture(((21, 0), (1, 0)), sample=name, pose=POSES[name]))
    frames = [c for c in world.heard if isinstance(c, cb.EnrollmentFrame) and c.info == 1]
    assert [(f.stage.name, f.cell) for f in frames] == [
        ("HOLD_STILL_IN_CENTER", Cell(0, 0)),
        ("ENROLLING_MOVEMENT_1", Cell(-1, 0)),
        ("ENROLLING_MOVEMENT_1", Cell(1, 0)),
        ("ENROLLING_MOVEMENT_2", Cell(0, -1)),
        ("ENROLLMENT_FINISHED", Cell(0, 1)),
    ]
    assert [c.remaining for c in world.heard if isinstance(c, cb.EnrollmentProgress)] == [4, 3, 2, 1, 0]
    assert session.calls.state is SessionState.IDLING


@pytest.mark.parametrize(
    ("pose", "info"),
    [
        (Pose(0.95, 0.0), FaceAcquired.PAN_TOO_EXTREME),
        (Pose(0.0, -0.95), FaceAcquired.TILT_TOO_EXTREME),
        (Pose(0.0, 0.0, 0.7), FaceAcquired.ROLL_TOO_EXTREME),
        (Pose(0.5, 0.0), FaceAcquired.TOO_DIFFERENT),
        (Pose(0.0, 0.0), FaceAcquired.GOOD),
    ],
)
def test_feedback_at_the_first_stage(pose: Pose, info: FaceAcquired) -> None:
    _, frame = FaceProgress(enrollment_config(EnrollmentType.DEFAULT)).accept(pose, FaceAcquired.GOOD)
    assert frame.info is info
    assert frame.used is (info is FaceAcquired.GOOD)


def test_the_same_pose_again_is_too_similar_and_other_codes_pass_through() -> None:
    progress, _ = FaceProgress(enrollment_config(EnrollmentType.DEFAULT)).accept(Pose(), FaceAcquired.GOOD)
    same, frame = progress.accept(Pose(), FaceAcquired.GOOD)
    assert (frame.info, same) == (FaceAcquired.TOO_SIMILAR, progress)
    for info, stage in (
        (FaceAcquired.FIRST_FRAME_RECEIVED, EnrollmentStage.FIRST_FRAME_RECEIVED),
        (FaceAcquired.NOT_DETECTED, EnrollmentStage.WAITING_FOR_CENTERING),
        (FaceAcquired.TOO_DARK, EnrollmentStage.ENROLLING_MOVEMENT_1),
    ):
        _, frame = progress.accept(Pose(-0.5, 0.0), info)
        assert (frame.info, frame.stage, frame.used) == (info, stage, False)


@pytest.mark.parametrize("values", [(1.1, 0.0, 0.0), (0.0, -1.1, 0.0), (0.0, 0.0, float("nan"))])
def test_poses_outside_the_range_are_errors(values: tuple[float, float, float]) -> None:
    with pytest.raises(InputRefused, match=r"^a pose is outside -1\.\.1$"):
        Pose(*values)


def test_features_can_be_preset(world, face) -> None:
    session = face(enrollments="1", features="0,1")
    assert features(world, session) == cb.FeaturesRetrieved((Feature.REQUIRE_ATTENTION, Feature.REQUIRE_DIVERSE_POSES))


def test_features_go_by_the_rule_of_the_trusted_application(world, face) -> None:
    """A recent token of the PIN, whatever its challenge; with the first enrollment nothing is on."""
    session = face(enrollments="1")
    session.calls.set_feature(world.pin_token(challenge=0), Feature.REQUIRE_ATTENTION, True)
    session.calls.pump()
    assert features(world, session) == cb.FeaturesRetrieved((Feature.REQUIRE_ATTENTION,))
    world.enroll(session, script="2:1-[1]:true")
    assert features(world, session) == cb.FeaturesRetrieved((Feature.REQUIRE_ATTENTION,)), "not the first"
    session.calls.remove_enrollments((1, 2))
    world.enroll(session, script="3:1-[1]:true")
    assert features(world, session) == cb.FeaturesRetrieved(())
