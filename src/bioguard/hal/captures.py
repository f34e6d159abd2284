"""What a capture leads to while an enrollment, an authentication or a presence check waits for a person.

Each method takes one capture and yields its callbacks, the last of which may end the operation. The decision what ends
it is `callbacks.is_terminal`, nowhere else.
"""

from collections.abc import Callable, Iterator

from bioguard.errors import BioguardError
from bioguard.hal import callbacks as cb
from bioguard.hal.aidl_codes import EnrollmentStage, FaceAcquired, Feature, FingerprintAcquired, acquired_info
from bioguard.hal.backend import BackendDied, Matched, NotMatched, PoorCapture, SensorBackend
from bioguard.hal.callbacks import Callback
from bioguard.hal.enrollment import CENTER, FaceProgress, Pose, TouchProgress
from bioguard.hal.operation_errors import error_of
from bioguard.hal.scripting import Capture
from bioguard.records.acquired import AcquiredCode
from bioguard.records.locks import Lock, LockStatus
from bioguard.records.modality import Modality
from tee_sim.shared.dataclass import dataclass

Codes = tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Enrolling:
    """An enrollment on its way."""

    token: bytes
    enrollment_id: int
    progress: TouchProgress | FaceProgress
    position: int = 0
    features: tuple[Feature, ...] = ()
    samples: tuple[object, ...] = ()


def lock_callback(status: LockStatus) -> list[Callback]:
    """Callbacks of a lock; none without one."""
    if status.lock is Lock.PERMANENT:
        return [cb.LockoutPermanent()]
    return [cb.LockoutTimed(status.remaining_ms)] if status.lock is Lock.TIMED else []


class CaptureRules:
    """Captures of one sensor and user.

    Args:
        pass_ms: lets the time of a comparison pass, after the sensor has spoken and before the answer.
    """

    def __init__(self, backend: SensorBackend, pass_ms: Callable[[int], None]) -> None:
        self._backend = backend
        self._pass_ms = pass_ms
        self._kind = backend.facts.kind
        self._good = int(FingerprintAcquired.GOOD if self._kind is Modality.FINGERPRINT else FaceAcquired.GOOD)

    def acquired(self, codes: Codes, pose: Pose | None = None) -> list[Callback]:
        """What the sensor said about a capture."""
        if self._kind is Modality.FINGERPRINT:
            return [cb.Acquired(info, vendor) for info, vendor in codes]
        seen = pose or Pose()
        return [cb.AuthenticationFrame(info, vendor, seen.pan, seen.tilt) for info, vendor in codes]

    def given_up(self, capture: Capture) -> Iterator[Callback]:
        """A capture that ends with the sensor's error."""
        yield from self.acquired(capture.acquired or (), capture.pose)
        if capture.locked and self._kind is Modality.FINGERPRINT:
            yield cb.LockoutPermanent()
        if capture.error is not None:
            yield capture.error

    def _codes(self, code: AcquiredCode) -> Codes:
        return (acquired_info(code, self._kind),)

    def _usable(self, capture: Capture) -> bool:
        if capture.sample is None or capture.acquired is None:
            return capture.sample is not None
        last_is_good = bool(capture.acquired) and capture.acquired[-1][0] == self._good
        return last_is_good if capture.comparable is None else capture.comparable

    def unseen(self, code: AcquiredCode, pose: Pose | None, job: Enrolling | None) -> list[Callback]:
        """What was presented gave no sample: nothing is compared, counted or taken into the enrollment of `job`."""
        if job is None:
            return self.acquired(self._codes(code), pose)
        return self._progress(job.progress, self._codes(code), pose, usable=False)[1]

    def interaction(self, capture: Capture) -> Iterator[Callback]:
        """Presence: any finger, any face. The lockout is not asked and not touched."""
        yield from self.acquired(self._codes(AcquiredCode.GOOD) if capture.acquired is None else capture.acquired)
        yield cb.InteractionDetected()

    def authentication(self, capture: Capture, operation_id: int) -> Iterator[Callback]:
        """Have a usable capture compared; the attempt is counted before it is."""
        unsuited = self._pose_problem(capture.pose)
        if unsuited is not None:
            yield from self.acquired(((int(unsuited), 0),), capture.pose)
            return
        if not self._usable(capture):
            yield from self.acquired(capture.acquired or (), capture.pose)
            return
        outcome = self._backend.authenticate(capture.sample, operation_id)
        judged = outcome.code if isinstance(outcome, PoorCapture) else AcquiredCode.GOOD
        yield from self.acquired(self._codes(judged) if capture.acquired is None else capture.acquired, capture.pose)
        self._pass_ms(capture.match_ms)
        if isinstance(outcome, Matched):
            yield cb.AuthenticationSucceeded(outcome.enrollment_id, outcome.token)
        elif isinstance(outcome, LockStatus):
            yield from lock_callback(outcome)
        elif isinstance(outcome, NotMatched):
            yield cb.AuthenticationFailed()
            if self._kind is Modality.FINGERPRINT:
                yield from lock_callback(self._backend.lock_status())

    def _pose_problem(self, pose: Pose | None) -> FaceAcquired | None:
        if pose is None or self._kind is not Modality.FACE:
            return None
        looks_away = pose.cell() != CENTER and Feature.REQUIRE_ATTENTION in self._backend.features()
        return pose.problem() or (FaceAcquired.POOR_GAZE if looks_away else None)

    def enrollment(self, job: Enrolling, capture: Capture) -> Iterator[Callback]:
        """Take one capture into an enrollment; `job` moves on only with a usable one."""
        codes = capture.acquired
        usable = self._usable(capture)
        if usable:
            judged = self._backend.judge(job.samples, capture.sample)
            if codes is None:
                codes, usable = self._codes(judged), judged is AcquiredCode.GOOD
        progress, told = self._progress(job.progress, codes or (), capture.pose, usable=usable)
        yield from told
        if progress is None:
            return
        samples = (*job.samples, capture.sample)
        job.progress, job.samples = progress, samples
        left = progress.remaining
        yield cb.EnrollmentProgress(job.enrollment_id, left) if left else self._stored(job)

    def _stored(self, job: Enrolling) -> Callback:
        """The end of an enrollment. A refusal is one too, whatever it is about: there is no next sample."""
        try:
            enrollment_id = self._backend.enroll(job.token, job.samples, job.position)
        except BackendDied:
            raise
        except BioguardError as refusal:
            return error_of(refusal)
        try:
            for feature in job.features:
                self._backend.set_feature(job.token, feature, True)
        except BackendDied:
            raise
        except BioguardError as refusal:  # all or nothing: what is told as failed is not there
            self._backend.remove((enrollment_id,))
            return error_of(refusal)
        return cb.EnrollmentProgress(enrollment_id, 0)

    def _progress(
        self, progress: TouchProgress | FaceProgress, codes: Codes, pose: Pose | None, *, usable: bool
    ) -> tuple[TouchProgress | FaceProgress | None, list[Callback]]:
        """How far an enrollment is after a capture, None where it did not move on, and what is told of it."""
        if isinstance(progress, FaceProgress):
            return self._guided(progress, codes, pose, usable)
        return self._touched(progress, codes, pose, usable)

    def _touched(
        self, progress: TouchProgress, codes: Codes, pose: Pose | None, usable: bool
    ) -> tuple[TouchProgress | None, list[Callback]]:
        after = progress.good() if usable else None
        if self._kind is Modality.FINGERPRINT:
            return after, self.acquired(codes)
        last = after is not None and after.remaining == 0
        stage = EnrollmentStage.ENROLLMENT_FINISHED if last else EnrollmentStage.HOLD_STILL_IN_CENTER
        seen = pose or Pose()
        return after, [cb.EnrollmentFrame(info, vendor, stage, None, seen.pan, seen.tilt) for info, vendor in codes]

    @staticmethod
    def _guided(
        progress: FaceProgress, codes: Codes, pose: Pose | None, usable: bool
    ) -> tuple[FaceProgress | None, list[Callback]]:
        pose, used = pose or Pose(), False
        told: list[Callback] = []
        for info, vendor in codes:
            progress, frame = progress.accept(pose, FaceAcquired(info))
            used = used or (frame.used and usable)
            told.append(cb.EnrollmentFrame(frame.info, vendor, frame.stage, frame.cell, pose.pan, pose.tilt))
        return (progress if used else None), told
