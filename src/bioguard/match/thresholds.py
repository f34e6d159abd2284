"""Decision thresholds of comparison scores, named by the rate they give and never by a bare number.

    threshold_for_fmr(1 / 50_000, dimension=512)                     # a face embedding of 512 numbers
    threshold_for_fmr(1 / 50_000, score=Score.LIKELIHOOD_RATIO)      # two fingerprints
    threshold_for_fpir(0.01, n=10_000, dimension=512)                # one search over 10 000 enrolled views

The numbers are in `thresholds.json`, written by `python -m bench.calibration.calibrate_faces` and
`python -m bench.calibration.calibrate_fingerprints`: one table for each score and model, whose points state how they
came about (`Basis`). Between two points a threshold lies on a straight line over the logarithm of the rate. Continued
below the last point with data, that line lies above a Gaussian tail: what could not be measured errs on the strict
side.

This module does not know how many comparisons make one decision: `trusted.biometric.levels` does.
"""

import json
import math
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from functools import cache
from typing import Any, Final, Self

import numpy as np

from bioguard.errors import InputRefused, IntegrityFailure

MIN_RATE: Final = 1e-12
"""The tables end here."""
MAX_RATE: Final = 0.1
"""Above this a biometric decision means nothing."""


@unique
class Score(StrEnum):
    """The scores that a decision can be made on."""

    COSINE = "cosine"
    """Of two face embeddings, `bioguard.match.FaceGallery`."""
    SCALAR = "scalar"
    """Of two scalar codes of faces, `bioguard.match.protected.ScalarCoder`."""
    LIKELIHOOD_RATIO = "likelihood ratio"
    """Of two fingerprints, `bioguard.match.FingerprintGallery`."""
    PROTECTED = "protected"
    """Of two protected codes of fingerprints under one key, `bioguard.match.protected.finger_codes`."""


@unique
class Basis(StrEnum):
    """How a point came about."""

    MEASURED = "measured"
    """At least 30 false matches of real people at this rate (fingerprints: 20)."""
    SYNTHETIC = "synthetic"
    """At least 30 false matches in a calibrated population, shifted to the strict end of the last measured interval."""
    EXTRAPOLATED = "extrapolated"
    """Straight line over the logarithm of the rate."""


@dataclass(frozen=True, slots=True)
class ThresholdPoint:
    """One rate and its threshold; `low` and `high` bound it with 95 % confidence where it was measured."""

    fmr: float
    threshold: float
    basis: Basis
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdTable:
    """Thresholds of one model and score.

    Attributes:
        model: the embedding model, or the features that are compared.
        dimension: numbers of one face embedding, which name the model; None for fingerprints.
        score: what is compared.
        data_set: what the points were fitted on, with sizes.
        points: by falling rate, from MAX_RATE to MIN_RATE.
    """

    model: str
    dimension: int | None
    score: Score
    data_set: str
    points: tuple[ThresholdPoint, ...]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read one table of `thresholds.json`."""
        points = tuple(ThresholdPoint(**{**point, "basis": Basis(point["basis"])}) for point in value["points"])
        return cls(**{**value, "score": Score(value["score"]), "points": points})

    def threshold_for_fmr(self, rate: float) -> float:
        """Interpolate on straight lines over log10 of the rate; MIN_RATE <= rate <= MAX_RATE is the caller's duty."""
        logs = [np.log10(point.fmr) for point in reversed(self.points)]
        return float(np.interp(np.log10(rate), logs, [point.threshold for point in reversed(self.points)]))


@cache
def tables() -> tuple[ThresholdTable, ...]:
    """Return the shipped tables, read once. Raises IntegrityFailure."""
    try:
        data = pkgutil.get_data("bioguard.match", "thresholds.json")
        return tuple(ThresholdTable.from_json(table) for table in json.loads(data or b"")["tables"])
    except (OSError, ValueError, KeyError, TypeError):
        raise IntegrityFailure(
            "the threshold tables are damaged", hint="reinstall bioguard", code="integrity.thresholds"
        ) from None


def threshold_table(score: Score, dimension: int | None = None) -> ThresholdTable:
    """Return the table of this score and, for faces, of the model with this many dimensions.

    A model that was never calibrated gets, at each rate, the strictest threshold of all known models: its false match
    rate is not known then, and calibrating it is the only cure.
    """
    known = [table for table in tables() if table.score is score]
    for table in known:
        if table.dimension == dimension:
            return table
    if dimension is None:  # else who forgets `score` decides on fingerprints by a threshold of faces
        raise TypeError("a face score needs the dimension of its embeddings")
    return _strictest(known, dimension)


def threshold_for_fmr(target: float, *, dimension: int | None = None, score: Score = Score.COSINE) -> float:
    """Return t such that accepting scores >= t gives this false match rate for one comparison.

    Args:
        target: false match rate, MIN_RATE to MAX_RATE.
        dimension: numbers per face embedding, which name the model; fingerprints have none.
        score: the score that is compared.

    Raises:
        InputRefused: the rate is out of range.
    """
    return threshold_table(score, dimension).threshold_for_fmr(_checked(target))


def threshold_for_fpir(target: float, n: int, *, dimension: int | None = None, score: Score = Score.COSINE) -> float:
    """Return t such that a search for a person not enrolled among n views returns anyone with this probability.

    FPIR = 1 - (1 - FMR)^n for independent comparisons; views of one person are not, which errs on the safe side.

    Args:
        target: false positive identification rate, up to MAX_RATE.
        n: number of views searched, at least 1.
        dimension: numbers per face embedding, which name the model; fingerprints have none.
        score: the score that is compared.

    Raises:
        InputRefused: n below 1, or the rate of one comparison falls below MIN_RATE.
    """
    if n < 1:
        raise InputRefused(f"a search over {n} views", hint="enroll somebody first", code="input.gallery_size")
    return threshold_for_fmr(-math.expm1(math.log1p(-_checked(target)) / n), dimension=dimension, score=score)


def basis_for_fmr(target: float, *, dimension: int | None = None, score: Score = Score.COSINE) -> Basis:
    """Return how far the threshold of this rate is founded: the weaker of the two points around it.

    Raises:
        InputRefused: the rate is out of range.
    """
    rate = _checked(target)
    points = threshold_table(score, dimension).points
    return next((p.basis for p in points if p.fmr <= rate), points[-1].basis)


def _checked(rate: float) -> float:
    if not MIN_RATE <= rate <= MAX_RATE:  # also refuses NaN
        raise InputRefused(
            f"an error rate of {rate:g} cannot be set",
            hint=f"use a rate from {MIN_RATE:g} to {MAX_RATE:g} for a single comparison",
            code="input.rate",
        )
    return float(rate)


def _strictest(known: Sequence[ThresholdTable], dimension: int) -> ThresholdTable:
    """Combine tables with equal rates: at each rate the highest threshold."""
    return ThresholdTable(
        model="not calibrated",
        dimension=dimension,
        score=known[0].score,
        data_set="strictest of " + ", ".join(table.model for table in known),
        points=tuple(
            ThresholdPoint(same[0].fmr, max(point.threshold for point in same), Basis.EXTRAPOLATED)
            for same in zip(*(table.points for table in known), strict=True)
        ),
    )
