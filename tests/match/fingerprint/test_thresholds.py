"""Thresholds: named by their rate, honest about where they come from."""

import numpy as np
import pytest

from bioguard.errors import InputRefused
from bioguard.match.fingerprint.thresholds import basis_for_fmr, finger_table, threshold_for_fmr
from bioguard.match.threshold_table import Basis


@pytest.mark.parametrize("protected", [False, True])
def test_stricter_rates_have_higher_thresholds(protected: bool) -> None:
    rates = np.logspace(-1, -12, 60)
    thresholds = [threshold_for_fmr(float(r), protected=protected) for r in rates]
    assert np.all(np.diff(thresholds) > 0)


@pytest.mark.parametrize("protected", [False, True])
def test_every_point_says_how_far_it_is_founded(protected: bool) -> None:
    points = finger_table(protected=protected).points
    order = [Basis.MEASURED, Basis.SYNTHETIC, Basis.EXTRAPOLATED]
    ranks = [order.index(p.basis) for p in points]
    assert ranks == sorted(ranks)
    for point in points:
        measured = point.basis is Basis.MEASURED
        assert measured == (point.low is not None)
        if point.low is not None and point.high is not None:
            assert point.low <= point.threshold <= point.high


def test_what_real_impostors_do_not_reach_is_not_called_measured() -> None:
    """23 040 impostor pairs hold 23 at 1e-3 and two at 1e-4."""
    assert basis_for_fmr(1e-3) is Basis.MEASURED
    assert basis_for_fmr(0.5e-3) is Basis.SYNTHETIC
    assert basis_for_fmr(1e-5) is Basis.SYNTHETIC
    assert basis_for_fmr(1e-8) is Basis.EXTRAPOLATED


@pytest.mark.parametrize("rate", [0.0, -1.0, 0.2, 1e-13, float("nan"), float("inf")])
def test_rates_out_of_range_are_refused(rate: float) -> None:
    with pytest.raises(InputRefused, match=r"an error rate of .* cannot be set"):
        threshold_for_fmr(rate)
    with pytest.raises(InputRefused, match=r"an error rate of .* cannot be set"):
        basis_for_fmr(rate)
