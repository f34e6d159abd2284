"""Thresholds: tables are sound, interpolation and FPIR are what the formulas say, refusals."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.errors import InputRefused
from bioguard.match.face_thresholds import TABLES
from bioguard.match.threshold_table import Basis
from bioguard.match.thresholds import Score, face_table, threshold_for_fmr, threshold_for_fpir
from bioguard.simulate.people.faces import EDGEFACE_XS, FacePopulation


@pytest.mark.parametrize("table", TABLES, ids=lambda t: f"{t.model}-{t.score}")
def test_tables_are_sound(table: object) -> None:
    points = table.points  # type: ignore[attr-defined]
    assert points[0].fmr == 0.1
    assert points[-1].fmr == 1e-12
    assert all(a.fmr > b.fmr and a.threshold < b.threshold for a, b in pairwise(points))
    order = [Basis.MEASURED, Basis.SYNTHETIC, Basis.EXTRAPOLATED]
    assert sorted(points, key=lambda p: order.index(p.basis)) == list(points)
    for p in points:
        assert (p.basis is Basis.MEASURED) == (p.low is not None) == (p.high is not None)
        if p.low is not None:
            assert p.low <= p.threshold <= p.high


def test_both_scores_of_both_models_are_there() -> None:
    assert {(t.model, t.dimension, t.score) for t in TABLES} == {
        (model, dimension, score)
        for model, dimension in (("edgeface_xs", 512), ("mobilefacenet", 128))
        for score in ("cosine", "scalar")
    }
    assert any(p.basis is Basis.MEASURED for p in face_table(512).points)


def test_points_and_the_line_between_them() -> None:
    table = face_table(512)
    for point in table.points:
        assert threshold_for_fmr(point.fmr) == pytest.approx(point.threshold, abs=1e-12)
    a, b = table.points[2], table.points[3]
    middle = math.sqrt(a.fmr * b.fmr)
    assert threshold_for_fmr(middle) == pytest.approx((a.threshold + b.threshold) / 2, abs=1e-12)


@given(st.floats(1e-12, 0.1), st.floats(1e-12, 0.1), st.sampled_from([64, 128, 512, 1024]), st.sampled_from(Score))
def test_stricter_rates_have_higher_thresholds(a: float, b: float, dimension: int, score: Score) -> None:
    low, high = sorted((a, b))
    assert threshold_for_fmr(low, dimension=dimension, score=score) >= threshold_for_fmr(
        high, dimension=dimension, score=score
    )


@given(st.floats(1e-3, 0.1), st.integers(1, 10**8))
def test_fpir_is_fmr_shared_out_over_the_gallery(target: float, n: int) -> None:
    fmr = 1 - (1 - target) ** (1 / n) if n < 1000 else -math.log1p(-target) / n
    assert threshold_for_fpir(target, n) == pytest.approx(threshold_for_fmr(fmr), abs=1e-4)


def test_uncalibrated_models_get_the_strictest_threshold() -> None:
    for rate in (0.01, 1e-5, 1e-9):
        known = [threshold_for_fmr(rate, dimension=d) for d in (128, 512)]
        assert threshold_for_fmr(rate, dimension=256) == max(known)
    assert face_table(256).model == "not calibrated"


def test_rates_on_people_the_tables_never_saw() -> None:
    """Other seed than the calibration: 1 500 x 1 500 impostor pairs, 2.25 million."""
    population = FacePopulation(EDGEFACE_XS, seed=77)
    scores = population.embeddings(0, 1500, 0) @ population.embeddings(1500, 1500, 0).T
    for rate in (1e-2, 1e-3, 1e-4):
        assert 0.5 * rate < float(np.mean(scores >= threshold_for_fmr(rate))) < 1.7 * rate


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: threshold_for_fmr(0.2), "an error rate of 0.2 cannot be set"),
        (lambda: threshold_for_fmr(0.0), "an error rate of 0 cannot be set"),
        (lambda: threshold_for_fmr(math.nan), "an error rate of nan cannot be set"),
        (lambda: threshold_for_fmr(1e-13), "an error rate of 1e-13 cannot be set"),
        (lambda: threshold_for_fpir(1e-6, 10**8), "an error rate of 1e-14 cannot be set"),
        (lambda: threshold_for_fpir(0.01, 0), "a search over 0 views"),
    ],
)
def test_refusals(call: object, message: str) -> None:
    with pytest.raises(InputRefused) as caught:
        call()  # type: ignore[operator]
    assert str(caught.value) == message
    assert caught.value.hint
