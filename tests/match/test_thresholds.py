"""Thresholds: tables are sound and state what they are founded on, interpolation and FPIR are what the formulas say."""

import hashlib
import json
import math
import pkgutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.calibration.threshold_file import PATH, text_of, write_tables
from bioguard.errors import InputRefused, IntegrityFailure
from bioguard.match.thresholds import (
    Basis,
    Score,
    ThresholdTable,
    basis_for_fmr,
    tables,
    threshold_for_fmr,
    threshold_for_fpir,
    threshold_table,
)
from bioguard.simulate.people.faces import EDGEFACE_XS, FacePopulation

NUMBERS = "c8b66ea8c51ad42a758c2115a786733458bbac032f073ff66fb237230fca0ff0"
"""Of the points, so that no threshold moves by accident: who calibrates again writes the new digest here."""


def test_the_numbers_are_those_of_the_last_calibration() -> None:
    rows = [
        (t.score, t.model, *(float.hex(v) for v in (p.fmr, p.threshold, p.low or 0.0, p.high or 0.0)), p.basis)
        for t in tables()
        for p in t.points
    ]
    assert hashlib.sha256(json.dumps(rows).encode()).hexdigest() == NUMBERS


@pytest.mark.parametrize("table", tables(), ids=lambda t: f"{t.model}-{t.score}")
def test_tables_are_sound(table: ThresholdTable) -> None:
    points = table.points
    assert points[0].fmr == 0.1
    assert points[-1].fmr == 1e-12
    assert all(a.fmr > b.fmr and a.threshold < b.threshold for a, b in pairwise(points))
    order = [Basis.MEASURED, Basis.SYNTHETIC, Basis.EXTRAPOLATED]
    assert sorted(points, key=lambda p: order.index(p.basis)) == list(points)
    for p in points:
        assert (p.basis is Basis.MEASURED) == (p.low is not None) == (p.high is not None)
        if p.low is not None and p.high is not None:
            assert p.low <= p.threshold <= p.high


def test_every_score_of_every_model_is_there() -> None:
    faces = (("edgeface_xs", 512), ("mobilefacenet", 128))
    assert [(t.model, t.dimension, t.score) for t in tables()] == [
        *((*model, Score.COSINE) for model in faces),
        ("minutiae", None, Score.LIKELIHOOD_RATIO),
        ("minutiae", None, Score.PROTECTED),
        *((*model, Score.SCALAR) for model in faces),
    ]
    assert any(p.basis is Basis.MEASURED for p in threshold_table(Score.COSINE, 512).points)


def test_what_real_impostors_do_not_reach_is_not_called_measured() -> None:
    """Fingerprints: 23 040 impostor pairs hold 23 at 1e-3 and two at 1e-4."""
    for rate, basis in ((1e-3, "measured"), (0.5e-3, "synthetic"), (1e-5, "synthetic"), (1e-8, "extrapolated")):
        assert basis_for_fmr(rate, score=Score.LIKELIHOOD_RATIO) == basis


def test_points_and_the_line_between_them() -> None:
    table = threshold_table(Score.COSINE, 512)
    for point in table.points:
        assert threshold_for_fmr(point.fmr, dimension=512) == pytest.approx(point.threshold, abs=1e-12)
    a, b = table.points[2], table.points[3]
    middle = math.sqrt(a.fmr * b.fmr)
    assert threshold_for_fmr(middle, dimension=512) == pytest.approx((a.threshold + b.threshold) / 2, abs=1e-12)


@given(st.floats(1e-12, 0.1), st.floats(1e-12, 0.1), st.sampled_from([64, 128, 512, 1024]), st.sampled_from(Score))
def test_stricter_rates_have_higher_thresholds(a: float, b: float, dimension: int, score: Score) -> None:
    low, high = sorted((a, b))
    assert threshold_for_fmr(low, dimension=dimension, score=score) >= threshold_for_fmr(
        high, dimension=dimension, score=score
    )


@given(st.floats(1e-3, 0.1), st.integers(1, 10**8))
def test_fpir_is_fmr_shared_out_over_the_gallery(target: float, n: int) -> None:
    fmr = 1 - (1 - target) ** (1 / n) if n < 1000 else -math.log1p(-target) / n
    assert threshold_for_fpir(target, n, dimension=512) == pytest.approx(
        threshold_for_fmr(fmr, dimension=512), abs=1e-4
    )


def test_uncalibrated_models_get_the_strictest_threshold() -> None:
    for rate in (0.01, 1e-5, 1e-9):
        known = [threshold_for_fmr(rate, dimension=d) for d in (128, 512)]
        assert threshold_for_fmr(rate, dimension=256) == max(known)
    assert threshold_table(Score.COSINE, 256).model == "not calibrated"
    assert basis_for_fmr(0.01, dimension=256) is Basis.EXTRAPOLATED


def test_the_score_of_fingerprints_is_named_and_that_of_faces_has_a_dimension() -> None:
    with pytest.raises(TypeError, match="a face score needs the dimension"):
        threshold_for_fmr(1e-3)


def test_rates_on_people_the_tables_never_saw() -> None:
    """Other seed than the calibration: 1 500 x 1 500 impostor pairs, 2.25 million."""
    population = FacePopulation(EDGEFACE_XS, seed=77)
    scores = population.embeddings(0, 1500, 0) @ population.embeddings(1500, 1500, 0).T
    for rate in (1e-2, 1e-3, 1e-4):
        assert 0.5 * rate < float(np.mean(scores >= threshold_for_fmr(rate, dimension=512))) < 1.7 * rate


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: threshold_for_fmr(0.2, dimension=512), "an error rate of 0.2 cannot be set"),
        (lambda: threshold_for_fmr(0.0, dimension=512), "an error rate of 0 cannot be set"),
        (lambda: threshold_for_fmr(math.nan, dimension=512), "an error rate of nan cannot be set"),
        (lambda: threshold_for_fmr(-1.0, dimension=512), "an error rate of -1 cannot be set"),
        (lambda: threshold_for_fmr(math.inf, dimension=512), "an error rate of inf cannot be set"),
        (lambda: basis_for_fmr(0.2, dimension=512), "an error rate of 0.2 cannot be set"),
        (lambda: threshold_for_fmr(1e-13, dimension=512), "an error rate of 1e-13 cannot be set"),
        (lambda: threshold_for_fpir(1e-6, 10**8, dimension=512), "an error rate of 1e-14 cannot be set"),
        (lambda: threshold_for_fpir(0.01, 0, dimension=512), "a search over 0 views"),
    ],
)
def test_refusals(call: object, message: str) -> None:
    with pytest.raises(InputRefused) as caught:
        call()  # type: ignore[operator]
    assert str(caught.value) == message
    assert caught.value.hint


def test_the_file_is_what_the_calibration_writes(tmp_path: Path) -> None:
    shipped = PATH.read_text("utf-8")
    assert text_of(tables()) == shipped
    path = tmp_path / "thresholds.json"
    for modality in (("cosine", "scalar"), ("likelihood ratio", "protected")):
        write_tables(path, [t for t in tables() if t.score in modality])
    assert path.read_text("utf-8") == shipped


@pytest.mark.parametrize("data", [None, b"", b"[]", b'{"tables": [{}]}', b'{"tables": [{"points": [], "score": "x"}]}'])
def test_damaged_tables_are_refused(monkeypatch: pytest.MonkeyPatch, data: bytes | None) -> None:
    monkeypatch.setattr(pkgutil, "get_data", lambda *_: data)
    tables.cache_clear()
    try:
        with pytest.raises(IntegrityFailure, match="the threshold tables are damaged"):
            tables()
    finally:
        tables.cache_clear()
