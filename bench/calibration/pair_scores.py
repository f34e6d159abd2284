"""Genuine and impostor scores of all pairs, rates at a fixed false match rate, and intervals by resampling people."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.calibration.face_data import FaceSet

BINS = 20_000
"""Similarities from -1 to 1 in steps of 1e-4."""


@dataclass(frozen=True, slots=True)
class PairScores:
    """Binned similarity of each pair i < j and the people it is of: genuine[k] = bin, person; impostor = bin, person,
    person."""

    people: int
    genuine: tuple[NDArray[np.int32], NDArray[np.int32]]
    impostor: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]

    @classmethod
    def of(cls, faces: FaceSet, similarities: NDArray[np.float32]) -> "PairScores":
        """Take the upper triangle of a similarity matrix [n, n]."""
        people, person = np.unique(faces.labels, return_inverse=True)
        i, j = np.triu_indices(len(faces), 1)
        bins = np.clip((similarities[i, j] + 1) * (BINS / 2), 0, BINS - 1).astype(np.int32)
        a, b = person[i].astype(np.int32), person[j].astype(np.int32)
        same = a == b
        return cls(people.size, (bins[same], a[same]), (bins[~same], a[~same], b[~same]))

    def histograms(self, weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Counts of genuine and impostor scores when each person occurs `weights` times."""
        bins, person = self.genuine
        other_bins, a, b = self.impostor
        return (
            np.bincount(bins, weights[person], BINS).astype(np.float64),
            np.bincount(other_bins, weights[a] * weights[b], BINS).astype(np.float64),
        )


def accepted_at(genuine: NDArray[np.float64], impostor: NDArray[np.float64], fmr: float) -> float:
    """Share of genuine scores at or above the lowest threshold whose false match rate is at most `fmr`."""
    above = np.append(np.cumsum(impostor[::-1])[::-1], 0.0)
    threshold = int(np.argmax(above <= fmr * above[0]))
    return float(genuine[threshold:].sum() / genuine.sum())


def loss_interval(
    reference: PairScores, other: PairScores, fmr: float, *, seed: int, replicates: int = 200
) -> tuple[float, float, float]:
    """Loss of accepted genuine pairs in percentage points, each score at its own threshold: estimate and 95 % interval
    over people drawn again with replacement, the same people for both scores."""
    rng = np.random.default_rng(seed)

    def loss(weights: NDArray[np.float64]) -> float:
        return 100 * (accepted_at(*reference.histograms(weights), fmr) - accepted_at(*other.histograms(weights), fmr))

    samples = [
        loss(np.bincount(rng.integers(0, reference.people, reference.people), minlength=reference.people).astype(float))
        for _ in range(replicates)
    ]
    low, high = np.quantile(samples, [0.025, 0.975])
    return loss(np.ones(reference.people)), float(low), float(high)
