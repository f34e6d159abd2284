"""A real locked device with HALs on it: people with PINs, fingers and faces, on a stepped clock."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from bioguard.device import Device, DeviceOptions, clock, pins
from bioguard.device.consent import grant_all
from bioguard.hal import callbacks as cb
from bioguard.hal.backend import SensorFacts
from bioguard.hal.callbacks import Callback
from bioguard.hal.device_backend import DeviceSample
from bioguard.hal.hal import HalSession
from bioguard.hal.scripting import SensorScript
from bioguard.hal.service import HalService, unscripted
from bioguard.records.modality import Modality
from bioguard.simulate.people import face_views, finger_impressions

PIN = b"1234"
CLOCK_MS = 1_769_860_800_000


@lru_cache
def touch(person: int, number: int = 9) -> DeviceSample:
    """A touch of a person's finger."""
    return DeviceSample(finger_impressions(1, person=person, count=1, first=number)[0])


@lru_cache
def look(person: int, number: int = 9) -> DeviceSample:
    """A view of a person's face."""
    return DeviceSample(face_views(1, person=person, count=1, first=number)[0])


SAMPLES = {Modality.FINGERPRINT: touch, Modality.FACE: look}


class Phone:
    """One device and whoever calls its HALs."""

    def __init__(self, device: Device, script: Callable[[SensorFacts], SensorScript] = unscripted) -> None:
        self.device = device
        self.heard: list[tuple[int, Callback]] = []
        self.hal = HalService(device, self._hear, script=script)
        self.watch: Callable[[Callback], None] | None = None
        self.pin_tokens: dict[str, bytes] = {}

    def _hear(self, number: int, callback: Callback) -> None:
        self.heard.append((number, callback))
        if self.watch is not None:
            self.watch(callback)

    def add(self, name: str) -> None:
        """A user with a PIN who consents."""
        self.device.add_user(name)
        grant_all(self.device, name, of_age=True)
        pins.set_pin(self.device, name, PIN)
        self.pin_tokens[name] = pins.verify_pin(self.device, name, PIN)

    @contextmanager
    def session(self, name: str, sensor: int) -> Iterator[int]:
        """A session that is closed at the end, whatever waits in it."""
        number = self.hal.create_session(name, sensor)
        self.heard.clear()
        try:
            yield number
        finally:
            self.hal.client_died()

    def call(self, number: int, run: Callable[[HalSession], object]) -> list[Callback]:
        """What one call brings to this session."""
        self.heard.clear()
        self.hal.call(number, run)
        self.hal.tick()
        return [callback for told, callback in self.heard if told == number]

    def challenge(self, number: int) -> int:
        """A new one of this session."""
        (told,) = self.call(number, lambda session: session.generate_challenge())
        assert isinstance(told, cb.ChallengeGenerated)
        return told.challenge

    def token(self, name: str, challenge: int) -> bytes:
        """A token of the user's PIN."""
        return pins.verify_pin(self.device, name, PIN, challenge=challenge)

    def enroll(self, name: str, sensor: int, person: int) -> int:
        """Enroll a person's finger or face; return the id."""
        with self.session(name, sensor) as number:
            token = self.token(name, self.challenge(number))
            return self.enroll_with(number, token, sensor, person)

    def enroll_with(self, number: int, token: bytes, sensor: int, person: int, **more: int) -> int:
        """Enroll in a session."""
        self.call(number, lambda session: session.enroll(token, **more))
        sample = SAMPLES[self.kind(sensor)]
        for view in range(3):
            heard = self.call(number, lambda session, view=view: session.present(sample(person, view)))
        assert isinstance(heard[-1], cb.EnrollmentProgress), heard
        assert heard[-1].remaining == 0
        return heard[-1].enrollment_id

    def kind(self, sensor: int) -> Modality:
        """Of a sensor."""
        return self.hal.sensors()[sensor].kind

    def attempt(self, number: int, sample: DeviceSample, operation_id: int = 0) -> list[Callback]:
        """One attempt, canceled where it goes on waiting; what it brought before that."""
        heard = self.call(number, lambda session: session.authenticate(operation_id))
        if not any(isinstance(told, cb.LockoutTimed | cb.LockoutPermanent | cb.OperationError) for told in heard):
            heard = self.call(number, lambda session: session.present(sample))
        self.hal.call(number, lambda session: session.cancel())
        return heard

    def pass_ms(self, ms: int) -> list[Callback]:
        """Let time pass, and be noticed."""
        clock.advance(self.device, ms)
        self.heard.clear()
        self.hal.tick()
        return [callback for _, callback in self.heard]


@contextmanager
def phone(directory: Path, **made_as: object) -> Iterator[Phone]:
    """A new device."""
    with Device.init(directory, DeviceOptions(seed="phone", clock=CLOCK_MS, release_grid_ms=0), **made_as) as device:
        yield Phone(device)
