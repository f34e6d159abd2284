"""The knobs in front of a session with real samples: codes, errors, times, other people, scripted enrollments."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from bioguard.hal import callbacks as cb
from bioguard.hal.aidl_codes import ErrorCode
from bioguard.hal.backend import NotMatched
from bioguard.hal.callbacks import OperationError
from bioguard.hal.device_backend import DeviceSample
from bioguard.hal.session import SessionState
from bioguard.records import FaceEmbedding
from bioguard.records.locks import Lock, LockStatus
from bioguard.records.modality import Modality
from bioguard.simulate.faults.session_sensor import session_script
from bioguard.simulate.knobs.properties import SensorProperties
from tee_sim.shared.rng import Rng, SeededRng
from tests.hal.rig import Facts, Rig, rig

GIVEN = DeviceSample(FaceEmbedding.from_features(np.random.default_rng(1).normal(size=128)), "model")
SUCCESS = cb.AuthenticationSucceeded(5, None)


@dataclass
class Faults:
    """`SessionFaults`."""

    knobs: SensorProperties
    played: int = 0
    forgotten: list[str] = field(default_factory=list)

    def next_capture(self) -> tuple[int, Rng]:
        self.played += 1
        return self.played - 1, SeededRng(self.played.to_bytes(2, "big"))

    def forget(self, knob: str) -> None:
        self.forgotten.append(knob)
        self.knobs.clear(knob)

    def capture_ms(self, sensor_id: int) -> int:
        return 100 + sensor_id

    def match_ms(self, sensor_id: int) -> int:
        return 10 + sensor_id


def played(kind: Modality = Modality.FINGERPRINT, **knobs: str) -> tuple[Rig, Faults]:
    faults = Faults(SensorProperties(knobs))
    facts = Facts(kind, sensor_id=3)
    return rig(facts, session_script(faults)(facts)), faults


def attempt(made: Rig) -> list[cb.Callback]:
    made.run(lambda: made.session.authenticate(1))
    heard = made.run(lambda: made.session.present(GIVEN))
    made.session.cancel()
    return heard


def presented(made: Rig) -> DeviceSample:
    return next(arguments[0] for name, *arguments in reversed(made.backend.asked) if name == "authenticate")


def test_without_a_knob_the_sample_is_compared_as_it_is_and_the_latencies_of_the_sensor_pass() -> None:
    made, faults = played()
    assert attempt(made) == [cb.Acquired(1), SUCCESS]
    assert presented(made) is GIVEN
    assert (made.passed_ms, faults.played) == ([103, 13], 1)


@pytest.mark.parametrize(
    ("knobs", "heard"),
    [
        ({"operation_authenticate_acquired": "4,1009"}, [cb.Acquired(4), cb.Acquired(7, 9), SUCCESS]),
        ({"operation_authenticate_error": "8"}, [OperationError(ErrorCode.BAD_CALIBRATION)]),
        ({"operation_authenticate_error": "1009"}, [OperationError(ErrorCode.VENDOR, 9)]),
        ({"lockout": "true"}, [cb.LockoutPermanent(), OperationError(ErrorCode.HW_UNAVAILABLE)]),
        ({"quality_sequence": "2"}, [cb.Acquired(2)]),
    ],
)
def test_codes_and_errors_of_an_attempt(knobs: dict[str, str], heard: list[cb.Callback]) -> None:
    made, _ = played(**knobs)
    assert attempt(made)[: len(heard)] == heard
    compared = any(name == "authenticate" for name, *_ in made.backend.asked)
    assert compared is (SUCCESS in heard), "what ends with an error or is poor is no attempt"


def test_a_sequence_of_qualities_goes_on_over_operations() -> None:
    made, _ = played(quality_sequence="2,1,5")
    told = [attempt(made)[0].info for _ in range(4)]
    assert told == [2, 1, 5, 1]


@pytest.mark.parametrize("knob", ["operation_authenticate_fails", "wrong_finger", "spoof_score", "sensor_noise"])
def test_somebody_elses_sample_or_a_disturbed_one_is_compared(knob: str) -> None:
    made, _ = played(**{knob: {"spoof_score": "0.9", "sensor_noise": "0.5"}.get(knob, "true")})
    made.backend.outcome = NotMatched()
    assert attempt(made) == [cb.Acquired(1), cb.AuthenticationFailed()]
    cosine = float(presented(made).sample.vector @ GIVEN.sample.vector)
    assert presented(made).model == "model"
    assert 0.2 < cosine < 0.9 if knob == "sensor_noise" else abs(cosine) < 0.4


def test_times_that_are_set_pass_beside_the_sensors_own() -> None:
    made, _ = played(operation_authenticate_latency="500", operation_authenticate_duration="40")
    attempt(made)
    assert made.passed_ms == [103 + 540, 13]


def test_presence_is_scripted_too() -> None:
    made, _ = played(operation_detect_interaction_acquired="4,1013")
    made.run(made.session.detect_interaction)
    heard = made.run(lambda: made.session.present(GIVEN))
    assert heard == [cb.Acquired(4), cb.Acquired(7, 13), cb.InteractionDetected()]
    made, _ = played(Modality.FACE, operation_detect_interaction_fails="true")
    made.run(made.session.detect_interaction)
    assert made.run(lambda: made.session.present(GIVEN))[-1] == OperationError(ErrorCode.TIMEOUT)


def enroll(made: Rig, count: int) -> list[cb.Callback]:
    heard = made.run(lambda: made.session.enroll(b"t", touches=count))
    for _ in range(count):
        if made.session.state is SessionState.ENROLLING:
            heard += made.run(lambda: made.session.present(GIVEN))
    return heard


def test_a_scripted_enrollment_takes_a_touch_for_each_step_and_the_id_is_the_records() -> None:
    made, faults = played(next_enrollment="4:20,5-[12,1013]:true")
    made.run(lambda: made.session.enroll(b"t", touches=9))
    heard = [made.run(lambda: made.session.present(GIVEN)) for _ in range(2)]
    assert heard == [
        [cb.Acquired(1), cb.EnrollmentProgress(0, 1)],
        [cb.Acquired(12), cb.Acquired(7, 13), cb.EnrollmentProgress(6, 0)],
    ]
    assert made.passed_ms == [123, 108]
    assert faults.forgotten == ["next_enrollment"]


def test_a_scripted_enrollment_is_kept_when_it_is_canceled_and_forgotten_when_it_fails() -> None:
    made, faults = played(next_enrollment="4:0:false")
    made.run(lambda: made.session.enroll(b"t"))
    made.run(made.session.cancel)
    assert faults.forgotten == []
    made.run(lambda: made.session.enroll(b"t"))
    assert made.run(lambda: made.session.present(GIVEN)) == [OperationError(ErrorCode.UNABLE_TO_PROCESS)]
    assert faults.forgotten == ["next_enrollment"]
    assert not any(name == "enroll" for name, *_ in made.backend.asked)


@pytest.mark.parametrize(
    ("knobs", "heard"),
    [
        (
            {"quality_sequence": "3"},
            [cb.Acquired(3), cb.Acquired(1), cb.EnrollmentProgress(0, 1)],
        ),
        (
            {"operation_enroll_fails": "true"},
            [cb.Acquired(1), cb.EnrollmentProgress(0, 1), OperationError(ErrorCode.UNABLE_TO_PROCESS)],
        ),
        ({"operation_enroll_error": "3"}, [OperationError(ErrorCode.TIMEOUT)]),
        (
            {"operation_authenticate_fails": "true"},
            [cb.Acquired(1), cb.EnrollmentProgress(0, 1), cb.Acquired(1), cb.EnrollmentProgress(6, 0)],
        ),
    ],
)
def test_knobs_of_an_enrollment(knobs: dict[str, str], heard: list[cb.Callback]) -> None:
    made, _ = played(**knobs)
    assert enroll(made, 2) == heard


def test_the_sensors_own_lockout_ends_with_a_token() -> None:
    made, faults = played(lockout="true")
    assert attempt(made)[-1] == OperationError(ErrorCode.HW_UNAVAILABLE)
    assert made.run(made.session.tick) == [], "the secure world knows of none, and the sensor is locked"
    made.backend.lock = LockStatus(Lock.NONE)
    made.run(lambda: made.session.reset_lockout(b"t"))
    assert faults.forgotten == ["lockout"]
    assert attempt(made) == [cb.Acquired(1), SUCCESS]


def test_the_sensors_own_lockout_is_over_for_the_client_too_when_the_knob_is_put_back() -> None:
    made, faults = played(lockout="true")
    attempt(made)
    faults.knobs.clear("lockout")
    assert made.run(made.session.tick) == [cb.LockoutCleared()]
    assert made.run(made.session.tick) == []


def test_a_rejected_attempt_changes_nobody_elses_enrollment() -> None:
    made, _ = played(operation_authenticate_fails="true")
    enroll(made, 2)
    assert made.backend.asked[-1] == ("enroll", b"t", (GIVEN, GIVEN), 0)


def test_a_poor_capture_takes_no_step_of_a_scripted_enrollment_and_the_latency_is_its_beginning() -> None:
    made, _ = played(next_enrollment="4:20-[4,1],5:true", quality_sequence="2", operation_enroll_latency="1000")
    made.run(lambda: made.session.enroll(b"t"))
    heard = [made.run(lambda: made.session.present(GIVEN)) for _ in range(3)]
    assert heard == [
        [cb.Acquired(2)],
        [cb.Acquired(4), cb.Acquired(1), cb.EnrollmentProgress(0, 1)],
        [cb.Acquired(1), cb.EnrollmentProgress(6, 0)],
    ]
    assert made.passed_ms == [1123, 123, 108]
