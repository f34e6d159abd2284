"""Decision thresholds of fingerprint comparisons, named by the rate they give and never by a bare number.

Points say how they came about (`bioguard.match.threshold_table.Basis`). The numbers are in `threshold_points`, written
by `python -m bench.calibration.calibrate_fingerprints`.
"""

from typing import Final

from bioguard.errors import InputRefused
from bioguard.match.fingerprint.threshold_points import DATA_SET, FULL, PROTECTED
from bioguard.match.threshold_table import Basis, ThresholdTable

MAX_RATE: Final = 0.1
"""Above this a biometric decision means nothing."""

_DIMENSIONS = 96
_FULL = ThresholdTable(
    model="minutiae", dimension=_DIMENSIONS, score="likelihood ratio", data_set=DATA_SET, points=FULL
)
_PROTECTED = ThresholdTable(
    model="minutiae", dimension=_DIMENSIONS, score="protected", data_set=DATA_SET, points=PROTECTED
)


def finger_table(*, protected: bool = False) -> ThresholdTable:
    """The table of the full comparison, or of protected codes under one key."""
    return _PROTECTED if protected else _FULL


def threshold_for_fmr(target: float, *, protected: bool = False) -> float:
    """Return t such that accepting scores >= t gives this false match rate for one comparison.

    Args:
        target: false match rate, 1e-12 to 0.1.
        protected: for scores of protected codes.

    Raises:
        InputRefused: the rate is out of range.
    """
    return finger_table(protected=protected).threshold_for_fmr(_checked(target))


def basis_for_fmr(target: float, *, protected: bool = False) -> Basis:
    """How far the threshold of this rate is founded: the weaker of the two points around it. Raises InputRefused."""
    rate = _checked(target)
    points = finger_table(protected=protected).points
    return next((p.basis for p in points if p.fmr <= rate), points[-1].basis)


def _checked(rate: float) -> float:
    if not ThresholdTable.MIN_RATE <= rate <= MAX_RATE:  # also refuses NaN
        raise InputRefused(
            f"an error rate of {rate:g} cannot be set",
            hint=f"use a rate from {ThresholdTable.MIN_RATE:g} to {MAX_RATE:g} for a single comparison",
            code="input.rate",
        )
    return float(rate)
