"""Seeded synthetic face embeddings with the between- and within-person spread of real ones.

A population is streamed: any range of people, any view, is made from the seed alone, so a million people need no
memory. Nobody's face is in here: a preset holds eleven numbers fitted to pooled statistics of an embedding model.

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

__all__ = ["EDGEFACE_XS", "MOBILEFACENET", "FacePopulation", "FacePreset"]

BLOCK: Final = 1024
"""People made from one random stream."""
BASIS_STREAM, GROUP_STREAM, PERSON_STREAM, VIEW_STREAM = range(4)


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
    """People of one preset and seed. Equal seeds give equal people on one NumPy version."""

    def __init__(self, preset: FacePreset, seed: int, *, basis: NDArray[np.float32] | None = None) -> None:
        """Fix the population.

        Args:
            preset: the embedding model.
            seed: any integer from 0.
            basis: float32 [dimension, rank], orthonormal columns by falling variance: where the people lie. Random by
                default; the principal axes of a real set put them among its people.
        """
        self._preset, self._seed = preset, seed
        k = np.arange(preset.rank)
        # logarithms first: the fitted shapes reach powers that overflow by themselves
        log_variance = -preset.slope * k / preset.rank - preset.decay * np.log(k + preset.offset)
        variance = np.exp(log_variance - log_variance.max())
        self._scale = np.sqrt(variance / variance.sum()).astype(np.float32)
        if basis is None:
            random = self._rng(BASIS_STREAM).standard_normal((preset.dimension, preset.rank))
            basis = np.linalg.qr(random)[0].astype(np.float32)
        self._basis = np.ascontiguousarray(basis.T)
        self._centers = self._rng(GROUP_STREAM).standard_normal((preset.groups, preset.rank), dtype=np.float32)

    @property
    def dimension(self) -> int:
        """Numbers per embedding."""
        return self._preset.dimension

    def embeddings(self, first: int, count: int, view: int) -> NDArray[np.float32]:
        """Return view number `view` of people first .. first + count - 1, float32 [count, dimension], unit rows."""
        rows = np.empty((count, self._preset.dimension), np.float32)
        for block in range(first // BLOCK, -(-(first + count) // BLOCK)):
            low, high = max(first, block * BLOCK), min(first + count, (block + 1) * BLOCK)
            if low < high:
                made = self._views(block, view) @ self._basis  # whole blocks: BLAS may round parts differently
                rows[low - first : high - first] = made[low - block * BLOCK : high - block * BLOCK]
        return rows

    def _rng(self, *stream: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, *stream])

    def _views(self, block: int, view: int) -> NDArray[np.float32]:
        p = self._preset
        person = self._rng(PERSON_STREAM, block)
        own = person.standard_normal((BLOCK, p.rank), dtype=np.float32)
        group = self._centers[person.integers(0, p.groups, BLOCK)]
        person_spread = person.standard_normal((BLOCK, 1), dtype=np.float32)
        center = self._scale * (np.sqrt(1 - p.group_share) * own + np.sqrt(p.group_share) * group)
        center *= np.sqrt(1 - p.common**2) / np.linalg.norm(center, axis=1, keepdims=True)
        center[:, p.rank // 3] += p.common
        rng = self._rng(VIEW_STREAM, block, view)
        noise = self._scale * rng.standard_normal((BLOCK, p.rank), dtype=np.float32)
        view_spread = rng.standard_normal((BLOCK, 1), dtype=np.float32)
        x = center + np.exp(p.spread + p.spread_by_person * person_spread + p.spread_by_view * view_spread) * noise
        unit: NDArray[np.float32] = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
        return unit
