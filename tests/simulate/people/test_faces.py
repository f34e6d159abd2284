"""The synthetic population reproduces the statistics its presets were fitted to, and streams."""

import numpy as np
import pytest

from bioguard.simulate.people.faces import EDGEFACE_XS, MOBILEFACENET, FacePopulation, FacePreset


@pytest.mark.parametrize(
    ("preset", "genuine", "impostor", "threshold_1e3", "accepted_1e3"),
    [
        (EDGEFACE_XS, (0.589, 0.126), (0.0125, 0.0758), 0.258, 0.989),
        (MOBILEFACENET, (0.641, 0.134), (0.0370, 0.1136), 0.444, 0.919),
    ],
    ids=["edgeface_xs", "mobilefacenet"],
)
def test_statistics(
    preset: FacePreset,
    genuine: tuple[float, float],
    impostor: tuple[float, float],
    threshold_1e3: float,
    accepted_1e3: float,
) -> None:
    """Targets: LFW, 5722 people, two photographs each."""
    population = FacePopulation(preset, seed=5)
    first, second = population.embeddings(0, 2000, 0), population.embeddings(0, 2000, 1)
    scores = first @ second.T
    same, other = np.diag(scores), scores[~np.eye(2000, dtype=bool)]
    assert np.abs(np.linalg.norm(first, axis=1) - 1).max() < 1e-5
    assert same.mean() == pytest.approx(genuine[0], abs=0.012)
    assert same.std() == pytest.approx(genuine[1], abs=0.012)
    assert other.mean() == pytest.approx(impostor[0], abs=0.02)  # 16 groups only: varies with the seed
    assert other.std() == pytest.approx(impostor[1], abs=0.008)
    threshold = np.quantile(other, 0.999)
    assert threshold == pytest.approx(threshold_1e3, abs=0.025)
    assert (same >= threshold).mean() == pytest.approx(accepted_1e3, abs=0.04)


def test_any_range_is_the_same_people() -> None:
    population = FacePopulation(EDGEFACE_XS, seed=1)
    whole = population.embeddings(0, 2100, 0)
    for first, count in ((0, 1), (1000, 50), (1023, 2), (1024, 1024), (2099, 1), (5, 0)):
        assert np.array_equal(
            FacePopulation(EDGEFACE_XS, seed=1).embeddings(first, count, 0), whole[first : first + count]
        )


def test_seeds_and_views_differ() -> None:
    rows = [FacePopulation(EDGEFACE_XS, seed=s).embeddings(0, 100, v) for s, v in ((1, 0), (2, 0), (1, 1))]
    assert np.abs(np.sum(rows[0] * rows[1], axis=1)).mean() < 0.1
    assert 0.5 < np.sum(rows[0] * rows[2], axis=1).mean() < 0.7
