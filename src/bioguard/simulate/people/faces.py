"""Seeded synthetic face embeddings with the between- and within-person spread of real ones.

A population is streamed: any range of people, any view, is made from the seed alone, the same on every machine, so
a million people need no memory. Nobody's face is in here: a preset holds eleven numbers fitted to pooled statistics of
an embedding model.

    population = FacePopulation(EDGEFACE_XS, seed=1)
    gallery = population.embeddings(0, 1000, view=0)      # float32 [1000, 512], unit rows
    probes = population.embeddings(0, 1000, view=1)       # the same people again

What it does not have: ageing, pose, sensors, labeling errors, families. Its accuracy is that of its model on grayscale
LFW photographs, and its error rates far below one in a million are the model's guess, not a measurement.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.simulate.people.counter_rng import normals, uniforms

BLOCK: Final = 512
"""People made at once: the numbers of one step stay in the cache."""
BASIS, GROUP, BY_SUBJECT, SPREAD, VIEW, VIEW_SPREAD = range(0x100, 0x106)
"""Domains of the random streams."""
GRID: Final = 2.0**22
"""Values are rounded to this grid, fine enough for unit norm within 1e-5. Sums may differ between machines in
the last bit of float64; the embeddings do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FacePreset:
    """Eleven numbers that describe an embedding model.

    Attributes:
        dimension, rank: numbers per embedding and how many dimensions they span.
        decay, offset, slope: variance of direction k is proportional to exp(-slope k / rank) (k + offset) ^ -decay.
        common: length of the part all embeddings share.
        groups, group_share: number of groups of look-alikes and their share of the variance between people.
        spread, spread_by_person, spread_by_view: log of the spread of a person's views: mean, and its standard
            deviation between people and between views of one person.
    """

    dimension: int
    rank: int
    decay: float
    offset: float
    slope: float
    common: float
    groups: int
    group_share: float
    spread: float
    spread_by_person: float
    spread_by_view: float


EDGEFACE_XS: Final = FacePreset(
    dimension=512, rank=192, decay=0.04729, offset=0.50688, slope=1.09541, common=0.13387, groups=34,
    group_share=0.17381, spread=-0.21933, spread_by_person=0.16334, spread_by_view=0.29576,
)  # fmt: skip
"""Fitted to EdgeFace-XS(q) on LFW, 5722 people, two photographs each."""
MOBILEFACENET: Final = FacePreset(
    dimension=128, rank=123, decay=-109.89191, offset=516.36909, slope=26.52735, common=0.19678, groups=16,
    group_share=0.34450, spread=-0.32559, spread_by_person=0.19498, spread_by_view=0.29794,
)  # fmt: skip
"""Fitted to MobileFaceNet 128-d on the same photographs; its tail at a false match rate of 1e-5 is 3 points off."""


class FacePopulation:
    """People of one preset and seed. Equal seeds give equal people, on any machine."""

    def __init__(self, preset: FacePreset, seed: int, *, basis: NDArray[np.float32] | None = None) -> None:
        """Fix the population.

        Args:
            preset: the embedding model.
            seed: 0 <= seed < 2^64.
            basis: float32 [dimension, rank], orthonormal columns by falling variance: where the people lie. Random by
                default; the principal axes of a real set put them among its people.

        Raises:
            InputRefused: the seed is out of range.
        """
        self._preset, self._seed = preset, seed
        k = np.arange(preset.rank)
        # logarithms first: the fitted shapes reach powers that overflow by themselves
        log_variance = -preset.slope * k / preset.rank - preset.decay * np.log(k + preset.offset)
        variance = np.exp(log_variance - log_variance.max())
        self._scale = np.sqrt(variance / variance.sum())
        if basis is None:
            random = normals(seed, BASIS, np.arange(preset.dimension), 0, preset.rank)
            q, r = np.linalg.qr(random)
            basis = q * np.sign(np.diag(r))  # the factorization is unique only up to these signs
        self._basis = np.ascontiguousarray(basis.T, dtype=np.float64)
        self._centers = normals(seed, GROUP, np.arange(preset.groups), 0, preset.rank)

    @property
    def dimension(self) -> int:
        """Numbers per embedding."""
        return self._preset.dimension

    def embeddings(self, first: int, count: int, view: int) -> NDArray[np.float32]:
        """Return view number `view` of people first .. first + count - 1.

        Returns:
            float32 [count, dimension], unit rows, multiples of 2^-22.

        Raises:
            InputRefused: a person or view outside 0 .. 2^32 - 1.
        """
        rows = np.empty((count, self._preset.dimension), np.float32)
        for start in range(0, count, BLOCK):
            people = np.arange(first + start, first + min(start + BLOCK, count))
            exact = self._views(people, view) @ self._basis
            rows[start : start + len(people)] = np.rint(exact * GRID) / GRID
        return rows

    def _views(self, people: NDArray[np.int64], view: int) -> NDArray[np.float64]:
        p = self._preset
        own = normals(self._seed, BY_SUBJECT, people, 0, p.rank)
        drawn = uniforms(self._seed, SPREAD, people, 0, 1)
        group = self._centers[(drawn[:, 0] * p.groups).astype(np.int64)]
        person_spread = normals(self._seed, SPREAD, people, 1, 1)
        center = self._scale * (np.sqrt(1 - p.group_share) * own + np.sqrt(p.group_share) * group)
        center *= np.sqrt(1 - p.common**2) / np.linalg.norm(center, axis=1, keepdims=True)
        center[:, p.rank // 3] += p.common
        noise = self._scale * normals(self._seed, VIEW, people, view, p.rank)
        view_spread = normals(self._seed, VIEW_SPREAD, people, view, 1)
        x = center + np.exp(p.spread + p.spread_by_person * person_spread + p.spread_by_view * view_spread) * noise
        unit: NDArray[np.float64] = x / np.linalg.norm(x, axis=1, keepdims=True)
        return unit
