"""Equal rows come by ascending index however many probes are searched for, on whatever processor BLAS thinks it is."""

import os
import platform
import subprocess
import sys

import numpy as np
import pytest

from bioguard.match import FaceGallery
from bioguard.match.kernels import available

PROBE_COUNTS = (*range(1, 10), 16, 31, 300)
SIZES = ((2, 64), (17, 100), (33, 512), (100, 192), (129, 64), (1023, 512), (1500, 100))


def duplicates(n: int, d: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of which several are equal, which of the different ones each is, and probes near them."""
    rng = np.random.default_rng(seed)
    different = rng.standard_normal((max(1, n // 7), d)).astype(np.float32)
    which = rng.integers(0, len(different), n)
    probes = different[rng.integers(0, len(different), max(PROBE_COUNTS))]
    return different[which], which, probes + np.float32(0.3) * rng.standard_normal(probes.shape).astype(np.float32)


def check(kernel: str | None = None) -> None:
    for n, d in SIZES:
        for seed in range(2):
            rows, which, probes = duplicates(n, d, seed)
            gallery = FaceGallery(rows, kernel=kernel)
            alone = [gallery.search(probe, 5) for probe in probes]
            for count in PROBE_COUNTS:
                scores, indices = gallery.search(probes[:count], 5)
                for p in range(count):
                    assert np.array_equal(scores[p], alone[p][0][0]), (n, d, seed, count, p)
                    assert np.array_equal(indices[p], alone[p][1][0]), (n, d, seed, count, p)
                    for group in np.unique(which[indices[p]]):
                        found = indices[p][which[indices[p]] == group]
                        assert np.array_equal(found, np.flatnonzero(which == group)[: found.size])


@pytest.mark.parametrize("kernel", available())
def test_the_lowest_index_wins_for_any_number_of_probes(kernel: str) -> None:
    check(kernel)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="OPENBLAS_CORETYPE names x86 processors here")
@pytest.mark.parametrize("core", ["Haswell", "Prescott", "Nehalem"])
def test_the_lowest_index_wins_on_other_processors(core: str) -> None:
    """OpenBLAS sums in another order on each: of equal rows some get a score higher by one in the last place."""
    environment = {**os.environ, "OPENBLAS_CORETYPE": core}
    done = subprocess.run([sys.executable, __file__], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_more_equal_rows_than_spare_candidates() -> None:
    rows, _, probes = duplicates(40, 64, 1)
    gallery = FaceGallery(np.tile(rows[:1], (3000, 1)))
    for k in (1, 40, 1000):
        scores, indices = gallery.search(probes[:7], k)
        assert (indices == np.arange(k)).all()
        assert (scores == scores[:, :1]).all()
    gallery.remove([0, 2])
    assert gallery.search(probes[:3], 2)[1].tolist() == [[1, 3]] * 3


@pytest.mark.parametrize("copies", [2, 40, 500])
def test_a_product_that_is_off_in_the_last_bits_changes_nothing(monkeypatch: pytest.MonkeyPatch, copies: int) -> None:
    """A BLAS worse than any: each product off by up to what its error bound allows, differently for each row."""
    rows, _, probes = duplicates(700, 128, 3)
    rows = np.repeat(rows[: 700 // copies + 1], copies, axis=0)
    gallery = FaceGallery(rows)
    expected = [gallery.search(probe, 6) for probe in probes[:9]]
    product, rng = np.matmul, np.random.default_rng(1)
    bound = 128 * 2.0**-24

    def worse(a: np.ndarray, b: np.ndarray, *, out: np.ndarray) -> None:
        product(a, b, out=out)
        out += rng.uniform(-bound, bound, out.shape).astype(np.float32)

    monkeypatch.setattr(np, "matmul", worse)
    scores, indices = gallery.search(probes[:9], 6)
    assert np.array_equal(scores, np.concatenate([s for s, _ in expected]))
    assert np.array_equal(indices, np.concatenate([i for _, i in expected]))


if __name__ == "__main__":
    check()
