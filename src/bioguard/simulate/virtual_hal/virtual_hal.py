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
from bioguard.hal.callbacks import Callback
from bioguard.hal.hal import HalSession, SessionHost
from bioguard.hal.session import SessionState
from bioguard.records.modality import Modality
from bioguard.simulate.faults.scripted_sensor import ScriptedSensor
from bioguard.simulate.knobs.properties import SensorProperties
from bioguard.simulate.virtual_hal.virtual_hal_state import (
    ForcedRng,
    IdTemplates,
    KeyTokens,
    MemoryStates,
    policy_of,
    props_of,
)
from bioguard.simulate.virtual_hal.virtual_sensor import IdBackend, PlayedIds
from bioguard.trusted.sensor.authorization import SensorAuthorization, new_authenticator_id
from bioguard.trusted.sensor.pins import Pins
from tee_sim.shared.clock import FakeClock
from tee_sim.shared.rng import Rng


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
        self._host = SessionHost()

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
        if self.knobs.numbers("features"):
            state = self.states.load(self.props.sensor_id, user)
            features = sum({1 << number for number in self.knobs.numbers("features")})
            self.states.save(self.props.sensor_id, user, replace(state, features=state.features | features))
        backend = IdBackend(self.authority, self.templates, self.props, user, knobs=self.knobs, rng=self.rng)
        script = ScriptedSensor(self.kind, PlayedIds(self.kind, self.knobs, self.rng))
        calls = self._host.create_session(backend, notify, script=script, pass_ms=self.clock.advance)
        return VirtualSession(calls)


class VirtualSession:
    """A session with a person in front of it.

    Attributes:
        calls: the session's own operations (`bioguard.hal.hal.HalSession`).
    """

    def __init__(self, calls: HalSession) -> None:
        self.calls = calls

    def generate_challenge(self) -> None:
        """generateChallenge, at once."""
        self.calls.generate_challenge()
        self.calls.pump()

    def enroll(self, token: bytes) -> None:
        """Begin an enrollment by the script, or by its default."""
        self.calls.enroll(token)
        self.calls.pump()

    def pointer_down(self) -> None:
        """A finger touches, a face looks. Under a display nothing happens until it is ready."""
        self.calls.pump()
        if self.calls.state is not SessionState.IDLING:
            self.calls.present(None)

    def ui_ready(self) -> None:
        """The display lights the finger."""
        self.calls.on_ui_ready()

    def tick(self) -> None:
        """Let time be noticed: a timed lockout that is over is told once."""
        self.calls.tick()
