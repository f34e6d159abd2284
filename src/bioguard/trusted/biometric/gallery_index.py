"""Search everybody on one sensor: which gallery rows are whose, and how near each record is to a probe.

Enforces: only people who may be found now are in an answer (`open_to`, POL-05), and only records that are not over
(`retire`, POL-10). A search reads nothing from the disk: who watches it must not learn who was near.

Does not promise: to follow a change of consent: whoever changes one drops the gallery.

Faces, standard profile: two stages. Sign codes of all enrolled views are searched; the few nearest ones are scored
exactly, with views that are held in memory from the start.
Faces, digest-only profile: the stored scalar codes are searched exhaustively; there is no template.
Fingers: every enrolled touch, or its protected code, is compared.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioguard.match import CodeGallery, FaceGallery, FingerprintGallery, twostage
from bioguard.records import FaceEmbedding, FingerprintTemplate
from bioguard.records.modality import Modality, Profile
from bioguard.records.scores import Basis
from bioguard.trusted.biometric.decision import Ready, Sighting, finger_scores
from bioguard.trusted.biometric.gallery_rows import Numbers, RowOwners, ViewRows
from bioguard.trusted.biometric.levels import Kind, levels
from bioguard.trusted.biometric.rates import Terms
from bioguard.trusted.biometric.samples import decode, face_vectors
from bioguard.trusted.biometric.search_segments import Columns, cut_samples
from bioguard.trusted.biometric.stored_objects import StoredRecord
from bioguard.trusted.biometric.template_encoder import TemplateEncoder


class GalleryIndex:
    """All enrolled samples of one sensor, searchable, growing and shrinking without a rebuild.

    Args:
        modality: what is in it.
        encoder: coders of the device.
    """

    def __init__(self, modality: Modality, encoder: TemplateEncoder) -> None:
        self._modality = modality
        self._encoder = encoder
        self._clear()

    def _clear(self) -> None:
        self._rows = RowOwners()
        self._gallery: Any = None
        self._codes: list[bytes] = []
        self._views: ViewRows | None = None

    def add(self, user: bytes, record_id: bytes, record: StoredRecord, until_ms: int, ends_ms: int) -> None:
        """Add the samples of one record.

        Args:
            until_ms: wall time until which its owner may be searched for.
            ends_ms: wall time at which the record's retention ends.
        """
        rows = self._add(record)
        self._rows.add(user, record_id, rows, until_ms, ends_ms)
        if self._modality is Modality.FACE and record.views:
            views = _vectors(record)
            self._views = self._views or ViewRows(views.shape[1])
            self._views.put(rows, views)

    def extend(self, records: Columns, until_ms: Numbers, ends_ms: Numbers) -> None:
        """Add many records, with both times of each as in `add`, when there are none yet."""
        heads = records.heads
        samples = heads["samples"].astype(np.int64)
        if not samples.size:
            return
        if self._modality is Modality.FINGERPRINT:
            self._extend_fingers(records)
        else:
            if records.views:
                views = face_vectors(records.views, int(samples.sum()))
                self._views = ViewRows(views.shape[1])
                self._views.put(np.arange(len(views)), views)
            self._add_faces(np.frombuffer(records.codes, np.uint8).reshape(int(samples.sum()), -1))
        self._rows.extend(heads["user"].tolist(), heads["record"].tolist(), samples, until_ms, ends_ms)

    def _extend_fingers(self, records: Columns) -> None:
        if self._encoder.profile is Profile.DIGEST_ONLY:
            self._codes = cut_samples(records.codes, records.code_sizes)
            return
        views = (decode(view) for view in cut_samples(records.views, records.view_sizes))
        self._gallery = FingerprintGallery([v for v in views if isinstance(v, FingerprintTemplate)])

    def _add(self, record: StoredRecord) -> Numbers:
        if self._modality is Modality.FACE:
            codes = np.stack([np.frombuffer(code, np.uint8) for code in record.codes])
            return self._add_faces(codes)
        if self._encoder.profile is Profile.DIGEST_ONLY:
            first = len(self._codes)
            self._codes += record.codes
            return np.arange(first, first + len(record.codes), dtype=np.int64)
        if self._gallery is None:
            self._gallery = FingerprintGallery([])
        views = (decode(view) for view in record.views)
        return np.asarray(self._gallery.add([v for v in views if isinstance(v, FingerprintTemplate)]))

    def _add_faces(self, codes: NDArray[np.uint8]) -> Numbers:
        if self._encoder.profile is Profile.DIGEST_ONLY:
            vectors = self._encoder.scalar_rows(codes)
            if self._gallery is None:
                self._gallery = FaceGallery(np.zeros((0, vectors.shape[1]), np.float32))
            return np.asarray(self._gallery.add(vectors))
        if self._gallery is None:
            self._gallery = CodeGallery(np.zeros((0, codes.shape[1]), np.uint8))
        return np.asarray(self._gallery.add(codes))

    def __len__(self) -> int:
        """How many samples can be found."""
        return self._rows.count

    def remove(self, record_id: bytes) -> None:
        """Remove a record's samples; nothing happens if it is not here."""
        closes_gaps = isinstance(self._gallery, FingerprintGallery)  # it numbers its rows anew
        rows = self._rows.remove(record_id, closes_gaps=closes_gaps)
        if not rows.size:
            return
        if self._views is not None:
            self._views.drop(rows)
        if self._gallery is not None:
            self._gallery.remove(rows)
        for row in rows if self._codes else ():
            self._codes[int(row)] = b""
        if not self._rows.count:  # the next face may be of another model, with rows of another length
            self._clear()

    def retire(self, now_ms: int) -> None:
        """Take out the records whose retention has ended: what is kept of them is not used."""
        for record_id in self._rows.over(now_ms):
            self.remove(record_id)

    def open_to(self, barred: Collection[bytes], now_ms: int) -> NDArray[np.bool_]:
        """Whom a search may find now, as `sightings` takes it: a grant that has not run out, and nobody of `barred`."""
        return self._rows.open_to(barred, now_ms)

    def basis(self, kind: Kind, terms: Terms) -> Basis:
        """How far the rate of this search is founded, at least. Refused FMR_NOT_MEASURABLE without a threshold."""
        return max(levels(kind, terms, samples, len(self)).basis for samples in self._rows.sample_counts())

    def sightings(self, probe: Ready, kind: Kind, terms: Terms, among: NDArray[np.bool_]) -> list[Sighting]:
        """The records nearest to the probe, of these people, each with the best score of its samples."""
        rows, scores = self._nearest(probe)
        return [
            Sighting(user, record_id, score, levels(kind, terms, samples, len(self)))
            for user, record_id, score, samples in self._rows.best(rows, scores, among)
        ]

    def _nearest(self, probe: Ready) -> tuple[Numbers, NDArray[np.float32]]:
        """Rows and scores of at least the `candidates_for` nearest samples."""
        count = twostage.candidates_for(len(self))
        if not isinstance(probe, FaceEmbedding):
            if isinstance(probe, bytes):
                rows = self._rows.all()
                return rows, finger_scores(probe, [self._codes[row] for row in rows])
            scores, rows = self._gallery.search(probe, count)
            return rows, scores
        vector = probe.vector[np.newaxis, :]
        if self._views is None:
            scores, rows = self._gallery.search(self._encoder.scalar_rows(self._encoder.scalar(vector)), count)
            return rows[0], scores[0]
        return twostage.candidates(vector, self._encoder.sign(vector), self._gallery, self._views.of)


class Galleries:
    """The galleries that were built, by sensor: a cache of what is stored. Dropping one costs nothing but time."""

    def __init__(self) -> None:
        self._built: dict[int, GalleryIndex] = {}

    def get(self, sensor_id: int) -> GalleryIndex | None:
        """The gallery of a sensor, if it was built."""
        return self._built.get(sensor_id)

    def put(self, sensor_id: int, gallery: GalleryIndex) -> None:
        """Use a gallery until it is dropped."""
        self._built[sensor_id] = gallery

    def remove(self, record_id: bytes) -> None:
        """Take a record out of every gallery."""
        for gallery in self._built.values():
            gallery.remove(record_id)

    def drop(self) -> None:
        """Forget all galleries: consent, codes or what is stored may have changed in ways they do not follow."""
        self._built.clear()


def _vectors(record: StoredRecord) -> NDArray[np.float32]:
    """Views of a face record, float32 [n, d]."""
    decoded = (decode(view) for view in record.views)
    return np.stack([view.vector for view in decoded if isinstance(view, FaceEmbedding)])
