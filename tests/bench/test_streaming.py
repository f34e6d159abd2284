"""Sets too large to hold: counted scores and computed rows give the figures of the matrix, in bounded memory."""

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.accuracy import figures
from bench.matchers import code_similarities, computed_code_similarities, computed_cosines, cosines
from bench.metrics import comparisons
from bench.metrics.comparisons import Comparisons, counted_of, pair_scores, pairs_of
from bench.metrics.computed import ComputedScores
from bench.metrics.counted import CountedScores
from bench.metrics.rates import Scores
from bioguard.simulate.people import EDGEFACE_XS, FacePopulation

FACES = Path(__file__).parents[3] / "shared" / "data" / "faces" / "lfw_a_edgeface512.npz"


def _counted(impostor: np.ndarray, genuine: np.ndarray, kept: int) -> CountedScores:
    def blocks() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        scores = np.concatenate([impostor, genuine]).astype(np.float32)
        other = np.arange(scores.size) < impostor.size
        for start in range(0, scores.size, 7):
            part = slice(start, start + 7)
            yield scores[part], np.zeros(scores[part].size, np.int64), other[part].astype(np.int64)

    return CountedScores(blocks, kept=kept)


SCORE = st.floats(width=32, allow_nan=False) | st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, np.inf, -np.inf])
SIDE = arrays(np.float32, st.integers(1, 40), elements=SCORE)


@settings(max_examples=60, deadline=None)
@given(impostor=SIDE, genuine=SIDE, kept=st.integers(0, 45), others=arrays(np.float64, 5, elements=SCORE))
@pytest.mark.filterwarnings("ignore:(invalid|overflow):RuntimeWarning")
def test_counted_scores_answer_like_sorted_ones(
    impostor: np.ndarray, genuine: np.ndarray, kept: int, others: np.ndarray
) -> None:
    """Ranks, places and everything that is made of them, wherever the line to those that are kept lies."""
    counted, ordered = _counted(impostor, genuine, kept), np.sort(impostor)
    assert (counted.size, counted.genuine.tolist()) == (impostor.size, genuine.tolist())
    ranks = np.arange(impostor.size)
    assert np.array_equal(counted[ranks], ordered)
    assert [counted[int(r)] for r in ranks] == ordered.tolist()
    asked = np.concatenate([impostor, genuine, others, np.nextafter(impostor, np.float32(np.inf))])
    for side in ("left", "right"):
        assert np.array_equal(counted.searchsorted(asked, side), np.searchsorted(ordered, asked, side))
    assert [counted.at_least(float(v)) for v in asked] == [int((impostor >= v).sum()) for v in asked]
    streamed, held = Scores(genuine, counted), Scores(genuine, impostor)
    assert streamed.eer() == held.eer()
    for target in (0.0, 0.01, 0.1, 0.5, 1.0):
        assert streamed.at_fmr(target) == held.at_fmr(target)
        assert streamed.at_fnmr(target) == held.at_fnmr(target)
    assert streamed.auc() == held.auc()
    assert all(np.array_equal(a, b) for a, b in zip(streamed.det(), held.det(), strict=True))


def test_what_is_held_to_answer_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many bins are looked into, half a MiB each, and however many scores are equal."""
    monkeypatch.setattr("bench.metrics.counted.BINS_A_PASS", 4)
    impostor = np.geomspace(1e-6, 1e6, 300).astype(np.float32)
    counted = _counted(impostor, impostor[:1], 10)
    assert np.array_equal(counted[np.arange(300)], impostor)
    assert np.array_equal(counted.searchsorted(impostor), np.arange(300))
    assert len(counted._inside) <= 4
    assert _counted(np.r_[np.zeros(500), 1, 2], impostor[:1], 10).high.tolist() == [1, 2]


def test_computed_rows_are_those_of_the_matrix() -> None:
    matrix = np.random.default_rng(1).normal(size=(700, 700)).astype(np.float32)
    made: list[int] = []

    def make(rows: slice) -> np.ndarray:
        made.append(rows.start)
        return matrix[rows]

    lazy = ComputedScores(700, make)
    rng = np.random.default_rng(2)
    rows, columns, grid = rng.integers(0, 700, 40), rng.integers(0, 700, 30), rng.integers(0, 700, (9, 3))
    for index in (np.ix_(rows, columns), grid, (grid, grid[::-1]), (grid[:, :1], grid), (rows, 5), (rows[:0], 5)):
        assert np.array_equal(lazy[index], matrix[index])
    assert set(made) == {0, 256, 512}
    made.clear()
    lazy[np.ix_(np.arange(256), columns)]
    lazy[np.arange(20), 3]
    assert made == []


def _streamed(
    monkeypatch: pytest.MonkeyPatch, rows: np.ndarray, subjects: np.ndarray, kept: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Figures held and streamed, of both scores."""
    names = [f"{s}_{i}" for i, s in enumerate(subjects)]
    held = [("cosine", cosines(rows)), ("code", code_similarities(rows, seed=1))]
    lazy = [("cosine", computed_cosines(rows)), ("code", computed_code_similarities(rows, seed=1))]

    def measured(sets: Any) -> list[dict[str, Any]]:
        found = [figures([Comparisons(n, s, subjects, names)], seed=1, replicates=20)
                 for n, s in sets]  # fmt: skip
        # the curve's band goes as far as scores are kept
        return [{k: v for k, v in json.loads(json.dumps(f)).items() if k != "det_band"} for f in found]

    before = measured(held)
    monkeypatch.setattr(comparisons, "HELD_PAIRS", 1000)
    monkeypatch.setattr(comparisons, "BLOCK_SCORES", 1 << 16)
    monkeypatch.setattr(CountedScores.__init__, "__kwdefaults__", {"kept": kept})
    return before, measured(lazy)


def _same(held: Any, streamed: Any, path: str = "") -> None:
    if isinstance(held, dict):
        assert held.keys() == streamed.keys(), path
        for key in held:
            _same(held[key], streamed[key], f"{path}.{key}")
    elif isinstance(held, list):
        assert len(held) == len(streamed), path
        for i, pair in enumerate(zip(held, streamed, strict=True)):
            _same(*pair, f"{path}.{i}")
    elif path.endswith("d_prime") or ".score_quantiles.impostor" in path:  # sums in another order
        assert streamed == pytest.approx(held, rel=1e-6), path
    else:
        assert held == streamed, path


@pytest.mark.parametrize("kept", [1 << 24, 5000])
def test_streamed_figures_are_those_of_the_matrix(monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    """Every figure, whether all impostor scores are kept or the highest twentieth."""
    population = FacePopulation(EDGEFACE_XS, 3)
    rows = np.concatenate([population.embeddings(0, 150, view) for view in range(3)])
    subjects = np.tile(np.arange(150), 3)
    order = np.argsort(subjects, kind="stable")
    for held, streamed in zip(*_streamed(monkeypatch, rows[order], subjects[order], kept), strict=True):
        _same(held, streamed)


@pytest.mark.skipif(not FACES.exists(), reason="no ../shared/data beside this checkout")
def test_streamed_figures_of_real_faces_are_those_of_the_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    with np.load(FACES) as file:
        rows, labels = file["embeddings"][:900].astype(np.float32), file["labels"][:900]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    subjects = np.unique(labels, return_inverse=True)[1]
    for held, streamed in zip(*_streamed(monkeypatch, rows, subjects, 40_000), strict=True):
        _same(held, streamed)


def test_a_figure_below_the_scores_that_are_kept_has_no_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """The figure itself is counted exactly; it must not be said to be zero in every draw."""
    rng = np.random.default_rng(4)
    subjects = np.repeat(np.arange(60), 3)
    matrix = rng.normal(size=(180, 180)).astype(np.float32) + (subjects[:, None] == subjects) * np.float32(1)
    one = Comparisons("s", (matrix + matrix.T) / 2, subjects, [f"{s}_{i}" for i, s in enumerate(subjects)])
    held = figures([one], seed=1, replicates=20)
    monkeypatch.setattr(comparisons, "HELD_PAIRS", 1000)
    monkeypatch.setattr(CountedScores.__init__, "__kwdefaults__", {"kept": 100})
    found = figures([one], seed=1, replicates=20)
    assert found["eer"] == held["eer"] > 0.1
    assert found["eer_interval_95"] == "not measurable"
    for name, has_interval in (("1e-2", False), ("1e-3", True)):
        point, expected = found["fnmr_at_fmr"][name], held["fnmr_at_fmr"][name]
        assert point["fnmr"] == expected["fnmr"]
        assert point["subject_interval_95"] == (expected["subject_interval_95"] if has_interval else "not measurable")


def test_memory_does_not_grow_with_the_number_of_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times the pairs, less than twice the memory; a matrix and its sorted scores would take four times."""
    monkeypatch.setattr(comparisons, "HELD_PAIRS", 1000)
    monkeypatch.setattr(comparisons, "BLOCK_SCORES", 1 << 14)
    monkeypatch.setattr(CountedScores.__init__, "__kwdefaults__", {"kept": 10_000})
    rows = np.random.default_rng(1).normal(size=(2400, 64)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    peaks = []
    for n in (1200, 2400):
        one = Comparisons("s", computed_cosines(rows[:n]), np.arange(n) // 2, [""] * n)
        tracemalloc.start()
        genuine, impostor = pair_scores([one])
        scores = Scores(genuine, impostor)
        assert scores.at_fmr(1e-3).false_matches == int(1e-3 * impostor.size)
        pairs = pairs_of([one], scores)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert impostor.size == n * (n - 1) // 2 - n // 2
        assert pairs.impostor.size <= 11_000
        counted_of.cache_clear()
    assert peaks[1] < 2 * peaks[0]
    assert peaks[1] < 2400**2 * 4
