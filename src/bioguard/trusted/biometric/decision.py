"""Decide: features of a probe and of records into scores, and scores into one answer and what it revealed.

The best sample of the best record counts, against thresholds that hold for so many comparisons (`levels`). Scores stay
in the secure world: with them a caller climbs to a matching sample (docs/protection.md, "What an answer tells").

Does not promise: that a threshold is as rare as its name where its table is extrapolated (docs/android-contract.md,
"Rates").
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bioguard.match import FaceGallery, FingerprintGallery
from bioguard.records import FaceEmbedding, Features, FingerprintTemplate
from bioguard.records.modality import Profile
from bioguard.trusted.biometric.levels import Kind, Levels, strong_threshold
from bioguard.trusted.biometric.samples import decode
from bioguard.trusted.biometric.stored_objects import StoredRecord
from bioguard.trusted.biometric.template_encoder import TemplateEncoder


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


def record_scores(probe: Features, record: StoredRecord, encoder: TemplateEncoder) -> list[float]:
    """One score per enrolled sample, higher is more alike. A face has the dimension of the record."""
    if record.profile is Profile.DIGEST_ONLY:
        return _code_scores(probe, record, encoder)
    views = [decode(view) for view in record.views]
    if isinstance(probe, FingerprintTemplate):
        gallery = FingerprintGallery([v for v in views if isinstance(v, FingerprintTemplate)])
        return [float(s) for s in gallery.scores(probe)]
    vectors = [v.vector for v in views if isinstance(v, FaceEmbedding)]
    return [float(s) for s in FaceGallery(np.stack(vectors)).scores(probe.vector[np.newaxis, :])[0]]


def _code_scores(probe: Features, record: StoredRecord, encoder: TemplateEncoder) -> list[float]:
    if isinstance(probe, FingerprintTemplate):
        return encoder.finger_scores(probe, record.codes)
    codes = np.stack([np.frombuffer(code, np.uint8) for code in record.codes])
    return [float(s) for s in encoder.scalar_similarities(encoder.scalar(probe.vector[np.newaxis, :]), codes)[0]]


def sightings(
    user: bytes, probe: Features, records: Sequence[tuple[bytes, StoredRecord]], encoder: TemplateEncoder, at: Levels
) -> list[Sighting]:
    """Each of one user's records (id, record) with its best score."""
    return [Sighting(user, record_id, max(record_scores(probe, record, encoder)), at) for record_id, record in records]


def same_finger(
    samples: Sequence[Features], records: Sequence[StoredRecord], encoder: TemplateEncoder, kind: Kind
) -> bool:
    """Whether any of the samples is of a finger that one of the person's records is of.

    Only a strong match counts: an enrollment is no counted attempt, so its answer must not depend on whether a sample
    is near a record. Every sample is compared with every record, whatever was found.
    """
    found = False
    for record in records:
        limit = strong_threshold(kind, len(samples) * record.samples)
        for sample in samples:
            found |= max(record_scores(sample, record, encoder)) >= limit
    return found
