"""Take samples in: decode each one strictly, once, and judge whether it is good enough to enroll or to compare.

What came in is what is stored: only the canonical bytes of a sample pass `decode`, so nobody encodes them again.

Does not promise: that a sample is of a living person, or that an image was good where its extractor says nothing of it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bioguard.commands.status import ReplyStatus
from bioguard.errors import InputRefused
from bioguard.match.face_views import check_views
from bioguard.match.fingerprint.enrollment import check_touches
from bioguard.records import FaceEmbedding, Features, FingerprintTemplate
from bioguard.records.acquired import AcquiredCode
from bioguard.records.centering import Flaw, flaw_of
from bioguard.records.comparison_profile import ComparisonProfile
from bioguard.records.features import features_from_bytes
from bioguard.trusted.refusal import Refused

Judgement = tuple[ReplyStatus, tuple[AcquiredCode, ...]]
"""The status of an enrollment as far as quality goes, and a code for each sample."""


def decode(sample: bytes) -> Features:
    """Features of one sample, of the kind it names. Refused BAD_REQUEST."""
    try:
        return features_from_bytes(sample)
    except InputRefused:
        raise Refused(ReplyStatus.BAD_REQUEST) from None


def dimension_of(samples: Sequence[Features]) -> int:
    """The dimension of the views of a face, 0 for a finger. Refused WRONG_DIMENSION for views of several."""
    dimensions = {len(sample) for sample in samples if isinstance(sample, FaceEmbedding)}
    if len(dimensions) > 1:
        raise Refused(ReplyStatus.WRONG_DIMENSION)
    return max(dimensions, default=0)


def face_vectors(data: bytes, count: int) -> NDArray[np.float16]:
    """Vectors of so many face samples that were decoded when they came in, that stand side by side and have one
    dimension: float16 [count, d]. Refused BAD_REQUEST.
    """
    rows = np.frombuffer(data, np.uint8)
    if rows.size % count:
        raise Refused(ReplyStatus.BAD_REQUEST)
    rows = rows.reshape(count, -1)
    decode(rows[0].tobytes())
    start = FaceEmbedding.HEADER.size
    if (rows[:, :start] != rows[0, :start]).any():
        raise Refused(ReplyStatus.BAD_REQUEST)
    return np.ascontiguousarray(rows[:, start:]).view("<f2")


def judge_samples(samples: Sequence[Features], profile: ComparisonProfile) -> Judgement:
    """Judge the samples of one enrollment, all of the model that the profile is of.

    How good the image of a face was its extractor has to say: an embedding shows only whether it is one, whether it is
    another view, and whether it is of the same person: the best view decides, so one view of another person would open
    the record to that person.
    """
    views = [sample for sample in samples if isinstance(sample, FaceEmbedding)]
    if views:
        return _judge_views(views, profile)
    return _judge_touches([s for s in samples if isinstance(s, FingerprintTemplate)], profile)


def _judge_views(views: Sequence[FaceEmbedding], profile: ComparisonProfile) -> Judgement:
    flawed = [is_flawed(view, profile) for view in views]
    if any(flawed):
        return ReplyStatus.NOT_CENTERED, tuple(AcquiredCode.INSUFFICIENT if f else AcquiredCode.GOOD for f in flawed)
    report = check_views(np.stack([view.vector for view in views]), profile)
    codes = np.where(report.fits, AcquiredCode.GOOD, AcquiredCode.TOO_DIFFERENT)
    codes[report.repeats] = AcquiredCode.IMMOBILE
    return _worst(report.fits.all(), not report.repeats.any(), codes.tolist())


def _judge_touches(touches: Sequence[FingerprintTemplate], profile: ComparisonProfile) -> Judgement:
    report = check_touches(touches, profile)
    good = all(code is AcquiredCode.GOOD for code in report.acquired)
    codes = [
        AcquiredCode.TOO_DIFFERENT if code is AcquiredCode.GOOD and not fits else code
        for code, fits in zip(report.acquired, report.consistent, strict=True)
    ]
    return _worst(report.consistent.all(), good, codes)


def _worst(consistent: bool | np.bool_, good: bool, codes: Sequence[int]) -> Judgement:
    status = ReplyStatus.OK if consistent else ReplyStatus.INCONSISTENT_SAMPLES
    return (status if good else ReplyStatus.POOR_QUALITY), tuple(AcquiredCode(code) for code in codes)


def is_flawed(view: FaceEmbedding, profile: ComparisonProfile) -> bool:
    """Whether the model of the profile makes no such vector. One of equal numbers is none of any model."""
    flaw = flaw_of(view.vector)
    return flaw is not None if profile.centered else flaw is Flaw.CONSTANT


def refuse_flawed(probe: Features, profile: ComparisonProfile) -> None:
    """Refused PROBE_NOT_CENTERED for a face that the model does not make: it would be alike to everybody.

    It depends on nothing that is enrolled, so nothing is learned from it and nothing is counted.
    """
    if isinstance(probe, FaceEmbedding) and is_flawed(probe, profile):
        raise Refused(ReplyStatus.PROBE_NOT_CENTERED)
