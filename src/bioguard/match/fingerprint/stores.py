"""Where a gallery keeps its rows: packed records for the compiled kernel, plain arrays for NumPy."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bioguard.match.fingerprint.cascade import quick_scores
from bioguard.match.fingerprint.comparator import N_EVIDENCE, evidence_block
from bioguard.match.fingerprint.kernel import compare
from bioguard.match.fingerprint.parameters import CASCADE
from bioguard.match.fingerprint.prepared import PreparedTemplate
from bioguard.match.fingerprint.records import Records

_CHUNK = 4096
"""Templates per chunk: adding copies at most one chunk (16 MB), removing only chunks that lose a row."""


class Store(Protocol):
    """Rows of prepared templates, numbered from zero."""

    def __len__(self) -> int: ...

    @property
    def nbytes(self) -> int: ...

    def add(self, templates: Sequence[PreparedTemplate]) -> None: ...

    def keep(self, mask: NDArray[np.bool_]) -> None: ...

    def template(self, row: int) -> PreparedTemplate: ...

    def evidence(self, probe: PreparedTemplate) -> NDArray[np.float32]: ...

    def shortlist(self, probe: PreparedTemplate, k: int) -> NDArray[np.int64] | None:
        """Rows worth a full comparison when the k best are wanted, or None for all."""
        ...

    def evidence_of(self, probe: PreparedTemplate, rows: NDArray[np.int64]) -> NDArray[np.float32]: ...


class NativeStore:
    """Chunks of packed records, compared by one compiled variant, on several threads if asked."""

    def __init__(self, backend: str, dimensions: int, threads: int) -> None:
        self._backend, self._dimensions, self._threads = backend, dimensions, threads
        self._chunks: list[Records] = []

    def __len__(self) -> int:
        return sum(len(c) for c in self._chunks)

    @property
    def nbytes(self) -> int:
        return sum(c.nbytes for c in self._chunks)

    def add(self, templates: Sequence[PreparedTemplate]) -> None:
        waiting = list(templates)
        if self._chunks and len(self._chunks[-1]) < _CHUNK:
            room = _CHUNK - len(self._chunks[-1])
            self._chunks[-1] = self._chunks[-1].joined(Records.of(waiting[:room], self._dimensions))
            waiting = waiting[room:]
        for first in range(0, len(waiting), _CHUNK):
            self._chunks.append(Records.of(waiting[first : first + _CHUNK], self._dimensions))

    def keep(self, mask: NDArray[np.bool_]) -> None:
        edges = np.cumsum([len(c) for c in self._chunks])[:-1]
        parts = np.split(mask, edges)
        chunks = [c if part.all() else c.kept(part) for c, part in zip(self._chunks, parts, strict=True)]
        self._chunks = [c for c in chunks if len(c)]

    def template(self, row: int) -> PreparedTemplate:
        for chunk in self._chunks:
            if row < len(chunk):
                return chunk.template(row)
            row -= len(chunk)
        raise IndexError(row)

    def evidence(self, probe: PreparedTemplate) -> NDArray[np.float32]:
        work: Callable[[Records], NDArray[np.float32]] = lambda chunk: compare(probe, chunk, self._backend)  # noqa: E731
        if self._threads > 1 and len(self._chunks) > 1:
            with ThreadPoolExecutor(self._threads) as pool:
                parts = list(pool.map(work, self._chunks))
        else:
            parts = [work(c) for c in self._chunks]
        return np.concatenate(parts) if parts else np.zeros((0, N_EVIDENCE), np.float32)

    def shortlist(self, probe: PreparedTemplate, k: int) -> NDArray[np.int64] | None:
        del probe, k
        return None

    def evidence_of(self, probe: PreparedTemplate, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        picked = [self.template(int(r)) for r in rows]
        return compare(probe, Records.of(picked, self._dimensions), self._backend)


class NumpyStore:
    """Templates as they are, and the leading code columns of all of them in one matrix for the cascade."""

    def __init__(self, dimensions: int) -> None:
        self._rows: list[PreparedTemplate] = []
        self._leading = np.zeros((0, min(CASCADE.dimensions, dimensions)), np.int8)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def nbytes(self) -> int:
        return int(self._leading.nbytes) + sum(t.codes.nbytes + t.places.nbytes for t in self._rows)

    def add(self, templates: Sequence[PreparedTemplate]) -> None:
        self._rows.extend(templates)
        new = [t.codes[:, : CASCADE.dimensions] for t in templates]
        self._leading = np.concatenate([self._leading, *new])

    def keep(self, mask: NDArray[np.bool_]) -> None:
        self._leading = self._leading[np.repeat(mask, self._counts())]
        self._rows = [t for t, kept in zip(self._rows, mask, strict=True) if kept]

    def template(self, row: int) -> PreparedTemplate:
        return self._rows[row]

    def evidence(self, probe: PreparedTemplate) -> NDArray[np.float32]:
        return self.evidence_of(probe, np.arange(len(self._rows)))

    def shortlist(self, probe: PreparedTemplate, k: int) -> NDArray[np.int64] | None:
        wanted = max(CASCADE.at_least, k, int(np.ceil(CASCADE.share * len(self._rows))))
        return None if wanted >= len(self._rows) else self.first_look(probe, wanted)

    def first_look(self, probe: PreparedTemplate, wanted: int) -> NDArray[np.int64]:
        """The rows that look most like the probe at first sight, ascending, int64 [wanted]."""
        counts = self._counts()
        quick = quick_scores(probe, self._leading, np.cumsum(counts) - counts, counts)
        return np.sort(np.argpartition(quick, -wanted)[-wanted:])

    def evidence_of(self, probe: PreparedTemplate, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        rows = rows[np.argsort(self._counts()[rows], kind="stable")]
        out = np.zeros((len(self._rows), N_EVIDENCE), np.float32)
        out[rows] = evidence_block(probe, [self._rows[r] for r in rows])
        return out[np.sort(rows)]

    def _counts(self) -> NDArray[np.int64]:
        return np.fromiter((len(t) for t in self._rows), np.int64, len(self._rows))
