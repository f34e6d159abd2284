"""The search index of one modality: which gallery rows are whose, and how a search decides.

Faces, standard profile: two stages. Sign codes of all enrolled views are searched; the records of the few nearest ones
are opened, scored exactly and dropped. Templates are in clear only while they are scored.
Faces, digest-only profile: the stored scalar codes are searched exhaustively; there is no template to open.
Fingers: every enrolled touch, or its protected code, is compared.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioguard.commands.biometric import Modality, Profile, Status
from bioguard.match import CodeGallery, FaceGallery, FingerprintGallery, twostage
from bioguard.records import FaceEmbedding, Features, FingerprintTemplate
from bioguard.trusted.biometric.keeping import Keeper
from bioguard.trusted.biometric.matching import search_threshold
from bioguard.trusted.biometric.objects import StoredRecord
from bioguard.trusted.biometric.refusal import Refused
from bioguard.trusted.biometric.samples import decode

__all__ = ["Found", "GalleryIndex"]

Opener = Callable[[bytes], StoredRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The one identity a search returns."""

    user: bytes
    record_id: bytes


@dataclass(frozen=True, slots=True)
class _Row:
    found: Found
    sample: int


class GalleryIndex:
    """All enrolled samples of one modality, searchable, growing and shrinking without a rebuild.

    Args:
        modality: what is in it.
        keeper: coders of the device.
        open_record: opens a record by id, for the exact stage.
    """

    def __init__(self, modality: Modality, keeper: Keeper, open_record: Opener) -> None:
        self._modality = modality
        self._keeper = keeper
        self._open = open_record
        self._gallery: Any = None
        self._codes: list[bytes] = []
        self._rows: dict[bytes, NDArray[np.int64]] = {}
        self._owners: dict[int, _Row] = {}

    def add(self, user: bytes, record_id: bytes, record: StoredRecord) -> None:
        """Add the samples of one record."""
        rows = self._add(record)
        self._rows[record_id] = rows
        found = Found(user=user, record_id=record_id)
        self._owners.update((int(row), _Row(found, i)) for i, row in enumerate(rows))

    def _add(self, record: StoredRecord) -> NDArray[np.int64]:
        if self._modality is Modality.FACE:
            codes = np.stack([np.frombuffer(code, np.uint8) for code in record.codes])
            return self._add_faces(codes)
        if self._keeper.profile is Profile.DIGEST_ONLY:
            first = len(self._codes)
            self._codes += record.codes
            return np.arange(first, first + len(record.codes), dtype=np.int64)
        if self._gallery is None:
            self._gallery = FingerprintGallery([])
        views = (decode(self._modality, view) for view in record.views)
        return np.asarray(self._gallery.add([v for v in views if isinstance(v, FingerprintTemplate)]))

    def _add_faces(self, codes: NDArray[np.uint8]) -> NDArray[np.int64]:
        if self._keeper.profile is Profile.DIGEST_ONLY:
            vectors = self._keeper.scalar_rows(codes)
            if self._gallery is None:
                self._gallery = FaceGallery(np.zeros((0, vectors.shape[1]), np.float32))
            return np.asarray(self._gallery.add(vectors))
        if self._gallery is None:
            self._gallery = CodeGallery(np.zeros((0, codes.shape[1]), np.uint8))
        return np.asarray(self._gallery.add(codes))

    def __len__(self) -> int:
        """How many samples can be found."""
        return len(self._owners)

    def remove(self, record_id: bytes) -> None:
        """Remove a record's samples; nothing happens if it is not here."""
        rows = self._rows.pop(record_id, None)
        if rows is None:
            return
        for row in rows:
            del self._owners[int(row)]
        if not self._owners:  # the next face may be of another model, with rows of another length
            self._gallery, self._codes = None, []
        elif self._gallery is None:
            for row in rows:
                self._codes[int(row)] = b""
        elif self._modality is Modality.FINGERPRINT:
            self._gallery.remove(rows)
            self._close_gaps(rows)
        else:
            self._gallery.remove(rows)

    def _close_gaps(self, gone: NDArray[np.int64]) -> None:
        """A fingerprint gallery numbers its rows anew when some are removed."""
        ordered = np.sort(gone)
        self._rows = {key: rows - np.searchsorted(ordered, rows) for key, rows in self._rows.items()}
        self._owners = {row - int(np.searchsorted(ordered, row)): owner for row, owner in self._owners.items()}

    def identify(self, probe: Features, fpir_inverse: int) -> Found | None:
        """The best record, if it is good enough for this rate and this many samples."""
        if not self._owners:
            return None
        threshold = search_threshold(probe, self._keeper.profile, fpir_inverse, len(self._owners))
        if isinstance(probe, FingerprintTemplate):
            if self._keeper.profile is Profile.DIGEST_ONLY:
                return self._best_code(probe, threshold)
            scores, rows = self._gallery.search(probe, 1)
            return self._accept(float(scores[0]), int(rows[0]), threshold)
        vector = probe.vector[np.newaxis, :]
        if self._keeper.profile is Profile.DIGEST_ONLY:
            scores, rows = self._gallery.search(self._keeper.scalar_rows(self._keeper.scalar(vector)), 1)
            return self._accept(float(scores[0, 0]), int(rows[0, 0]), threshold)
        best = twostage.identify(vector, self._keeper.sign(vector), self._gallery, self._open_views, threshold)
        return self._owners[best.index].found if best is not None else None

    def _best_code(self, probe: FingerprintTemplate, threshold: float) -> Found | None:
        rows = sorted(self._owners)
        scores = self._keeper.finger_scores(probe, [self._codes[row] for row in rows])
        best = int(np.argmax(scores))
        return self._accept(scores[best], rows[best], threshold)

    def _accept(self, score: float, row: int, threshold: float) -> Found | None:
        return self._owners[row].found if score >= threshold else None

    def _open_views(self, rows: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
        opened: dict[bytes, StoredRecord] = {}
        for row in rows:
            owner = self._owners[int(row)]
            record_id = owner.found.record_id
            if record_id not in opened:
                opened[record_id] = self._open(record_id)
            view = decode(Modality.FACE, opened[record_id].views[owner.sample])
            if not isinstance(view, FaceEmbedding):
                raise Refused(Status.BAD_REQUEST)
            yield view.vector
