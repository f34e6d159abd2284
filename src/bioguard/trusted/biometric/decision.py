"""Comparisons: features of a probe and of records in, scores out. Scores stay in the secure world."""

from collections.abc import Sequence

import numpy as np

from bioguard.match import FaceGallery, FingerprintGallery
from bioguard.records import FaceEmbedding, Features, FingerprintTemplate
from bioguard.records.modality import Profile
from bioguard.trusted.biometric.levels import Kind, Levels, strong_threshold
from bioguard.trusted.biometric.samples import decode
from bioguard.trusted.biometric.stored_objects import StoredRecord
from bioguard.trusted.biometric.template_encoder import TemplateEncoder
from bioguard.trusted.biometric.verdict import Sighting


def record_scores(probe: Features, record: StoredRecord, keeper: TemplateEncoder) -> list[float]:
    """One score per enrolled sample, higher is more alike. A face has the dimension of the record."""
    if record.profile is Profile.DIGEST_ONLY:
        return _code_scores(probe, record, keeper)
    views = [decode(record.modality, view) for view in record.views]
    if isinstance(probe, FingerprintTemplate):
        gallery = FingerprintGallery([v for v in views if isinstance(v, FingerprintTemplate)])
        return [float(s) for s in gallery.scores(probe)]
    vectors = [v.vector for v in views if isinstance(v, FaceEmbedding)]
    return [float(s) for s in FaceGallery(np.stack(vectors)).scores(probe.vector[np.newaxis, :])[0]]


def _code_scores(probe: Features, record: StoredRecord, keeper: TemplateEncoder) -> list[float]:
    if isinstance(probe, FingerprintTemplate):
        return keeper.finger_scores(probe, record.codes)
    codes = np.stack([np.frombuffer(code, np.uint8) for code in record.codes])
    return [float(s) for s in keeper.scalar_similarities(keeper.scalar(probe.vector[np.newaxis, :]), codes)[0]]


def sightings(
    user: bytes, probe: Features, records: Sequence[tuple[bytes, StoredRecord]], keeper: TemplateEncoder, at: Levels
) -> list[Sighting]:
    """Each of one user's records (id, record) with its best score."""
    return [Sighting(user, record_id, max(record_scores(probe, record, keeper)), at) for record_id, record in records]


def same_finger(samples: Sequence[Features], records: Sequence[StoredRecord], keeper: TemplateEncoder) -> bool:
    """Whether any of the samples is of a finger that one of the person's records is of.

    Only a strong match counts: an enrollment is no counted attempt, so its answer must not depend on whether a sample
    is near a record. Every sample is compared with every record, whatever was found.
    """
    found = False
    for record in records:
        limit = strong_threshold(Kind.of(samples[0], keeper.profile), len(samples) * record.samples)
        for sample in samples:
            found |= max(record_scores(sample, record, keeper)) >= limit
    return found
