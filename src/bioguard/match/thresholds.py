"""Decision thresholds, named by the rate they give and never by a bare number.

A table belongs to one embedding model and one kind of score. Its points say how they came about: MEASURED on real
impostor pairs, SYNTHETIC (a calibrated population, shifted to the strict end of the last measured interval), or
EXTRAPOLATED on a straight line over the logarithm of the rate, which lies above a Gaussian tail. Between points the
same line is used.

    threshold_for_fmr(1 / 50_000, dimension=512)
    threshold_for_fpir(0.01, n=10_000, dimension=512)      # one search over 10 000 enrolled views

The numbers are in `face_thresholds`, written by `python -m bench.calibration.calibrate_faces`.
"""

import math
from enum import StrEnum
from typing import Final

import numpy as np

from bioguard.errors import InputRefused
from bioguard.match.face_thresholds import TABLES
from bioguard.match.threshold_table import ThresholdTable

MAX_RATE: Final = 0.1
"""Above this a biometric decision means nothing."""


class Score(StrEnum):
    """The two face scores a decision can be made on."""

    COSINE = "cosine"
    SCALAR = "scalar"
    """Similarity of scalar codes, `bioguard.match.protected.ScalarCoder`."""


def face_table(dimension: int, score: Score = Score.COSINE) -> ThresholdTable:
    """Return the table of the model with this many dimensions.

    A model that was never calibrated gets, at each rate, the strictest threshold of all known models: its false match
    rate is not known then, and calibrating it is the only cure.
    """
    known = [table for table in TABLES if table.score == score]
    for table in known:
        if table.dimension == dimension:
            return table
    return ThresholdTable.strictest(known, dimension)


def threshold_for_fmr(target: float, *, dimension: int = 512, score: Score = Score.COSINE) -> float:
    """Return t such that accepting scores >= t gives this false match rate for one comparison.

    Args:
        target: false match rate, 1e-12 to 0.1.
        dimension: numbers per embedding, which names the model.
        score: the score that is compared.

    Raises:
        InputRefused: the rate is out of range.
    """
    return face_table(dimension, score).threshold_for_fmr(_checked(target))


def threshold_for_fpir(target: float, n: int, *, dimension: int = 512, score: Score = Score.COSINE) -> float:
    """Return t such that a search of somebody not enrolled among n views returns anyone with this probability.

    FPIR = 1 - (1 - FMR)^n for independent comparisons; views of one person are not, which errs on the safe side.

    Args:
        target: false positive identification rate, up to 0.1.
        n: number of views searched, at least 1.
        dimension: numbers per embedding, which names the model.
        score: the score that is compared.

    Raises:
        InputRefused: n below 1, or the rate of one comparison falls below 1e-12.
    """
    if n < 1:
        raise InputRefused(f"a search over {n} views", hint="enroll somebody first", code="input.gallery_size")
    rate = -math.expm1(math.log1p(-_checked(target)) / n)
    return face_table(dimension, score).threshold_for_fmr(_checked(rate))


def _checked(rate: float) -> float:
    if not ThresholdTable.MIN_RATE <= rate <= MAX_RATE or not np.isfinite(rate):
        raise InputRefused(
            f"an error rate of {rate:g} cannot be set",
            hint=f"use a rate from {ThresholdTable.MIN_RATE:g} to {MAX_RATE:g} for a single comparison",
            code="input.rate",
        )
    return float(rate)
