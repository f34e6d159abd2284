"""Two fingerprint sensors and a weak face on one locked device: records, lockout and captures of each are its own."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bioguard.device import pins
from bioguard.device.consent import grant_all
from bioguard.device.recognition import Recognition
from bioguard.errors import InputRefused, NotPermitted
from bioguard.hal import callbacks as cb
from bioguard.hal.aidl_codes import ErrorCode, FaceAcquired, Feature, FingerprintAcquired
from bioguard.hal.callbacks import OperationError
from bioguard.hal.device_backend import DeviceSample
from bioguard.hal.enrollment import Pose
from bioguard.hal.hal import FaceEnrollOptions, SessionInUse
from bioguard.hal.service import KEPT_SESSIONS
from bioguard.hal.session import SessionState
from bioguard.records import FaceEmbedding, FingerprintTemplate
from bioguard.records.locks import Lock
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import FaceSensorType, FingerprintSensorType, SensorProps
from bioguard.records.strength import SensorStrength
from tests.hal.phone import PIN, Phone, look, phone, touch

REAR, DISPLAY, FACE = 0, 1, 2
TABLE = (
    SensorProps(sensor_id=REAR, kind=Modality.FINGERPRINT),
    SensorProps(
        sensor_id=DISPLAY,
        kind=Modality.FINGERPRINT,
        sensor_type=FingerprintSensorType.UNDER_DISPLAY_OPTICAL,
        max_enrollments=1,
        detect_interaction=False,
    ),
    SensorProps(
        sensor_id=FACE,
        kind=Modality.FACE,
        sensor_type=FaceSensorType.RGB,
        strength=SensorStrength.WEAK,
        max_enrollments=2,
    ),
)
UNABLE = OperationError(ErrorCode.UNABLE_TO_PROCESS)
NOT_ENROLLED = OperationError(ErrorCode.UNABLE_TO_PROCESS, 0, "match.not_enrolled")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phone]:
    """A device with alice's finger on the sensor at the back, and her face."""
    with phone(tmp_path_factory.mktemp("phone") / "device", sensor_table=TABLE) as made:
        made.add("alice")
        made.add("bob")
        made.enroll("alice", REAR, person=0)
        made.enroll("alice", FACE, person=0)
        yield made


@pytest.fixture(autouse=True)
def unlocked(shared: Phone) -> Iterator[None]:
    """Each test finds alice without failed attempts."""
    yield
    shared.hal.client_died()
    pins.unlock(shared.device, "alice", PIN)


def under_display(shared: Phone, number: int, sample: DeviceSample) -> list[cb.Callback]:
    """A finger on the display, a touch that is told, and light."""
    assert shared.call(number, lambda s: s.present(sample)) == []
    assert shared.call(number, lambda s: s.on_pointer_down()) == []
    return shared.call(number, lambda s: s.on_ui_ready())


def test_a_sensor_under_the_display_captures_when_it_is_lit_and_takes_as_many_as_it_may(shared: Phone) -> None:
    with shared.session("bob", DISPLAY) as number:
        token = shared.token("bob", shared.challenge(number))
        shared.call(number, lambda s: s.enroll(token))
        told = [under_display(shared, number, touch(5, view)) for view in range(3)]
        assert [heard[-1].remaining for heard in told] == [2, 1, 0]
        shared.call(number, lambda s: s.authenticate(0))
        assert isinstance(under_display(shared, number, touch(5))[-1], cb.AuthenticationSucceeded)
        expected = [OperationError(ErrorCode.NO_SPACE)]
        assert shared.call(number, lambda s: s.enroll(token)) == expected, "before a capture"
        assert shared.call(number, lambda s: s.detect_interaction()) == [UNABLE], "this one has no presence"
        shared.call(number, lambda s: s.authenticate(0))
        shared.call(number, lambda s: s.present(touch(5)))
        assert shared.call(number, lambda s: s.on_pointer_up()) == [cb.Acquired(FingerprintAcquired.LIFT_TOO_SOON)]
        assert shared.call(number, lambda s: s.on_ui_ready()) == []


def test_a_session_that_is_open_is_known_however_many_others_came_and_went(shared: Phone) -> None:
    face = shared.hal.create_session("alice", FACE)
    for _ in range(KEPT_SESSIONS):
        closed = shared.hal.create_session("alice", REAR)
        shared.hal.call(closed, lambda s: s.close())
    assert shared.call(face, lambda s: s.close()) == [cb.SessionClosed()]
    with shared.session("alice", FACE), pytest.raises(InputRefused, match=rf"^there is no session {face}$"):
        shared.hal.call(face, lambda s: s.close())


def test_a_removal_that_ends_halfway_tells_what_is_gone(shared: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {shared.enroll("bob", REAR, person) for person in (6, 7)}
    erase, left = Recognition.erase, [1]

    def once(self: Recognition, *about: object) -> bytes:
        if not left:
            raise NotPermitted("the disk is full", hint="make room", code="store.full")
        left.pop()
        return erase(self, *about)  # type: ignore[arg-type]

    monkeypatch.setattr(Recognition, "erase", once)
    with shared.session("bob", REAR) as number:
        (told,) = shared.call(number, lambda s: s.remove_enrollments(tuple(made)))
        (there,) = shared.call(number, lambda s: s.enumerate_enrollments())
        assert isinstance(told, cb.EnrollmentsRemoved)
        assert isinstance(there, cb.EnrollmentsEnumerated)
        assert (len(told.ids), {*told.ids, *there.ids}) == (1, made)
        expected = [OperationError(ErrorCode.NO_SPACE, 0, "store.full")]
        assert shared.call(number, lambda s: s.remove_enrollments(there.ids)) == expected
        monkeypatch.undo()
        assert shared.call(number, lambda s: s.remove_enrollments(there.ids)) == [cb.EnrollmentsRemoved(there.ids)]


def test_each_sensor_has_its_own_challenges_records_and_authenticator_ids(shared: Phone) -> None:
    with shared.session("alice", REAR) as number:
        of_the_back = shared.token("alice", shared.challenge(number))
        (before,) = shared.call(number, lambda s: s.get_authenticator_id())
        (there,) = shared.call(number, lambda s: s.enumerate_enrollments())
    with shared.session("alice", DISPLAY) as number:
        with pytest.raises(SessionInUse, match=rf"^session {number} is open$"):
            shared.hal.create_session("alice", REAR)
        assert shared.call(number, lambda s: s.enroll(of_the_back)) == [UNABLE]
        assert shared.call(number, lambda s: s.enumerate_enrollments()) == [cb.EnrollmentsEnumerated(())]
        assert shared.call(number, lambda s: s.get_authenticator_id()) == [cb.AuthenticatorIdRetrieved(0)]
        shared.call(number, lambda s: s.authenticate(0))
        assert under_display(shared, number, touch(0)) == [NOT_ENROLLED]
        token = shared.token("alice", shared.challenge(number))
        shared.call(number, lambda s: s.enroll(token))
        for view in range(3):
            heard = under_display(shared, number, touch(0, view))
        assert heard[-1].remaining == 0, "the same finger on another sensor is another enrollment"
        (own,) = shared.call(number, lambda s: s.get_authenticator_id())
        shared.call(number, lambda s: s.remove_enrollments(there.ids))
        assert shared.call(number, lambda s: s.remove_enrollments((heard[-1].enrollment_id,))) == [
            cb.EnrollmentsRemoved((heard[-1].enrollment_id,))
        ]
    with shared.session("alice", REAR) as number:
        assert shared.call(number, lambda s: s.enumerate_enrollments()) == [there]
        assert shared.call(number, lambda s: s.get_authenticator_id()) == [before]
    assert own.authenticator_id not in (0, before.authenticator_id)


def test_a_lockout_is_of_one_user_on_one_sensor(shared: Phone) -> None:
    with shared.session("alice", REAR) as number:
        for _ in range(5):
            heard = shared.attempt(number, touch(1))
        assert heard[-1] == cb.LockoutTimed(30_000)
    locks = {
        (name, props.sensor_id): pins.lock_info(shared.device, name, props.kind, props.sensor_id).lock
        for name in ("alice", "bob")
        for props in TABLE
    }
    assert {key for key, lock in locks.items() if lock is not Lock.NONE} == {("alice", REAR)}


def test_a_weak_face_gives_no_token_and_has_no_authenticator_id(shared: Phone) -> None:
    with shared.session("alice", FACE) as number:
        (ids,) = shared.call(number, lambda s: s.enumerate_enrollments())
        heard = shared.attempt(number, look(0), operation_id=9)
        assert heard == [cb.AuthenticationFrame(1), cb.AuthenticationSucceeded(ids.ids[0], None)]
        assert shared.call(number, lambda s: s.get_authenticator_id()) == [cb.AuthenticatorIdRetrieved(0)]
        assert shared.call(number, lambda s: s.invalidate_authenticator_id()) == [cb.AuthenticatorIdInvalidated(0)]
        for _ in range(5):
            heard = shared.attempt(number, look(1))
        assert heard == [cb.AuthenticationFrame(1), cb.AuthenticationFailed()], "of a face the next call tells the lock"
        assert shared.attempt(number, look(0)) == [cb.LockoutTimed(30_000)]
        assert shared.call(number, lambda s: s.reset_lockout(shared.token("alice", 0))) == [cb.LockoutCleared()]


def test_features_are_kept_in_the_secure_world(shared: Phone) -> None:
    attention, diverse = Feature.REQUIRE_ATTENTION, Feature.REQUIRE_DIVERSE_POSES
    with shared.session("bob", FACE) as number:
        assert shared.call(number, lambda s: s.get_features()) == [NOT_ENROLLED]
        token = shared.token("bob", 0)
        assert shared.call(number, lambda s: s.set_feature(token, attention, True)) == [NOT_ENROLLED]
    with shared.session("alice", FACE) as number:
        assert shared.call(number, lambda s: s.set_feature(token, attention, True)) == [UNABLE], "bob's"
        assert shared.call(number, lambda s: s.set_feature(b"", attention, True)) == [UNABLE]
        token = shared.token("alice", 0)
        for feature, enabled in ((attention, True), (diverse, True), (diverse, False), (diverse, False)):
            heard = shared.call(number, lambda s, f=feature, e=enabled: s.set_feature(token, f, e))
            assert heard == [cb.FeatureSet(feature)]
    shared.device.running.close()
    with shared.session("alice", FACE) as number:
        assert shared.call(number, lambda s: s.get_features()) == [cb.FeaturesRetrieved((attention,))]
        shared.call(number, lambda s: s.authenticate(0))
        away = shared.call(number, lambda s: s.present(look(0), Pose(0.5)))
        assert away == [cb.AuthenticationFrame(FaceAcquired.POOR_GAZE, 0, 0.5, 0.0)]
        there = shared.call(number, lambda s: s.present(look(0), Pose(0.1)))
        assert isinstance(there[-1], cb.AuthenticationSucceeded)


def test_a_guided_enrollment_of_a_face(shared: Phone) -> None:
    options = FaceEnrollOptions(features=(Feature.REQUIRE_DIVERSE_POSES,))
    poses = (Pose(), Pose(-0.5), Pose(0.5), Pose(tilt=-0.5), Pose(tilt=0.5))
    with shared.session("bob", FACE) as number:
        token = shared.token("bob", shared.challenge(number))
        shared.call(number, lambda s: s.enroll(token, options=options))
        for view, pose in enumerate(poses):
            heard = shared.call(number, lambda s, v=view, p=pose: s.present(look(5, v), p))
            assert heard[-1].remaining == 4 - view
        expected = cb.FeaturesRetrieved((Feature.REQUIRE_DIVERSE_POSES,))
        assert shared.call(number, lambda s: s.get_features()) == [expected]
        assert isinstance(shared.attempt(number, look(5))[-1], cb.AuthenticationSucceeded)


def test_an_enrollment_whose_features_cannot_be_set_is_not_there(tmp_path: Path) -> None:
    options = FaceEnrollOptions(features=(Feature.REQUIRE_ATTENTION,), guided=False)
    with phone(tmp_path / "device", require_pin=False) as made:
        made.device.add_user("eve")
        grant_all(made.device, "eve", of_age=True)
        with made.session("eve", 1) as number:
            made.call(number, lambda s: s.enroll(b"", touches=1, options=options))
            assert made.call(number, lambda s: s.present(look(3, 0)))[-1] == UNABLE, "a feature wants a PIN"
            assert made.call(number, lambda s: s.enumerate_enrollments()) == [cb.EnrollmentsEnumerated(())]


def test_a_touch_that_is_too_poor_is_no_attempt(shared: Phone) -> None:
    whole = touch(1).sample
    few = FingerprintTemplate.from_minutiae(
        whole.x_px500[:3],
        whole.y_px500[:3],
        whole.angle_rad[:3],
        kind=whole.kind[:3],
        quality=whole.quality[:3],
        width_px500=whole.width_px500,
        height_px500=whole.height_px500,
    )
    with shared.session("alice", REAR) as number:
        shared.call(number, lambda s: s.authenticate(0))
        for _ in range(6):
            heard = shared.call(number, lambda s: s.present(DeviceSample(few)))
            assert heard == [cb.Acquired(FingerprintAcquired.INSUFFICIENT)]
        assert isinstance(shared.call(number, lambda s: s.present(touch(0)))[-1], cb.AuthenticationSucceeded)


def test_a_sample_that_this_sensor_cannot_deliver_is_refused_and_the_attempt_waits_on(shared: Phone) -> None:
    other = FaceEmbedding.from_features(np.random.default_rng(2).normal(size=64))
    with shared.session("alice", FACE) as number:
        shared.call(number, lambda s: s.authenticate(0))
        for sample, code in ((DeviceSample(other), "match.dimension"), (touch(0), "sensor.kind")):
            with pytest.raises(InputRefused) as caught:
                shared.call(number, lambda s, sample=sample: s.present(sample))
            assert caught.value.code == code
        state = shared.hal.call(number, lambda s: s.state)
        assert (state, shared.heard) == (SessionState.AUTHENTICATING, [])
