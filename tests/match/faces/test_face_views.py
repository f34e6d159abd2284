"""Views of one face: one person, and several views."""

import itertools

import numpy as np
import pytest

from bioguard.match.face_views import EQUAL_COSINE, SAME_PERSON_FMR, ViewReport, check_views
from bioguard.match.thresholds import builtin_profile, threshold_for_fmr
from bioguard.records import FaceEmbedding
from bioguard.records.modality import Modality
from bioguard.records.scores import Score
from bioguard.simulate.people import EDGEFACE_XS, MOBILEFACENET, FacePopulation

POPULATION = FacePopulation(EDGEFACE_XS, seed=11)
VIEWS = np.stack([POPULATION.embeddings(0, 300, view=i) for i in range(8)], axis=1)


def judged(rows: np.ndarray) -> ViewReport:
    return check_views(rows, builtin_profile(Modality.FACE, rows.shape[1]))


def at_angle(dimension: int, *cosines: float, seed: int = 0) -> np.ndarray:
    """A chain of unit vectors, each at this cosine to the one before, otherwise in new directions."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((dimension, len(cosines) + 1)))
    rows = [q[:, 0]]
    for i, c in enumerate(cosines, 1):
        rows.append(c * rows[-1] + np.sqrt(1 - c * c) * q[:, i])
    return np.stack(rows).astype(np.float32)


def test_views_of_one_person_fit() -> None:
    """LFW photographs: 1.8 % of triples are refused; the synthetic people are a little more alike."""
    refused = sum(not judged(views[:3]).fits.all() for views in VIEWS)
    assert refused <= 6


@pytest.mark.parametrize("who", ["aba", "aab", "baa"])
def test_a_stranger_among_the_views_is_named(who: str) -> None:
    named = 0
    for a, b in itertools.pairwise(VIEWS[:200]):
        own = iter(a)
        rows = np.stack([b[0] if letter == "b" else next(own) for letter in who])
        named += judged(rows).fits.tolist() == [letter == "a" for letter in who]
    assert named >= 195


@pytest.mark.parametrize("who", ["ab", "aabb", "abab", "aaabbb", "abc", "aabbcc", "aaaabbbb"])
def test_two_people_are_two_groups_however_many_views_each_has(who: str) -> None:
    accepted = 0
    for trio in zip(VIEWS, VIEWS[1:], VIEWS[2:], strict=False):
        own = {letter: iter(views) for letter, views in zip("abc", trio, strict=True)}
        accepted += judged(np.stack([next(own[letter]) for letter in who])).fits.all()
    assert accepted / (len(VIEWS) - 2) <= 0.03


@pytest.mark.parametrize("dimension", [128, 512])
def test_a_chain_of_turns_holds_where_its_ends_are_far_apart(dimension: int) -> None:
    threshold = threshold_for_fmr(
        SAME_PERSON_FMR, profile=builtin_profile(Modality.FACE, dimension), score=Score.COSINE
    )
    turned = at_angle(dimension, *[threshold + 0.01] * 4)
    assert turned[0] @ turned[-1] < threshold / 2
    assert judged(turned).fits.all()
    assert judged(turned[[0, 4, 2, 1, 3]]).fits.all(), "in any order"
    broken = at_angle(dimension, threshold + 0.01, threshold - 0.01, threshold + 0.01, threshold + 0.01)
    assert judged(broken).fits.tolist() == [False, False, True, True, True]


COPIES = {
    "the same": lambda v: v,
    "twice as long": lambda v: 2 * v,
    "float16": lambda v: v.astype(np.float16),
    "int8": lambda v: np.rint(v / np.abs(v).max() * 127).astype(np.int8),
    "a little noise": lambda v: v + 0.03 / np.sqrt(v.size) * np.random.default_rng(1).standard_normal(v.size),
    "saved with three digits": lambda v: np.round(v, 3),
}


@pytest.mark.parametrize("name", COPIES)
@pytest.mark.parametrize("population", [POPULATION, FacePopulation(MOBILEFACENET, seed=2)], ids=["512", "128"])
def test_a_copy_is_not_another_view(name: str, population: FacePopulation) -> None:
    first, other = (population.embeddings(5, 1, view=i)[0] for i in (0, 1))
    rows = [FaceEmbedding.from_features(v).vector for v in (first, other, COPIES[name](first))]
    assert judged(np.stack(rows)).repeats.tolist() == [False, False, True]


def test_different_views_are_never_copies() -> None:
    assert not any(judged(views).repeats.any() for views in VIEWS)


@pytest.mark.parametrize(("cosine", "repeats"), [(EQUAL_COSINE + 1e-4, True), (EQUAL_COSINE - 1e-4, False)])
def test_equal_is_at_the_stated_cosine(cosine: float, repeats: bool) -> None:
    assert judged(at_angle(512, cosine)).repeats.tolist() == [False, repeats]


def test_one_view_has_nothing_to_fit_to() -> None:
    report = judged(VIEWS[0][:1])
    assert (report.fits.tolist(), report.repeats.tolist()) == ([True], [False])
