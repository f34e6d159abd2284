"""Load face sets and keep their development and test halves apart, by person."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.load import read_faces


@dataclass(frozen=True, slots=True)
class FaceSet:
    """Unit embeddings float32 [n, d] and the person of each, int32 [n]."""

    embeddings: NDArray[np.float32]
    labels: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def people(self) -> int:
        """Number of different people."""
        return int(np.unique(self.labels).size)

    def half(self, name: str) -> "FaceSet":
        """Return the people with even ("development") or odd ("test") label: nobody is in both."""
        return self._only(self.labels % 2 == {"development": 0, "test": 1}[name])

    def capped(self, views: int) -> "FaceSet":
        """Keep at most the first `views` of each person, so that nobody with 500 photographs rules the rates."""
        order = np.argsort(self.labels, kind="stable")
        starts = np.searchsorted(self.labels[order], self.labels[order])
        kept = np.zeros(len(self), np.bool_)
        kept[order[np.arange(len(self)) - starts < views]] = True
        return self._only(kept)

    def _only(self, kept: NDArray[np.bool_]) -> "FaceSet":
        return FaceSet(self.embeddings[kept], self.labels[kept])


def load_faces(path: Path) -> FaceSet:
    """Read `embeddings` [n, d] and `labels` [n] of an .npz file, see `bench.load.read_faces`; rows are normalized.

    Labels that are whole numbers keep their value, which decides the half; others are numbered in order.
    """
    faces = read_faces(path)
    whole = faces.labels.dtype.kind in "iu" and np.abs(faces.labels.astype(np.float64)).max() < 1 << 31
    return FaceSet(faces.rows, (faces.labels if whole else faces.subjects).astype(np.int32))
