"""Load face sets and keep their development and test halves apart, by person."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["FaceSet", "load_faces"]


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
    """Read `embeddings` [n, d] and `labels` [n] of an .npz file; rows are normalized."""
    with np.load(path) as file:
        rows = file["embeddings"].astype(np.float32)
        labels = file["labels"].astype(np.int32)
    return FaceSet(rows / np.linalg.norm(rows, axis=1, keepdims=True), labels)
