"""The shape of a threshold table."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import ClassVar, Self

import numpy as np


@unique
class Basis(StrEnum):
    """How a point came about."""

    MEASURED = "measured"
    """At least 30 false matches of real people at this rate."""
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
        model: the embedding model.
        dimension: numbers per embedding.
        score: "cosine" or "scalar".
        data_set: what the points were fitted on, with sizes.
        points: by falling rate, from 0.1 to MIN_RATE.
    """

    MIN_RATE: ClassVar[float] = 1e-12

    model: str
    dimension: int
    score: str
    data_set: str
    points: tuple[ThresholdPoint, ...]

    def threshold_for_fmr(self, rate: float) -> float:
        """Interpolate on straight lines over log10 of the rate; MIN_RATE <= rate <= 0.1 is the caller's duty."""
        logs = [np.log10(point.fmr) for point in reversed(self.points)]
        return float(np.interp(np.log10(rate), logs, [point.threshold for point in reversed(self.points)]))

    @classmethod
    def strictest(cls, tables: Sequence[Self], dimension: int) -> Self:
        """Combine tables with equal rates: at each rate the highest threshold."""
        points = tuple(
            ThresholdPoint(point.fmr, max(other.points[i].threshold for other in tables), Basis.EXTRAPOLATED)
            for i, point in enumerate(tables[0].points)
        )
        return cls(
            model="not calibrated",
            dimension=dimension,
            score=tables[0].score,
            data_set="strictest of " + ", ".join(table.model for table in tables),
            points=points,
        )
