"""What no centered face model makes is told from one vector, at every dimension; what one makes is left alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.records import FaceEmbedding
from bioguard.records.centering import MAX_COMMON_T, Flaw, common_limit, flaw_of
from bioguard.simulate.people import EDGEFACE_XS, MOBILEFACENET, FacePopulation

DIMENSIONS = (64, 100, 128, 192, 256, 512, 768, 1024)
dimensions = st.sampled_from(DIMENSIONS)
seeds = st.integers(0, 2**32)
scales = st.sampled_from((1e-6, 0.05, 1.0, 37.0, 1e9))


def people(dimension: int, count: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, dimension))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def uint8(v: np.ndarray, zero_point: float = 128.0) -> np.ndarray:
    return np.clip(np.rint(v / np.abs(v).max() * 127 + zero_point), 0, 255).astype(np.uint8)


NOT_CENTERED = {
    "uint8, zero point 128": uint8,
    "uint8, zero point 100": lambda v: uint8(v, 100.0),
    "uint4 in a byte": lambda v: (uint8(v) >> 4).astype(np.uint8),
    "two levels, 0 and 1": lambda v: (v > 0).astype(np.float32),
    "offset of 1.5 sigma": lambda v: v + 1.5 / np.sqrt(v.size),
    "offset of -1.5 sigma": lambda v: v - 1.5 / np.sqrt(v.size),
    "rectified": lambda v: np.maximum(v, 0),
    "absolute values": np.abs,
    "one in fifty set": lambda v: (v >= np.sort(v)[-max(2, v.size // 50)]).astype(np.uint8),
    "softmax": lambda v: np.exp(v * np.sqrt(v.size)) / np.exp(v * np.sqrt(v.size)).sum(),
    "nearly constant": lambda v: 0.5 + 0.02 * v * np.sqrt(v.size),
}


@pytest.mark.parametrize("name", NOT_CENTERED)
@given(dimensions, seeds, scales)
def test_what_is_added_to_every_component_is_found_at_every_scale(name, d, seed, scale) -> None:
    made = np.asarray(NOT_CENTERED[name](people(d, 1, seed)[0]))
    assert flaw_of(made) is Flaw.NOT_CENTERED
    assert flaw_of(made.astype(np.float64) * scale) is Flaw.NOT_CENTERED
    stored = FaceEmbedding.from_features(made.astype(np.float64) * scale)
    assert flaw_of(stored.vector) is Flaw.NOT_CENTERED, "the flaw must survive normalizing and float16"


@given(dimensions, st.sampled_from((-3.0, -1e-9, 1e-9, 0.5, 255.0, 1e30)))
def test_a_constant_vector_is_no_face(d, value) -> None:
    assert flaw_of(np.full(d, value)) is Flaw.CONSTANT
    assert flaw_of(FaceEmbedding.from_features(np.full(d, value)).vector) is Flaw.CONSTANT


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_a_scale_whose_square_no_float_holds_changes_nothing(scale: float) -> None:
    (row,) = people(512, 1, seed=8)
    assert flaw_of(row * scale) is None
    assert flaw_of(uint8(row) * scale) is Flaw.NOT_CENTERED


def test_zeros_and_constant_bytes_are_constant() -> None:
    assert flaw_of(np.zeros(512)) is Flaw.CONSTANT
    assert flaw_of(np.full(512, 128, np.uint8)) is Flaw.CONSTANT


@given(dimensions, seeds, st.sampled_from((3.0, 7.0, 4000.0)))
def test_a_row_number_in_front_is_found(d, seed, row) -> None:
    indexed = np.concatenate(([row], people(d - 1, 1, seed)[0]))
    assert flaw_of(indexed) is Flaw.ONE_COMPONENT
    assert flaw_of(FaceEmbedding.from_features(indexed).vector) is Flaw.ONE_COMPONENT
    assert flaw_of(-indexed) is Flaw.ONE_COMPONENT


@pytest.mark.parametrize("d", DIMENSIONS)
def test_directions_without_a_flaw_are_left_alone(d) -> None:
    """5 000 a dimension: at the stated 5e-6 the chance of one refusal here is 2 %, and the seed is fixed."""
    rows = people(d, 5_000, seed=3)
    assert [flaw_of(row) for row in rows if flaw_of(row)] == []
    assert [flaw_of(q) for q in (np.rint(row * 600).astype(np.int8) for row in rows[:500]) if flaw_of(q)] == []


@pytest.mark.parametrize("preset", [EDGEFACE_XS, MOBILEFACENET], ids=["edgeface", "mobilefacenet"])
def test_synthetic_people_are_left_alone(preset) -> None:
    rows = FacePopulation(preset, seed=0).embeddings(0, 10_000, view=0)
    assert [flaw_of(row) for row in rows if flaw_of(row)] == []


@given(dimensions, seeds)
def test_the_limit_is_where_it_says(d, seed) -> None:
    """A vector put exactly at an angle with all ones is refused above the limit, and only there."""
    ones = np.full(d, 1 / np.sqrt(d))
    other = people(d, 1, seed)[0]
    other -= (other @ ones) * ones
    other /= np.linalg.norm(other)
    for c, expected in ((0.98 * common_limit(d), None), (1.02 * common_limit(d), Flaw.NOT_CENTERED)):
        for sign in (1, -1):
            assert flaw_of(sign * c * ones + np.sqrt(1 - c * c) * other) is expected


def test_the_limit_is_student_t() -> None:
    """t = c sqrt(d - 1) / sqrt(1 - c^2), solved for c; values by hand."""
    assert common_limit(64) == pytest.approx(0.53300, abs=1e-5)
    assert common_limit(512) == pytest.approx(0.21597, abs=1e-5)
    assert common_limit(1024) == pytest.approx(0.15445, abs=1e-5)
    for d in DIMENSIONS:
        c = common_limit(d)
        assert c * np.sqrt(d - 1) / np.sqrt(1 - c * c) == pytest.approx(MAX_COMMON_T)
