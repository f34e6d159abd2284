"""Live sessions: operations in, callbacks out. The machine between `session`, `authority` and a matcher.

Rules:
* one session at a time; operations wait in a queue of five and run one by one, in order; a sixth is refused;
* what a person must do comes in as `Capture`s while an operation waits for them;
* each operation ends with exactly one terminal callback; a rejected finger does not end it, a rejected face does;
* time stands still inside a call: the clock is read, never waited for.
"""

from collections import deque
from collections.abc import Callable

from bioguard.errors import NotPermitted
from bioguard.hal import callbacks as cb
from bioguard.hal.aidl_codes import EnrollmentType, ErrorCode, Feature
from bioguard.hal.callbacks import Callback, OperationError, is_terminal
from bioguard.hal.captures import Capture, CaptureRules, Enrolling, Templates, lock_callback
from bioguard.hal.enrollment import FaceProgress, TouchProgress, enrollment_config
from bioguard.hal.sensor_rules import SensorRules
from bioguard.hal.session import CANCELLABLE, SessionEvent, SessionState, WrongState, step
from bioguard.records.modality import Modality
from bioguard.records.tokens import TokenUnusable

QUEUE_DEPTH = 5
"""Depth of the reference HAL's worker queue."""
DEFAULT_TOUCHES = 3


class QueueFull(NotPermitted):
    """Five operations wait already. The reference HAL drops the sixth silently; we say so."""

    code = "session.queue_full"


class SessionInUse(NotPermitted):
    """A second session while one is open. The reference HAL aborts the process."""

    code = "session.in_use"


class SessionHost:
    """All sensors of a device and their one live session.

    Args:
        templates: the enrollments of each sensor, by sensor id.
    """

    def __init__(self, authority: SensorRules, templates: dict[int, Templates]) -> None:
        self.authority = authority
        self._templates = templates
        self._features: dict[tuple[int, bytes], set[Feature]] = {}
        self._live: HalSession | None = None

    def features(self, sensor_id: int, user: bytes) -> set[Feature]:
        """The face features that are set for a user."""
        return self._features.setdefault((sensor_id, user), set())

    def create_session(self, sensor_id: int, user: bytes, notify: Callable[[Callback], None]) -> "HalSession":
        """Open a session; `notify` receives its callbacks in order.

        Raises:
            SessionInUse: one is open.
            InputRefused: no such sensor.
        """
        if self._live is not None and self._live.state is not SessionState.CLOSED:
            raise SessionInUse("a session is open", hint="close it first")
        features = self.features(sensor_id, user)
        self._live = HalSession(
            self.authority, self._templates[sensor_id], sensor_id, user, notify=notify, features=features
        )
        return self._live


class HalSession:
    """One live session. Every operation returns a number for `cancel`; its answer is a callback."""

    def __init__(
        self,
        authority: SensorRules,
        templates: Templates,
        sensor_id: int,
        user: bytes,
        *,
        notify: Callable[[Callback], None],
        features: set[Feature],
    ) -> None:
        self._authority = authority
        self._templates = templates
        self._sensor_id = sensor_id
        self._user = user
        self._notify = notify
        self._features = features
        self._kind = authority.props(sensor_id).kind
        self._captures = CaptureRules(authority, templates, sensor_id, user)
        self._queue: deque[tuple[int, SessionEvent, Callable[[], None]]] = deque()
        self._numbers = 0
        self._current = 0
        self._enrolling: Enrolling | None = None
        self._operation_id = 0
        self.state = step(SessionState.CLOSED, SessionEvent.CREATE)

    @property
    def _enrolled(self) -> int:
        return len(self._templates.ids(self._user))

    def generate_challenge(self) -> int:
        """generateChallenge."""
        return self._answer(
            SessionEvent.GENERATE_CHALLENGE,
            lambda: cb.ChallengeGenerated(self._authority.generate_challenge(self._sensor_id, self._user)),
        )

    def revoke_challenge(self, challenge: int) -> int:
        """revokeChallenge; an unknown one is echoed too."""

        def answer() -> Callback:
            self._authority.revoke_challenge(self._sensor_id, self._user, challenge)
            return cb.ChallengeRevoked(challenge)

        return self._answer(SessionEvent.REVOKE_CHALLENGE, answer)

    def enroll(
        self,
        token: bytes,
        *,
        touches: int = DEFAULT_TOUCHES,
        enrollment_type: EnrollmentType = EnrollmentType.DEFAULT,
        guided: bool = False,
        enrollment_id: int | None = None,
    ) -> int:
        """enroll. `guided` walks a face through stages and cells; otherwise `touches` good captures do."""

        def run() -> None:
            ids = self._templates.ids(self._user)
            try:
                seen = self._authority.allow_enrollment(self._sensor_id, self._user, token, enrollments=len(ids))
            except TokenUnusable:
                return self._say([OperationError(ErrorCode.UNABLE_TO_PROCESS)])
            if len(ids) >= self._authority.props(self._sensor_id).max_enrollments:
                return self._say([OperationError(ErrorCode.NO_SPACE)])
            wanted = enrollment_id or max(ids, default=0) + 1
            if wanted in ids:
                return self._say([OperationError(ErrorCode.UNABLE_TO_PROCESS)])
            progress: TouchProgress | FaceProgress = TouchProgress(touches)
            if guided and self._kind is Modality.FACE:
                progress = FaceProgress(enrollment_config(enrollment_type))
            self._enrolling = Enrolling(seen, wanted, progress)
            return None

        return self._submit(SessionEvent.ENROLL, run)

    def authenticate(self, operation_id: int) -> int:
        """authenticate: the token will carry `operation_id` as its challenge."""

        def run() -> None:
            self._operation_id = operation_id
            self._say(lock_callback(self._authority.lock_status(self._sensor_id, self._user)))

        return self._submit(SessionEvent.AUTHENTICATE, run)

    def detect_interaction(self) -> int:
        """detectInteraction: presence only; never touches the lockout."""

        def run() -> None:
            if not self._authority.props(self._sensor_id).detect_interaction:
                self._say([OperationError(ErrorCode.UNABLE_TO_PROCESS)])

        return self._submit(SessionEvent.DETECT_INTERACTION, run)

    def enumerate_enrollments(self) -> int:
        """enumerateEnrollments."""
        return self._answer(
            SessionEvent.ENUMERATE_ENROLLMENTS, lambda: cb.EnrollmentsEnumerated(self._templates.ids(self._user))
        )

    def remove_enrollments(self, ids: tuple[int, ...]) -> int:
        """removeEnrollments. The answer names what was removed, not what was asked for."""
        return self._answer(
            SessionEvent.REMOVE_ENROLLMENTS, lambda: cb.EnrollmentsRemoved(self._templates.remove(self._user, ids))
        )

    def get_authenticator_id(self) -> int:
        """getAuthenticatorId."""
        return self._answer(
            SessionEvent.GET_AUTHENTICATOR_ID,
            lambda: cb.AuthenticatorIdRetrieved(
                self._authority.authenticator_id(self._sensor_id, self._user, enrollments=self._enrolled)
            ),
        )

    def invalidate_authenticator_id(self) -> int:
        """invalidateAuthenticatorId."""
        return self._answer(
            SessionEvent.INVALIDATE_AUTHENTICATOR_ID,
            lambda: cb.AuthenticatorIdInvalidated(
                self._authority.invalidate(self._sensor_id, self._user, enrollments=self._enrolled)
            ),
        )

    def reset_lockout(self, token: bytes) -> int:
        """resetLockout."""

        def answer() -> Callback:
            try:
                self._authority.reset_lockout(self._sensor_id, self._user, token)
            except TokenUnusable:
                return OperationError(ErrorCode.UNABLE_TO_PROCESS)
            return cb.LockoutCleared()

        return self._answer(SessionEvent.RESET_LOCKOUT, answer)

    def get_features(self) -> int:
        """getFeatures (faces)."""
        return self._answer(
            SessionEvent.GET_FEATURES,
            lambda: (
                cb.FeaturesRetrieved(tuple(sorted(self._features)))
                if self._enrolled
                else OperationError(ErrorCode.UNABLE_TO_PROCESS)
            ),
        )

    def set_feature(self, token: bytes, feature: Feature, enabled: bool) -> int:
        """setFeature (faces). Wants a live challenge like an enrollment."""

        def answer() -> Callback:
            count = self._enrolled
            try:
                self._authority.allow_enrollment(self._sensor_id, self._user, token, enrollments=count)
            except TokenUnusable:
                return OperationError(ErrorCode.UNABLE_TO_PROCESS)
            if not count:
                return OperationError(ErrorCode.UNABLE_TO_PROCESS)
            (self._features.add if enabled else self._features.discard)(feature)
            return cb.FeatureSet(feature)

        return self._answer(SessionEvent.SET_FEATURE, answer)

    def _answer(self, event: SessionEvent, answer: Callable[[], Callback]) -> int:
        return self._submit(event, lambda: self._end(answer()))

    def _submit(self, event: SessionEvent, run: Callable[[], None]) -> int:
        if self.state is SessionState.CLOSED:
            step(self.state, event)
        if len(self._queue) >= QUEUE_DEPTH:
            raise QueueFull(
                f"{QUEUE_DEPTH} operations are waiting", hint="wait for the last callback of the running one"
            )
        self._numbers += 1
        self._queue.append((self._numbers, event, run))
        return self._numbers

    def pump(self) -> None:
        """Run queued operations until one waits for a person or the queue is empty."""
        while self._queue and self.state is SessionState.IDLING:
            self._current, event, run = self._queue.popleft()
            self.state = step(self.state, event)
            run()

    def present(self, capture: Capture) -> None:
        """A person touches or looks at the sensor while an operation waits.

        Raises:
            WrongState: nothing waits for a capture.
        """
        self.state = step(self.state, SessionEvent.CAPTURE)
        if capture.error is not None:
            self._say([*self._captures.acquired(capture), capture.error])
        elif self._enrolling is not None:
            self._say(self._captures.enrollment(self._enrolling, capture))
        elif self.state is SessionState.DETECTING_INTERACTION:
            self._say(self._captures.interaction(capture))
        else:
            self._say(self._captures.authentication(capture, self._operation_id))

    def _say(self, callbacks: list[Callback]) -> None:
        for callback in callbacks:
            if is_terminal(callback, self._kind):
                return self._end(callback)
            self._notify(callback)
        return None

    def _end(self, callback: Callback) -> None:
        self.state = step(self.state, SessionEvent.FINISH)
        self._enrolling = None
        self._notify(callback)

    def cancel(self, number: int | None = None) -> None:
        """Cancel an operation by its number (default: the running one), started or still queued."""
        for entry in self._queue:
            if entry[0] == number:
                self._queue.remove(entry)
                self._notify(OperationError(ErrorCode.CANCELED))
                return
        if self.state in CANCELLABLE and number in (None, self._current):
            self.state = step(self.state, SessionEvent.CANCEL)
            self._enrolling = None
            self._notify(OperationError(ErrorCode.CANCELED))

    def close(self) -> None:
        """End the session.

        Raises:
            WrongState: an operation runs or waits.
        """
        if self._queue:
            raise WrongState("close is not allowed while operations wait", hint="wait for their last callbacks")
        self.state = step(self.state, SessionEvent.CLOSE)
        self._notify(cb.SessionClosed())

    def client_died(self) -> None:
        """The client is gone: drop everything and close. Safe to call twice."""
        if self.state is not SessionState.CLOSED:
            self.state = step(self.state, SessionEvent.CLIENT_DIED)
            self._queue.clear()
            self._enrolling = None
            self._notify(cb.SessionClosed())
