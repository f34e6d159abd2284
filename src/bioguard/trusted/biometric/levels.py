"""Give the thresholds of one record: near, accepted, strong. Named by rates; the numbers stay in here.

Enforces: what is near or strong goes by the device's own rate, so no caller moves it (`exposure.walk`).

Does not promise: more than the tables of `bioguard.match`; some of their points are extrapolated or from drawn people
(docs/android-contract.md section 2).

A claim is compared with several samples, and the best one counts; so each single comparison is held to the rate of the
claim divided by the number of comparisons (Bonferroni: conservative, views of one person are not independent).

Enforces: fingers of others make a threshold stricter or leave it (`Levels.or_stricter`, `cohort.dilute`).
"""

import math
from dataclasses import replace
from functools import lru_cache
from typing import Final, Self

from bioguard.commands.status import ReplyStatus
from bioguard.errors import InputRefused
from bioguard.match.fingerprint.cohort import SIZES, CohortSize
from bioguard.match.thresholds import basis_for_fmr, threshold_for_fmr
from bioguard.records.comparison_profile import MIN_RATE, ComparisonProfile
from bioguard.records.modality import Profile
from bioguard.records.scores import Basis, Score
from bioguard.trusted.biometric.rates import Terms
from bioguard.trusted.refusal import Refused
from tee_sim.shared.dataclass import dataclass

NEAR_FACTOR: Final = 500
LOOSEST_NEAR: Final = 1e-2
"""A score is near down to a rate 500 times looser than the device's, at most 1/100. So a stranger comes near once in a
hundred tries, and a question that is worth asking, one whose answer could well be yes or no, is counted."""
STRONG_FMR: Final = 1e-7
STRONG_FMR_PROTECTED: Final = 1e-6
"""Claims at which the person was there; both rates are extrapolated. Best of three, development data: 82 % of the face
probes (LFW), 82 % of the touches (four FVC databases) reach 1e-7, and 38 % of protected codes of fingers 3e-7
(`python -m bench.experiments.exposure`)."""
STRONG_FACTOR: Final = 20
"""Strong is at least this much rarer than what the device accepts."""


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """What is compared, and by whose thresholds. Equal to itself alone: levels are kept by it, and it is not hashed."""

    profile: ComparisonProfile
    protected: bool

    @property
    def score(self) -> Score:
        """What two samples of this kind are compared by."""
        return Score.of(self.profile.modality, Profile.DIGEST_ONLY if self.protected else Profile.STANDARD)

    @property
    def cohorts(self) -> tuple[CohortSize, ...]:
        """Cohorts of other people's fingers that the profile has tables for, the best first."""
        held = {table.cohort for table in self.profile.tables if table.score is self.score}
        return tuple(size for size in SIZES if size.templates in held)

    def threshold(self, rate: float, cohort: int = 0) -> float:
        """Threshold of one comparison, of scores normalized by so many templates. Refused FMR_NOT_MEASURABLE."""
        try:
            return threshold_for_fmr(rate, profile=self.profile, score=self.score, cohort=cohort)
        except InputRefused:
            raise Refused(ReplyStatus.FMR_NOT_MEASURABLE) from None

    @property
    def strong_fmr(self) -> float:
        """Rate of a claim that is strong."""
        return STRONG_FMR_PROTECTED if self.score is Score.PROTECTED else STRONG_FMR


@dataclass(frozen=True, slots=True)
class Levels:
    """Thresholds of each comparison with the samples of one user.

    own: what would be accepted at the device's rate, whatever the caller asked for.
    basis: of `accept`.
    """

    near: float
    own: float
    accept: float
    strong: float
    basis: Basis

    def or_stricter(self, normalized: Self, penalty: float) -> Self:
        """These, or those of normalized scores where they are stricter with what a cohort takes off the score."""
        names = ("near", "own", "accept", "strong")
        return replace(self, **{name: max(getattr(self, name), getattr(normalized, name) + penalty) for name in names})


@lru_cache(maxsize=512)
def levels(kind: Kind, terms: Terms, comparisons: int, searched: int = 0, cohort: int = 0) -> Levels:
    """Thresholds for a user with so many samples, in a claim or in a search over `searched` samples of everybody.

    cohort: how many templates the scores are normalized by; 0 if they are not. Refused FMR_NOT_MEASURABLE.
    """
    own = _rate(terms.device_fmr, terms.device_fpir, comparisons, searched)
    near = min(LOOSEST_NEAR / comparisons, NEAR_FACTOR * own)
    asked = _rate(terms.fmr, terms.fpir, comparisons, searched)
    return Levels(
        near=kind.threshold(near, cohort),
        own=kind.threshold(own, cohort),
        accept=kind.threshold(asked, cohort),
        strong=kind.threshold(_strong(kind, own, comparisons), cohort),
        basis=basis_for_fmr(asked, profile=kind.profile, score=kind.score, cohort=cohort),
    )


def strong_threshold(kind: Kind, comparisons: int) -> float:
    """Threshold of each of `comparisons` comparisons that together are as rare as a strong claim."""
    return kind.threshold(max(kind.strong_fmr / comparisons, MIN_RATE))


def _strong(kind: Kind, own: float, comparisons: int) -> float:
    return max(min(kind.strong_fmr / comparisons, own / STRONG_FACTOR), MIN_RATE)


def _rate(fmr: float, fpir: float | None, comparisons: int, searched: int) -> float:
    """Rate of one comparison: the claim's share, and in a search not more than leaves the whole search its rate."""
    claim = fmr / comparisons
    return claim if fpir is None else min(claim, -math.expm1(math.log1p(-fpir) / searched))
