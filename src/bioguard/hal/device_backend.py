"""A device's secure world behind the session rules: every decision is one real comparison there.

An enrollment id is the first 31 bits of the record's id, and never 0. Removing enrollments is the operator's erasure,
which the log says: AIDL's removeEnrollments carries no token, the settings application that asks for the PIN stands in.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from bioguard.commands.biometric import EraseAuthorization
from bioguard.device import Device, pins
from bioguard.device.captures import NoSample, SensorSample
from bioguard.device.errors import promised
from bioguard.device.fingers import finger_name
from bioguard.device.recognition import Recognition
from bioguard.errors import BioguardError, NotAcquired, NotPermitted, TeeUnavailable
from bioguard.hal.backend import BackendDied, Matched, NotMatched, Outcome, PoorCapture
from bioguard.records import Features
from bioguard.records.acquired import AcquiredCode
from bioguard.records.locks import LockStatus
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import SensorProps
from bioguard.records.tokens import AuthToken
from tee_sim.shared.dataclass import dataclass

_BY_OPERATOR = EraseAuthorization(by_operator=True)
_LOCKED = ("lockout.timed", "lockout.permanent")


@dataclass(frozen=True, slots=True)
class DeviceSample:
    """What is presented. model: which embedding model or extractor it is of, empty where its file says nothing."""

    sample: Features | SensorSample
    model: str = ""


@dataclass(frozen=True, slots=True)
class DevicePicture:
    """A picture file that is held to the device's own sensor."""

    picture: bytes


def enrollment_id_of(record_id: bytes) -> int:
    """1..2^31-1."""
    return int.from_bytes(record_id[:4], "big") >> 1 or 1


class DeviceBackend:
    """`bioguard.hal.backend.SensorBackend` of one sensor and user of a device.

    Raises:
        InputRefused: unknown user.
    """

    def __init__(self, device: Device, facts: SensorProps, name: str) -> None:
        device.user_handle(name)
        self._running = device.running
        self.facts = facts
        self._device = device
        self._recognition = Recognition(device)
        self._name = name
        self._sensor = facts.sensor_id

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Tell a secure world that has ended from one that refuses. What it knew of this session went with it: the next
        one, which the device starts when it is asked again, is asked nothing here."""
        self._require_same()
        try:
            yield
        except TeeUnavailable as error:
            if self._running.process.alive:
                raise
            raise BackendDied(error.message, hint=error.hint) from error
        self._require_same()

    def _require_same(self) -> None:
        if self._device.running is not self._running or not self._running.process.alive:
            raise BackendDied(
                f"the secure world had ended ({self._running.process.how_it_ended()})", hint="create a session again"
            )

    def _records(self) -> dict[int, bytes]:
        return {
            enrollment_id_of(one.record_id): one.record_id
            for one in self._recognition.records(self._name)
            if one.sensor == self._sensor
        }

    def enrollment_ids(self) -> tuple[int, ...]:
        with self._asking():
            return tuple(self._records())

    def generate_challenge(self) -> int:
        with self._asking():
            return pins.generate_challenge(self._device, self._name, self.facts.kind, self._sensor)

    def revoke_challenge(self, challenge: int) -> None:
        with self._asking():
            pins.revoke_challenge(self._device, self._name, self.facts.kind, challenge, self._sensor)

    def prepare_enrollment(self, token: bytes) -> int:
        """The id is drawn when the record is stored."""
        with self._asking():
            self._recognition.prepare_enrollment(self._name, self._sensor, token)
        return 0

    def see(self, presented: object) -> object:
        """A picture is captured once; judging looks at the capture, and a decision or an enrollment uses it up."""
        if not isinstance(presented, DevicePicture):
            return presented
        try:
            with self._asking():
                return DeviceSample(self._device.capture(self.facts.kind, presented.picture))
        except NoSample as none:
            return none.acquired

    def judge(self, earlier: tuple[object, ...], sample: object) -> AcquiredCode:
        """VENDOR for what the sensor's extractor made and no sample is."""
        given = _given(sample)
        try:
            with self._asking():
                return self._recognition.judge(
                    self._sensor, [_given(one).sample for one in earlier], given.sample, model=given.model
                )
        except NotAcquired:
            return AcquiredCode.VENDOR

    def enroll(self, token: bytes, samples: tuple[object, ...], position: int) -> int:
        given = [_given(sample) for sample in samples]
        fingers = self.facts.kind is Modality.FINGERPRINT
        with self._asking():
            made = self._recognition.enroll(
                self._name,
                [one.sample for one in given],
                finger=finger_name(position) if fingers else None,
                replace=False,
                token=token,
                model=given[0].model,
                sensor=self._sensor,
            )
        return enrollment_id_of(promised(made.record_id, "a record"))

    def authenticate(self, sample: object, operation_id: int) -> Outcome:
        """A touch that is too poor is no attempt: the secure world compares whatever it is given, and counts it."""
        given = _given(sample)
        if self.facts.kind is Modality.FINGERPRINT:
            code = self.judge((), sample)
            if code is not AcquiredCode.GOOD:
                return PoorCapture(code)
        try:
            with self._asking():
                answer = self._recognition.authenticate(
                    self._name,
                    given.sample,
                    fmr_inverse=0,
                    operation_id=operation_id,
                    model=given.model,
                    sensor=self._sensor,
                )
        except NotAcquired:
            return PoorCapture(AcquiredCode.VENDOR)
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
            return pins.lock_info(self._device, self._name, self.facts.kind, self._sensor)

    def reset_lockout(self, token: bytes) -> None:
        with self._asking():
            pins.reset_lockout(self._device, self._name, self.facts.kind, token, self._sensor)

    def authenticator_id(self) -> int:
        with self._asking():
            return pins.authenticator_id(self._device, self._name, self.facts.kind, self._sensor)

    def invalidate(self) -> int:
        with self._asking():
            return pins.invalidate_authenticator_id(self._device, self._name, self.facts.kind, self._sensor)

    def remove(self, ids: tuple[int, ...]) -> tuple[int, ...]:
        """Each is an erasure of its own: where a later one is refused, what is gone is told, and the rest is there."""
        gone: list[int] = []
        with self._asking():
            for one, record_id in self._records().items():
                if one not in ids:
                    continue
                try:
                    self._recognition.erase(self._name, record_id, _BY_OPERATOR)
                except BioguardError as refusal:
                    if not gone or isinstance(refusal, TeeUnavailable):
                        raise
                    break
                gone.append(one)
        return tuple(gone)

    def features(self) -> frozenset[int]:
        with self._asking():
            return self._recognition.features(self._name, self._sensor)

    def set_feature(self, token: bytes, feature: int, enabled: bool) -> None:
        with self._asking():
            self._recognition.set_feature(self._name, self._sensor, token, feature, enabled=enabled)


def _given(sample: object) -> DeviceSample:
    if not isinstance(sample, DeviceSample):
        raise TypeError(f"a {type(sample).__name__} is no DeviceSample")
    return sample
