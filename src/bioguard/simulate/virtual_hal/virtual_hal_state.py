"""What a virtual HAL keeps: enrollments as lists of ids, states in memory, and its sensor as the knobs describe it."""

from dataclasses import dataclass

from bioguard.records.modality import Modality
from bioguard.records.sensor_props import FaceSensorType, FingerprintSensorType, Location, SensorProps
from bioguard.records.strength import SensorStrength
from bioguard.records.tokens import AuthenticatorType, AuthToken, MalformedToken, TokenRejected
from bioguard.simulate.knobs.grammar import location
from bioguard.simulate.knobs.properties import SensorProperties
from bioguard.trusted.sensor.authorization import SensorUserState
from bioguard.trusted.sensor.lockout import ANDROID_13, LockoutPolicy
from tee_sim.shared.clock import Clock
from tee_sim.shared.rng import Rng

_FINGERPRINT_TYPES = {
    "default": FingerprintSensorType.REAR,
    "rear": FingerprintSensorType.REAR,
    "udfps": FingerprintSensorType.UNDER_DISPLAY_OPTICAL,
    "udfps-us": FingerprintSensorType.UNDER_DISPLAY_ULTRASONIC,
    "side": FingerprintSensorType.POWER_BUTTON,
}
_LOCATIONS = {
    "udfps": Location.of(400, 1600, 150),
    "udfps-us": Location.of(400, 1600, 150),
    "side": Location.of(0, 600, 150),
}
"""The virtual HAL's own places."""
_FACE_TYPES = {"RGB": FaceSensorType.RGB, "IR": FaceSensorType.IR}
_FACE_THRESHOLDS = (3, 5)
"""The face HAL's own defaults; the fingerprint HAL's are the knobs' defaults."""


class MemoryStates:
    """`SensorStates` as canonical bytes in memory: what a sealed store would keep."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, bytes], bytes] = {}

    def load(self, sensor_id: int, user: bytes) -> SensorUserState:
        stored = self.rows.get((sensor_id, user))
        return SensorUserState() if stored is None else SensorUserState.from_bytes(stored)

    def save(self, sensor_id: int, user: bytes, state: SensorUserState) -> None:
        self.rows[sensor_id, user] = state.to_bytes()


@dataclass(frozen=True, slots=True)
class KeyTokens:
    """`BootTokens` with the key at hand, which only a model of a device has."""

    key: bytes
    states: MemoryStates
    clock: Clock

    def check(self, data: bytes) -> bool:
        try:
            AuthToken.from_bytes(data).verify(self.key)
        except (MalformedToken, TokenRejected):
            return False
        return True

    def make(self, sensor_id: int, user: bytes, challenge: int) -> bytes:
        state = self.states.load(sensor_id, user)
        return AuthToken.sign(
            self.key,
            challenge=challenge,
            user_id=state.secure_user_id,
            authenticator_id=state.authenticator_id,
            authenticator_type=AuthenticatorType.FINGERPRINT,
            timestamp_ms=self.clock.boot_ms(),
        ).to_bytes()


class IdTemplates:
    """Enrollments of one sensor whose samples are ids: a sample matches the enrollment of the same number."""

    def __init__(self, sensor_id: int, states: MemoryStates) -> None:
        self._sensor_id = sensor_id
        self._states = states
        self.enrolled: dict[bytes, tuple[int, ...]] = {}

    def ids(self, user: bytes) -> tuple[int, ...]:
        return self.enrolled.get(user, ())

    def match(self, user: bytes, sample: object) -> int:
        """The id of the enrollment the sample belongs to, or 0."""
        return sample if isinstance(sample, int) and sample in self.ids(user) else 0

    def add(self, user: bytes, enrollment_id: int, state: SensorUserState) -> None:
        """Store an enrollment and the authority's new state, both or neither."""
        self.enrolled[user] = (*self.ids(user), enrollment_id)
        self._states.save(self._sensor_id, user, state)

    def remove(self, user: bytes, ids: tuple[int, ...]) -> tuple[int, ...]:
        gone = tuple(i for i in self.ids(user) if i in ids)
        self.enrolled[user] = tuple(i for i in self.ids(user) if i not in ids)
        return gone


class ForcedRng:
    """Another generator, whose next eight bytes can be decided."""

    def __init__(self, inner: Rng) -> None:
        self._inner = inner
        self._forced = b""

    def force(self, value: int) -> None:
        """The next request for eight bytes answers this number."""
        self._forced = value.to_bytes(8, "little")

    def bytes(self, n: int) -> bytes:
        if n == len(self._forced):
            forced, self._forced = self._forced, b""
            return forced
        return self._inner.bytes(n)


def props_of(kind: Modality, knobs: SensorProperties) -> SensorProps:
    """The sensor the knobs describe. Enrolling is never possible on more than max_enrollments."""
    fingerprint = kind is Modality.FINGERPRINT
    return SensorProps(
        sensor_id=knobs.number("sensor_id"),
        kind=kind,
        strength=SensorStrength(knobs.number("sensor_strength")),
        max_enrollments=knobs.number("max_enrollments"),
        sensor_type=_FINGERPRINT_TYPES[knobs.text("type")] if fingerprint else _FACE_TYPES[knobs.text("face_type")],
        detect_interaction=knobs.flag("detect_interaction"),
        location=location(knobs.text("sensor_location"), _LOCATIONS.get(knobs.text("type"))) if fingerprint else None,
        navigation_gestures=knobs.flag("navigation_guesture"),
        handles_display_touches=knobs.flag("udfps.display_touch"),
        controls_illumination=knobs.flag("udfps.control_illumination"),
    )


def policy_of(kind: Modality, knobs: SensorProperties) -> LockoutPolicy:
    """The lockout the knobs describe, or the product's own: it cannot be switched off."""
    if not knobs.flag("lockout_enable"):
        return ANDROID_13
    changed = knobs.changed()
    timed, permanent = (knobs.number(f"lockout_{tier}_threshold") for tier in ("timed", "permanent"))
    if kind is Modality.FACE:
        timed = timed if "lockout_timed_threshold" in changed else _FACE_THRESHOLDS[0]
        permanent = permanent if "lockout_permanent_threshold" in changed else _FACE_THRESHOLDS[1]
    return LockoutPolicy(
        name="scripted",
        timed_every=timed if knobs.flag("lockout_timed_enable") else 0,
        timed_ms=knobs.number("lockout_timed_duration"),
        permanent_at=permanent,
        source="knobs",
    )
