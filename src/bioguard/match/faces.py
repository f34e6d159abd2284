"""Exact cosine search over face embeddings.

Rows are stored normalized, so a score is one dot product. Products are made block by block with BLAS; what is held
besides the gallery is one block of scores and the best k of each probe. Scores of one pair can differ in the last
bits between calls with different numbers of probes, because BLAS sums in a different order.

    gallery = FaceGallery(embeddings)
    scores, indices = gallery.search(probes, k=5)
    gallery.remove(indices[0, 0])
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioguard.match.arrays import checked_k, unit_rows
from bioguard.match.rows import RowIndex

__all__ = ["FaceGallery"]

BLOCK_BYTES: Final = 8 << 20
"""Size of one block of scores. Large enough for BLAS to reach its rate, small enough to stay near the cache."""
PROBES_PER_PASS: Final = 256
MIN_BLOCK_ROWS: Final = 1024


class FaceGallery:
    """Unit vectors to search by cosine. Not safe to change from one thread while another searches."""

    def __init__(self, embeddings: ArrayLike) -> None:
        """Copy and normalize `embeddings`, float [n, d]; n may be 0. Row i gets index i.

        Raises:
            InputRefused: see `bioguard.match.arrays.unit_rows`.
        """
        self._index = RowIndex()
        self._store = unit_rows(embeddings)
        self._index.add(len(self._store))

    def __len__(self) -> int:
        return len(self._index)

    @property
    def dimension(self) -> int:
        """Numbers per embedding."""
        return int(self._store.shape[1])

    @property
    def indices(self) -> NDArray[np.int64]:
        """int64 [n]: the index of each column of `scores`, ascending."""
        return self._index.indices

    def add(self, embeddings: ArrayLike) -> NDArray[np.int64]:
        """Append rows. Returns their indices; existing indices do not change. Raises InputRefused."""
        rows = unit_rows(embeddings, self.dimension)
        start, end = self._index.rows, self._index.rows + len(rows)
        if end > len(self._store):
            grown = np.zeros((max(end, 2 * len(self._store)), self.dimension), np.float32)
            grown[:start] = self._store[:start]
            self._store.fill(0)
            self._store = grown
        self._store[start:end] = rows
        return self._index.add(len(rows))

    def remove(self, indices: ArrayLike) -> None:
        """Remove rows and overwrite them with zeros. Raises InputRefused if an index is unknown."""
        self._store[self._index.remove(indices)] = 0
        kept = self._index.squeeze()
        if kept is not None:
            self._store[: kept.size] = self._store[kept]
            self._store[kept.size :] = 0

    def scores(self, probes: ArrayLike) -> NDArray[np.float32]:
        """Return cosines, float32 [m, n], columns in the order of `indices`. Raises InputRefused."""
        rows = unit_rows(probes, self.dimension)
        scores = rows @ self._store[: self._index.rows].T
        return scores[:, self._index.live] if self._index.dead else scores

    def search(self, probes: ArrayLike, k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Find the k most alike rows of each probe.

        Args:
            probes: float [m, d] or [d].
            k: list length; shortened to the gallery's size.

        Returns:
            Scores float32 [m, k], descending, and indices int64 [m, k]. Equal scores come by ascending index.

        Raises:
            InputRefused: see `bioguard.match.arrays.unit_rows`; k below 1.
        """
        rows = unit_rows(probes, self.dimension)
        length = min(checked_k(k), len(self))
        scores = np.empty((len(rows), length), np.float32)
        positions = np.empty((len(rows), length), np.int64)
        if length:
            for start in range(0, len(rows), PROBES_PER_PASS):
                part = slice(start, start + PROBES_PER_PASS)
                scores[part], positions[part] = self._best(rows[part], length)
        return scores, self._index.ids_at(positions)

    def _best(self, probes: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Scan the gallery in blocks, keeping of each block only what beats the k-th best so far."""
        m, n = len(probes), self._index.rows
        block_rows = max(MIN_BLOCK_ROWS, 2 * k, BLOCK_BYTES // (4 * m))
        best = np.full((m, k), -np.inf, np.float32)
        where = np.full((m, k), n, np.int64)
        block = np.empty((m, block_rows), np.float32)
        for start in range(0, n, block_rows):
            stop = min(n, start + block_rows)
            scores = np.matmul(probes, self._store[start:stop].T, out=block[:, : stop - start])
            if self._index.dead:
                scores[:, ~self._index.live[start:stop]] = -np.inf
            _merge(best, where, scores, start)
        return best, where


def _merge(best: NDArray[np.float32], where: NDArray[np.int64], scores: NDArray[np.float32], start: int) -> None:
    """Merge a block of scores into the sorted lists `best` and `where`, in place."""
    k = best.shape[1]
    for row in range(len(best)):
        line = scores[row]
        floor = best[row, -1]
        if floor == -np.inf and line.size > 2 * k:
            floor = np.partition(line, line.size - k)[line.size - k]
            hits = np.flatnonzero(line >= floor)
        else:
            hits = np.flatnonzero(line > floor)
        if hits.size == 0:
            continue
        merged = np.concatenate([best[row], line[hits]])
        places = np.concatenate([where[row], hits + start])
        order = np.lexsort((places, -merged))[:k]
        best[row], where[row] = merged[order], places[order]
