"""INTERIM by the lead until "fingers" lands the calibrated table: replace this file, keep the signature."""

import math

from bioguard.errors import InputRefused


def threshold_for_fmr(target: float, *, protected: bool = False) -> float:
    """Score threshold of one comparison at a false match rate; `protected` for protected codes."""
    if not 1e-9 <= target <= 0.1:
        raise InputRefused("rate out of range", hint="", code="input.rate")
    return -2.24 - 0.135 * math.log10(target)
