"""Thresholds: tables are sound and state what they are founded on, interpolation and FPIR are what the formulas say."""

import hashlib
import json
import math
import pkgutil
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.errors import InputRefused, IntegrityFailure
from bioguard.match import thresholds
from bioguard.match.fingerprint.cohort import SIZES
from bioguard.match.thresholds import (
    BUILTIN,
    EXTRACTORS,
    basis_for_fmr,
    builtin_profile,
    builtin_profiles,
    strictest,
    threshold_for_fmr,
    threshold_for_fpir,
)
from bioguard.records.comparison_profile import ComparisonProfile, RatePoint, ScoreTable, SiteShift
from bioguard.records.modality import Modality
from bioguard.records.scores import Basis, Score
from bioguard.simulate.people.faces import EDGEFACE_XS, FacePopulation

FOLDER = Path(thresholds.__file__).parent / "profiles"
NUMBERS = "b85769b213ae8f4e8c8cee52de16736b7d2b78afaead427b3269d10a9fe87c77"
"""Of the points, so that no threshold moves by accident: who calibrates again writes the new digest here."""
FACE, SMALL, FINGER = (builtin_profile(*key) for key in (
    (Modality.FACE, 512), (Modality.FACE, 128), (Modality.FINGERPRINT,),
))  # fmt: skip
TABLES = [(profile, table) for profile in (FACE, SMALL, FINGER) for table in profile.tables]


def fmr(rate: float, profile: ComparisonProfile = FACE, score: Score = Score.COSINE) -> float:
    return threshold_for_fmr(rate, profile=profile, score=score)


def few(*points: tuple[float, float, Basis], cohort: int = 0, shift: float = 0.0) -> ComparisonProfile:
    """A profile with these points, unmeasured, and no other."""
    made = tuple(RatePoint.of(rate, threshold, basis) for rate, threshold, basis in points)
    tables = {0: ScoreTable(score=Score.COSINE, points=FACE.tables[0].points)}
    tables[cohort] = ScoreTable(score=Score.COSINE, cohort=cohort, points=made)
    site = (SiteShift.of(Score.COSINE, shift, quantile=0.99, subjects=5, views=3, data_sha256=bytes(32)),)
    return replace(FACE, tables=tuple(tables.values()), site=site if shift else ())


def test_the_numbers_are_those_of_the_last_calibration() -> None:
    rows = [
        (
            t.score.word,
            p.model,
            *(float.hex(v) for v in (q.rate, q.threshold, q.low or 0.0, q.high or 0.0)),
            q.basis.word,
        )
        for p, t in sorted(TABLES, key=lambda both: (both[1].score.word, both[0].model))
        for q in t.points
    ]
    assert hashlib.sha256(json.dumps(rows).encode()).hexdigest() == NUMBERS


@pytest.mark.parametrize(("profile", "table"), TABLES, ids=lambda value: getattr(value, "name", None))
def test_tables_are_sound(profile: ComparisonProfile, table: ScoreTable) -> None:
    points = table.points
    assert points[0].rate == 0.1
    assert all(a.rate > b.rate and a.threshold < b.threshold for a, b in pairwise(points))
    counted = Basis.SYNTHETIC if profile is SMALL else Basis.MEASURED
    assert [p.basis for p in points] == [*[counted] * (len(points) - 1), Basis.EXTRAPOLATED]
    for p in points[:-1]:
        assert p.low is not None
        assert p.threshold == p.high  # the strict end
        assert p.rate * p.impostors * 1.01 >= 3
        assert p.false_matches <= 1.1 * p.rate * p.impostors  # of faces one photograph a person counts
    assert (points[-1].low, points[-1].impostors) == (None, 0)


def test_every_score_of_every_model_is_there() -> None:
    assert [(p.name, p.model, p.dimension, t.score, t.cohort) for p, t in TABLES] == [
        ("edgeface-xs-512", "edgeface_xs", 512, Score.COSINE, 0),
        ("edgeface-xs-512", "edgeface_xs", 512, Score.SCALAR, 0),
        ("mobilefacenet-128", "mobilefacenet", 128, Score.COSINE, 0),
        ("mobilefacenet-128", "mobilefacenet", 128, Score.SCALAR, 0),
        *(
            ("minutiae-pooled", "minutiae", 0, score, cohort)
            for score in (Score.LIKELIHOOD_RATIO, Score.PROTECTED)
            for cohort in (0, *(size.templates for size in SIZES))
        ),
    ]
    assert builtin_profiles() == (FACE, SMALL, FINGER)
    assert all(profile.centered and not profile.site for profile in builtin_profiles())


def test_what_real_impostors_do_not_reach_is_not_called_measured() -> None:
    """Fingerprints: of 99 712 impostor comparisons ten match at 1e-4, of six pairs of fingers, and two at 2e-5."""
    for rate, basis in (
        (1e-3, Basis.MEASURED),
        (1e-4, Basis.MEASURED),
        (0.9e-4, Basis.EXTRAPOLATED),
        (1e-8, Basis.EXTRAPOLATED),
    ):
        assert basis_for_fmr(rate, profile=FINGER, score=Score.LIKELIHOOD_RATIO) is basis


def test_the_finger_in_two_databases_is_left_out_by_name_and_the_provenance_is_that_of_the_data() -> None:
    data = FINGER.data
    assert "fvc2002/DB3_B/108 and fvc2004/DB3_B/102" in data.description
    assert "models trained without the database" in data.description
    assert (data.people, data.samples, data.impostors) == (40, 640, 99_712)
    assert (FACE.data.people, FACE.data.impostors) == (2843, 19_053_002)
    assert (SMALL.data.people, SMALL.data.sha256) == (0, None)


def test_the_line_below_the_last_count_is_at_least_as_steep_as_that_of_the_counts() -> None:
    """The extension by synthetic fingers gave 1 in 50 000 at 2.105, which real ones reached six times as often."""
    assert 2.6 < fmr(1 / 50_000, FINGER, Score.LIKELIHOOD_RATIO) < 2.9


def test_points_and_the_line_between_them() -> None:
    for point in FACE.tables[0].points:
        assert fmr(point.rate) == pytest.approx(point.threshold, abs=1e-12)
    a, b = FACE.tables[0].points[2:4]
    assert fmr(math.sqrt(a.rate * b.rate)) == pytest.approx((a.threshold + b.threshold) / 2, abs=1e-12)


def test_below_the_last_point_the_line_of_the_last_decade_goes_on_and_is_called_extrapolated() -> None:
    profile = few(
        (1e-1, 0.1, Basis.SYNTHETIC), (5e-2, 0.19, Basis.SYNTHETIC), (1e-2, 0.2, Basis.SYNTHETIC),
        (9e-3, 0.2001, Basis.SYNTHETIC),
    )  # fmt: skip
    slope = (0.2001 - 0.1) / math.log10(1e-1 / 9e-3)
    assert fmr(9e-6, profile) == pytest.approx(0.2001 + 3 * slope)  # not the slope of the last two points
    assert basis_for_fmr(9e-3, profile=profile, score=Score.COSINE) is Basis.SYNTHETIC
    assert basis_for_fmr(8.9e-3, profile=profile, score=Score.COSINE) is Basis.EXTRAPOLATED


def test_above_the_first_point_its_threshold_serves() -> None:
    profile = few((1e-2, 0.2, Basis.SYNTHETIC), (1e-4, 0.4, Basis.EXTRAPOLATED))
    assert fmr(0.1, profile) == fmr(1e-2, profile) == 0.2
    assert basis_for_fmr(0.1, profile=profile, score=Score.COSINE) is Basis.SYNTHETIC
    assert basis_for_fmr(5e-3, profile=profile, score=Score.COSINE) is Basis.EXTRAPOLATED


def test_at_a_point_its_own_basis_counts_and_between_two_the_weaker_one() -> None:
    profile = few((1e-1, 0.1, Basis.EXTRAPOLATED), (1e-2, 0.2, Basis.SYNTHETIC), (1e-4, 0.4, Basis.EXTRAPOLATED))
    for rate, basis in ((1e-2, Basis.SYNTHETIC), (1.1e-2, Basis.EXTRAPOLATED), (0.9e-2, Basis.EXTRAPOLATED)):
        assert basis_for_fmr(rate, profile=profile, score=Score.COSINE) is basis


def test_a_site_shifts_every_threshold_of_its_score_and_no_other() -> None:
    shifted = replace(FACE, site=few((1e-1, 0.0, Basis.SYNTHETIC), (1e-3, 0.1, Basis.SYNTHETIC), shift=0.05).site)
    for rate in (1e-2, 1e-5, 1e-12):
        assert fmr(rate, shifted) == pytest.approx(fmr(rate) + 0.05)
        assert fmr(rate, shifted, Score.SCALAR) == fmr(rate, FACE, Score.SCALAR)
    cohort = few((1e-1, 0.01, Basis.SYNTHETIC), (1e-3, 0.02, Basis.SYNTHETIC), cohort=3, shift=0.05)
    assert threshold_for_fmr(1e-3, profile=cohort, score=Score.COSINE, cohort=3) == pytest.approx(0.07)


def test_a_normalized_score_has_the_table_of_the_largest_cohort_that_is_there_and_never_the_plain_one() -> None:
    profile = few((1e-1, 0.01, Basis.SYNTHETIC), (1e-3, 0.02, Basis.SYNTHETIC), cohort=3)
    for cohort in (3, 4, 200):
        assert threshold_for_fmr(1e-3, profile=profile, score=Score.COSINE, cohort=cohort) == 0.02
    assert threshold_for_fmr(1e-3, profile=profile, score=Score.COSINE) == fmr(1e-3)
    for cohort in (1, 2):
        with pytest.raises(InputRefused, match=f"has no table of the score 'cosine', normalized by {cohort} templates"):
            threshold_for_fmr(1e-3, profile=profile, score=Score.COSINE, cohort=cohort)


@given(st.floats(1e-12, 0.1), st.floats(1e-12, 0.1), st.sampled_from(TABLES))
def test_stricter_rates_have_higher_thresholds(a: float, b: float, of: tuple[ComparisonProfile, ScoreTable]) -> None:
    low, high = sorted((a, b))
    assert fmr(low, of[0], of[1].score) >= fmr(high, of[0], of[1].score)


@given(st.floats(1e-3, 0.1), st.integers(1, 10**8))
def test_fpir_is_fmr_shared_out_over_the_gallery(target: float, n: int) -> None:
    rate = 1 - (1 - target) ** (1 / n) if n < 1000 else -math.log1p(-target) / n
    assert threshold_for_fpir(target, n, profile=FACE, score=Score.COSINE) == pytest.approx(fmr(rate), abs=1e-4)


@given(st.floats(1e-12, 0.1), st.sampled_from([Score.COSINE, Score.SCALAR]))
def test_the_strictest_profile_is_nowhere_looser_than_those_it_is_made_of(rate: float, score: Score) -> None:
    combined = strictest([FACE, SMALL], 256)
    assert fmr(rate, combined, score) >= max(fmr(rate, p, score) for p in (FACE, SMALL)) - 1e-12
    assert basis_for_fmr(rate, profile=combined, score=score) is Basis.EXTRAPOLATED
    assert (combined.model, combined.dimension) == ("not calibrated", 256)
    assert combined.data.description == "strictest of edgeface-xs-512, mobilefacenet-128"


def test_the_strictest_profile_is_the_highest_threshold_at_the_points() -> None:
    crossing = few((1e-1, 0.3, Basis.SYNTHETIC), (1e-12, 0.31, Basis.SYNTHETIC))
    later = few((1e-1, 0.0, Basis.SYNTHETIC), (1e-2, 0.08, Basis.SYNTHETIC))  # beyond the last point of both
    for other in (crossing, later):
        combined = strictest([FACE, other], 256)
        for rate in (1e-1, 1e-2, 1e-4, 1e-6, 1e-12):
            assert fmr(rate, combined) == pytest.approx(max(fmr(rate), fmr(rate, other)), abs=2e-6)
    assert fmr(1e-12, later) > fmr(1e-12)
    assert fmr(1e-6, later) < fmr(1e-6)


def test_a_model_without_a_profile_is_not_calibrated() -> None:
    with pytest.raises(InputRefused, match="no built-in comparison profile is of a model of 256 numbers") as caught:
        builtin_profile(Modality.FACE, 256)
    assert (caught.value.code, caught.value.exit_code) == ("match.not_calibrated", 4)
    with pytest.raises(InputRefused, match="'edgeface-xs-512' has no table of the score 'likelihood ratio'"):
        fmr(1e-3, FACE, Score.LIKELIHOOD_RATIO)


def test_rates_on_people_the_tables_never_saw() -> None:
    """Other seed than the calibration: 1 500 x 1 500 impostor pairs, 2.25 million."""
    population = FacePopulation(EDGEFACE_XS, seed=77)
    scores = population.embeddings(0, 1500, 0) @ population.embeddings(1500, 1500, 0).T
    for rate in (1e-2, 1e-3, 1e-4):
        assert 0.5 * rate < float(np.mean(scores >= fmr(rate))) < 1.7 * rate


@pytest.mark.parametrize(
    ("call", "message"),
    [
        *((lambda rate=rate: fmr(rate), f"an error rate of {rate:g} cannot be set")
          for rate in (0.2, 0.0, math.nan, -1.0, math.inf, 1e-13)),
        (lambda: basis_for_fmr(0.2, profile=FACE, score=Score.COSINE), "an error rate of 0.2 cannot be set"),
        (lambda: threshold_for_fpir(1e-6, 10**8, profile=FACE, score=Score.COSINE),
         "an error rate of 1e-14 cannot be set"),
        (lambda: threshold_for_fpir(0.01, 0, profile=FACE, score=Score.COSINE), "a search over 0 views"),
    ],
)  # fmt: skip
def test_refusals(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InputRefused) as caught:
        call()
    assert str(caught.value) == message
    assert caught.value.hint


def test_the_built_in_profiles_are_all_that_is_there() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.profile" for name in (*BUILTIN, *EXTRACTORS)}


@pytest.mark.parametrize("data", [None, b"", b"[]", FACE.to_bytes()[:-1], FACE.to_bytes() + b"\0"])
def test_damaged_profiles_are_refused(monkeypatch: pytest.MonkeyPatch, data: bytes | None) -> None:
    monkeypatch.setattr(pkgutil, "get_data", lambda *_: data)
    builtin_profiles.cache_clear()
    try:
        with pytest.raises(IntegrityFailure, match="the built-in comparison profiles are damaged"):
            builtin_profiles()
    finally:
        builtin_profiles.cache_clear()
