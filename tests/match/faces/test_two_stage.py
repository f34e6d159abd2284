"""Two-stage identification against exhaustive search; what is opened, and what is not."""

import math
from collections.abc import Iterable
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.match import CodeGallery, FaceGallery, twostage
from bioguard.match.arrays import HEAD_BITS
from bioguard.match.protected import CodeContext, SignCoder
from bioguard.match.twostage import candidates_for, head_radius_for, identify
from bioguard.simulate.people.faces import EDGEFACE_XS, FacePopulation

PEOPLE = 3_000
THRESHOLD = 0.47
CODER = SignCoder(CodeContext(secret=bytes(32), dimension=512))
POPULATION = FacePopulation(EDGEFACE_XS, seed=3)
ENROLLED = POPULATION.embeddings(0, PEOPLE, 0)
GALLERY = CodeGallery(CODER.encode(ENROLLED))


class Vault:
    """Opens views and remembers which."""

    def __init__(self) -> None:
        self.opened: list[NDArray[np.int64]] = []

    def __call__(self, indices: NDArray[np.int64]) -> Iterable[NDArray[np.float32]]:
        self.opened.append(indices)
        return (ENROLLED[i] for i in indices)


def test_decides_as_exhaustive_search_does() -> None:
    """300 people who are enrolled and 300 who are not."""
    probes = np.concatenate([POPULATION.embeddings(0, 300, 1), POPULATION.embeddings(PEOPLE, 300, 1)])
    exact_scores, exact = FaceGallery(ENROLLED).search(probes, 1)
    accepted = 0
    for probe, code, score, index in zip(probes, CODER.encode(probes), exact_scores[:, 0], exact[:, 0], strict=True):
        found = identify(probe, code, GALLERY, Vault(), THRESHOLD)
        assert (found is not None) == (score >= THRESHOLD)
        if found is not None:
            assert found.index == index
            assert abs(found.score - score) < 1e-6
            accepted += 1
    assert 220 < accepted < 260


def test_opens_the_nearest_codes_once_and_no_more() -> None:
    vault = Vault()
    code = CODER.encode(ENROLLED[7])
    identify(ENROLLED[7], code, GALLERY, vault, 0.9)
    assert len(vault.opened) == 1
    assert np.array_equal(vault.opened[0], np.sort(GALLERY.search(code, 64)[1][0]))


def test_equal_views_give_the_lowest_index() -> None:
    gallery = CodeGallery(CODER.encode(ENROLLED[[1, 2, 2, 2]]))
    views = ENROLLED[[1, 2, 2, 2]]
    found = identify(ENROLLED[2], CODER.encode(ENROLLED[2]), gallery, lambda indices: views[indices], 0.9)
    assert found is not None
    assert found.index == 1


def test_removed_people_are_not_found() -> None:
    gallery = CodeGallery(CODER.encode(ENROLLED[:50]))
    gallery.remove([7])
    assert identify(ENROLLED[7], CODER.encode(ENROLLED[7]), gallery, lambda indices: ENROLLED[indices], 0.9) is None


def test_threshold_is_inclusive() -> None:
    gallery = CodeGallery(CODER.encode(ENROLLED[:50]))
    code = CODER.encode(ENROLLED[7])
    found = identify(ENROLLED[7], code, gallery, lambda indices: ENROLLED[indices], 0.9)
    assert found is not None
    assert identify(ENROLLED[7], code, gallery, lambda i: ENROLLED[i], found.score) == found
    above = float(np.nextafter(np.float64(found.score), 2))
    assert identify(ENROLLED[7], code, gallery, lambda i: ENROLLED[i], above) is None


def test_empty_gallery_opens_nothing() -> None:
    vault = Vault()
    assert (
        identify(ENROLLED[0], CODER.encode(ENROLLED[0]), CodeGallery(np.zeros((0, 128), np.uint8)), vault, 0.1) is None
    )
    assert vault.opened == []


def test_views_of_another_model_are_refused() -> None:
    with pytest.raises(InputRefused, match=r"^face embeddings have 64 dimensions, this gallery holds 512$"):
        identify(ENROLLED[0], CODER.encode(ENROLLED[0]), GALLERY, lambda i: np.ones((len(i), 64), np.float32), 0.5)


@pytest.mark.parametrize(("n", "k"), [(1, 64), (100_000, 64), (100_001, 128), (10_000_000, 128)])
def test_list_length(n: int, k: int) -> None:
    assert candidates_for(n) == k


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_copies_of_what_was_opened_are_overwritten(dtype: type, monkeypatch: pytest.MonkeyPatch) -> None:
    copies: list[NDArray[np.generic]] = []

    def kept(function):  # type: ignore[no-untyped-def]
        def call(*args):  # type: ignore[no-untyped-def]
            copies.append(function(*args))
            return copies[-1]

        return call

    for where, name in ((np, "stack"), (twostage, "float_rows"), (twostage, "unit_probes")):
        monkeypatch.setattr(where, name, kept(getattr(where, name)))
    views = ENROLLED.astype(dtype)
    assert identify(ENROLLED[7], CODER.encode(ENROLLED[7]), GALLERY, lambda rows: views[rows], 0.9) is not None
    assert [copy.shape for copy in copies] == [(64, 512)] * 3
    assert not any(copy.any() for copy in copies)
    assert views[7].any(), "what the opener gave is its own"


def test_heads_come_first_only_in_large_galleries_and_under_narrow_radii() -> None:
    assert [twostage._radius(n, 0.594) for n in (100_000, 100_001)] == [HEAD_BITS, 126]
    used = {twostage._radius(100_001, least) for least in np.linspace(0.4, 0.7, 301)}
    assert sorted(used)[-2:] == [twostage.WIDEST_HEAD, HEAD_BITS]


@pytest.mark.parametrize("cosine", [-1.0, -0.2, 0.0, 0.421, 0.594, 0.9, 1.0])
@pytest.mark.parametrize("loss", [0.3, 1e-4, 1e-6])
def test_the_radius_is_the_smallest_that_keeps_the_loss(cosine: float, loss: float) -> None:
    """Against exact fractions. Codes of one direction are equal, those of opposite ones differ in every bit."""
    differs = Fraction(math.acos(cosine) / math.pi)

    def beyond(radius: int) -> Fraction:
        terms = (math.comb(320, i) * differs**i * (1 - differs) ** (320 - i) for i in range(radius + 1, 321))
        return sum(terms, Fraction(0))

    radius = head_radius_for(cosine, loss)
    assert beyond(radius) <= loss
    assert radius == 0 or beyond(radius - 1) > loss


@pytest.mark.parametrize("cosine", [0.45, 0.594, 0.75])
def test_no_more_views_are_beyond_the_radius_than_it_says(cosine: float) -> None:
    """Pairs at exactly this cosine, half of them along few axes, under 40 secrets. At 1 %, where it can be counted."""
    rng, heads = np.random.default_rng(6), []
    for epoch in range(40):
        one = rng.standard_normal((300, 512))
        one[150:, 3:] = 0
        other = rng.standard_normal((300, 512))
        one /= np.linalg.norm(one, axis=1, keepdims=True)
        other -= one * (one * other).sum(axis=1, keepdims=True)
        other /= np.linalg.norm(other, axis=1, keepdims=True)
        mate = cosine * one + math.sqrt(1 - cosine**2) * other
        coder = SignCoder(CodeContext(secret=bytes(32), dimension=512, epoch=epoch))
        codes = coder.encode(one) ^ coder.encode(mate)
        heads.append(np.bitwise_count(codes[:, : HEAD_BITS // 8]).sum(axis=1))
    counted, differs = np.concatenate(heads), math.acos(cosine) / math.pi
    assert abs(counted.mean() - 320 * differs) < 5 * math.sqrt(320 * differs * (1 - differs) / counted.size)
    assert counted.var() < 1.05 * 320 * differs * (1 - differs)
    expected = 0.01 * counted.size
    assert (counted > head_radius_for(cosine, 0.01)).sum() <= expected + 4 * math.sqrt(expected)


def test_a_large_gallery_is_searched_by_heads_and_decides_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[int] = []

    class Spy(CodeGallery):
        def search(self, probes, k, *, threads=1, head_radius=HEAD_BITS):  # type: ignore[no-untyped-def]
            used.append(head_radius)
            return super().search(probes, k, threads=threads, head_radius=head_radius)

    gallery = Spy(CODER.encode(ENROLLED))
    probes = np.concatenate([POPULATION.embeddings(0, 300, 1), POPULATION.embeddings(PEOPLE, 100, 1)])
    coded = CODER.encode(probes)
    usual = [identify(probe, code, gallery, Vault(), 0.594) for probe, code in zip(probes, coded, strict=True)]
    assert set(used) == {HEAD_BITS}
    used.clear()
    monkeypatch.setattr(twostage, "LARGE_GALLERY", PEOPLE - 1)
    monkeypatch.setattr(twostage, "LARGE_LIST", 8)  # so many are within the radius
    large = [identify(probe, code, gallery, Vault(), 0.594) for probe, code in zip(probes, coded, strict=True)]
    assert set(used) == {head_radius_for(0.594)} == {126}
    assert large == usual
    assert sum(found is not None for found in large) > 100
    used.clear()
    identify(probes[0], coded[0], gallery, Vault(), 0.4)  # too many heads are within the radius of such a threshold
    assert used == [HEAD_BITS]
