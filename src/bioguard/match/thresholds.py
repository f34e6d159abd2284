"""Decision thresholds of comparison scores, named by the rate they give and never by a bare number.

    face, finger = builtin_profile(Modality.FACE, 512), builtin_profile(Modality.FINGERPRINT)
    threshold_for_fmr(1 / 50_000, profile=face, score=Score.COSINE)
    threshold_for_fmr(1 / 50_000, profile=finger, score=Score.LIKELIHOOD_RATIO)
    threshold_for_fpir(0.01, n=10_000, profile=face, score=Score.COSINE)    # one search over 10 000 enrolled views

The numbers are those of a comparison profile (`bioguard.records.comparison_profile`), of one model; the built-in ones
lie in `profiles/`. Between two points a threshold lies on a straight line over the logarithm of the rate. Below the
last one it goes on as steeply as over the last decade: a Gaussian tail is less steep. Where a table starts at a rarer
rate than the one asked for, its first threshold serves.

This module does not know how many comparisons make one decision: `trusted.biometric.levels` does.
"""

import math
import pkgutil
from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np

from bioguard.errors import InputRefused, IntegrityFailure
from bioguard.records.comparison_profile import (
    MAX_RATE,
    MIN_RATE,
    SUFFIX,
    CalibrationData,
    ComparisonProfile,
    RatePoint,
    ScoreTable,
)
from bioguard.records.modality import Modality
from bioguard.records.scores import Basis, Score

BUILTIN: Final = ("edgeface-xs-512", "mobilefacenet-128", "minutiae-pooled")
"""Names of the profiles in `profiles/` that a device without a sensor decides by."""
EXTRACTORS: Final = ("nbis", "leader")
"""Those of one extractor each; a device takes one in where a sensor of that extractor is sealed into it."""
NOT_CALIBRATED: Final = "match.not_calibrated"


@cache
def builtin_profiles() -> tuple[ComparisonProfile, ...]:
    """Return the profiles that come with this software, read once. Raises IntegrityFailure."""
    return _read(BUILTIN)


@cache
def extractor_profiles() -> tuple[ComparisonProfile, ...]:
    """Return the profiles that come with this software for one extractor each, read once. Raises IntegrityFailure."""
    return _read(EXTRACTORS)


def extractor_profile(model: str) -> ComparisonProfile | None:
    """Return the profile made for exactly this extractor (`ExtractorIdentity.model`); None if nobody measured it."""
    return next((profile for profile in extractor_profiles() if profile.model == model), None)


def _read(names: Sequence[str]) -> tuple[ComparisonProfile, ...]:
    try:
        files = [pkgutil.get_data("bioguard.match", f"profiles/{name}{SUFFIX}") for name in names]
        return tuple(ComparisonProfile.from_bytes(data or b"") for data in files)
    except (OSError, InputRefused):
        raise IntegrityFailure(
            "the built-in comparison profiles are damaged", hint="reinstall bioguard", code="integrity.thresholds"
        ) from None


def builtin_profile(modality: Modality, dimension: int = 0) -> ComparisonProfile:
    """Return the built-in profile of faces of this dimension, or of fingerprints.

    Raises:
        InputRefused: `match.not_calibrated`, no built-in model has this dimension.
    """
    for profile in builtin_profiles():
        if (profile.modality, profile.dimension) == (modality, dimension):
            return profile
    raise not_calibrated(f"no built-in comparison profile is of a model of {dimension} numbers")


def not_calibrated(what: str) -> InputRefused:
    """The error for features that no threshold is known for."""
    return InputRefused(
        what,
        hint="make a profile with `python -m bench calibrate`, then `bioguard device init --comparison-profile FILE`",
        code=NOT_CALIBRATED,
    )


def threshold_for_fmr(target: float, *, profile: ComparisonProfile, score: Score, cohort: int = 0) -> float:
    """Return t such that accepting scores >= t gives this false match rate for one comparison.

    Args:
        target: false match rate, MIN_RATE to MAX_RATE.
        profile: of the model whose features are compared.
        score: the score that is compared.
        cohort: templates that the score is normalized by; 0 if it is not.

    Raises:
        InputRefused: the rate is out of range; `match.not_calibrated`, the profile has no table for this.
    """
    rate = _checked(target)
    return _on_lines(_table(profile, score, cohort).points, rate) + profile.shift(score)


def threshold_for_fpir(target: float, n: int, *, profile: ComparisonProfile, score: Score, cohort: int = 0) -> float:
    """Return t such that a search for a person not enrolled among n views returns anyone with this probability.

    FPIR = 1 - (1 - FMR)^n for independent comparisons; views of one person are not, which errs on the safe side.

    Args:
        target: false positive identification rate, up to MAX_RATE.
        n: number of views searched, at least 1.
        profile, score, cohort: as in `threshold_for_fmr`.

    Raises:
        InputRefused: n below 1, or the rate of one comparison falls below MIN_RATE; as `threshold_for_fmr`.
    """
    if n < 1:
        raise InputRefused(f"a search over {n} views", hint="enroll somebody first", code="input.gallery_size")
    rate = -math.expm1(math.log1p(-_checked(target)) / n)
    return threshold_for_fmr(rate, profile=profile, score=score, cohort=cohort)


def basis_for_fmr(target: float, *, profile: ComparisonProfile, score: Score, cohort: int = 0) -> Basis:
    """Return how far the threshold of this rate is founded: the weaker of the two points around it.

    Raises:
        InputRefused: as `threshold_for_fmr`.
    """
    rate = _checked(target)
    points = _table(profile, score, cohort).points
    if rate < points[-1].rate:
        return Basis.EXTRAPOLATED
    looser = [point for point in points if point.rate >= rate][-1:]
    stricter = [point for point in points if point.rate <= rate][:1]
    return max(point.basis for point in looser + stricter)


def strictest(known: Sequence[ComparisonProfile], dimension: int) -> ComparisonProfile:
    """Combine profiles of one modality for a model that none of them is of: at each rate the highest threshold.

    Its rate is not known then; every point says so.
    """
    scores = sorted({table.score for profile in known for table in profile.tables})
    return ComparisonProfile(
        name="uncalibrated-strict",
        modality=known[0].modality,
        model="not calibrated",
        dimension=dimension,
        data=CalibrationData(
            description="strictest of " + ", ".join(profile.name for profile in known), people=0, samples=0, impostors=0
        ),
        made_by="bioguard",
        made_on=max(profile.made_on for profile in known),
        tables=tuple(ScoreTable(score=score, points=_strictest(known, score)) for score in scores),
    )


def _strictest(known: Sequence[ComparisonProfile], score: Score) -> tuple[RatePoint, ...]:
    """Points at the rates of all tables: between two of them the highest of straight lines lies below the line."""
    tables = [(profile, table) for profile in known if (table := profile.table(score)) is not None]
    rates = sorted({MIN_RATE, *(point.rate for _, table in tables for point in table.points)}, reverse=True)
    return tuple(
        RatePoint.of(
            rate,
            max(threshold_for_fmr(rate, profile=profile, score=score) for profile, _ in tables),
            Basis.EXTRAPOLATED,
        )
        for rate in rates
    )


def _table(profile: ComparisonProfile, score: Score, cohort: int) -> ScoreTable:
    table = profile.table(score, cohort)
    if table is None:
        by = f", normalized by {cohort} templates" if cohort else ""
        raise not_calibrated(f"comparison profile {profile.name!r} has no table of the score {score.word!r}{by}")
    return table


def _on_lines(points: Sequence[RatePoint], rate: float) -> float:
    last = points[-1]
    if rate >= last.rate:
        logs = [np.log10(point.rate) for point in reversed(points)]
        return float(np.interp(np.log10(rate), logs, [point.threshold for point in reversed(points)]))
    earlier = next(point for point in reversed(points) if point.rate_steps >= 10 * last.rate_steps)
    slope = (last.threshold - earlier.threshold) / math.log10(earlier.rate / last.rate)
    return last.threshold + slope * math.log10(last.rate / rate)


def _checked(rate: float) -> float:
    if not MIN_RATE <= rate <= MAX_RATE:  # also refuses NaN
        raise InputRefused(
            f"an error rate of {rate:g} cannot be set",
            hint=f"use a rate from {MIN_RATE:g} to {MAX_RATE:g} for a single comparison",
            code="input.rate",
        )
    return float(rate)
