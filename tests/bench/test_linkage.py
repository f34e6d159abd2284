"""D_sys against the published implementation's figures and the closed form; reconstruction on synthetic people."""

from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad

from bench.experiments.face_protection import attack, context
from bench.inversion import invert_scalar_codes, invert_sign_codes
from bench.linkage import d_sys, equal_bins, integer_bins, linkage
from bioguard.match.protected import ScalarCoder, SignCoder
from bioguard.simulate.people.faces import EDGEFACE_XS, FacePopulation


def normal_grid(mean: float, sd: float, n: int) -> NDArray[np.float64]:
    """Evenly spaced quantiles: the same scores on every machine, without a random generator."""
    distribution = NormalDist(mean, sd)
    return np.array([distribution.inv_cdf((i + 0.5) / n) for i in range(n)])


@pytest.mark.parametrize(
    ("mean", "other_mean", "published"), [(0.60, 0.45, 0.46360439788052005), (0.5, 0.5, 0.00048040840860253504)]
)
def test_agrees_with_the_authors_code(mean: float, other_mean: float, published: float) -> None:
    """Figures printed by dasec/unlinkability-metric at commit c8a619c for these scores."""
    mated, other = normal_grid(mean, 0.1, 20_000), normal_grid(other_mean, 0.1, 50_000)
    assert d_sys(mated, other, equal_bins(mated, other)) == pytest.approx(published, abs=1e-9)


@pytest.mark.parametrize("separation", [0.5, 1.0, 2.0, 4.0])
def test_closed_form_of_two_normals(separation: float) -> None:
    one, two = NormalDist(separation, 1), NormalDist(0, 1)

    def integrand(s: float) -> float:
        a, b = one.pdf(s), two.pdf(s)
        return a * max(0.0, (a - b) / (a + b))

    exact = quad(integrand, -8, separation + 8, limit=400)[0]
    mated, other = normal_grid(separation, 1, 20_000), normal_grid(0, 1, 50_000)
    assert d_sys(mated, other, equal_bins(mated, other)) == pytest.approx(exact, abs=0.004)


def test_floor_tells_linked_from_unlinked() -> None:
    rng = np.random.default_rng(2)
    distances = np.rint(rng.normal(512, 16, 9000))
    unlinked = linkage(distances[:1000], distances[1000:], integer_bins(distances[:1000], distances[1000:]), seed=1)
    shifted = distances[:1000] - 16
    linked = linkage(shifted, distances[1000:], integer_bins(shifted, distances[1000:]), seed=1)
    assert not unlinked.linkable
    assert linked.linkable
    assert unlinked.d_sys < 0.06
    assert linked.d_sys > 0.2


def test_integer_bins_hold_equally_many_integers() -> None:
    edges = integer_bins(np.array([400.0, 450.0]), np.array([420.0, 631.0]))
    assert edges[0] == 399.5
    assert edges[-1] > 631
    assert set(np.diff(edges)) == {3.0}


def test_reconstruction_needs_the_secret_and_then_works() -> None:
    population = FacePopulation(EDGEFACE_XS, seed=9)
    victims, others = population.embeddings(0, 200, 0), population.embeddings(0, 200, 1)
    prior = population.embeddings(1000, 2000, 0).astype(np.float64)
    second_moment = prior.T @ prior / len(prior)
    right, wrong = context(0, 512), context(1, 512)
    codes, levels = SignCoder(right).encode(victims), ScalarCoder(right).encode(victims)
    stolen = attack(invert_sign_codes(right, codes, second_moment), victims, others, 10**6)
    unknown = attack(invert_sign_codes(wrong, codes, second_moment), victims, others, 10**6)
    assert stolen["cosine_mean"] > 0.9  # type: ignore[operator]
    assert abs(unknown["cosine_mean"]) < 4 * unknown["cosine_standard_error"]  # type: ignore[arg-type, operator]
    assert unknown["accepted at 0.001"]["attack"] < 0.02  # type: ignore[index]
    assert attack(invert_scalar_codes(right, levels), victims, others, 10**6)["cosine_mean"] > 0.98  # type: ignore[operator]
