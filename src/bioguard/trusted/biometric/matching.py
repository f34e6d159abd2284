"""Decisions: features and a target rate in, yes or no out. Scores and thresholds stay in here.

A claim is compared with several views, and the best one counts; so each single comparison is held to the target rate
divided by the number of comparisons (Bonferroni: conservative, views of one person are not independent).
"""

from collections.abc import Sequence

import numpy as np

from bioguard.commands.biometric import Profile, Status
from bioguard.errors import InputRefused
from bioguard.match import FaceGallery, FingerprintGallery
from bioguard.match.fingerprint import thresholds as finger_thresholds
from bioguard.match.thresholds import Score, threshold_for_fmr, threshold_for_fpir
from bioguard.records import FaceEmbedding, Features, FingerprintTemplate
from bioguard.trusted.biometric.keeping import Keeper
from bioguard.trusted.biometric.objects import StoredRecord
from bioguard.trusted.biometric.refusal import Refused
from bioguard.trusted.biometric.samples import decode

__all__ = ["accepted_record", "claim_threshold", "record_scores", "same_finger", "search_threshold"]

DUPLICATE_FMR = 1e-4
"""At enrollment, a finger that matches another one of the same user at this rate counts as the same finger."""


def record_scores(probe: Features, record: StoredRecord, keeper: Keeper) -> list[float]:
    """One score per enrolled sample, higher is more alike. A face has the dimension of the record."""
    if record.profile is Profile.DIGEST_ONLY:
        return _code_scores(probe, record, keeper)
    views = [decode(record.modality, view) for view in record.views]
    if isinstance(probe, FingerprintTemplate):
        gallery = FingerprintGallery([v for v in views if isinstance(v, FingerprintTemplate)])
        return [float(s) for s in gallery.scores(probe)]
    vectors = [v.vector for v in views if isinstance(v, FaceEmbedding)]
    return [float(s) for s in FaceGallery(np.stack(vectors)).scores(probe.vector[np.newaxis, :])[0]]


def _code_scores(probe: Features, record: StoredRecord, keeper: Keeper) -> list[float]:
    if isinstance(probe, FingerprintTemplate):
        return keeper.finger_scores(probe, record.codes)
    codes = np.stack([np.frombuffer(code, np.uint8) for code in record.codes])
    return [float(s) for s in keeper.scalar_similarities(keeper.scalar(probe.vector[np.newaxis, :]), codes)[0]]


def claim_threshold(probe: Features, profile: Profile, fmr_inverse: int, comparisons: int) -> float:
    """Threshold of each of `comparisons` comparisons of one claim. Refused FMR_NOT_MEASURABLE."""
    rate = 1 / (max(fmr_inverse, 2) * comparisons)
    try:
        if isinstance(probe, FingerprintTemplate):
            return finger_thresholds.threshold_for_fmr(rate, protected=profile is Profile.DIGEST_ONLY)
        return threshold_for_fmr(rate, dimension=len(probe), score=_face_score(profile))
    except InputRefused:
        raise Refused(Status.FMR_NOT_MEASURABLE) from None


def search_threshold(probe: Features, profile: Profile, fpir_inverse: int, comparisons: int) -> float:
    """Threshold of a search over `comparisons` enrolled samples. Refused FMR_NOT_MEASURABLE."""
    rate = 1 / max(fpir_inverse, 2)
    try:
        if isinstance(probe, FingerprintTemplate):
            return finger_thresholds.threshold_for_fmr(rate / comparisons, protected=profile is Profile.DIGEST_ONLY)
        return threshold_for_fpir(rate, comparisons, dimension=len(probe), score=_face_score(profile))
    except InputRefused:
        raise Refused(Status.FMR_NOT_MEASURABLE) from None


def _face_score(profile: Profile) -> Score:
    return Score.SCALAR if profile is Profile.DIGEST_ONLY else Score.COSINE


def accepted_record(probe: Features, records: Sequence[StoredRecord], keeper: Keeper, fmr_inverse: int) -> int | None:
    """Position of the record that a 1:1 claim matches best, if it is good enough. Equal is accepted."""
    scores = [record_scores(probe, record, keeper) for record in records]
    threshold = claim_threshold(probe, keeper.profile, fmr_inverse, sum(map(len, scores)))
    best = max(range(len(records)), key=lambda i: max(scores[i]))
    return best if max(scores[best]) >= threshold else None


def same_finger(samples: Sequence[Features], record: StoredRecord, keeper: Keeper) -> bool:
    """Whether any of the samples matches a record of another finger of the same person."""
    comparisons = len(samples) * record.samples
    threshold = claim_threshold(samples[0], keeper.profile, round(1 / DUPLICATE_FMR), comparisons)
    return any(max(record_scores(sample, record, keeper)) >= threshold for sample in samples)
