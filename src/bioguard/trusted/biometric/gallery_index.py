"""Search everybody of one modality: which gallery rows are whose, and how near each record is to a probe.

Enforces: only people who may be found now are in an answer (`open_to`, POL-05), and only records that are not over
(`retire`, POL-10). What a search reads from the disk does not depend on whom it found, up to KEPT_BYTES of views.

Does not promise: the last beyond KEPT_BYTES; or to follow a change of consent: whoever changes one drops the gallery.

Faces, standard profile: two stages. Sign codes of all enrolled views are searched; the few nearest ones are scored
exactly. Who watches the disk must not learn which those are, so the views of up to KEPT_BYTES are held in memory from
the start; only what does not fit is opened for each search.
Faces, digest-only profile: the stored scalar codes are searched exhaustively; there is no template to open.
Fingers: every enrolled touch, or its protected code, is compared.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bioguard.match import CodeGallery, FaceGallery, FingerprintGallery, twostage
from bioguard.records import FaceEmbedding, FingerprintTemplate
from bioguard.records.consent import MAX_MS
from bioguard.records.modality import Modality, Profile
from bioguard.records.scores import Basis
from bioguard.trusted.biometric.decision import Ready, Sighting, finger_scores
from bioguard.trusted.biometric.levels import Kind, levels
from bioguard.trusted.biometric.rates import Terms
from bioguard.trusted.biometric.samples import decode
from bioguard.trusted.biometric.stored_objects import StoredRecord
from bioguard.trusted.biometric.template_encoder import TemplateEncoder
from tee_sim.shared.dataclass import dataclass

KEPT_BYTES: Final = 64 << 20
"""Views held in memory: 32 768 of 512 dimensions."""

Opener = Callable[[bytes], StoredRecord]


@dataclass(frozen=True, slots=True)
class _Row:
    user: bytes
    record_id: bytes
    sample: int


class GalleryIndex:
    """All enrolled samples of one modality, searchable, growing and shrinking without a rebuild.

    Args:
        modality: what is in it.
        encoder: coders of the device.
        open_record: opens a record by id, for the exact stage.
    """

    def __init__(self, modality: Modality, encoder: TemplateEncoder, open_record: Opener) -> None:
        self._modality = modality
        self._encoder = encoder
        self._open = open_record
        self._gallery: Any = None
        self._codes: list[bytes] = []
        self._rows: dict[bytes, NDArray[np.int64]] = {}
        self._owners: dict[int, _Row] = {}
        self._samples: Counter[bytes] = Counter()
        self._until_ms: dict[bytes, int] = {}
        self._ends_ms: dict[bytes, int] = {}
        self._first_end_ms = MAX_MS
        self._views: dict[bytes, NDArray[np.float32]] = {}
        self._kept_bytes = 0

    def add(self, user: bytes, record_id: bytes, record: StoredRecord, until_ms: int, ends_ms: int) -> None:
        """Add the samples of one record.

        Args:
            until_ms: wall time until which its owner may be searched for.
            ends_ms: wall time at which the record's retention ends.
        """
        rows = self._add(record)
        self._rows[record_id] = rows
        self._owners.update((int(row), _Row(user, record_id, i)) for i, row in enumerate(rows))
        self._samples[user] += len(rows)
        self._until_ms[user] = until_ms
        self._ends_ms[record_id] = ends_ms
        self._first_end_ms = min(self._first_end_ms, ends_ms)
        self._keep(record_id, record)

    def _keep(self, record_id: bytes, record: StoredRecord) -> None:
        if self._modality is Modality.FACE and record.views:
            views = _vectors(record)
            if self._kept_bytes + views.nbytes <= KEPT_BYTES:
                self._kept_bytes += views.nbytes
                self._views[record_id] = views

    def _add(self, record: StoredRecord) -> NDArray[np.int64]:
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

    def _add_faces(self, codes: NDArray[np.uint8]) -> NDArray[np.int64]:
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
        return len(self._owners)

    def remove(self, record_id: bytes) -> None:
        """Remove a record's samples; nothing happens if it is not here."""
        rows = self._rows.pop(record_id, None)
        if rows is None:
            return
        del self._ends_ms[record_id]
        self._samples[self._owners[int(rows[0])].user] -= len(rows)
        kept = self._views.pop(record_id, None)
        if kept is not None:
            self._kept_bytes -= kept.nbytes
            kept.fill(0)
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

    def retire(self, now_ms: int) -> None:
        """Take out the records whose retention has ended: what is kept of them is not used."""
        if now_ms < self._first_end_ms:
            return
        for record_id in [record_id for record_id, ends_ms in self._ends_ms.items() if ends_ms <= now_ms]:
            self.remove(record_id)
        self._first_end_ms = min(self._ends_ms.values(), default=MAX_MS)

    def _close_gaps(self, gone: NDArray[np.int64]) -> None:
        """A fingerprint gallery numbers its rows anew when some are removed."""
        ordered = np.sort(gone)
        self._rows = {key: rows - np.searchsorted(ordered, rows) for key, rows in self._rows.items()}
        self._owners = {row - int(np.searchsorted(ordered, row)): owner for row, owner in self._owners.items()}

    def open_to(self, barred: frozenset[bytes], now_ms: int) -> frozenset[bytes]:
        """Whom a search may find now: a grant that has not run out, and nobody of `barred`."""
        return frozenset(
            user
            for user, samples in self._samples.items()
            if samples and user not in barred and now_ms < self._until_ms[user]
        )

    def basis(self, kind: Kind, terms: Terms) -> Basis:
        """How far the rate of this search is founded, at least. Refused FMR_NOT_MEASURABLE without a threshold."""
        searched = len(self._owners)
        return max(levels(kind, terms, samples, searched).basis for samples in set(self._samples.values()) - {0})

    def sightings(self, probe: Ready, kind: Kind, terms: Terms, among: frozenset[bytes]) -> list[Sighting]:
        """The records nearest to the probe, of these people, each with the best score of its samples."""
        best: dict[bytes, tuple[float, bytes]] = {}
        for row, score in zip(*self._nearest(probe), strict=True):
            owner = self._owners[int(row)]
            if owner.user in among and float(score) > best.get(owner.record_id, (-np.inf, b""))[0]:
                best[owner.record_id] = (float(score), owner.user)
        searched = len(self._owners)
        return [
            Sighting(user, record_id, score, levels(kind, terms, self._samples[user], searched))
            for record_id, (score, user) in best.items()
        ]

    def _nearest(self, probe: Ready) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Rows and scores of at least the `candidates_for` nearest samples."""
        count = twostage.candidates_for(len(self._owners))
        if not isinstance(probe, FaceEmbedding):
            if isinstance(probe, bytes):
                rows = np.array(sorted(self._owners), np.int64)
                return rows, finger_scores(probe, [self._codes[row] for row in rows])
            scores, rows = self._gallery.search(probe, count)
            return rows, scores
        vector = probe.vector[np.newaxis, :]
        if self._encoder.profile is Profile.DIGEST_ONLY:
            scores, rows = self._gallery.search(self._encoder.scalar_rows(self._encoder.scalar(vector)), count)
            return rows[0], scores[0]
        return twostage.candidates(vector, self._encoder.sign(vector), self._gallery, self._open_views)

    def _open_views(self, rows: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
        opened = dict[bytes, NDArray[np.float32]]()
        for row in rows:
            owner = self._owners[int(row)]
            views = self._views.get(owner.record_id, opened.get(owner.record_id))
            if views is None:
                views = opened[owner.record_id] = _vectors(self._open(owner.record_id))
            yield views[owner.sample]


class Galleries:
    """The galleries that were built, by modality: a cache of what is stored. Dropping one costs nothing but time."""

    def __init__(self) -> None:
        self._built: dict[Modality, GalleryIndex] = {}

    def get(self, modality: Modality) -> GalleryIndex | None:
        """The gallery of a modality, if it was built."""
        return self._built.get(modality)

    def put(self, modality: Modality, gallery: GalleryIndex) -> None:
        """Use a gallery until it is dropped."""
        self._built[modality] = gallery

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
