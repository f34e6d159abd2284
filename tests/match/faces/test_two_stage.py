"""Two-stage identification against exhaustive search; what is opened, and what is not."""

from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.match import CodeGallery, FaceGallery
from bioguard.match.protected import CodeContext, SignCoder
from bioguard.match.twostage import candidates_for, identify
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
