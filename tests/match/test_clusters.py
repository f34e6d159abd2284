"""One group or several: chains of neighbors, and who is left out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.match.clusters import main_cluster


def table(n: int, *pairs: tuple[int, int]) -> np.ndarray:
    scores = np.zeros((n, n), np.float32)
    for i, j in pairs:
        scores[i, j] = scores[j, i] = 1.0
    return scores


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        (table(1), [True]),
        (table(2), [True, False]),
        (table(2, (0, 1)), [True, True]),
        (table(3, (0, 2)), [True, False, True]),
        (table(3, (1, 2)), [False, True, True]),
        (table(3, (0, 1), (1, 2)), [True, True, True]),
        (table(4, (0, 1), (2, 3)), [True, True, False, False]),
        (table(5, (0, 1), (2, 3), (3, 4)), [False, False, True, True, True]),
        (table(6, (5, 3), (3, 1), (1, 4), (4, 2), (2, 0)), [True] * 6),
    ],
    ids=["one", "strangers", "pair", "odd in the middle", "odd first", "chain", "two pairs", "larger wins", "zigzag"],
)
def test_groups(scores: np.ndarray, expected: list[bool]) -> None:
    before = scores.copy()
    assert main_cluster(scores, 0.5).tolist() == expected
    assert (scores == before).all()


def test_equal_to_the_threshold_is_alike() -> None:
    assert main_cluster(table(2, (0, 1)), 1.0).all()
    assert not main_cluster(table(2, (0, 1)), np.nextafter(1.0, 2.0)).all()


def components(n: int, pairs: set[tuple[int, int]]) -> list[set[int]]:
    """By the book: merge until nothing changes."""
    groups = [{i} for i in range(n)]
    for i, j in pairs:
        one = next(g for g in groups if i in g)
        other = next(g for g in groups if j in g)
        if one is not other:
            groups.remove(other)
            one |= other
    return groups


@given(st.integers(1, 16).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.tuples(*[st.integers(0, n - 1)] * 2)))))
def test_the_members_are_the_largest_component(case: tuple[int, set[tuple[int, int]]]) -> None:
    n, pairs = case
    members = set(np.flatnonzero(main_cluster(table(n, *pairs), 0.5)))
    groups = components(n, pairs)
    assert members in groups
    assert len(members) == max(map(len, groups))
    rivals = [g for g in groups if len(g) == len(members)]
    assert members == min(rivals, key=min), "of equal groups the one with the earliest sample"
