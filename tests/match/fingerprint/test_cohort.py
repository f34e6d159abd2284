"""Normalizing a score by other people's fingers: who is the cohort, and how far it can move anything."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.match.fingerprint.cohort import (
    MOST_FINGERS,
    SCALES,
    SIZES,
    cohort_of,
    cohort_statistic,
    normalized,
    one_of_each,
    penalty,
)
from bioguard.records.scores import Score

FINGER = SCALES[Score.LIKELIHOOD_RATIO]
scores = st.floats(-5, 40, width=32)


def test_the_statistic_is_the_second_highest_of_the_best_views() -> None:
    table = np.array([[[1, 0], [-3, 2], [0.5, -1]], [[9, 9], [-4, -5], [-2, -3]]], np.float32)
    assert cohort_statistic(table).tolist() == [1.0, -2.0]


@given(st.lists(scores, min_size=5, max_size=5), scores)
def test_one_finger_moves_the_statistic_no_further_than_the_others_say(best: list[float], forged: float) -> None:
    honest = sorted(best)
    moved = [forged, *best[1:]]
    others = sorted(best[1:])
    low, high = others[-2], others[-1]
    assert low <= float(cohort_statistic(np.array(moved, np.float32).reshape(1, 5, 1))[0]) <= high
    assert low <= honest[-2] <= high


@pytest.mark.parametrize("scale", SCALES.values(), ids=SCALES)
@given(score=scores, probe=scores, reference=scores)
def test_a_penalty_is_never_negative_and_never_beyond_its_most(scale, score, probe, reference) -> None:  # type: ignore[no-untyped-def]
    taken = float(penalty(probe, reference, scale))
    assert 0 <= taken <= np.float32(scale.most)
    assert float(normalized(np.float32(score), probe, reference, scale)) <= np.float32(score)


def test_a_penalty_is_half_of_what_each_side_exceeds_the_floor_by() -> None:
    assert float(penalty(-0.4, -5.0, FINGER)) == pytest.approx(0.5)
    assert float(penalty(-0.4, -0.9, FINGER)) == pytest.approx(0.75)
    assert float(penalty(-5.0, -4.0, FINGER)) == 0
    assert float(penalty(40.0, 40.0, FINGER)) == pytest.approx(1.25)


def test_shapes_broadcast_as_probes_by_references() -> None:
    table = normalized(np.zeros((2, 3), np.float32), np.array([[-1.4], [0.6]]), np.array([[-5, -1.4, -0.4]]), FINGER)
    assert np.allclose(table, [[0, 0, -0.5], [-1, -1, -1.25]])


@pytest.mark.parametrize(
    ("views", "excluded", "expected"),
    [
        ([3, 3, 3, 3, 3, 3], (), (15, [0, 1, 2, 3, 4])),
        ([3, 3, 3, 3, 3, 3], (1,), (15, [0, 2, 3, 4, 5])),
        ([8, 3, 1, 3, 1, 2], (), (9, [0, 1, 3])),
        ([3, 1, 1, 3, 1, 2], (), (5, [0, 1, 2, 3, 4])),
        ([3, 3, 3], (), (9, [0, 1, 2])),
        ([3, 3, 3, 3], (0, 2), None),
        ([1, 1, 1, 1], (), None),
        ([], (), None),
    ],
)
def test_who_is_the_cohort(views: list[int], excluded: tuple[int, ...], expected: tuple[int, list[int]] | None) -> None:
    found = cohort_of(views, excluded)
    assert (found and (found[0].templates, found[1])) == expected


def test_one_finger_of_each_of_the_first_people() -> None:
    records = [(owner, bytes([i])) for i, owner in enumerate([b"a", b"a", b"b", b"a", b"c", b"d", b"e", b"f", b"g"])]
    chosen = one_of_each(records)
    assert [owner for owner, _ in chosen] == [b"a", b"b", b"c", b"d", b"e", b"f"]
    assert dict(chosen)[b"a"] == bytes([0])
    assert len(chosen) == MOST_FINGERS + 1


def test_each_size_has_a_name_of_its_own() -> None:
    assert len({size.templates for size in SIZES}) == len(SIZES)
