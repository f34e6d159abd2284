"""The device the audit tries things on: temporary, real secure world, stepped clock, a tap on the pipes.

People of the device have random faces of 128 dimensions; a genuine sample is a small step away, an impostor another
direction. So decisions are clear and the checks are about rules, not about accuracy.
"""

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
from bioguard.errors import BioguardError
from bioguard.records import FaceEmbedding
from bioguard.records.consent import DAY_MS, Purpose
from bioguard.records.modality import Modality, Profile
from tee_sim.normal.sandbox_verdict.verdict import Level
from tee_sim.normal.supplicant import RequestNote

START_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z: the device's clock starts here and moves when it is set."""
DIMENSION = 128
NOISE = 0.1
PIN = b"271828"


@dataclass(slots=True)
class Person:
    """A user of the device."""

    name: str
    direction: NDArray[np.float64]
    rng: np.random.Generator

    def sample(self) -> FaceEmbedding:
        """A fresh view of this face."""
        step = self.rng.normal(size=self.direction.size)
        return FaceEmbedding.from_features(self.direction + NOISE * step / np.linalg.norm(step))

    def views(self, count: int = 3) -> list[FaceEmbedding]:
        """Several fresh views."""
        return [self.sample() for _ in range(count)]


@dataclass(slots=True)
class TemporaryDevice:
    """One temporary device, what passed its pipes, and what was asked of its disk.

    Args:
        directory: where the device is made; must not exist.
        allow_level: lowest sandbox level accepted; None for the product's own rule.
    """

    directory: Path
    allow_level: Level | None = None
    profile: Profile = Profile.STANDARD
    frames: list[tuple[str, bytes]] = field(default_factory=list)
    requests: list[RequestNote] = field(default_factory=list)
    people: int = 0
    device: Device = field(init=False)
    running: bool = field(init=False, default=True)

    def __post_init__(self) -> None:
        self.device = Device.init(self.directory, self.options(clock=START_MS), profile=self.profile, require_pin=False)

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
        self, *, consent_to: tuple[Purpose, ...] = tuple(Purpose), pin: bool = False, enrolled: bool = False
    ) -> Person:
        """A new user: with a PIN, consents and an enrolled face as asked for."""
        self.people += 1
        rng = np.random.default_rng([7, self.people])
        direction = rng.normal(size=DIMENSION)
        someone = Person(f"lab-person-{self.people:03d}", direction / np.linalg.norm(direction), rng)
        self.device.add_user(someone.name)
        if pin:
            pins.set_pin(self.device, someone.name, PIN)
        token = self.token(someone) if pin else b""
        for purpose in consent_to:
            consent.grant(self.device, someone.name, Modality.FACE, purpose, of_age=True, token=token)
        if enrolled:
            self.enroll(someone, pin=pin)
        return someone

    def token(self, someone: Person) -> bytes:
        """A fresh PIN token."""
        return pins.verify_pin(self.device, someone.name, PIN)

    def enroll(self, someone: Person, *, pin: bool = False, replace: bool = False) -> str:
        """Enroll the face; return the salted digest."""
        token = pins.enrollment_token(self.device, someone.name, Modality.FACE, PIN) if pin else b""
        return self.device.enroll(someone.name, someone.views(), replace=replace, token=token).digest

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
