"""Choose what runs Hamming comparisons and list selection: the compiled kernel, or its NumPy twin.

Both give identical results, including the order of ties. The choice is made for each gallery when it is created:
the argument, else the environment variable BIOGUARD_KERNEL, else the fastest variant this processor can run.

    numpy       the twin; always there
    portable    compiled plain C
    avx2, avx512, neon    compiled for that instruction set
"""

import os
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.match.arrays import HEAD_BITS, unit_rows
from bioguard.match.numpy_codes import NumpyCodes
from bioguard.match.top_k import NumpyLists
from tee_sim.shared.dataclass import dataclass

try:
    from bioguard.match import _kernels
except ImportError:  # no compiler at install: the extension is optional
    _kernels = None  # type: ignore[assignment]
else:
    from bioguard.match.native_codes import PackedCodes, PackedLists

ENVIRONMENT_VARIABLE: Final = "BIOGUARD_KERNEL"
TWIN: Final = "numpy"
AVAILABLE: Final = (*(_kernels.variants() if _kernels else ()), TWIN)
EVERY: Final = np.zeros(0, np.bool_)
"""Marks no row: all are live."""


class CodeStore(Protocol):
    """Codes at positions 0, 1, ... and the comparisons over them; `live` says which positions count."""

    def append(self, codes: NDArray[np.uint8]) -> None:
        """Add rows, uint8 [n, n_bytes]."""

    def clear(self, positions: NDArray[np.int64]) -> None:
        """Mark rows dead and overwrite them with zeros."""

    def keep(self, positions: NDArray[np.int64]) -> None:
        """Keep only these rows, in this order."""

    def search(
        self, probes: NDArray[np.uint8], k: int, threads: int, head_radius: int = HEAD_BITS
    ) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
        """Distances [m, k] ascending and positions [m, k] of the nearest live rows; the lowest position wins a tie.

        Rows whose first HEAD_BITS bits differ in more than head_radius are passed over, unless fewer than k are left
        for a probe: then all rows count for it.
        """

    def distances(self, probes: NDArray[np.uint8], threads: int) -> NDArray[np.uint16]:
        """Distances [m, rows]; entries of dead rows mean nothing."""

    def histogram(self, probes: NDArray[np.uint8], threads: int) -> NDArray[np.int64]:
        """Number of (probe, live row) pairs at each distance, [n_bits + 1]."""

    def within(
        self, probes: NDArray[np.uint8], radius: int
    ) -> tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.int64]]:
        """Bounds [m + 1], then distances and positions of live rows at distance <= radius, by ascending position."""


class ScoreLists(Protocol):
    """The k highest scores of each of m probes while blocks of scores pass by; a lower position wins a tie."""

    def take(self, scores: NDArray[np.float32], start: int) -> None:
        """Take scores float32 [m, columns], C-contiguous, of the positions from `start`; blocks come by ascending
        position. -inf marks what must not be listed."""

    def finish(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Scores float32 [m, k] descending and positions int64 [m, k]; at least k scores must have been taken."""


@dataclass(frozen=True, slots=True)
class KernelDescription:
    """What runs here, for `bioguard doctor`.

    Attributes:
        active: the variant a new gallery takes.
        available: all variants this installation and processor can run, fastest first.
        compiled: whether the extension is there.
        forced: whether the environment variable decided.
        note: one line on what that costs, "" if nothing.
    """

    active: str
    available: tuple[str, ...]
    compiled: bool
    forced: bool
    note: str


def available() -> tuple[str, ...]:
    """Names of the variants that can run here, fastest first; the last is always the NumPy twin."""
    return AVAILABLE


def choose(kernel: str | None = None) -> str:
    """Return the variant to use.

    Raises:
        InputRefused: the argument or the environment names a variant that cannot run here.
    """
    names = available()
    wanted = kernel or os.environ.get(ENVIRONMENT_VARIABLE) or names[0]
    if wanted not in names:
        raise InputRefused(
            f"kernel {wanted!r} cannot run here",
            hint=f"use one of {', '.join(names)}, or unset {ENVIRONMENT_VARIABLE}",
            code="input.kernel",
        )
    return wanted


def make_store(n_bytes: int, kernel: str | None = None) -> CodeStore:
    """Return an empty store for codes of `n_bytes`. Raises InputRefused as `choose`."""
    name = choose(kernel)
    return NumpyCodes(n_bytes) if name == TWIN else PackedCodes(n_bytes, AVAILABLE.index(name))


def make_lists(m: int, k: int, kernel: str | None = None) -> ScoreLists:
    """Return empty lists. Raises InputRefused as `choose`."""
    return NumpyLists(m, k) if choose(kernel) == TWIN else PackedLists(m, k)


def dot_products(rows: NDArray[np.float32], probes: NDArray[np.float32], out: NDArray[np.float32], kernel: str) -> None:
    """Write the dot products of a few probes [m, d] with rows [n, d] to `out` [m, n], all C-contiguous.

    One pass over the rows; a matrix product of BLAS would pack them first, which costs as much as reading them.
    """
    if kernel == TWIN:
        for probe, line in zip(probes, out, strict=True):
            np.vecdot(rows, probe, out=line)
    else:
        n, d = rows.shape
        _kernels.dot_rows(AVAILABLE.index(kernel), n, d, len(probes), rows, probes, out)


def unit_probes(probes: NDArray[np.float32], kernel: str) -> NDArray[np.float32]:
    """Return probes [m, d], C-contiguous, at norm 1, always a copy. Raises InputRefused as `arrays.unit_rows`.

    Compiled for searches of few rows, which take less time than NumPy's checks. All compiled variants give the same.
    """
    if kernel == TWIN:
        return unit_rows(probes)
    made = np.empty_like(probes)
    m, d = probes.shape
    return made if _kernels.unit_rows(m, d, probes, made) else unit_rows(probes)


def best_rows(
    rows: NDArray[np.float32], live: NDArray[np.bool_] | None, probes: NDArray[np.float32], k: int, kernel: str
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The k highest dot products of rows [n, d] with each of a few probes [m, d] at norm 1, all C-contiguous.

    Args:
        live: bool [n], the rows that count, at least k; None if all do.

    Returns:
        Scores float32 [m, k], descending, and positions int64 [m, k]; a lower position wins a tie. The same for every
        number of probes.

    Raises:
        InputRefused: as `arrays.unit_rows`.
    """
    (n, d), m = rows.shape, len(probes)
    if kernel != TWIN:
        scores, positions = np.empty((m, k), np.float32), np.empty((m, k), np.int64)
        marks, number = EVERY if live is None else live, AVAILABLE.index(kernel)
        if _kernels.best_rows(number, n, d, m, k, rows, marks, probes, scores, positions):
            return scores, positions
    lists, made = NumpyLists(m, k), np.empty((m, n), np.float32)
    dot_products(rows, unit_rows(probes), made, kernel)
    if live is not None:
        made[:, ~live] = -np.inf
    lists.take(made, 0)
    return lists.finish()


def sign_codes(rows: NDArray[np.float32], signs: NDArray[np.float32], n_bits: int) -> NDArray[np.uint8]:
    """Sign codes uint8 [n, n_bits / 8] of rows [n, d] under signs [blocks, 3, padded, 1], padded >= d, compiled.

    What `protected.sign_codes` does in NumPy, in which a single row takes twenty times as long.
    """
    n, d = rows.shape
    blocks, _, padded, _ = signs.shape
    if d < padded:
        rows = np.pad(rows, ((0, 0), (0, padded - d)))
    codes = np.empty((n, n_bits // 8), np.uint8)
    _kernels.sign_codes(n, padded, blocks, n_bits, rows, signs, codes)
    return codes


def describe() -> KernelDescription:
    """Say what runs here and what it costs. Raises InputRefused as `choose`."""
    active = choose()
    notes = {
        TWIN: "no compiled kernel: Hamming search runs in NumPy, many times slower; install a C compiler and reinstall",
        "portable": "plain C kernel: this processor offers none of AVX2, AVX-512 VPOPCNTDQ or NEON, or it was forced",
    }
    return KernelDescription(
        active=active,
        available=available(),
        compiled=_kernels is not None,
        forced=bool(os.environ.get(ENVIRONMENT_VARIABLE)),
        note=notes.get(active, ""),
    )
