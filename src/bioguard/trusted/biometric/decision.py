"""Decide: features of a probe and of records into scores, and scores into one answer and what it revealed.

The best sample of the best record counts, against thresholds that hold for so many comparisons (`levels`). Scores stay
in the secure world: with them a caller climbs to a matching sample (docs/protection.md, "What an answer tells").

Does not promise: that a threshold is as rare as its name where its table is extrapolated (docs/android-contract.md,
"Rates").
"""

from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bioguard.match import FaceGallery
from bioguard.match.fingerprint.backends import scores_of
from bioguard.match.fingerprint.prepared import PreparedTemplate, prepare, prepare_all
from bioguard.match.protected.finger_codes import protected_scores
from bioguard.records import FaceEmbedding, Features, FingerprintTemplate
from bioguard.records.modality import Modality, Profile
from bioguard.trusted.biometric.levels import Kind, Levels, strong_threshold
from bioguard.trusted.biometric.samples import decode
from bioguard.trusted.biometric.stored_objects import StoredRecord
from bioguard.trusted.biometric.template_encoder import TemplateEncoder
from tee_sim.shared.dataclass import dataclass

Finger = PreparedTemplate | bytes
"""A finger as it is compared: prepared, or its protected code."""
Ready = FaceEmbedding | Finger


@dataclass(frozen=True, slots=True)
class Sighting:
    """A record in one decision: the best score of its samples, and the thresholds that hold for it."""

    user: bytes
    record_id: bytes
    score: float
    levels: Levels


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a decision comes to.

    Attributes:
        accepted: the record that is the answer, or None.
        near: records of which the answer may have revealed something.
        strong: the accepted one if its score was strong: then nobody near it could have been the answer instead.
        beaten: records of other people that would have been the answer without the strong one.
    """

    accepted: Sighting | None = None
    near: tuple[bytes, ...] = ()
    strong: bytes | None = None
    beaten: tuple[bytes, ...] = ()


NOTHING = Verdict()


def judge(seen: Sequence[Sighting], spent: Callable[[bytes], bool]) -> Verdict:
    """The best record is the answer if it is good enough; equal to the threshold is. The first one wins a tie.

    Args:
        spent: whether a record accepts strong scores only (`bioguard.trusted.sensor.exposure`).
    """
    if not seen:
        return NOTHING
    best = max(seen, key=lambda sighting: sighting.score)
    if best.score >= max(best.levels.strong, best.levels.accept):
        beaten = tuple(s.record_id for s in seen if s.user != best.user and s.score >= s.levels.own)
        return Verdict(accepted=best, strong=best.record_id, beaten=beaten)
    near = tuple(s.record_id for s in seen if s.score >= s.levels.near)
    accepted = best.score >= best.levels.accept and not spent(best.record_id)
    return Verdict(accepted=best if accepted else None, near=near)


def made_ready(probe: Features, encoder: TemplateEncoder) -> Ready:
    """A probe as it is compared with every record: what that takes is done once."""
    if not isinstance(probe, FingerprintTemplate):
        return probe
    return encoder.finger_code(probe) if encoder.profile is Profile.DIGEST_ONLY else prepare(probe)


def finger_samples(record: StoredRecord, most: int | None = None) -> Sequence[Finger]:
    """The samples of a finger's record, as they are compared: all, or the first of them."""
    if record.profile is Profile.DIGEST_ONLY:
        return record.codes[:most]
    decoded = (decode(view) for view in record.views[:most])
    return prepare_all([view for view in decoded if isinstance(view, FingerprintTemplate)])


def finger_scores(one: Finger, others: Sequence[Finger]) -> NDArray[np.float32]:
    """Scores of a finger against others that were made ready the same way, float32 [n]."""
    if isinstance(one, bytes):
        return np.asarray(protected_scores(one, [other for other in others if isinstance(other, bytes)]), np.float32)
    return scores_of(one, [other for other in others if isinstance(other, PreparedTemplate)])


@dataclass(frozen=True, slots=True, eq=False)
class ReadyRecord:
    """A record as it is compared. As sensitive as what is stored of it.

    Attributes:
        enrolled_s: when, in seconds since 1970.
        fingers: of a finger, its samples.
        faces: of a face, its views.
        codes: of a face in the digest-only profile, its scalar codes, uint8 [n, bytes].
    """

    enrolled_s: int
    fingers: Sequence[Finger] = ()
    faces: FaceGallery | None = None
    codes: NDArray[np.uint8] | None = None

    @classmethod
    def of(cls, record: StoredRecord) -> Self:
        """Decode what is stored, and make it ready. Refused BAD_REQUEST for what no enrollment has stored."""
        if record.modality is Modality.FINGERPRINT:
            return cls(record.enrolled_s, fingers=finger_samples(record))
        if record.profile is Profile.DIGEST_ONLY:
            return cls(record.enrolled_s, codes=np.stack([np.frombuffer(code, np.uint8) for code in record.codes]))
        views = [decode(view) for view in record.views]
        vectors = [view.vector for view in views if isinstance(view, FaceEmbedding)]
        return cls(record.enrolled_s, faces=FaceGallery(np.stack(vectors)))

    @property
    def samples(self) -> int:
        """How many samples were enrolled."""
        return len(self.fingers) or len(self.codes if self.codes is not None else self.faces or ())

    @property
    def size_bytes(self) -> int:
        """How much is held of it, about."""
        codes = 0 if self.codes is None else self.codes.nbytes
        faces = 0 if self.faces is None else 4 * len(self.faces) * self.faces.dimension
        return codes + faces + sum(_size_bytes(finger) for finger in self.fingers)

    def wipe(self) -> None:
        """Overwrite it with zeros, as far as that can be done."""
        if self.faces is not None:
            self.faces.remove(self.faces.indices)
        if self.codes is not None:
            self.codes.fill(0)
        for finger in self.fingers:
            if isinstance(finger, PreparedTemplate):
                finger.codes.fill(0)
                finger.places.fill(0)


def _size_bytes(finger: Finger) -> int:
    return len(finger) if isinstance(finger, bytes) else finger.codes.nbytes + finger.places.nbytes


def record_scores(probe: Ready, record: ReadyRecord, encoder: TemplateEncoder) -> list[float]:
    """One score per enrolled sample, higher is more alike. A face has the dimension of the record."""
    if not isinstance(probe, FaceEmbedding):
        return [float(s) for s in finger_scores(probe, record.fingers)]
    vector = probe.vector[np.newaxis, :]
    if record.codes is not None:
        return [float(s) for s in encoder.scalar_similarities(encoder.scalar(vector), record.codes)[0]]
    return [float(s) for s in record.faces.scores(vector)[0]] if record.faces is not None else []


def sightings(
    user: bytes,
    probe: Ready,
    records: Sequence[tuple[bytes, ReadyRecord]],
    encoder: TemplateEncoder,
    at: Sequence[Levels],
) -> list[Sighting]:
    """Each of one user's records (id, record) with its best score, and the thresholds that hold for it."""
    return [
        Sighting(user, record_id, max(record_scores(probe, record, encoder)), here)
        for (record_id, record), here in zip(records, at, strict=True)
    ]


def same_finger(
    samples: Sequence[Features], records: Sequence[ReadyRecord], encoder: TemplateEncoder, kind: Kind
) -> bool:
    """Whether any of the samples is of a finger that one of the person's records is of.

    Only a strong match counts: an enrollment is no counted attempt, so its answer must not depend on whether a sample
    is near a record. Every sample is compared with every record, whatever was found.
    """
    ready = [made_ready(sample, encoder) for sample in samples]
    found = False
    for record in records:
        limit = strong_threshold(kind, len(samples) * record.samples)
        for sample in ready:
            found |= max(record_scores(sample, record, encoder)) >= limit
    return found
