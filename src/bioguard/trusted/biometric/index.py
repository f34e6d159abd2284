"""The search index of one modality: which gallery rows are whose."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bioguard.commands.biometric import Modality
from bioguard.match import FaceGallery, FingerprintGallery
from bioguard.records import FaceEmbedding, Features, FingerprintTemplate
from bioguard.trusted.biometric.matching import accepts, threshold_for_search

__all__ = ["Found", "GalleryIndex"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The one identity a search returns."""

    user: bytes
    record_id: bytes


class _Gallery(Protocol):
    def add(self, rows: object) -> NDArray[np.int64]: ...
    def remove(self, indices: NDArray[np.int64]) -> None: ...
    def __len__(self) -> int: ...


class GalleryIndex:
    """All enrolled views of one modality, searchable, growing and shrinking without a rebuild."""

    def __init__(self, modality: Modality) -> None:
        self._modality = modality
        self._faces: FaceGallery | None = None
        self._fingers = FingerprintGallery([])
        self._rows: dict[bytes, NDArray[np.int64]] = {}
        self._owner: dict[int, Found] = {}

    def add(self, user: bytes, record_id: bytes, views: tuple[Features, ...]) -> None:
        """Add the views of one record."""
        rows = self._add_views(views)
        self._rows[record_id] = rows
        found = Found(user=user, record_id=record_id)
        self._owner.update((int(row), found) for row in rows)

    def _add_views(self, views: tuple[Features, ...]) -> NDArray[np.int64]:
        if self._modality is Modality.FINGERPRINT:
            return self._fingers.add([view for view in views if isinstance(view, FingerprintTemplate)])
        vectors = np.stack([view.vector for view in views if isinstance(view, FaceEmbedding)])
        if self._faces is None:
            self._faces = FaceGallery(np.zeros((0, vectors.shape[1]), np.float32))
        return self._faces.add(vectors)

    def remove(self, record_id: bytes) -> None:
        """Remove a record's views; nothing happens if it is not here."""
        rows = self._rows.pop(record_id, None)
        if rows is None:
            return
        for row in rows:
            del self._owner[int(row)]
        if self._modality is Modality.FINGERPRINT:
            self._fingers.remove(rows)
        elif self._faces is not None:
            self._faces.remove(rows)

    def identify(self, probe: Features, fpir_inverse: int) -> Found | None:
        """The best record, if it is good enough for this rate and this many views."""
        if not self._owner:
            return None
        threshold = threshold_for_search(self._modality, fpir_inverse, len(self._owner))
        if isinstance(probe, FaceEmbedding) and self._faces is not None:
            if len(probe) != self._faces.dimension:
                return None
            scores, indices = self._faces.search(probe.vector[np.newaxis, :], 1)
            score, row = float(scores[0, 0]), int(indices[0, 0])
        elif isinstance(probe, FingerprintTemplate):
            best, found = self._fingers.search(probe, 1)
            score, row = float(best[0]), int(found[0])
        else:
            return None
        return self._owner[row] if accepts(score, threshold) else None
