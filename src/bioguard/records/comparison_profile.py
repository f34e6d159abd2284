"""A comparison profile: thresholds of one embedding model or extractor, named by their rates, and where they come from.

Numbers are whole on the wire, so that one profile has one encoding and one digest (docs/formats/comparison-profile.md):
rates in steps of 1e-15, scores in steps of 1e-6. Whoever makes one writes floats (`RatePoint.of`, `SiteShift.of`),
whoever reads one gets floats (`rate`, `threshold`).

A profile is checked when it is made; code that receives one does not check again.
"""

import hashlib
import math
import re
from datetime import date
from itertools import pairwise
from typing import Annotated, Final, Self

from bioguard.errors import InputRefused
from bioguard.records.feature_limits import MAX_DIMENSION, MAX_MODEL_CHARS, MIN_DIMENSION
from bioguard.records.modality import Modality
from bioguard.records.scores import Basis, Score
from tee_sim.shared import codec
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError
from tee_sim.shared.schema import U64, Fixed, Items, Record, Text, UpTo

MAGIC: Final = "bioguard comparison profile"
VERSION: Final = 1
SUFFIX: Final = ".profile"
MAX_PROFILE_BYTES: Final = 64 << 10
"""Chosen: the built-in ones take under 2 KiB; 32 tables of 40 points with all their figures fit."""
MIN_RATE: Final = 1e-12
"""No threshold is given for a rarer comparison."""
MAX_RATE: Final = 0.1
"""Above this a biometric decision means nothing."""
RATE_STEPS: Final = 10**15
SCORE_STEPS: Final = 10**6
MAX_SCORE: Final = 1_000
"""Scores, thresholds and shifts lie within plus and minus this; the largest finger score met is 40."""
MAX_COHORT: Final = 255
HITS_OF_A_MEASUREMENT: Final = 3
"""Below so many expected false matches a rate is not measurable (rule of three)."""
_FLOAT_ERROR_STEPS: Final = 1e-6
"""Multiplying by 1e6 leaves less than this of a whole number of steps up to MAX_SCORE: 1e9 times 2^-53."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_CODE = "comparison_profile"
_MAKE = "make one with `python -m bench calibrate`; what is in it: docs/formats/comparison-profile.md"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Between:
    """An integer from `minimum` to `maximum` inclusive."""

    minimum: int
    maximum: int

    def misfit(self, value: object) -> str:
        fits = type(value) is int and self.minimum <= value <= self.maximum
        return "" if fits else f"expected an integer from {self.minimum} to {self.maximum}"

    def max_bits(self) -> float:
        return math.log2(self.maximum - self.minimum + 1)


_STEPS = Between(-MAX_SCORE * SCORE_STEPS, MAX_SCORE * SCORE_STEPS)


def _refuse(message: str, hint: str, fault: str) -> InputRefused:
    return InputRefused(message, hint=hint, code=f"{_CODE}.{fault}")


def _is_day(text: str) -> bool:
    try:
        return bool(_DAY.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _steps(value: float, what: str) -> int:
    """A score in steps, rounded up: to the strict side."""
    if not -MAX_SCORE <= value <= MAX_SCORE:  # also refuses NaN
        raise _refuse(
            f"a {what} of {value:g} cannot be in a comparison profile",
            f"scores lie from -{MAX_SCORE} to {MAX_SCORE}",
            "points",
        )
    return math.ceil(value * SCORE_STEPS - _FLOAT_ERROR_STEPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RatePoint(Record):
    """One rate of one comparison and its threshold.

    Attributes:
        rate_steps: false match rate, in 1e-15.
        threshold_steps: scores at and above it match at this rate, in 1e-6.
        basis: how it came about.
        low_steps, high_steps: bounds of the threshold with 95 % confidence, both or none.
        false_matches, impostors: what was counted at this threshold; 0 and 0 if nothing was.
    """

    rate_steps: Annotated[int, Between(round(MIN_RATE * RATE_STEPS), round(MAX_RATE * RATE_STEPS))]
    threshold_steps: Annotated[int, _STEPS]
    basis: Basis
    low_steps: Annotated[int, _STEPS] | None = None
    high_steps: Annotated[int, _STEPS] | None = None
    false_matches: Annotated[int, U64] = 0
    impostors: Annotated[int, U64] = 0

    @classmethod
    def of(
        cls,
        rate: float,
        threshold: float,
        basis: Basis,
        *,
        low: float | None = None,
        high: float | None = None,
        false_matches: int = 0,
        impostors: int = 0,
    ) -> Self:
        """Round to the steps of the format, thresholds to the strict side. Raises InputRefused."""
        if not MIN_RATE <= rate <= MAX_RATE:
            raise _refuse(
                f"a rate of {rate:g} cannot be in a comparison profile",
                f"rates lie from {MIN_RATE:g} to {MAX_RATE:g}",
                "points",
            )
        return cls(
            rate_steps=round(rate * RATE_STEPS),
            threshold_steps=_steps(threshold, "threshold"),
            basis=basis,
            low_steps=None if low is None else _steps(low, "lower bound"),
            high_steps=None if high is None else _steps(high, "upper bound"),
            false_matches=false_matches,
            impostors=impostors,
        )

    @property
    def rate(self) -> float:
        """False match rate of one comparison."""
        return self.rate_steps / RATE_STEPS

    @property
    def threshold(self) -> float:
        """Scores at and above it match."""
        return self.threshold_steps / SCORE_STEPS

    @property
    def low(self) -> float | None:
        """Lower end of the interval of the threshold."""
        return None if self.low_steps is None else self.low_steps / SCORE_STEPS

    @property
    def high(self) -> float | None:
        """Upper end of the interval of the threshold."""
        return None if self.high_steps is None else self.high_steps / SCORE_STEPS

    def fault(self) -> str:
        """What is wrong with it, or nothing."""
        if (self.low_steps is None) != (self.high_steps is None):
            return "an interval has one end"
        low, high = (self.threshold_steps if end is None else end for end in (self.low_steps, self.high_steps))
        if not low <= self.threshold_steps <= high:
            return "a threshold lies outside its interval"
        if self.false_matches > self.impostors:
            return "there are more false matches than impostor comparisons"
        if self.basis is Basis.MEASURED and self.rate * self.impostors < HITS_OF_A_MEASUREMENT * (1 - 1e-9):
            return f"{self.impostors} impostor comparisons cannot measure a rate of {self.rate:g}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTable(Record):
    """Thresholds of one score.

    Attributes:
        score: what is compared by.
        cohort: 0 for plain scores; else the least number of cohort templates of scores that are normalized by them.
        points: by falling rate, thresholds rising; from end to end at least a decade.
    """

    score: Score
    cohort: Annotated[int, UpTo(MAX_COHORT)] = 0
    points: Annotated[tuple[RatePoint, ...], Items(64)]

    def fault(self) -> str:
        """What is wrong with it, or nothing."""
        rates = [point.rate_steps for point in self.points]
        if len(rates) < 2 or rates[0] < 10 * rates[-1]:
            return "a table has fewer than two points a decade apart"
        if any(a.rate_steps <= b.rate_steps for a, b in pairwise(self.points)):
            return "rates do not fall from point to point"
        if any(a.threshold_steps >= b.threshold_steps for a, b in pairwise(self.points)):
            return "thresholds do not rise from point to point"
        return next(filter(None, (point.fault() for point in self.points)), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteShift(Record):
    """What one site adds to every threshold of a score. Upward only: a few fingers show a fault, never its absence.

    Attributes:
        score: whose thresholds.
        shift_steps: added to each of them, in 1e-6, at least 0.
        quantile_steps: the quantile of the site's impostor scores that was compared, in 1e-6.
        subjects: fingers or people it was measured on.
        views: of each of them.
        data_sha256: of their files.
    """

    score: Score
    shift_steps: Annotated[int, UpTo(MAX_SCORE * SCORE_STEPS)]
    quantile_steps: Annotated[int, UpTo(SCORE_STEPS)]
    subjects: Annotated[int, UpTo(1 << 32)]
    views: Annotated[int, UpTo(1 << 16)]
    data_sha256: Annotated[bytes, Fixed(32)]

    @classmethod
    def of(cls, score: Score, shift: float, *, quantile: float, subjects: int, views: int, data_sha256: bytes) -> Self:
        """Round to the steps of the format, to the strict side. Raises InputRefused: NaN, negative, too large."""
        if not 0 <= shift <= MAX_SCORE or not 0 <= quantile <= 1:
            raise _refuse(
                f"a site cannot shift thresholds by {shift:g} for the quantile {quantile:g}",
                "a shift is not negative, a quantile lies from 0 to 1",
                "site",
            )
        return cls(
            score=score,
            shift_steps=_steps(shift, "shift"),
            quantile_steps=round(quantile * SCORE_STEPS),
            subjects=subjects,
            views=views,
            data_sha256=data_sha256,
        )

    @property
    def shift(self) -> float:
        """Added to every threshold of the score."""
        return self.shift_steps / SCORE_STEPS

    @property
    def quantile(self) -> float:
        """The quantile of the site's impostor scores that was compared."""
        return self.quantile_steps / SCORE_STEPS


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationData(Record):
    """What the tables were made from. sha256: of the files, by the maker's rule; None where there is no one set."""

    description: Annotated[str, Text(500)]
    sha256: Annotated[bytes, Fixed(32)] | None = None
    people: Annotated[int, U64]
    samples: Annotated[int, U64]
    impostors: Annotated[int, U64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonProfile(Record):
    """Thresholds of one model.

    Attributes:
        name: for people: 1 to 32 of a-z, 0-9, dot, underscore, hyphen.
        modality: what is compared.
        model: identity of the embedding model or of the extractor, as files of its features state it.
        dimension: numbers of an embedding; 0 for minutiae.
        centered: whether embeddings lie around the origin (`bioguard.records.centering`); always so for minutiae.
        data: what the tables were made from.
        made_by: who made the profile, or which program.
        made_on: the day, YYYY-MM-DD.
        tables: one a score and cohort; each score that occurs has one without cohort.
        site: at most one a score.

    Raises:
        InputRefused: `comparison_profile.` and what is wrong: `fields`, `points`, `scores`, `site`.
    """

    name: Annotated[str, Text(32)]
    modality: Modality
    model: Annotated[str, Text(MAX_MODEL_CHARS)]
    dimension: Annotated[int, UpTo(MAX_DIMENSION)] = 0
    centered: bool = True
    data: CalibrationData
    made_by: Annotated[str, Text(100)]
    made_on: Annotated[str, Text(10)]
    tables: Annotated[tuple[ScoreTable, ...], Items(32)]
    site: Annotated[tuple[SiteShift, ...], Items(4)] = ()

    def __post_init__(self) -> None:
        try:
            self.check()
        except TeeError as error:
            raise _refuse(
                f"a comparison profile cannot hold this: {getattr(error, 'why', error)}",
                _MAKE,
                "fields",
            ) from None
        for fault, why in (("fields", self._fault()), ("scores", self._scores_fault()), ("site", self._site_fault())):
            if why:
                raise _refuse(f"comparison profile {self.name!r}: {why}", _MAKE, fault)
        for table in self.tables:
            if why := table.fault():
                raise _refuse(
                    f"comparison profile {self.name!r}: {table.score.word}: {why}", _MAKE,
                    "points",
                )  # fmt: skip

    def _fault(self) -> str:
        if not _NAME.fullmatch(self.name):
            return "its name is not 1 to 32 of a-z, 0-9, dot, underscore and hyphen"
        if not self.model or self.model != self.model.strip():
            return "it names no model"
        if not _is_day(self.made_on):
            return "the day it was made is no YYYY-MM-DD"
        if self.modality is Modality.FACE and self.dimension < MIN_DIMENSION:
            return f"embeddings have {MIN_DIMENSION} to {MAX_DIMENSION} numbers"
        if self.modality is Modality.FINGERPRINT and (self.dimension or not self.centered):
            return "minutiae have no dimension and no center"
        return ""

    def _scores_fault(self) -> str:
        plain = {table.score for table in self.tables if not table.cohort}
        every = [(table.score, table.cohort) for table in self.tables]
        if any(score.modality is not self.modality for score, _ in every):
            return "a table is of another modality's score"
        if len(set(every)) < len(every):
            return "a score has two tables for one cohort"
        if {score for score, _ in every} != plain or not plain:
            return "a score has no table without cohort"
        return ""

    def _site_fault(self) -> str:
        scores = [shift.score for shift in self.site]
        if len(set(scores)) < len(scores) or not set(scores) <= {table.score for table in self.tables}:
            return "a shift of a site is of a score that has no table, or there are two of one score"
        return ""

    def to_plain(self) -> list[object]:
        """Magic and version, then the fields. Raises TeeError BAD_FORMAT."""
        plain = super(ComparisonProfile, self).to_plain()  # noqa: UP008 - slots: a bare one finds another class
        return [MAGIC, VERSION, *plain]

    @classmethod
    def from_plain(cls, raw: object) -> Self:
        """Strict inverse of `to_plain`. Raises TeeError or InputRefused."""
        if not isinstance(raw, list) or len(raw) < 2 or raw[0] != MAGIC:
            raise _refuse("this is no comparison profile", _MAKE, "format")
        if type(raw[1]) is not int or raw[1] != VERSION:
            raise _refuse("this comparison profile is of another version", f"give one of version {VERSION}", "version")
        return super(ComparisonProfile, cls).from_plain(raw[2:])  # noqa: UP008 - as above

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Decode, bound and check.

        Raises:
            InputRefused: `comparison_profile.too_large`, `.format` for what `to_bytes` would not have written,
                `.version`, and as the class.
        """
        if len(data) > MAX_PROFILE_BYTES:
            raise _refuse(
                f"a comparison profile of more than {MAX_PROFILE_BYTES} bytes", "give the file made by calibrate",
                "too_large",
            )  # fmt: skip
        try:
            return cls.from_plain(codec.decode(data))
        except TeeError as error:
            raise _refuse(f"the comparison profile is damaged: {error}", _MAKE, "format") from None

    @property
    def digest(self) -> bytes:
        """SHA-256 of the bytes: which profile it is."""
        return hashlib.sha256(self.to_bytes()).digest()

    def table(self, score: Score, cohort: int = 0) -> ScoreTable | None:
        """The table of a score: without cohort, or the one of the largest cohort that is not above `cohort`."""
        fitting = (t for t in self.tables if t.score is score and min(cohort, 1) <= t.cohort <= cohort)
        return max(fitting, key=lambda table: table.cohort, default=None)

    def shift(self, score: Score) -> float:
        """What the site adds to every threshold of a score."""
        return next((site.shift for site in self.site if site.score is score), 0.0)
