"""Hamming search over packed binary codes.

A gallery grows and shrinks in place. Results are the same whatever kernel runs and however many threads: distances are
integers and the lowest index wins a tie.

    gallery = CodeGallery(codes)                      # uint8 [n, 128] for 1024-bit codes
    distances, indices = gallery.search(probes, k=64)
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioguard.match.arrays import (
    HEAD_BITS,
    checked_codes,
    checked_head_radius,
    checked_integer,
    checked_k,
    checked_threads,
)
from bioguard.match.kernels import choose, make_store
from bioguard.match.row_index import RowIndex


class CodeGallery:
    """Binary codes of one length to search by Hamming distance.

    Not safe to change from one thread while another searches. Bit order within a code does not matter as long as
    gallery and probes agree.
    """

    def __init__(self, codes: ArrayLike, *, kernel: str | None = None) -> None:
        """Copy `codes`, uint8 [n, n_bytes]; n may be 0. Row i gets index i.

        Args:
            codes: 8 <= n_bytes <= 8184, a multiple of 8.
            kernel: see `bioguard.match.kernels`.

        Raises:
            InputRefused: see `bioguard.match.arrays.checked_codes`; the kernel cannot run here.
        """
        rows = checked_codes(codes)
        self._n_bytes = int(rows.shape[1])
        self._kernel = choose(kernel)
        self._store = make_store(self._n_bytes, self._kernel)
        self._index = RowIndex()
        self.add(rows)

    def __len__(self) -> int:
        return len(self._index)

    @property
    def n_bits(self) -> int:
        """Length of a code in bits."""
        return 8 * self._n_bytes

    @property
    def kernel(self) -> str:
        """The variant that runs, see `bioguard.match.kernels`."""
        return self._kernel

    @property
    def indices(self) -> NDArray[np.int64]:
        """int64 [n]: the index of each column of `distances`, ascending."""
        return self._index.indices

    def add(self, codes: ArrayLike) -> NDArray[np.int64]:
        """Append rows. Returns their indices; existing indices do not change. Raises InputRefused."""
        rows = checked_codes(codes, self._n_bytes)
        self._store.append(rows)
        return self._index.add(len(rows))

    def remove(self, indices: ArrayLike) -> None:
        """Remove rows and overwrite them with zeros. Raises InputRefused if an index is unknown."""
        self._store.clear(self._index.remove(indices))
        kept = self._index.squeeze()
        if kept is not None:
            self._store.keep(kept)

    def search(
        self, probes: ArrayLike, k: int, *, threads: int = 1, head_radius: int = HEAD_BITS
    ) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
        """Find the k nearest rows of each probe.

        Args:
            probes: uint8 [m, n_bytes] or [n_bytes].
            k: list length; shortened to the gallery's size.
            threads: 1..64; rows are shared out among them.
            head_radius: pass over rows of which more of the first 320 bits differ from the probe's, unless fewer than k
                are left for a probe: then all rows count for it. So a row within the radius that is one of the k
                nearest of all is found. A large gallery of 1024-bit codes is then read to little more than a third.

        Returns:
            Distances uint16 [m, k], ascending, and indices int64 [m, k]. Equal distances come by ascending index.

        Raises:
            InputRefused: wrong dtype or length, k below 1, threads or head_radius out of range.
        """
        rows = checked_codes(probes, self._n_bytes)
        length = min(checked_k(k), len(self))
        workers, radius = checked_threads(threads), checked_head_radius(head_radius, self.n_bits)
        if length == 0:
            return np.empty((len(rows), 0), np.uint16), np.empty((len(rows), 0), np.int64)
        distances, positions = self._store.search(rows, length, workers, radius)
        return distances, self._index.ids_at(positions)

    def distances(self, probes: ArrayLike, *, threads: int = 1) -> NDArray[np.uint16]:
        """Return distances, uint16 [m, n], columns in the order of `indices`. Raises InputRefused."""
        rows = checked_codes(probes, self._n_bytes)
        matrix = self._store.distances(rows, checked_threads(threads))
        return matrix[:, self._index.live] if self._index.dead else matrix

    def histogram(self, probes: ArrayLike, *, threads: int = 1) -> NDArray[np.int64]:
        """Count all (probe, row) pairs by distance, int64 [n_bits + 1]; no distance is stored. Raises InputRefused."""
        return self._store.histogram(checked_codes(probes, self._n_bytes), checked_threads(threads))

    def within(self, probes: ArrayLike, radius: int) -> tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.int64]]:
        """Find every row at distance <= radius.

        Returns:
            bounds int64 [m + 1], distances uint16 [total], indices int64 [total]: what was found for probe p lies at
            bounds[p] to bounds[p + 1], by ascending index.

        Raises:
            InputRefused: wrong dtype or length, radius outside 0..n_bits.
        """
        rows = checked_codes(probes, self._n_bytes)
        bits = checked_integer(radius, "radius", 0, self.n_bits, "give a distance in bits", "input.radius")
        bounds, distances, positions = self._store.within(rows, bits)
        return bounds, distances, self._index.ids_at(positions)
