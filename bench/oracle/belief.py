"""What an attacker believes of one face: a Gaussian over its coordinates, made sharper by every yes and every no.

A yes says that the cosine to the probe is at least the threshold, a no that it is below. The threshold is public and
the belief starts as the population, so nothing that an answer tells is left unused: moment matching of a truncated
Gaussian (assumed-density filtering) is within a few percent of the exact posterior for one linear statistic.
"""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
VIEW_VARIANCE = 0.05**2
"""A record is matched by the best of its views: the belief is of their middle, and each answer is off by this much."""
IMPOSSIBLE = 1e-7
SURPRISE = 0.01
"""Step of the correction of the threshold: the best of several views answers yes more often than their middle would."""


def _tail(z: float) -> float:
    """P(N(0, 1) > z)."""
    return 0.5 * math.erfc(z / math.sqrt(2))


class Belief:
    """Mean and covariance over coordinates [rank]."""

    def __init__(self, population: Array, rng: np.random.Generator) -> None:
        """Start as the population, coordinates [n, rank] of unit vectors."""
        self.mean: Array = population.mean(axis=0)
        self.covariance: Array = np.cov(population.T)
        self._rng = rng
        self._root: Array | None = None
        self._eased = 0.0

    @property
    def estimate(self) -> Array:
        """The most likely direction."""
        estimate: Array = self.mean / np.linalg.norm(self.mean)
        return estimate

    def chances(self, probes: Array, threshold: float) -> tuple[Array, Array]:
        """For unit probes [n, rank]: the probability of a yes, and the standard deviation of the cosine."""
        spread = np.sqrt(np.einsum("ij,ij->i", probes @ self.covariance, probes) + VIEW_VARIANCE)
        z = (threshold - self._eased - probes @ self.mean) / spread
        return np.array([_tail(v) for v in z]), spread

    def learn(self, probe: Array, threshold: float, *, yes: bool) -> None:
        """Take an answer to a unit probe in."""
        along = self.covariance @ probe
        variance = float(probe @ along) + VIEW_VARIANCE
        spread = math.sqrt(variance)
        z = (threshold - self._eased - float(probe @ self.mean)) / spread
        chance = _tail(z)
        self._eased += SURPRISE * ((1 - chance) if yes else -chance)
        mass = chance if yes else 1 - chance
        if 1 - mass < IMPOSSIBLE or mass < IMPOSSIBLE:
            return
        hazard = math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / mass
        shift, shrink = (hazard, hazard * (hazard - z)) if yes else (-hazard, hazard * (hazard + z))
        self.mean = self.mean + along * (shift / spread)
        self.covariance = self.covariance - np.outer(along, along) * (shrink / variance)
        self._root = None if yes else self._root

    def samples(self, count: int) -> Array:
        """Faces as they may be, [count, rank]."""
        if self._root is None:
            values, vectors = np.linalg.eigh(self.covariance)
            self._root = vectors * np.sqrt(np.maximum(values, 0))
        drawn = self._rng.normal(size=(count, len(self.mean)))
        faces: Array = self.mean + drawn @ self._root.T
        return faces
