"""Exact cosine search over face embeddings.

Rows are stored normalized, so a score is one dot product. Products are made block by block; what is held besides the
gallery is one block of scores and the best k of each probe. Scores of one pair can differ in the last bits between
kernels, and between `scores` and `search`, because they are summed in a different order; those of `search` do not
depend on how many probes are searched for at once, or on where a row lies.

    gallery = FaceGallery(embeddings)
    scores, indices = gallery.search(probes, k=5)
    gallery.remove(indices[0, 0])
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioguard.match.arrays import aligned_zeros, checked_k, float_rows, unit_rows
from bioguard.match.kernels import best_rows, choose, dot_products, make_lists, unit_probes
from bioguard.match.row_index import RowIndex

BLOCK_BYTES: Final = 4 << 20
"""Size of one block of scores. Large enough for BLAS to reach its rate, small enough to stay near the cache."""
PROBES_PER_PASS: Final = 256
FEW_PROBES: Final = 2
SPARE: Final = 32
"""Candidates listed beyond k. In a gallery of different people they lie far enough below the k-th to be sure of it."""
MAX_LISTED: Final = 1 << 20
"""Bound on list entries of one pass: 32 MiB of candidates."""
MIN_BLOCK_ROWS: Final = 1024


class FaceGallery:
    """Unit vectors to search by cosine. Not safe to change from one thread while another searches."""

    def __init__(self, embeddings: ArrayLike, *, kernel: str | None = None) -> None:
        """Copy and normalize `embeddings`, float [n, d]; n may be 0. Row i gets index i.

        Args:
            embeddings: 1 <= d <= 4096.
            kernel: what makes and selects the best scores, see `bioguard.match.kernels`; for more than two probes
                the candidates come from BLAS.

        Raises:
            InputRefused: see `bioguard.match.arrays.unit_rows`; the kernel cannot run here.
        """
        self._kernel = choose(kernel)
        self._index = RowIndex()
        rows = unit_rows(embeddings)
        self._store = aligned_zeros(rows.shape, np.float32)
        self._store[:] = rows
        self._index.add(len(rows))

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
            grown = aligned_zeros((max(end, 2 * len(self._store)), self.dimension), np.float32)
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
        rows = float_rows(probes, self._store.shape[1])
        length = min(checked_k(k), len(self._index))
        if len(rows) <= FEW_PROBES and length:
            scores, positions = self._exact(rows, length)
            return scores, self._index.ids_at(positions)
        units = unit_probes(rows, self._kernel)
        scores = np.empty((len(rows), length), np.float32)
        positions = np.empty((len(rows), length), np.int64)
        if length:
            step = max(1, min(PROBES_PER_PASS, MAX_LISTED // (length + SPARE)))
            for start in range(0, len(rows), step):
                part = slice(start, start + step)
                scores[part], positions[part] = self._best(rows[part], units[part], length)
        return scores, self._index.ids_at(positions)

    def _exact(self, probes: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The k best scores and positions of probes of any norm, summed in the one order that counts."""
        rows = self._index.rows
        store = self._store if rows == len(self._store) else self._store[:rows]
        return best_rows(store, self._index.live if self._index.dead else None, probes, k, self._kernel)

    def _best(
        self, probes: NDArray[np.float32], units: NDArray[np.float32], k: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The k best scores and positions of each probe, by one order of summing whatever else is searched for.

        BLAS sums a pair in an order that depends on where the row and the probe lie, so equal rows get scores that
        differ in the last bits, and which of them wins would be chance. It only finds the candidates.
        """
        if len(probes) <= FEW_PROBES:
            return self._exact(probes, k)
        listed = min(k + SPARE, len(self))
        found, positions = self._scan(units, listed)
        scores = np.empty_like(found)
        for p in range(len(probes)):
            dot_products(self._store[positions[p]], units[p : p + 1], scores[p : p + 1], self._kernel)
        scores += np.float32(0)  # -0 counts as 0
        order = np.lexsort((positions, -scores))[:, :k]
        scores, positions = np.take_along_axis(scores, order, 1), np.take_along_axis(positions, order, 1)
        # A row that is not listed lies below the last that is, and summing anew moves both by less than the margin.
        margin = 4 * (self.dimension + 2) * float(np.finfo(np.float32).epsneg)
        unsure = np.flatnonzero(found[:, k - 1] - found[:, -1] <= margin) if listed < len(self) else ()
        for row in unsure:
            one = slice(int(row), int(row) + 1)
            scores[one], positions[one] = self._exact(probes[one], k)
        return scores, positions

    def _scan(self, probes: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The k best by matrix products in blocks, listing of each block only what beats the k-th best so far."""
        m, n = len(probes), self._index.rows
        block_rows = max(MIN_BLOCK_ROWS, BLOCK_BYTES // (4 * m))
        lists = make_lists(m, k, self._kernel)
        block = np.empty(m * min(n, block_rows), np.float32)
        for start in range(0, n, block_rows):
            stop = min(n, start + block_rows)
            scores = block[: m * (stop - start)].reshape(m, stop - start)
            np.matmul(probes, self._store[start:stop].T, out=scores)
            if self._index.dead:
                scores[:, ~self._index.live[start:stop]] = -np.inf
            lists.take(scores, start)
        return lists.finish()
