"""One probe against many fingers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bioguard.match.fingerprint.comparator import score_block
from bioguard.match.fingerprint.prepared import PreparedTemplate, prepare, prepare_all
from bioguard.records import FingerprintTemplate

__all__ = ["FingerprintGallery"]

Template = FingerprintTemplate | PreparedTemplate


class FingerprintGallery:
    """Templates held for comparison; rows are numbered from zero in the order given.

    Args:
        templates: FingerprintTemplate or PreparedTemplate, in any mixture.
    """

    def __init__(self, templates: Sequence[Template] = ()) -> None:
        self._rows: list[PreparedTemplate] = []
        self.add(templates)

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, templates: Sequence[Template]) -> NDArray[np.int64]:
        """Append templates. Returns their row numbers, int64 [m]."""
        made = iter(prepare_all([t for t in templates if isinstance(t, FingerprintTemplate)]))
        first = len(self._rows)
        self._rows.extend(t if isinstance(t, PreparedTemplate) else next(made) for t in templates)
        return np.arange(first, len(self._rows), dtype=np.int64)

    def remove(self, rows: Sequence[int]) -> None:
        """Drop rows; the others keep their order and are numbered again from zero."""
        gone = set(rows)
        self._rows = [t for i, t in enumerate(self._rows) if i not in gone]

    def scores(self, probe: Template) -> NDArray[np.float32]:
        """Scores against every row, float32 [n], higher is more alike."""
        ready = probe if isinstance(probe, PreparedTemplate) else prepare(probe)
        order = np.argsort([len(t) for t in self._rows], kind="stable")
        out = np.zeros(len(self._rows), np.float32)
        out[order] = score_block(ready, [self._rows[i] for i in order])
        return out

    def search(self, probe: Template, k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The k best rows: scores float32 [k] descending, rows int64 [k]; equal scores by row."""
        scores = self.scores(probe)
        best = np.argsort(-scores, kind="stable")[:k]
        return scores[best], best.astype(np.int64)
