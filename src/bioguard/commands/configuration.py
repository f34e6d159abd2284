"""What a device is, chosen when it is made, sealed with its store, never changed.

The normal world could otherwise weaken a device that people trust already: another rate, another lockout, no PIN.

How far the thresholds of these rates are founded: docs/android-contract.md section 2.
"""

from enum import IntEnum, unique
from typing import Annotated, Self

from bioguard.commands.status import Done, Nothing, ReplyStatus
from bioguard.records.comparison_profile import MAX_PROFILE_BYTES
from bioguard.records.extractor import ExtractorIdentity
from bioguard.records.feature_limits import MAX_DIMENSION, MAX_MODEL_CHARS
from bioguard.records.modality import Modality, Profile
from bioguard.records.sensor_props import MAX_SENSORS, SensorProps, default_table
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import AtMost, Fixed, Items, Record, UpTo
from tee_sim.shared.ta_api import Command

FMR_INVERSES = (50_000, 100_000, 500_000, 1_000_000)
"""1:1 rates that a device can be made with. The loosest is the most that Android allows a sensor that makes tokens:
CDD section 7.3.10, Class 3, a false acceptance rate not above 1 in 50 000."""
FPIR_INVERSES = (100, 1_000, 10_000)
"""1:N rates: one false identification in so many searches of people who are not enrolled (docs/android-contract.md,
"Rates")."""
DEFAULT_FMR_INVERSE = FMR_INVERSES[0]
DEFAULT_FPIR_INVERSE = FPIR_INVERSES[0]
MAX_INVERSE = 10_000_000
MAX_COHORT_FINGERS = 5
"""As `bioguard.match.fingerprint.cohort`, which this may not import."""
MAX_PROFILES = 4
"""Comparison profiles of a device: one of a modality that its maker named, else the built-in ones, two for faces."""


@unique
class LockoutChoice(IntEnum):
    """Lockout policies of `bioguard.trusted.sensor.lockout`."""

    ANDROID_13 = 1
    ANDROID_11 = 2
    APPLE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration(Record):
    """What a device keeps and on what terms it decides.

    Attributes:
        profile: what an enrollment leaves behind.
        lockout: limits of failed attempts.
        lockout_cascade: whether the lock of a sensor locks those that are no stronger as well, and is cleared with
            them, as Android's framework does (`bioguard.records.strength`); else each stands alone, as ISession.aidl
            says.
        require_pin: whether every enrollment needs the PIN, or users without one may enroll as well.
        for_testing: a device of a laboratory. Its callers choose any rate; it gives no token.
        fmr_inverse: 1:1 is decided at a false match rate of 1/fmr_inverse.
        fpir_inverse: 1:N is decided at a false positive identification rate of 1/fpir_inverse, and names nobody whom a
            claim at 1/fmr_inverse would not accept.
        comparison: SHA-256 of each comparison profile. In a request: of those that PROVIDE_PROFILE brought, in their
            order; a modality without one gets the built-in ones. In a reply: of all.
        sensors: kinds whose samples an extractor of the device makes.
        uncalibrated: modalities without a profile of their own whose features may be of any model: they are decided on
            at the highest threshold of the built-in profiles, whose rates nobody knows for that model.
        sensor_table: what enrolls and decides, by its id. Each has records, locks, challenges and ids of its own.
    """

    profile: Profile = Profile.STANDARD
    lockout: LockoutChoice = LockoutChoice.ANDROID_13
    require_pin: bool = True
    for_testing: bool = False
    fmr_inverse: Annotated[int, UpTo(MAX_INVERSE)] = DEFAULT_FMR_INVERSE
    fpir_inverse: Annotated[int, UpTo(MAX_INVERSE)] = DEFAULT_FPIR_INVERSE
    comparison: Annotated[tuple[bytes, ...], Items(MAX_PROFILES, Fixed(32))] = ()
    sensors: Annotated[tuple[Modality, ...], Items(len(Modality))] = ()
    uncalibrated: Annotated[tuple[Modality, ...], Items(len(Modality))] = ()
    lockout_cascade: bool = False
    sensor_table: Annotated[tuple[SensorProps, ...], Items(MAX_SENSORS)] = default_table()

    @property
    def rates_offered(self) -> bool:
        """Whether a device can be made with these rates."""
        rates = (self.fmr_inverse, self.fpir_inverse)
        if self.for_testing:
            return all(1 < inverse <= MAX_INVERSE for inverse in rates)
        return self.fmr_inverse in FMR_INVERSES and self.fpir_inverse in FPIR_INVERSES

    def props(self, sensor_id: int) -> SensorProps | None:
        """A sensor's properties; None for one that the device does not have."""
        return self.sensor_table[sensor_id] if 0 <= sensor_id < len(self.sensor_table) else None

    def first(self, kind: Modality) -> SensorProps | None:
        """The first sensor of a kind; None where there is none."""
        return next((props for props in self.sensor_table if props.kind is kind), None)


def offered(table: tuple[int, ...], own: int) -> tuple[int, ...]:
    """Of a table of rates, what a device of this rate offers: its own and the stricter ones, as 1/N."""
    return (own, *(inverse for inverse in table if inverse > own))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvideProfile(Record):
    """Bytes of a comparison profile, as `bioguard.records.comparison_profile` writes them."""

    profile: Annotated[bytes, AtMost(MAX_PROFILE_BYTES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSummary(Record):
    """Which comparison profile a device goes by. letters: of its name, a byte each: nothing else of it is text."""

    letters: Annotated[tuple[int, ...], Items(32, UpTo(127))]
    digest: Annotated[bytes, Fixed(32)]
    modality: Modality
    dimension: Annotated[int, UpTo(MAX_DIMENSION)]

    @property
    def name(self) -> str:
        """Its name."""
        return bytes(self.letters).decode("ascii")

    @property
    def attested(self) -> tuple[str, bytes]:
        """Name with modality, and digest, as an attestation token states them."""
        return f"{self.modality.word} {self.name}", self.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSummary(Record):
    """Of which model what is enrolled is, or the last that was. letters: as in `ProfileSummary`; none: not known."""

    modality: Modality
    letters: Annotated[tuple[int, ...], Items(MAX_MODEL_CHARS, UpTo(127))]

    @classmethod
    def of(cls, modality: Modality, model: str) -> Self:
        """Of a model's name."""
        return cls(modality=modality, letters=tuple(model.encode("ascii")))

    @property
    def model(self) -> str:
        """Its name; empty where it is not known."""
        return bytes(self.letters).decode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorSummary(Record):
    """The extractor of a sensor, as it was sealed. letters, version: as in `ProfileSummary`. runs: whether the one that
    runs now states the same."""

    modality: Modality
    letters: Annotated[tuple[int, ...], Items(32, UpTo(127))]
    version: Annotated[tuple[int, ...], Items(32, UpTo(127))]
    weights_sha256: Annotated[bytes, Fixed(32)]
    runs: bool

    @classmethod
    def of(cls, modality: Modality, extractor: ExtractorIdentity, *, runs: bool) -> Self:
        """Of a sealed sensor."""
        letters, version = (tuple(text.encode("ascii")) for text in (extractor.name, extractor.version))
        digest = extractor.weights_sha256
        return cls(modality=modality, letters=letters, version=version, weights_sha256=digest, runs=runs)

    @property
    def extractor(self) -> ExtractorIdentity:
        """Its identity. Raises InputRefused for what is none."""
        name, version = (bytes(letters).decode("ascii") for letters in (self.letters, self.version))
        return ExtractorIdentity(name=name, version=version, weights_sha256=self.weights_sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured(Record):
    """What the device is. profiles: those of `Configuration.comparison`, in that order. cohort: how many other people's
    fingers a finger is held against now. models: of what is enrolled, by modality. sensors: those of
    `Configuration.sensors`."""

    status: ReplyStatus
    configuration: Configuration | None = None
    profiles: Annotated[tuple[ProfileSummary, ...], Items(MAX_PROFILES)] = ()
    cohort: Annotated[int, UpTo(MAX_COHORT_FINGERS)] = 0
    models: Annotated[tuple[ModelSummary, ...], Items(len(Modality))] = ()
    sensors: Annotated[tuple[SensorSummary, ...], Items(len(Modality))] = ()


CONFIGURE = Command(1, Configuration, Done)
"""Answered once in the life of a store, NOT_CONFIGURABLE ever after: also when nobody is enrolled any more.
RATE_NOT_OFFERED for a rate outside the tables, unless the device is for testing. NOT_CALIBRATED where a profile
has no table of the score that the device decides on; BAD_REQUEST where its digests are not the provided ones."""
SHOW_CONFIGURATION = Command(7, Nothing, Configured)
PROVIDE_PROFILE = Command(8, ProvideProfile, Done)
"""Before CONFIGURE, which seals it. PROFILE_REFUSED if it is none, or the second of its modality; NOT_CONFIGURABLE."""
