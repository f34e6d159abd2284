"""Unlinkability: Gomez-Barrero, Galbally, Rathgeb, Busch, IEEE TIFS 13(6) 2018, doi 10.1109/TIFS.2017.2788000.

D_sys is 0 if the score of two protected templates says nothing about whether they are of one person, 1 if it says it
all. Its estimate from finite samples is biased upwards, so it is set against what the same estimator gives when the
labels "mated" and "non-mated" are shuffled.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def equal_bins(mated: NDArray[np.float64], non_mated: NDArray[np.float64]) -> NDArray[np.float64]:
    """The authors' choice: min(n_mated / 10, 100) bins of equal width over all scores."""
    low = min(mated.min(), non_mated.min())
    high = max(mated.max(), non_mated.max())
    return np.linspace(low, high, int(min(mated.size / 10, 100)) + 1)


def integer_bins(mated: NDArray[np.float64], non_mated: NDArray[np.float64]) -> NDArray[np.float64]:
    """For distances: bins of at least 2 whole integers, equally many in each, or a comb would look like evidence."""
    low = int(min(mated.min(), non_mated.min()))
    high = int(max(mated.max(), non_mated.max()))
    width = max(2, -(-(high - low + 1) // 100))
    edges: NDArray[np.float64] = np.arange(low, high + width + 1, width, dtype=np.float64) - 0.5
    return edges


def d_sys(mated: NDArray[np.float64], non_mated: NDArray[np.float64], edges: NDArray[np.float64]) -> float:
    """Global linkability with equal priors: integral of p(s | mated) * max(0, p(mated | s) - p(non-mated | s))."""
    p_mated = np.histogram(mated, edges, density=True)[0]
    p_other = np.histogram(non_mated, edges, density=True)[0]
    total = p_mated + p_other
    posterior_gap = np.divide(p_mated - p_other, total, out=np.zeros_like(total), where=total > 0)
    local = np.maximum(posterior_gap, 0)
    return float(np.trapezoid(local * p_mated, (edges[:-1] + edges[1:]) / 2))


@dataclass(frozen=True, slots=True)
class Linkage:
    """D_sys of a comparison, and mean and 95th percentile of the same estimator under shuffled labels."""

    d_sys: float
    floor_mean: float
    floor_95: float

    @property
    def linkable(self) -> bool:
        """Whether the estimate lies above what chance gives in 95 of 100 cases."""
        return self.d_sys > self.floor_95


def linkage(
    mated: NDArray[np.float64],
    non_mated: NDArray[np.float64],
    edges: NDArray[np.float64],
    *,
    seed: int,
    shuffles: int = 200,
) -> Linkage:
    """Estimate D_sys and its floor."""
    rng = np.random.default_rng(seed)
    pool = np.concatenate([mated, non_mated])
    floor = []
    for _ in range(shuffles):
        rng.shuffle(pool)
        floor.append(d_sys(pool[: mated.size], pool[mated.size :], edges))
    return Linkage(d_sys(mated, non_mated, edges), float(np.mean(floor)), float(np.quantile(floor, 0.95)))
