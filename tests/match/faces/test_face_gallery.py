"""FaceGallery against float64 brute force; growing, shrinking, ties, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.match import FaceGallery
from bioguard.match.kernels import available


def people(n: int, d: int = 64, seed: int = 1) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


def cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    x, y = a.astype(np.float64), b.astype(np.float64)
    return (x / np.linalg.norm(x, axis=1, keepdims=True)) @ (y / np.linalg.norm(y, axis=1, keepdims=True)).T


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 60),
    st.integers(0, 10),
    st.sampled_from([1, 2, 64, 100, 512]),
    st.integers(1, 70),
    st.integers(0, 99),
)
def test_agrees_with_brute_force(n: int, m: int, d: int, k: int, seed: int) -> None:
    gallery_rows, probes = people(n, d, seed), people(m, d, seed + 100)
    gallery = FaceGallery(gallery_rows)
    exact = cosines(probes, gallery_rows)
    scores, indices = gallery.search(probes, k)
    assert (scores.dtype, indices.dtype) == (np.float32, np.int64)
    assert scores.shape == indices.shape == (m, min(n, k))
    assert np.abs(gallery.scores(probes) - exact).max(initial=0) < 2e-6
    assert np.abs(np.take_along_axis(exact, indices, axis=1) - scores).max(initial=0) < 2e-6
    assert np.abs(-np.sort(-exact, axis=1)[:, :k] - scores).max(initial=0) < 2e-6
    assert all(len(set(row)) == len(row) for row in indices.tolist())


@pytest.mark.parametrize("kernel", available())
@pytest.mark.parametrize("d", [1, 15, 16, 17, 64, 100, 512, 1023])
def test_every_kernel_scores_a_single_probe(kernel: str, d: int) -> None:
    rows, probes = people(45, d), people(2, d, 2)
    scores, indices = FaceGallery(rows, kernel=kernel).search(probes, 45)
    exact = cosines(probes, rows)
    assert np.abs(np.take_along_axis(exact, indices, axis=1) - scores).max() < 2e-6
    assert (np.diff(scores, axis=1) <= 0).all()


def test_blocks_and_passes() -> None:
    """More rows than one block, more probes than one pass, lists longer than a block would fill at once."""
    rows, probes = people(30_000, 16), people(300, 16, 2)
    gallery = FaceGallery(rows)
    for k in (1, 10, 1500):
        scores, indices = gallery.search(probes, k)
        for p in (0, 255, 256, 299):
            exact = cosines(probes[p : p + 1], rows)[0]
            assert np.abs(np.sort(exact)[::-1][:k] - scores[p]).max() < 1e-6
            assert np.abs(exact[indices[p]] - scores[p]).max() < 1e-6


def test_equal_scores_come_by_ascending_index() -> None:
    """Rows are exact in float32, so equal rows have equal scores wherever they lie."""
    corner = np.eye(16, dtype=np.float32)
    pattern = np.tile(np.arange(16), 1000)
    gallery = FaceGallery(corner[pattern])
    scores, indices = gallery.search(corner[[3, 5]], 1100)
    assert scores[:, :1000].tolist() == [[1.0] * 1000] * 2
    for row, value in zip(indices, (3, 5), strict=True):
        assert np.array_equal(row[:1000], np.flatnonzero(pattern == value))
        assert np.array_equal(row[1000:], np.flatnonzero(pattern != value)[:100])


def test_growing_and_shrinking() -> None:
    rng = np.random.default_rng(0)
    rows = people(40)
    gallery, model, following = FaceGallery(rows), dict(enumerate(rows)), 40
    for step in range(60):
        if step % 3:
            gone = rng.choice(sorted(model), min(len(model), int(rng.integers(0, 12))), replace=False)
            gallery.remove(gone)
            for index in gone:
                del model[int(index)]
        else:
            new = people(int(rng.integers(0, 30)), seed=step)
            assert gallery.add(new).tolist() == list(range(following, following + len(new)))
            model.update(zip(range(following, following + len(new)), new, strict=True))
            following += len(new)
        ids = np.array(sorted(model), np.int64)
        assert np.array_equal(gallery.indices, ids)
        assert len(gallery) == len(ids)
        probes = people(3, seed=step + 500)
        exact = cosines(probes, np.array([model[i] for i in ids], np.float32).reshape(len(ids), 64))
        scores, indices = gallery.search(probes, 7)
        assert np.abs(gallery.scores(probes) - exact).max(initial=0) < 1e-6
        assert np.array_equal(indices, ids[np.argsort(-exact, axis=1, kind="stable")[:, :7]])
        assert np.abs(-np.sort(-exact, axis=1)[:, :7] - scores).max(initial=0) < 1e-6


def test_removed_rows_are_overwritten() -> None:
    gallery = FaceGallery(people(10))
    gallery.remove([2, 3])
    assert not gallery._store[[2, 3]].any()
    gallery.remove([0, 1])
    assert len(gallery) == 6
    assert not gallery._store[6:].any()


def test_a_probe_and_a_row_of_any_length_and_layout() -> None:
    rows = people(20)
    gallery = FaceGallery(np.asfortranarray(rows) * np.float32(1e-10))
    assert gallery.search(1e30 * rows[4], 1)[1].tolist() == [[4]]
    assert gallery.search(rows.astype(np.float64)[4:6], 1)[1].tolist() == [[4], [5]]
    assert np.abs(gallery.scores(rows[4]) - cosines(rows[4:5], rows)).max() < 1e-6


@pytest.mark.parametrize("kernel", available())
def test_every_kernel_takes_any_layout_and_passes_over_removed_rows(kernel: str) -> None:
    rows = people(20)
    gallery = FaceGallery(-rows[[4] * 10], kernel=kernel)
    gallery.remove([1])  # zeros now, which score more than the others
    for probes in (
        np.asfortranarray(rows[4:6]),
        np.repeat(rows[4:6], 2, axis=1)[:, ::2],
        np.repeat(rows[4:6], 9, axis=0),
    ):
        scores, indices = gallery.search(probes, 3)
        assert indices.tolist() == [[0, 2, 3]] * len(probes)
        assert np.abs(scores[0] + 1).max() < 1e-6


GOOD = people(3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: FaceGallery(np.zeros((1, 2, 3))), "face embeddings have shape (1, 2, 3), expected [n, d]"),
        (lambda g: FaceGallery(np.zeros((2, 4097))), "face embeddings have shape (2, 4097), expected [n, d]"),
        (lambda g: FaceGallery(np.zeros((2, 64))), "a face embedding is zero"),
        (lambda g: FaceGallery(np.full((2, 64), np.nan)), "a face embedding holds NaN or infinity"),
        (lambda g: FaceGallery(np.full((2, 64), 1e300)), "a face embedding holds NaN or infinity"),
        (lambda g: g.add(np.full((1, 64), np.inf)), "a face embedding holds NaN or infinity"),
        (lambda g: g.search(people(1, 65), 1), "face embeddings have 65 dimensions, this gallery holds 64"),
        (lambda g: g.scores(people(1, 63)), "face embeddings have 63 dimensions, this gallery holds 64"),
        (
            lambda g: FaceGallery(np.ones((2, 64), complex)),
            "face embeddings have dtype complex128, expected real numbers",
        ),
        (lambda g: FaceGallery(np.ones((2, 64), bool)), "face embeddings have dtype bool, expected real numbers"),
        (lambda g: FaceGallery([["1.5"] * 64]), "face embeddings have dtype <U3, expected real numbers"),
        (lambda g: FaceGallery([[None] * 64]), "face embeddings have dtype object, expected real numbers"),
        (lambda g: FaceGallery([[1.0] * 64, [1.0] * 63]), "face embeddings are no array"),
        (lambda g: g.search(GOOD.astype("c8"), 1), "face embeddings have dtype complex64, expected real numbers"),
        (lambda g: g.search(GOOD, 0), "k is 0, expected at least 1"),
        (lambda g: g.search(GOOD, 1.0), "k is 1.0, expected a whole number"),
        (lambda g: g.search(GOOD, True), "k is True, expected a whole number"),
        (lambda g: g.search(GOOD, np.bool_(True)), "k is np.True_, expected a whole number"),
        (lambda g: g.search(GOOD, "1"), "k is '1', expected a whole number"),
        (lambda g: g.remove([1.7]), "row numbers have dtype float64, expected integers"),
        (lambda g: g.remove([True, False, False]), "row numbers have dtype bool, expected integers"),
        (lambda g: g.remove([3]), "an index is not in this gallery"),
    ],
)
def test_refusals(call: object, message: str) -> None:
    gallery = FaceGallery(GOOD)
    with pytest.raises(InputRefused) as caught:
        call(gallery)  # type: ignore[operator]
    assert str(caught.value) == message
    assert caught.value.hint
    assert len(gallery) == 3
