"""One probe against many fingers."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.match.arrays import checked_indices, checked_integer, checked_k, checked_threads
from bioguard.match.fingerprint.backends import gallery_rows, pick
from bioguard.match.fingerprint.calibration import calibrated
from bioguard.match.fingerprint.prepared import PreparedTemplate, prepare, prepare_all
from bioguard.match.fingerprint.projection import projection
from bioguard.records import FingerprintTemplate
from tee_sim.shared.dataclass import dataclass

Template: TypeAlias = FingerprintTemplate | PreparedTemplate


@dataclass(frozen=True, slots=True)
class GalleryStats:
    """Size of a gallery: rows, bytes held for comparison, and the backend in use."""

    rows: int
    nbytes: int
    backend: str

    @property
    def bytes_per_template(self) -> float:
        return self.nbytes / self.rows if self.rows else 0.0


class FingerprintGallery:
    """Templates held for comparison; rows are numbered from zero in the order given.

    Args:
        templates: FingerprintTemplate or PreparedTemplate, in any mixture.
        backend: one of `bioguard.match.fingerprint.backends()`; the fastest when not given.
        threads: for the compiled backends; comparing releases the interpreter lock.

    Raises:
        InputRefused: the backend is not available on this machine; threads is outside 1..64.
    """

    def __init__(self, templates: Sequence[Template] = (), *, backend: str | None = None, threads: int = 1) -> None:
        self.backend = pick(backend)
        self._rows = gallery_rows(self.backend, projection().dimensions, checked_threads(threads))
        self.add(templates)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def stats(self) -> GalleryStats:
        return GalleryStats(len(self._rows), self._rows.nbytes, self.backend)

    def add(self, templates: Sequence[Template]) -> NDArray[np.int64]:
        """Append templates. Returns their row numbers, int64 [m]."""
        first = len(self._rows)
        made = iter(prepare_all([t for t in templates if isinstance(t, FingerprintTemplate)]))
        self._rows.add([t if isinstance(t, PreparedTemplate) else next(made) for t in templates])
        return np.arange(first, len(self._rows), dtype=np.int64)

    def remove(self, rows: Sequence[int] | NDArray[np.int64]) -> None:
        """Drop rows; the others keep their order and are numbered again from zero.

        Raises:
            InputRefused: a row is not there, or no whole number.
        """
        gone = checked_indices(rows)
        if gone.size and (int(gone.min()) < 0 or int(gone.max()) >= len(self)):
            raise InputRefused("no such gallery row", hint="rows are numbered from zero", code="input.row")
        keep = np.ones(len(self), bool)
        keep[gone] = False
        self._rows.keep(keep)

    def template(self, row: int) -> PreparedTemplate:
        """The prepared template of a row. Raises InputRefused if there is no such row."""
        last = len(self) - 1
        return self._rows.template(checked_integer(row, "row", 0, last, "rows are numbered from zero", "input.row"))

    def scores(self, probe: Template) -> NDArray[np.float32]:
        """Scores against every row, float32 [n], higher is more alike."""
        return calibrated(self._rows.evidence(_ready(probe)))

    def search(
        self, probe: Template, k: int, *, exhaustive: bool = False
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The k best rows.

        The compiled backends compare with every row. The NumPy backend looks quickly at all rows and fully at the most
        promising ones; `exhaustive` makes it compare all.

        Returns:
            scores float32 [k] descending and rows int64 [k]; equal scores by row. Fewer when the gallery is smaller.

        Raises:
            InputRefused: k is no whole number, or below 1.
        """
        ready, k = _ready(probe), checked_k(k)
        rows = None if exhaustive else self._rows.shortlist(ready, k)
        if rows is None:
            rows = np.arange(len(self), dtype=np.int64)
            evidence = self._rows.evidence(ready)
        else:
            evidence = self._rows.evidence_of(ready, rows)
        scores = calibrated(evidence)
        best = np.argsort(-scores, kind="stable")[:k]
        return scores[best], rows[best]


def _ready(probe: Template) -> PreparedTemplate:
    return probe if isinstance(probe, PreparedTemplate) else prepare(probe)
