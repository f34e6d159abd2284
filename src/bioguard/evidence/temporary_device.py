"""The device the audit tries things on: temporary, real secure world, stepped clock, a tap on the pipes.

People of the device have random faces of 128 dimensions; a genuine sample is a small step away, an impostor another
direction. So decisions are clear and the checks are about rules, not about accuracy.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bioguard.device import clock, consent, pins
from bioguard.device.facade import Device
from bioguard.device.options import DeviceOptions
from bioguard.errors import BioguardError, NotPermitted
from bioguard.evidence.second_reader import Contents, read_device
from bioguard.records import FaceEmbedding, Features
from bioguard.records.comparison_profile import ComparisonProfile
from bioguard.records.consent import DAY_MS, Purpose
from bioguard.records.modality import Modality, Profile
from bioguard.simulate.people import finger_impressions
from tee_sim.normal.sandbox_verdict.level import Level
from tee_sim.normal.supplicant import RequestNote

START_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z: the device's clock starts here and moves when it is set."""
DIMENSION = 128
NOISE = 0.1
ANGLE = 1.0
"""Views whose cosine to each other is one half."""
PIN = b"271828"
FINGERS_SEED = 7
FINGERS_APART = 10_000
"""Second fingers are those of people whom no trial makes."""
FINGERS = ("right-index", "left-thumb")
LOCKOUT_MS = 31_000
"""A search that finds nobody is a miss; a wait after five of them is 30 s."""


@dataclass(slots=True)
class Person:
    """A user of the device, and the sensor that this user goes to."""

    name: str
    number: int
    direction: NDArray[np.float64]
    rng: np.random.Generator
    modality: Modality = Modality.FACE

    def sample(self) -> Features:
        """A fresh view of this face, or the one view there is of this finger."""
        if self.modality is Modality.FINGERPRINT:
            return self.views()[-1]
        step = self.rng.normal(size=self.direction.size)
        return FaceEmbedding.from_features(self.direction + NOISE * step / np.linalg.norm(step))

    def angles(self) -> list[Features]:
        """Three views of this face that are far apart, and are still one face to the product."""
        steps = np.linalg.qr(self.rng.normal(size=(self.direction.size, 3)))[0].T
        return [FaceEmbedding.from_features(self.direction + ANGLE * step) for step in steps]

    def views(self, count: int = 3, *, finger: int = 0) -> list[Features]:
        """Several views. finger: another number is another finger of this person."""
        if self.modality is Modality.FINGERPRINT:
            # One, whatever is asked for: of some fingers the impressions are too little alike to be enrolled.
            (view,) = finger_impressions(FINGERS_SEED, person=self.number + FINGERS_APART * finger, count=1)
            return [view]
        return [self.sample() for _ in range(count)]


@dataclass(slots=True)
class TemporaryDevice:
    """One temporary device, what passed its pipes, and what was asked of its disk.

    Args:
        directory: where the device is made; must not exist.
        allow_level: lowest sandbox level accepted; None for the product's own rule.
        comparison: profiles that the device is made with.
    """

    directory: Path
    allow_level: Level | None = None
    profile: Profile = Profile.STANDARD
    comparison: tuple[ComparisonProfile, ...] = ()
    frames: list[tuple[str, bytes]] = field(default_factory=list)
    requests: list[RequestNote] = field(default_factory=list)
    people: int = 0
    device: Device = field(init=False)
    running: bool = field(init=False, default=True)

    def __post_init__(self) -> None:
        self.device = Device.init(
            self.directory,
            self.options(clock=START_MS),
            profile=self.profile,
            require_pin=False,
            comparison_profiles=self.comparison,
        )

    def options(self, *, clock: int | None = None) -> DeviceOptions:
        """Options of every start of a temporary device; its clock is chosen when it is made, and keeps its time."""
        return DeviceOptions(
            clock=clock,
            allow_level=self.allow_level,
            release_grid_ms=0,
            tap=lambda way, frame: self.frames.append((way, frame)),
            storage_log=self.requests.append,
        )

    def restart(self) -> None:
        """Stop the secure world and start it again."""
        self.stop()
        self.device = Device.open(self.directory, self.options())
        self.running = True

    def advance_days(self, days: int) -> None:
        """Step the clock of the running secure world."""
        clock.advance(self.device, days * DAY_MS)

    def person(
        self,
        *,
        consent_to: tuple[Purpose, ...] = tuple(Purpose),
        pin: bool = False,
        enrolled: bool = False,
        modality: Modality = Modality.FACE,
    ) -> Person:
        """A new user: with a PIN, consents and an enrolled face or finger as asked for."""
        self.people += 1
        rng = np.random.default_rng([7, self.people])
        direction = rng.normal(size=DIMENSION)
        name, direction = f"person-{self.people:03d}", direction / np.linalg.norm(direction)
        someone = Person(name, self.people, direction, rng, modality)
        self.device.add_user(someone.name)
        if pin:
            pins.set_pin(self.device, someone.name, PIN)
        token = self.token(someone) if pin else b""
        for purpose in consent_to:
            consent.grant(self.device, someone.name, modality, purpose, of_age=True, token=token)
        if enrolled:
            self.enroll(someone, pin=pin)
        return someone

    def token(self, someone: Person) -> bytes:
        """A fresh PIN token."""
        return pins.verify_pin(self.device, someone.name, PIN)

    def enroll(self, someone: Person, *, pin: bool = False, replace: bool = False, finger: int = 0) -> str:
        """Enroll the face or a finger; return the salted digest."""
        token = pins.enrollment_token(self.device, someone.name, someone.modality, PIN) if pin else b""
        views, position = someone.views(finger=finger), self.position(someone, finger)
        return self.device.enroll(someone.name, views, finger=position, replace=replace, token=token).digest

    @staticmethod
    def position(someone: Person, finger: int = 0) -> str | None:
        """The word for a finger; None for a face."""
        return FINGERS[finger] if someone.modality is Modality.FINGERPRINT else None

    def found(self, sample: Features) -> str:
        """The name that a search answers, empty for nobody. One that is locked is made again when the wait is over."""
        try:
            return self.device.identify(sample).user or ""
        except NotPermitted as refused:
            if refused.code != "lockout.timed":
                raise
        clock.advance(self.device, LOCKOUT_MS)
        return self.device.identify(sample).user or ""

    def contents(self) -> Contents:
        """All that the directory holds, by the second reader. The device runs; between commands it is at rest."""
        return read_device(self.directory)

    def held(self, someone: Person) -> Counter[str]:
        """How many objects of each kind the store holds of a person, by the second reader."""
        owned = self.contents().owned(self.device.user_handle(someone.name))
        return Counter(stored.kind for stored in owned)

    def refusal(self, call: Callable[[], object]) -> str:
        """The stable code of the error a call ends in; empty if it does not."""
        try:
            call()
        except BioguardError as error:
            return error.code
        return ""

    def image(self) -> bytes:
        """Every byte of the device's directory except the simulated fuses."""
        paths = sorted(p for p in self.directory.iterdir() if p.is_file() and not p.name.startswith("fuses"))
        return b"".join(p.read_bytes() for p in paths)

    def stop(self) -> None:
        """Stop the secure world, if it runs; one that is dead already is no error."""
        if self.running:
            self.running = False
            with suppress(BioguardError):
                self.device.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
