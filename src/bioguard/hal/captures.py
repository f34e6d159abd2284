"""What a capture leads to while an enrollment, an authentication or a presence check waits for a person.

Each method takes one capture and returns its callbacks, the last of which may end the operation. The decision
what ends it is `callbacks.is_terminal`, nowhere else.
"""

from typing import Any, Protocol

from bioguard.hal import callbacks as cb
from bioguard.hal.aidl_codes import ErrorCode, FaceAcquired, FingerprintAcquired
from bioguard.hal.callbacks import Callback, OperationError
from bioguard.hal.enrollment import FaceProgress, Pose, TouchProgress
from bioguard.hal.sensor_rules import SensorRules
from bioguard.records.locks import AttemptOutcome, Lock, LockStatus
from bioguard.records.modality import Modality
from bioguard.records.tokens import AuthToken
from tee_sim.shared.dataclass import dataclass

DUPLICATE_VENDOR_CODE = 1
"""onError(VENDOR, 1): this finger is enrolled already. AIDL has no code of its own for it."""


@dataclass(frozen=True, slots=True)
class Capture:
    """What the sensor saw in one touch or one burst of frames.

    Attributes:
        acquired: AcquiredInfo and vendor code, in order.
        comparable: whether the sample is good enough to be compared (and then counts); None: if the last code is GOOD.
        sample: for the matcher; None when nothing was presented.
        error: the sensor gave up with this error, after what it acquired.
        pose: faces: how the face was turned.
    """

    acquired: tuple[tuple[int, int], ...] = ((int(FingerprintAcquired.GOOD), 0),)
    sample: object | None = None
    error: OperationError | None = None
    pose: Pose | None = None
    comparable: bool | None = None


class Templates(Protocol):
    """Enrollments of one sensor. Ids are positive and never 0."""

    def ids(self, user: bytes) -> tuple[int, ...]: ...

    def match(self, user: bytes, sample: object) -> int:
        """The id of the enrollment the sample belongs to, or 0."""
        ...

    def add(self, user: bytes, enrollment_id: int, samples: tuple[object, ...], state: Any) -> None:
        """Store an enrollment and the authority's new state, both or neither."""
        ...

    def remove(self, user: bytes, ids: tuple[int, ...]) -> tuple[int, ...]:
        """Erase; return what was really there."""
        ...


@dataclass(slots=True)
class Enrolling:
    """An enrollment on its way."""

    token: AuthToken | None
    enrollment_id: int
    progress: TouchProgress | FaceProgress
    samples: tuple[object, ...] = ()


def lock_callback(status: LockStatus) -> list[Callback]:
    """Callbacks of a lock; none without one."""
    if status.lock is Lock.PERMANENT:
        return [cb.LockoutPermanent()]
    return [cb.LockoutTimed(status.remaining_ms)] if status.lock is Lock.TIMED else []


class CaptureRules:
    """Captures of one sensor and user."""

    def __init__(self, authority: SensorRules, templates: Templates, sensor_id: int, user: bytes) -> None:
        self._authority = authority
        self._templates = templates
        self._sensor_id = sensor_id
        self._user = user
        self._kind = authority.props(sensor_id).kind
        self._good = int(FingerprintAcquired.GOOD if self._kind is Modality.FINGERPRINT else FaceAcquired.GOOD)

    def acquired(self, capture: Capture) -> list[Callback]:
        """What the sensor said about a capture."""
        return [cb.Acquired(info, vendor) for info, vendor in capture.acquired]

    def _usable(self, capture: Capture) -> bool:
        last_is_good = bool(capture.acquired) and capture.acquired[-1][0] == self._good
        return capture.sample is not None and (last_is_good if capture.comparable is None else capture.comparable)

    def interaction(self, capture: Capture) -> list[Callback]:
        """Presence: any finger, any face. The lockout is not asked and not touched."""
        return [*self.acquired(capture), cb.InteractionDetected()]

    def authentication(self, capture: Capture, operation_id: int) -> list[Callback]:
        """Compare a good capture, after the attempt was counted."""
        callbacks = self.acquired(capture)
        if not self._usable(capture):
            return callbacks
        attempt = self._authority.begin_attempt(self._sensor_id, self._user)
        if isinstance(attempt, LockStatus):
            return callbacks + lock_callback(attempt)
        found = self._templates.match(self._user, capture.sample)
        outcome = AttemptOutcome.MATCH if found else AttemptOutcome.NO_MATCH
        token = self._authority.settle_attempt(attempt, outcome, operation_id)
        if found:
            return [*callbacks, cb.AuthenticationSucceeded(found, token)]
        callbacks.append(cb.AuthenticationFailed())
        if self._kind is Modality.FINGERPRINT:
            callbacks += lock_callback(self._authority.lock_status(self._sensor_id, self._user))
        return callbacks

    def enrollment(self, job: Enrolling, capture: Capture) -> list[Callback]:
        """Take one capture into an enrollment; `job` moves on only with a usable one."""
        callbacks: list[Callback]
        progress: TouchProgress | FaceProgress | None
        if isinstance(job.progress, FaceProgress):
            callbacks, progress = self._guided(job.progress, capture)
        else:
            callbacks, progress = self._touch(job.progress, capture)
        if progress is None:
            return callbacks
        if not job.samples and self._templates.match(self._user, capture.sample):
            return [*callbacks, OperationError(ErrorCode.VENDOR, DUPLICATE_VENDOR_CODE)]
        job.progress, job.samples = progress, (*job.samples, capture.sample)
        if progress.remaining == 0:
            state = self._authority.enrolled(self._sensor_id, self._user, job.token)
            self._templates.add(self._user, job.enrollment_id, job.samples, state)
        return [*callbacks, cb.EnrollmentProgress(job.enrollment_id, progress.remaining)]

    def _touch(self, progress: TouchProgress, capture: Capture) -> tuple[list[Callback], TouchProgress | None]:
        return self.acquired(capture), progress.good() if self._usable(capture) else None

    def _guided(self, progress: FaceProgress, capture: Capture) -> tuple[list[Callback], FaceProgress | None]:
        pose, used = capture.pose or Pose(), False
        callbacks: list[Callback] = []
        for info, vendor in capture.acquired:
            progress, frame = progress.accept(pose, FaceAcquired(info))
            used = used or (frame.used and capture.sample is not None)
            callbacks.append(cb.EnrollmentFrame(frame.info, vendor, frame.stage, frame.cell, pose.pan, pose.tilt))
        return callbacks, progress if used else None
