"""What a score must not depend on, and what it must tell apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioguard.match.fingerprint import backends, prepare, prepare_all, score
from bioguard.match.fingerprint.numpy_backend import score_block
from bioguard.match.fingerprint.parameters import SCORE
from bioguard.match.thresholds import builtin_profile, threshold_for_fmr
from bioguard.records import FingerprintTemplate
from bioguard.records.modality import Modality
from bioguard.records.scores import Score
from tests.match.fingerprint.fingers import impression, moved, noise, shuffled, template

FEW_AT = threshold_for_fmr(1e-2, profile=builtin_profile(Modality.FINGERPRINT), score=Score.LIKELIHOOD_RATIO)


def test_same_fingers_score_above_different_ones() -> None:
    first = prepare_all([impression(p, 0) for p in range(30)])
    second = prepare_all([impression(p, 1) for p in range(30)])
    table = np.stack([score_block(a, second) for a in first])
    genuine, impostor = np.diag(table), table[~np.eye(30, dtype=bool)]
    assert np.median(genuine) > 4
    assert np.mean(impostor >= FEW_AT) < 0.03
    assert np.mean(genuine < FEW_AT) < 0.1


@given(turn=st.floats(-np.pi, np.pi), dx=st.floats(-150, 150), dy=st.floats(-150, 150), person=st.integers(0, 20))
@settings(max_examples=25, deadline=None)
def test_rigid_motion_changes_little(turn: float, dx: float, dy: float, person: int) -> None:
    a, b = impression(person, 0), impression(person, 1)
    still = score(moved(a, 0, 0, 0), b)
    # rounding to 1/16 px and 2 pi / 65536, and minutiae that fall on the edge of a tolerance
    assert score(moved(a, turn, dx, dy), b) == pytest.approx(still, abs=0.6)


@given(seed=st.integers(0, 2**32 - 1), person=st.integers(0, 20))
@settings(max_examples=25, deadline=None)
def test_order_of_minutiae_changes_nothing(seed: int, person: int) -> None:
    a, b = impression(person, 0), impression(person, 1)
    assert prepare(shuffled(a, seed)).to_bytes() == prepare(a).to_bytes()
    assert score(shuffled(a, seed), b) == score(a, b)


def test_sides_differ_by_little() -> None:
    prepared = prepare_all([impression(p, n) for p in range(15) for n in range(3)])
    table = np.stack([score_block(p, prepared) for p in prepared])
    difference = np.abs(table - table.T)
    assert np.quantile(difference, 0.99) < 0.25
    assert difference.max() < 1.5


EMPTY = template([], [], [])
LINE = template(np.arange(40) * 20.0, np.full(40, 300.0), np.zeros(40))
POINT = template(np.full(60, 300.0), np.full(60, 300.0), np.linspace(0, 6, 60))
SAME = template(np.full(255, 300.0), np.full(255, 300.0), np.zeros(255))
CORNERS = FingerprintTemplate.from_minutiae(
    [0, 4095, 0, 4095], [0, 0, 4095, 4095], [0, 1, 2, 3], width_px500=4095, height_px500=4095
)
LONELY = template([100, 400, 700, 1000, 100, 400, 700, 1000], [100] * 4 + [600] * 4, [0, 1, 2, 3, 4, 5, 6, 0.5])
THREE = template([100, 130, 90], [100, 120, 140], [1, 2, 5])
ODD = {
    "empty": EMPTY,
    "one": template([100], [100], [1]),
    "three": THREE,
    "two": template([100, 130], [100, 120], [1, 2]),
    "full": noise(255, 3),
    "line": LINE,
    "point": POINT,
    "same": SAME,
    "corners": CORNERS,
    "lonely": LONELY,
}


@pytest.mark.parametrize("name", sorted(ODD))
@pytest.mark.parametrize("backend", backends())
def test_odd_prints_never_crash_and_never_match_a_finger(name: str, backend: str) -> None:
    from bioguard.match import FingerprintGallery

    fingers = FingerprintGallery([impression(p) for p in range(20)], backend=backend)
    scores = fingers.scores(ODD[name])
    assert np.isfinite(scores).all()
    assert scores.max() < threshold_for_fmr(
        1e-4, profile=builtin_profile(Modality.FINGERPRINT), score=Score.LIKELIHOOD_RATIO
    )


@pytest.mark.parametrize("name", ["empty", "one", "two", "three", "corners", "lonely"])
def test_prints_without_structure_do_not_match_themselves(name: str) -> None:
    assert score(ODD[name], ODD[name]) < threshold_for_fmr(
        1e-3, profile=builtin_profile(Modality.FINGERPRINT), score=Score.LIKELIHOOD_RATIO
    )


def test_lonely_minutiae_are_not_alike() -> None:
    """Two descriptors without neighbors are empty, not equal: the naive formula gave them similarity 1."""
    assert not prepare(LONELY).codes.any()
    assert score(LONELY, CORNERS) == pytest.approx(SCORE.lowest - 1)
