"""Live sessions: operations in, callbacks out. The machine between `session`, a `backend` and a person.

Rules:
* one session at a time; operations wait in a queue of five and run one by one, in order; a sixth is refused;
* what a person must do comes in by `present` while an operation waits for them;
* each operation ends with exactly one terminal callback; a rejected finger does not end it, a rejected face does;
* interrupting calls (pointers, the display, contexts) act at once and have no callback.
"""

from collections.abc import Callable, Iterator
from itertools import count

from bioguard.commands.biometric import MAX_VIEWS
from bioguard.errors import BioguardError, InputRefused, NotPermitted
from bioguard.hal import callbacks as cb
from bioguard.hal.aidl_codes import EnrollmentType, ErrorCode, Feature, FingerprintAcquired
from bioguard.hal.backend import BackendDied, SensorBackend
from bioguard.hal.callbacks import Callback, OperationError
from bioguard.hal.captures import CaptureRules, Enrolling, lock_callback
from bioguard.hal.context import OperationContext, PointerContext
from bioguard.hal.enrollment import FaceProgress, Pose, TouchProgress, enrollment_config
from bioguard.hal.operation_errors import error_of
from bioguard.hal.operations import Operations
from bioguard.hal.scripting import Capture, SensorScript, Unscripted, Waiting
from bioguard.hal.session import SessionEvent, SessionState, step
from bioguard.hal.touch import Lying, Touch
from bioguard.records.acquired import AcquiredCode
from bioguard.records.modality import Modality
from tee_sim.shared.dataclass import dataclass

DEFAULT_TOUCHES = 3
_WAITING = {
    SessionState.ENROLLING: Waiting.ENROLL,
    SessionState.AUTHENTICATING: Waiting.AUTHENTICATE,
    SessionState.DETECTING_INTERACTION: Waiting.DETECT_INTERACTION,
}


class SessionInUse(NotPermitted):
    """A second session of a HAL while one is open. The reference HAL aborts the process."""

    code = "session.in_use"


class OtherInterface(InputRefused):
    """IFingerprint has no such method, or IFace has none."""

    code = "session.interface"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceEnrollOptions:
    """face/FaceEnrollOptions.aidl.

    Attributes:
        features: set once the enrollment is stored.
        guided: walk through the stages of this type; otherwise good captures are counted, as for a finger.
    """

    enrollment_type: EnrollmentType = EnrollmentType.DEFAULT
    features: tuple[Feature, ...] = ()
    guided: bool = True


class SessionHost:
    """One HAL and its one live session: the fingerprint HAL with its sensors, or the face HAL.

    Args:
        numbers: of its sessions; the HALs of a device share them.
    """

    def __init__(self, numbers: Iterator[int] | None = None) -> None:
        self._numbers = numbers or count(1)
        self.live: HalSession | None = None

    def create_session(
        self,
        backend: SensorBackend,
        notify: Callable[[Callback], None],
        *,
        script: SensorScript | None = None,
        pass_ms: Callable[[int], None] = lambda _ms: None,
    ) -> "HalSession":
        """Open a session; `notify` receives its callbacks in order.

        Args:
            script: what the sensor makes of what is presented.
            pass_ms: lets the milliseconds pass that the script says a capture takes.

        Raises:
            SessionInUse: one is open; the message names it, for a caller who lost track.
        """
        if self.live is not None and self.live.state is not SessionState.CLOSED:
            raise SessionInUse(f"session {self.live.number} is open", hint="close it first")
        number = next(self._numbers)
        self.live = HalSession(backend, notify, number=number, script=script or Unscripted(), pass_ms=pass_ms)
        return self.live


class HalSession(Operations):
    """One live session. Every operation returns a number for `cancel`; its answer is a callback."""

    def __init__(
        self,
        backend: SensorBackend,
        notify: Callable[[Callback], None],
        *,
        number: int,
        script: SensorScript,
        pass_ms: Callable[[int], None],
    ) -> None:
        super().__init__(backend, notify)
        self.number = number
        self._script = script
        self._pass_ms = pass_ms
        self._captures = CaptureRules(backend, self._pass)
        self._touch = Touch(backend.facts)
        self._enrolling: Enrolling | None = None
        self._operation_id = 0
        self.context = OperationContext()
        """What the caller said last of the moment."""

    def generate_challenge(self) -> int:
        """generateChallenge."""
        return self._answer(
            SessionEvent.GENERATE_CHALLENGE, lambda: cb.ChallengeGenerated(self._backend.generate_challenge())
        )

    def revoke_challenge(self, challenge: int) -> int:
        """revokeChallenge; an unknown one is echoed too."""

        def answer() -> Callback:
            self._backend.revoke_challenge(challenge)
            return cb.ChallengeRevoked(challenge)

        return self._answer(SessionEvent.REVOKE_CHALLENGE, answer)

    def enroll(
        self,
        token: bytes,
        *,
        touches: int = DEFAULT_TOUCHES,
        position: int = 0,
        options: FaceEnrollOptions | None = None,
        context: OperationContext | None = None,
    ) -> int:
        """enroll, enrollWithContext, enrollWithOptions.

        Args:
            touches: good captures that it takes, 1..16; a script may want others.
            position: of the finger, 0 where it is not named.
            options: walk a face through stages and cells, which then take as many captures as they have cells.

        Raises:
            InputRefused: so many touches, a position that no finger has, or one of a face, or options for a finger.
        """
        if not 1 <= touches <= MAX_VIEWS:
            raise InputRefused(
                f"an enrollment takes 1 to {MAX_VIEWS} touches", hint="ask for fewer", code="session.touches"
            )
        if options is not None:
            self._require(Modality.FACE, "enrollWithOptions")
        if position not in self._kind.positions:
            raise InputRefused(
                f"no {self._kind.word} has the position {position}",
                hint="1 to 10 of a finger, 0 where it is not named and of a face",
                code="enroll.finger",
            )

        def run() -> None:
            self._take_context(context)
            enrollment_id = self._backend.prepare_enrollment(token)
            progress: TouchProgress | FaceProgress = TouchProgress(self._script.touches(touches))
            if options is not None and options.guided:
                progress = FaceProgress(enrollment_config(options.enrollment_type))
            features = options.features if options is not None else ()
            self._enrolling = Enrolling(token, enrollment_id, progress, position, features)

        return self._submit(SessionEvent.ENROLL, run)

    def authenticate(self, operation_id: int, context: OperationContext | None = None) -> int:
        """authenticate, authenticateWithContext: the token will carry `operation_id` as its challenge."""

        def run() -> None:
            self._take_context(context)
            self._operation_id = operation_id
            self._say(lock_callback(self._backend.lock_status()))

        return self._submit(SessionEvent.AUTHENTICATE, run)

    def detect_interaction(self, context: OperationContext | None = None) -> int:
        """detectInteraction, detectInteractionWithContext: presence only; never touches the lockout."""

        def run() -> None:
            self._take_context(context)
            if not self._backend.facts.detect_interaction:
                self._end(OperationError(ErrorCode.UNABLE_TO_PROCESS))

        return self._submit(SessionEvent.DETECT_INTERACTION, run)

    def enumerate_enrollments(self) -> int:
        """enumerateEnrollments."""
        return self._answer(
            SessionEvent.ENUMERATE_ENROLLMENTS, lambda: cb.EnrollmentsEnumerated(self._backend.enrollment_ids())
        )

    def remove_enrollments(self, ids: tuple[int, ...]) -> int:
        """removeEnrollments. The answer names what was removed, not what was asked for."""

        def answer() -> Callback:
            try:
                return cb.EnrollmentsRemoved(self._backend.remove(ids))
            except BackendDied:
                raise
            except BioguardError as refusal:
                return error_of(refusal, ErrorCode.UNABLE_TO_REMOVE)

        return self._answer(SessionEvent.REMOVE_ENROLLMENTS, answer)

    def get_authenticator_id(self) -> int:
        """getAuthenticatorId."""
        return self._answer(
            SessionEvent.GET_AUTHENTICATOR_ID, lambda: cb.AuthenticatorIdRetrieved(self._backend.authenticator_id())
        )

    def invalidate_authenticator_id(self) -> int:
        """invalidateAuthenticatorId."""
        return self._answer(
            SessionEvent.INVALIDATE_AUTHENTICATOR_ID, lambda: cb.AuthenticatorIdInvalidated(self._backend.invalidate())
        )

    def reset_lockout(self, token: bytes) -> int:
        """resetLockout."""

        def answer() -> Callback:
            self._backend.reset_lockout(token)
            return cb.LockoutCleared()

        return self._answer(SessionEvent.RESET_LOCKOUT, answer)

    def get_features(self) -> int:
        """getFeatures (faces)."""
        self._require(Modality.FACE, "getFeatures")

        def answer() -> Callback:
            return cb.FeaturesRetrieved(tuple(Feature(one) for one in sorted(self._backend.features())))

        return self._answer(SessionEvent.GET_FEATURES, answer)

    def set_feature(self, token: bytes, feature: Feature, enabled: bool) -> int:
        """setFeature (faces)."""
        self._require(Modality.FACE, "setFeature")

        def answer() -> Callback:
            self._backend.set_feature(token, int(feature), enabled)
            return cb.FeatureSet(feature)

        return self._answer(SessionEvent.SET_FEATURE, answer)

    def present(self, sample: object | None, pose: Pose | None = None) -> None:
        """A person touches or looks at the sensor; a finger on a display lies there until it is captured or lifted.

        Raises:
            WrongState: nothing waits for a capture, on a sensor that captures at once.
        """
        self.require_open(SessionEvent.CAPTURE)
        if self._touch.at_once:
            step(self.state, SessionEvent.CAPTURE)
        self._touch.lay(Lying(sample, pose))
        self._see()

    def lift(self) -> None:
        """The finger is taken away. Before its capture that is too soon (AcquiredInfo LIFT_TOO_SOON)."""
        self.require_open()
        if self._touch.lift() and self.state in _WAITING:
            self._say([cb.Acquired(int(FingerprintAcquired.LIFT_TOO_SOON))])

    def on_pointer_down(self, pointer: PointerContext | None = None) -> None:
        """onPointerDown, onPointerDownWithContext."""
        self._interrupt("onPointerDown")
        self._touch.pointer_down()
        self._see()

    def on_pointer_up(self, pointer: PointerContext | None = None) -> None:
        """onPointerUp, onPointerUpWithContext: the finger is lifted."""
        self._interrupt("onPointerUp")
        self.lift()

    def on_pointer_cancel(self, pointer: PointerContext | None = None) -> None:
        """onPointerCancelWithContext: what began was no touch of the sensor."""
        self._interrupt("onPointerCancel")
        self._touch.lift()

    def on_ui_ready(self) -> None:
        """onUiReady: the display lights the finger."""
        self._interrupt("onUiReady")
        self._touch.ready()
        self._see()

    def set_ignore_display_touches(self, ignored: bool) -> None:
        """setIgnoreDisplayTouches."""
        self._interrupt("setIgnoreDisplayTouches")
        self._touch.ignored = ignored
        self._see()

    def on_context_changed(self, context: OperationContext) -> None:
        """onContextChanged."""
        self.require_open()
        self._take_context(context)

    def take(self, capture: Capture) -> None:
        """The sensor has captured something while an operation waits.

        Raises:
            WrongState: nothing waits for a capture.
        """
        self._move(SessionEvent.CAPTURE)
        self._pass(capture.delay_ms)
        with self._refusals(of_samples=True):
            if capture.error is not None:
                self._say(self._captures.given_up(capture))
            elif self._enrolling is not None:
                self._say(self._captures.enrollment(self._enrolling, capture))
            elif self.state is SessionState.DETECTING_INTERACTION:
                self._say(self._captures.interaction(capture))
            else:
                self._say(self._captures.authentication(capture, self._operation_id))

    def _pass(self, ms: int) -> None:
        if ms:
            self._pass_ms(ms)

    def _see(self) -> None:
        waiting = _WAITING.get(self.state)
        lying = self._touch.captured() if waiting is not None else None
        if lying is None or waiting is None:
            return
        number = self._current
        sample: object = None
        with self._refusals(of_samples=True):
            sample = self._backend.see(lying.sample)
        if isinstance(sample, AcquiredCode):
            self._move(SessionEvent.CAPTURE)
            self._say(self._captures.unseen(sample, lying.pose, self._enrolling))
            return
        for capture in self._script.captures(waiting, sample, lying.pose):
            if _WAITING.get(self.state) is not waiting or self._current != number:
                return
            self.take(capture)

    def _ended(self, state: SessionState, *, canceled: bool) -> None:
        if state is SessionState.ENROLLING and self._enrolling is not None and not canceled:
            self._script.enrollment_ended()
        self._enrolling = None

    def _cleared(self) -> None:
        self._script.lockout_cleared()

    def _sensor_locked(self) -> bool:
        return self._script.locked()

    def _take_context(self, context: OperationContext | None) -> None:
        self.context = context or OperationContext()
        ignoring = self.context.hardware_ignoring_touches
        if ignoring is not None:
            self._touch.ignored = ignoring

    def _interrupt(self, method: str) -> None:
        self._require(Modality.FINGERPRINT, method)

    def _require(self, kind: Modality, method: str) -> None:
        self.require_open()
        if self._kind is not kind:
            has, lacks = ("IFace", "IFingerprint") if kind is Modality.FACE else ("IFingerprint", "IFace")
            raise OtherInterface(f"{lacks} has no {method}", hint=f"{has} has it: open a session of such a sensor")
