"""A device's secure world behind the session rules: every decision is one real comparison there.

An enrollment id is the first 31 bits of the record's id, and never 0. Removing enrollments is the operator's erasure,
which the log says: AIDL's removeEnrollments carries no token, the settings application that asks for the PIN stands in.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from bioguard.commands import sensor as commands
from bioguard.commands.biometric import EraseAuthorization
from bioguard.device import Device, pins
from bioguard.device.captures import SensorSample
from bioguard.device.errors import promised
from bioguard.device.fingers import FINGERS, finger_name
from bioguard.device.recognition import Recognition
from bioguard.errors import NotPermitted, TeeUnavailable
from bioguard.hal.backend import BackendDied, Matched, NotMatched, Outcome, SensorFacts
from bioguard.records import Features
from bioguard.records.acquired import AcquiredCode
from bioguard.records.locks import LockStatus
from bioguard.records.modality import Modality
from bioguard.records.tokens import AuthToken
from tee_sim.shared.dataclass import dataclass

_BY_OPERATOR = EraseAuthorization(by_operator=True)
_LOCKED = ("lockout.timed", "lockout.permanent")


@dataclass(frozen=True, slots=True)
class DeviceSample:
    """What is presented. model: which embedding model or extractor it is of, empty where its file says nothing."""

    sample: Features | SensorSample
    model: str = ""


def enrollment_id_of(record_id: bytes) -> int:
    """1..2^31-1."""
    return int.from_bytes(record_id[:4], "big") >> 1 or 1


class DeviceBackend:
    """`bioguard.hal.backend.SensorBackend` of one sensor and user of a device.

    Raises:
        InputRefused: unknown user.
    """

    def __init__(self, device: Device, facts: SensorFacts, name: str) -> None:
        device.user_handle(name)
        self.facts = facts
        self._device = device
        self._recognition = Recognition(device)
        self._name = name

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Tell a secure world that has ended from one that refuses."""
        try:
            yield
        except TeeUnavailable as error:
            if self._device.running.process.alive:
                raise
            raise BackendDied(error.message, hint=error.hint) from error

    def _records(self) -> dict[int, bytes]:
        return {
            enrollment_id_of(one.record_id): one.record_id
            for one in self._recognition.records(self._name)
            if one.modality is self.facts.kind
        }

    def enrollment_ids(self) -> tuple[int, ...]:
        with self._asking():
            return tuple(self._records())

    def generate_challenge(self) -> int:
        with self._asking():
            return pins.generate_challenge(self._device, self._name, self.facts.kind)

    def revoke_challenge(self, challenge: int) -> None:
        with self._asking():
            request = commands.RevokeChallenge(
                user=self._device.user_handle(self._name), modality=self.facts.kind, challenge=challenge
            )
            self._device.ask(commands.REVOKE_CHALLENGE, request)

    def prepare_enrollment(self, token: bytes) -> int:
        """The id is drawn when the record is stored."""
        return 0

    def judge(self, earlier: tuple[object, ...], sample: object) -> AcquiredCode:
        return AcquiredCode.GOOD

    def enroll(self, token: bytes, samples: tuple[object, ...], position: int) -> int:
        given = [_given(sample) for sample in samples]
        finger = finger_name(position) if position else None
        if self.facts.kind is Modality.FINGERPRINT and finger is None:
            taken = {one.position for one in self._recognition.records(self._name)}
            finger = next(name for name, number in FINGERS.items() if number not in taken)
        with self._asking():
            made = self._recognition.enroll(
                self._name,
                [one.sample for one in given],
                finger=finger,
                replace=False,
                token=token,
                model=given[0].model,
            )
        return enrollment_id_of(promised(made.record_id, "a record"))

    def authenticate(self, sample: object, operation_id: int) -> Outcome:
        given = _given(sample)
        try:
            with self._asking():
                answer = self._recognition.authenticate(
                    self._name, given.sample, fmr_inverse=0, operation_id=operation_id, model=given.model
                )
        except NotPermitted as refusal:
            if refusal.code in _LOCKED:
                return self.lock_status()
            raise
        if not answer.match:
            return NotMatched()
        token = AuthToken.from_bytes(answer.token) if answer.token else None
        return Matched(enrollment_id_of(promised(answer.record_id, "a record")), token)

    def lock_status(self) -> LockStatus:
        with self._asking():
            return pins.lock_info(self._device, self._name, self.facts.kind)

    def reset_lockout(self, token: bytes) -> None:
        with self._asking():
            request = commands.ResetLockout(
                user=self._device.user_handle(self._name), modality=self.facts.kind, token=token
            )
            self._device.ask(commands.RESET_LOCKOUT, request)

    def authenticator_id(self) -> int:
        with self._asking():
            return pins.authenticator_id(self._device, self._name, self.facts.kind)

    def invalidate(self) -> int:
        with self._asking():
            request = commands.SensorRequest(user=self._device.user_handle(self._name), modality=self.facts.kind)
            return self._device.ask(commands.INVALIDATE_AUTHENTICATOR_ID, request).authenticator_id

    def remove(self, ids: tuple[int, ...]) -> tuple[int, ...]:
        with self._asking():
            there = self._records()
            gone = tuple(one for one in there if one in ids)
            for one in gone:
                self._recognition.erase(self._name, there[one], _BY_OPERATOR)
            return gone

    def features(self) -> frozenset[int]:
        return frozenset()

    def set_feature(self, token: bytes, feature: int, enabled: bool) -> None:
        raise NotPermitted("features are not kept yet", hint="enroll without", code="sensor.no_feature")


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultSensor:
    """The sensor of a modality on a device that was made without a table of sensors."""

    sensor_id: int
    kind: Modality
    detect_interaction: bool = True
    under_display: bool = False
    handles_display_touches: bool = False
    controls_illumination: bool = False


def default_sensors(_device: Device) -> tuple[SensorFacts, ...]:
    """One of each modality."""
    return (
        DefaultSensor(sensor_id=0, kind=Modality.FINGERPRINT),
        DefaultSensor(sensor_id=1, kind=Modality.FACE),
    )


def _given(sample: object) -> DeviceSample:
    if not isinstance(sample, DeviceSample):
        raise TypeError(f"a {type(sample).__name__} is no DeviceSample")
    return sample
