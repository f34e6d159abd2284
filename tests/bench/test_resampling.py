"""Draws of people against the definition: a draw is the score list in which each pair stands as often as it weighs."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.metrics.comparisons import Comparisons, pairs_of, scores_of
from bench.metrics.rates import Scores
from bench.metrics.resampling import Tables

TARGETS = (0.0, 0.01, 0.05, 0.3, 1.0)


def _set(people: int, each: int, steps: int, seed: int, gap: int) -> Comparisons:
    """Scores of few values, so that most are tied; `gap` above the impostors: no error, some, or all."""
    rng = np.random.default_rng(seed)
    subjects = np.arange(people).repeat(each)
    scores = rng.integers(0, steps, (subjects.size,) * 2) + gap * (subjects[:, None] == subjects)
    return Comparisons("made", scores.astype(np.float32), subjects, [f"{i}" for i in range(subjects.size)])


sets = st.builds(
    _set, st.integers(2, 6), st.integers(2, 4), st.integers(1, 12), st.integers(0, 2**32 - 1), st.integers(-13, 13)
)


@given(sets)
def test_a_draw_in_which_everybody_weighs_one_is_the_point_value(one: Comparisons) -> None:
    scores = scores_of([one])
    eer, fnmrs = Tables(pairs_of([one], scores)).figures(np.ones(one.people), TARGETS)
    assert eer == scores.eer().value
    assert fnmrs == [scores.at_fmr(target).fnmr for target in TARGETS]


@given(sets, arrays(np.int64, 6, elements=st.integers(0, 3)))
def test_a_draw_is_the_list_with_each_pair_as_often_as_it_weighs(one: Comparisons, drawn: np.ndarray) -> None:  # type: ignore[type-arg]
    weights = drawn[: one.people]
    pairs = pairs_of([one], scores_of([one]))
    genuine = pairs.genuine.repeat(weights[pairs.genuine_person])
    impostor = pairs.impostor.repeat(weights[pairs.impostor_a] * weights[pairs.impostor_b])
    eer, fnmrs = Tables(pairs).figures(weights.astype(np.float64), TARGETS)
    if not genuine.size or not impostor.size:
        assert np.isnan([eer, *fnmrs]).all()
        return
    listed = Scores(genuine, impostor)
    assert eer == listed.eer().value
    assert fnmrs == [listed.at_fmr(target).fnmr for target in TARGETS]


def test_the_threshold_of_an_eer_may_be_an_impostor_score() -> None:
    """One genuine pair of 60 below all, one impostor of 720 above the rest: half of one rate would be wrong."""
    one = _set(10, 4, 1, 0, 5)
    one.scores[0, 1], one.scores[2, 7] = -1, 1
    eer, _ = Tables(pairs_of([one], scores_of([one]))).figures(np.ones(10), ())
    assert eer == scores_of([one]).eer().value == (1 / 60 + 1 / 720) / 2
