"""A virtual HAL: Android's knobs in front of the real contract. A "finger" is an id; tokens and lockout are real.

    clock = FakeClock()
    properties = SensorProperties({"enrollment_hit": "1"})
    hal = VirtualHal(Modality.FINGERPRINT, properties, clock=clock, rng=OsRng(), token_key=key)
    session = hal.create_session(user, notify)
    session.calls.authenticate(operation_id=7)
    session.pointer_down()

Nothing sleeps: latencies move the stepped clock.
"""

from collections.abc import Callable
from dataclasses import replace

from bioguard.commands.gatekeeper import PinHeld
from bioguard.commands.status import GatekeeperStatus
from bioguard.hal import callbacks as cb
from bioguard.hal.aidl_codes import ErrorCode, Feature
from bioguard.hal.callbacks import Callback, OperationError
from bioguard.hal.captures import Capture
from bioguard.hal.hal import HalSession, SessionHost
from bioguard.hal.session import SessionState
from bioguard.records.locks import Lock
from bioguard.records.modality import Modality
from bioguard.simulate.faults.grammar import (
    FACE_DEFAULT_ENROLLMENT,
    EnrollmentStep,
    NextEnrollment,
    acquired_code,
    next_enrollment,
)
from bioguard.simulate.faults.presentation import Presentation, SensorScript, Who, forced_error
from bioguard.simulate.faults.properties import SensorProperties
from bioguard.simulate.virtual_hal.virtual_hal_state import (
    ForcedRng,
    IdTemplates,
    KeyTokens,
    MemoryStates,
    policy_of,
    props_of,
)
from bioguard.trusted.sensor.authorization import SensorAuthorization, new_authenticator_id
from bioguard.trusted.sensor.pins import Pins
from tee_sim.shared.clock import FakeClock
from tee_sim.shared.rng import Rng

FACE_SEEN = (21, 24, 3, 3, 3, 3, 1, 1)
FACE_NOT_SEEN = (21, 24, *[12] * 56)
"""The face HAL's own default frames: START, FIRST_FRAME_RECEIVED, then TOO_BRIGHT and GOOD, or NOT_DETECTED."""
FINGERPRINT_DEFAULT_STEPS = (EnrollmentStep(100), EnrollmentStep(100), EnrollmentStep(100))


def _any_token(user: bytes, secure_user_id: int = 0) -> PinHeld:
    return PinHeld(status=GatekeeperStatus.OK, has_pin=secure_user_id != 0, is_current=True)


class VirtualHal:
    """One virtual sensor.

    Args:
        clock: moved by latencies.
        token_key: the token key of this boot.
        states: give the same object to a new HAL to play a crash or a reboot.
        pins: which users have a PIN; by default the secure user id in a token is believed, as a HAL without a way to
            Gatekeeper has to.
    """

    def __init__(
        self,
        kind: Modality,
        knobs: SensorProperties,
        *,
        clock: FakeClock,
        rng: Rng,
        token_key: bytes,
        states: MemoryStates | None = None,
        pins: Pins = _any_token,
    ) -> None:
        self.kind = kind
        self.knobs = knobs
        self.clock = clock
        self.rng = ForcedRng(rng)
        self.props = props_of(kind, knobs)
        self.states = states or MemoryStates()
        self.templates = IdTemplates(self.props.sensor_id, self.states)
        self.authority = SensorAuthorization(
            [self.props],
            states=self.states,
            policy=policy_of(kind, knobs),
            clock=clock,
            rng=self.rng,
            boot_tokens=KeyTokens(token_key, self.states, clock),
            pins=pins,
        )
        self._host = SessionHost(self.authority, {self.props.sensor_id: self.templates})

    def create_session(
        self, user: bytes, notify: Callable[[Callback], None], *, secure_user_id: int = 0
    ) -> "VirtualSession":
        """Open a session. Ids in the `enrollments` knob belong to this user, and to `secure_user_id` if it is given."""
        preset = self.knobs.numbers("enrollments")
        if preset and user not in self.templates.enrolled:
            self.templates.enrolled[user] = preset
            state = self.states.load(self.props.sensor_id, user)
            chosen = self.knobs.number("authenticator_id") or new_authenticator_id(self.rng, state.authenticator_id)
            owned = replace(state, authenticator_id=chosen, secure_user_id=secure_user_id or state.secure_user_id)
            self.states.save(self.props.sensor_id, user, owned)
        known = tuple(Feature(f) for f in self.knobs.numbers("features") if f in list(Feature))
        self._host.features(self.props.sensor_id, user).update(known)
        return VirtualSession(self, self._host, user, notify)


class VirtualSession:
    """A session with a person in front of it.

    Attributes:
        calls: the session's own operations (`bioguard.hal.hal.HalSession`).
    """

    def __init__(self, hal: VirtualHal, host: SessionHost, user: bytes, notify: Callable[[Callback], None]) -> None:
        self._hal = hal
        self._user = user
        self._notify = notify
        self._script = SensorScript(hal.kind, hal.knobs, hal.rng)
        self._timed = False
        self.calls: HalSession = host.create_session(hal.props.sensor_id, user, self._hear)

    def _hear(self, callback: Callback) -> None:
        self._timed = self._timed or isinstance(callback, cb.LockoutTimed)
        if isinstance(callback, cb.LockoutCleared):
            self._hal.knobs.clear("lockout")
            self._timed = False
        self._notify(callback)

    def generate_challenge(self) -> None:
        """generateChallenge; the `challenge` knob decides its value once."""
        forced = self._hal.knobs.number("challenge")
        if forced:
            self._hal.rng.force(forced)
        self.calls.generate_challenge()
        self.calls.pump()

    def enroll(self, token: bytes) -> None:
        """Enroll by the script, or by its default."""
        script = self._enrollment()
        self.calls.enroll(token, touches=len(script.steps), enrollment_id=script.enrollment_id or None)
        self.calls.pump()

    def _enrollment(self) -> NextEnrollment:
        text = self._hal.knobs.text("next_enrollment")
        if text:
            return next_enrollment(text)
        if self._hal.kind is Modality.FACE:
            return next_enrollment(FACE_DEFAULT_ENROLLMENT)
        return NextEnrollment(0, FINGERPRINT_DEFAULT_STEPS, succeeds=True)

    def pointer_down(self) -> None:
        """A finger touches, a face looks. Under a display nothing happens until it is ready."""
        self.calls.pump()
        waits = self._hal.props.under_display and not self._hal.props.controls_illumination
        if not waits:
            self._capture()

    def ui_ready(self) -> None:
        """The display lights the finger."""
        if self._hal.props.under_display:
            self._capture()

    def tick(self) -> None:
        """Let time be noticed: a timed lockout that is over is told once."""
        if self._timed and self._hal.authority.lock_status(self._hal.props.sensor_id, self._user).lock is Lock.NONE:
            self._hear(cb.LockoutCleared())

    def _capture(self) -> None:
        state = self.calls.state
        if state is SessionState.ENROLLING:
            self._run_enrollment(self._enrollment())
        elif state is SessionState.AUTHENTICATING:
            self._authenticate()
        elif state is SessionState.DETECTING_INTERACTION:
            self._detect()

    def _present(self, shown: Presentation, sample: object) -> None:
        self._hal.clock.advance(shown.delay_ms)
        self.calls.present(Capture(shown.acquired, sample, shown.error, comparable=shown.comparable))

    def _authenticate(self) -> None:
        if self._hal.knobs.flag("lockout"):
            if self._hal.kind is Modality.FINGERPRINT:
                self._notify(cb.LockoutPermanent())
            self.calls.present(Capture((), error=OperationError(ErrorCode.HW_UNAVAILABLE)))
            return
        hit = self._hal.knobs.number("enrollment_hit")
        if self._hal.kind is Modality.FINGERPRINT:
            shown = self._script.present("authenticate")
        else:
            shown = self._script.present("authenticate", FACE_SEEN if hit else FACE_NOT_SEEN)
            if not hit and shown.error is None:
                shown = replace(shown, error=OperationError(ErrorCode.TIMEOUT))
        known = shown.who is Who.GENUINE and not self._script.noise_hides_id()
        self._present(shown, hit if known else 0)

    def _detect(self) -> None:
        shown = self._script.present("detect_interaction")
        if self._hal.knobs.flag("operation_detect_interaction_fails"):
            shown = replace(shown, error=OperationError(ErrorCode.TIMEOUT))
        self._present(shown, None)

    def _run_enrollment(self, script: NextEnrollment) -> None:
        knobs = self._hal.knobs
        self._hal.clock.advance(self._script.delay_ms("enroll"))
        error = forced_error(knobs.number("operation_enroll_error"))
        fails = knobs.flag("operation_enroll_fails") or not script.succeeds
        for number, step in enumerate(script.steps, 1):
            if self.calls.state is not SessionState.ENROLLING:
                return
            last = number == len(script.steps)
            if error is None and last and fails:
                error = OperationError(ErrorCode.UNABLE_TO_PROCESS)
            if error is not None:
                self.calls.present(Capture((), error=error))
                break
            self._hal.clock.advance(step.duration_ms)
            codes = tuple(acquired_code(c, self._hal.kind) for c in step.codes)
            sample = script.enrollment_id or -1
            self.calls.present(Capture(codes, sample, comparable=True))
        knobs.clear("next_enrollment")
