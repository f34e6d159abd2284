"""What `match explain` is told: the right minutiae, in the order of the files, and words instead of a score."""

import numpy as np
import pytest

import bioguard.match.fingerprint.explain as module
from bioguard.errors import InputRefused
from bioguard.match.fingerprint.explain import MIN_SHOWN_WEIGHT, explain
from bioguard.match.thresholds import builtin_profile
from bioguard.records import FingerprintTemplate
from bioguard.records.comparison_profile import ComparisonProfile
from bioguard.records.modality import Modality
from bioguard.records.scores import Score


def finger(seed: int, n: int = 40) -> FingerprintTemplate:
    rng = np.random.default_rng(seed)
    xy = np.stack(np.meshgrid(np.arange(7), np.arange(6)), axis=-1).reshape(-1, 2)[:n] * 45.0 + 60
    xy += rng.normal(0, 9, xy.shape)
    return FingerprintTemplate.from_minutiae(
        xy[:, 0], xy[:, 1], rng.random(len(xy)) * 2 * np.pi, width_px500=450, height_px500=450
    )


def shuffled(t: FingerprintTemplate, order: np.ndarray) -> FingerprintTemplate:
    return FingerprintTemplate.from_minutiae(
        t.x_px500[order], t.y_px500[order], t.angle_rad[order], width_px500=t.width_px500, height_px500=t.height_px500
    )


def test_pairs_point_at_the_same_minutia_in_both_files() -> None:
    a = finger(1)
    order = np.random.default_rng(5).permutation(len(a))
    b = shuffled(a, order)
    found = explain(a, b)
    assert len(found.pairs) >= 10
    assert found.pairs.shape == (len(found.weights), 2)
    assert np.array_equal(found.pairs[:, 0], order[found.pairs[:, 1]])
    assert np.all(np.diff(found.weights) <= 0)
    assert found.weights.min() >= MIN_SHOWN_WEIGHT
    assert found.weights.max() <= 1


def test_two_fingers_have_almost_no_pairs() -> None:
    counts = [len(explain(finger(i), finger(i + 50)).pairs) for i in range(10)]
    assert sorted(counts)[8] <= 2


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_minutiae(n: int) -> None:
    found = explain(finger(1, n), finger(1))
    assert found.pairs.shape[1] == 2
    assert len(found.pairs) <= n


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.5, "no more alike than 1 in 100 different fingers"),
        (2, "more alike than all but 1 in 100 different fingers"),
        (3.5, "more alike than all but 1 in 1 000 different fingers"),
        (9, "more alike than all but 1 in 10 000 different fingers"),
    ],
)
def test_band_is_the_rarest_that_is_reached(monkeypatch: pytest.MonkeyPatch, value: float, words: str) -> None:
    def threshold(fmr: float, *, profile: ComparisonProfile, score: Score) -> float:
        assert profile is builtin_profile(Modality.FINGERPRINT)
        assert score is Score.LIKELIHOOD_RATIO
        if fmr < 5e-5:
            raise InputRefused("not measurable", hint="", code="input.rate")
        return float(-np.log10(fmr))

    monkeypatch.setattr(module, "threshold_for_fmr", threshold)
    assert module._band(value) == words
