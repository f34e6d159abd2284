"""Comparison profiles: one value has one encoding, and what could weaken a device is refused by name."""

import hashlib
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioguard.errors import InputRefused
from bioguard.records.comparison_profile import (
    MAX_PROFILE_BYTES,
    CalibrationData,
    ComparisonProfile,
    RatePoint,
    ScoreTable,
    SiteShift,
)
from bioguard.records.modality import Modality
from bioguard.records.scores import Basis, Score

PAGE = (Path(__file__).parents[2] / "docs" / "formats" / "comparison-profile.md").read_text("utf-8")
POINTS = (
    RatePoint.of(0.1, 0.25, Basis.MEASURED, low=0.2, high=0.3, false_matches=100, impostors=1000),
    RatePoint.of(0.001, 0.5, Basis.EXTRAPOLATED),
)
TABLE = ScoreTable(score=Score.COSINE, points=POINTS)
SHIFT = SiteShift.of(Score.COSINE, 0.125, quantile=0.99, subjects=5, views=3, data_sha256=bytes(32))
PROFILE = ComparisonProfile(
    name="example", modality=Modality.FACE, model="model 1", dimension=64, centered=False,
    data=CalibrationData(description="made up", sha256=bytes(range(32)), people=10, samples=20, impostors=1000),
    made_by="a test", made_on="2026-11-30", tables=(TABLE,), site=(SHIFT,),
)  # fmt: skip


def points(*pairs: tuple[float, float]) -> ComparisonProfile:
    made = tuple(RatePoint.of(rate, threshold, Basis.SYNTHETIC) for rate, threshold in pairs)
    return replace(PROFILE, tables=(ScoreTable(score=Score.COSINE, points=made),))


def test_the_bytes_are_those_of_the_page() -> None:
    told = "".join(re.findall(r"^[0-9a-f ]{20,}$", PAGE.partition("## 5 Example")[2], re.MULTILINE)).replace(" ", "")
    assert PROFILE.to_bytes().hex() == told
    assert PROFILE.digest == hashlib.sha256(bytes.fromhex(told)).digest()
    assert ComparisonProfile.from_bytes(bytes.fromhex(told)) == PROFILE


def test_thresholds_and_shifts_are_rounded_to_the_strict_side() -> None:
    assert RatePoint.of(1e-2, 0.1234561, Basis.SYNTHETIC).threshold_steps == 123457
    for steps in (*range(100, 1000), *range(10**9 - 1000, 10**9)):
        whole, above = steps / 10**6, steps / 10**6 + 1e-11
        assert RatePoint.of(1e-2, whole, Basis.SYNTHETIC).threshold_steps == steps
        assert RatePoint.of(1e-2, above, Basis.SYNTHETIC).threshold_steps == steps + 1
    assert RatePoint.of(1e-2, -0.8888, Basis.SYNTHETIC).threshold == -0.8888
    assert SiteShift.of(
        Score.COSINE, 0.0000001, quantile=0.5, subjects=1, views=1, data_sha256=bytes(32)
    ).shift_steps == 1  # fmt: skip


BAD: dict[str, tuple[Callable[[], object], str]] = {
    "no points": (points, "points"),
    "less than a decade": (lambda: points((0.1, 0.1), (0.02, 0.2)), "points"),
    "rates rise": (lambda: points((0.001, 0.1), (0.1, 0.2)), "points"),
    "a rate twice": (lambda: points((0.1, 0.1), (0.001, 0.2), (0.001, 0.3)), "points"),
    "thresholds fall": (lambda: points((0.1, 0.2), (0.001, 0.1)), "points"),
    "equal thresholds": (lambda: points((0.1, 0.2), (0.001, 0.2)), "points"),
    "NaN as a threshold": (lambda: points((0.1, math.nan), (0.001, 0.1)), "points"),
    "an infinite threshold": (lambda: points((0.1, 0.1), (0.001, math.inf)), "points"),
    "NaN as a rate": (lambda: points((math.nan, 0.1), (0.001, 0.2)), "points"),
    "a rate of 0": (lambda: points((0.1, 0.1), (0.0, 0.2)), "points"),
    "a rate of 1/2": (lambda: points((0.5, 0.1), (0.001, 0.2)), "points"),
    "measured on nobody": (lambda: replace(PROFILE, tables=(replace(TABLE, points=(
        RatePoint.of(0.1, 0.1, Basis.MEASURED), POINTS[1])),)), "points"),
    "measured on too few": (lambda: replace(PROFILE, tables=(replace(TABLE, points=(
        POINTS[0], RatePoint.of(0.001, 0.5, Basis.MEASURED, impostors=2_999))),)), "points"),
    "half an interval": (lambda: replace(PROFILE, tables=(replace(TABLE, points=(
        replace(POINTS[0], low_steps=None), POINTS[1])),)), "points"),
    "outside its interval": (lambda: replace(PROFILE, tables=(replace(TABLE, points=(
        replace(POINTS[0], high_steps=1), POINTS[1])),)), "points"),
    "more matches than pairs": (lambda: replace(PROFILE, tables=(replace(TABLE, points=(
        replace(POINTS[0], false_matches=1001), POINTS[1])),)), "points"),
    "a negative shift": (lambda: SiteShift.of(
        Score.COSINE, -0.1, quantile=0.9, subjects=5, views=3, data_sha256=bytes(32)), "site"),
    "NaN as a shift": (lambda: SiteShift.of(
        Score.COSINE, math.nan, quantile=0.9, subjects=5, views=3, data_sha256=bytes(32)), "site"),
    "a negative shift in steps": (lambda: replace(PROFILE, site=(replace(SHIFT, shift_steps=-1),)), "fields"),
    "two shifts of a score": (lambda: replace(PROFILE, site=(SHIFT, SHIFT)), "site"),
    "a shift without a table": (lambda: replace(PROFILE, site=(replace(SHIFT, score=Score.SCALAR),)), "site"),
    "no table": (lambda: replace(PROFILE, tables=(), site=()), "scores"),
    "two tables of a score": (lambda: replace(PROFILE, tables=(TABLE, TABLE)), "scores"),
    "a cohort's table alone": (lambda: replace(PROFILE, tables=(replace(TABLE, cohort=3),)), "scores"),
    "another modality's score": (lambda: replace(PROFILE, tables=(
        TABLE, replace(TABLE, score=Score.PROTECTED))), "scores"),
    "a name with a path": (lambda: replace(PROFILE, name="../x"), "fields"),
    "no name": (lambda: replace(PROFILE, name=""), "fields"),
    "no model": (lambda: replace(PROFILE, model=" "), "fields"),
    "a day that is none": (lambda: replace(PROFILE, made_on="2026-02-30"), "fields"),
    "32 numbers": (lambda: replace(PROFILE, dimension=32), "fields"),
    "2000 numbers": (lambda: replace(PROFILE, dimension=2000), "fields"),
    "control characters": (lambda: replace(PROFILE, made_by="a\x1b[2J"), "fields"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_could_weaken_a_device_is_refused(name: str) -> None:
    make, fault = BAD[name]
    with pytest.raises(InputRefused) as caught:
        make()
    assert (caught.value.code, int(caught.value.exit_code)) == (f"comparison_profile.{fault}", 4)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "format"),
        (PROFILE.to_bytes()[:-1], "format"),
        (PROFILE.to_bytes() + b"\x00", "format"),
        (cbor2.dumps({"name": "x"}), "format"),
        (cbor2.dumps(["another file", 1]), "format"),
        (cbor2.dumps(["bioguard comparison profile", 1]), "format"),
        (cbor2.dumps(["bioguard comparison profile", True, *cbor2.loads(PROFILE.to_bytes())[2:]]), "version"),
        (cbor2.dumps(["bioguard comparison profile", 2, *cbor2.loads(PROFILE.to_bytes())[2:]]), "version"),
        (bytes(MAX_PROFILE_BYTES + 1), "too_large"),
    ],
)
def test_other_bytes_are_refused(data: bytes, fault: str) -> None:
    with pytest.raises(InputRefused) as caught:
        ComparisonProfile.from_bytes(data)
    assert caught.value.code == f"comparison_profile.{fault}"


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, len(PROFILE.to_bytes()) - 1), value=st.integers(0, 255))
def test_any_changed_byte_is_another_profile_or_our_error(at: int, value: int) -> None:
    data = bytearray(PROFILE.to_bytes())
    data[at] = value
    try:
        found = ComparisonProfile.from_bytes(bytes(data))
    except InputRefused as error:
        assert error.code.startswith("comparison_profile.")
    else:
        assert found.to_bytes() == bytes(data)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_profile_or_our_error(data: bytes) -> None:
    with pytest.raises(InputRefused):
        ComparisonProfile.from_bytes(data)
