"""Whether samples are good enough to enroll, and whether a probe can be compared at all."""

from collections.abc import Sequence

import numpy as np

from bioguard.commands.biometric import AcquiredCode, Status
from bioguard.match.face_views import check_views
from bioguard.match.fingerprint.enrollment import Acquired, check_touches
from bioguard.records import FaceEmbedding, Features, FingerprintTemplate
from bioguard.records.centering import flaw_of
from bioguard.trusted.refusal import Refused

Verdict = tuple[Status, tuple[AcquiredCode, ...]]

_CODES = {
    Acquired.GOOD: AcquiredCode.GOOD,
    Acquired.PARTIAL: AcquiredCode.PARTIAL,
    Acquired.INSUFFICIENT: AcquiredCode.INSUFFICIENT,
    Acquired.IMMOBILE: AcquiredCode.IMMOBILE,
}


def judge_samples(samples: Sequence[Features]) -> Verdict:
    """The status of an enrollment as far as quality goes, and what to tell the person about each sample.

    How good the image of a face was its extractor has to say: an embedding tells only whether it is one, whether it is
    another view, and whether it is of the same person.
    """
    views = [sample for sample in samples if isinstance(sample, FaceEmbedding)]
    return _judge_views(views) if views else _judge_touches([s for s in samples if isinstance(s, FingerprintTemplate)])


def _judge_views(views: Sequence[FaceEmbedding]) -> Verdict:
    flawed = [flaw_of(view.vector) is not None for view in views]
    if any(flawed):
        return Status.NOT_CENTERED, tuple(AcquiredCode.INSUFFICIENT if f else AcquiredCode.GOOD for f in flawed)
    report = check_views(np.stack([view.vector for view in views]))
    codes = np.where(report.fits, AcquiredCode.GOOD, AcquiredCode.TOO_DIFFERENT)
    codes[report.repeats] = AcquiredCode.IMMOBILE
    return _worst(report.fits.all(), not report.repeats.any(), codes.tolist())


def _judge_touches(touches: Sequence[FingerprintTemplate]) -> Verdict:
    report = check_touches(touches)
    good = all(code is Acquired.GOOD for code in report.acquired)
    codes = [
        AcquiredCode.TOO_DIFFERENT if code is Acquired.GOOD and not fits else _CODES[code]
        for code, fits in zip(report.acquired, report.consistent, strict=True)
    ]
    return _worst(report.consistent.all(), good, codes)


def _worst(consistent: bool | np.bool_, good: bool, codes: Sequence[int]) -> Verdict:
    status = Status.OK if consistent else Status.INCONSISTENT_SAMPLES
    return (status if good else Status.POOR_QUALITY), tuple(AcquiredCode(code) for code in codes)


def refuse_flawed(probe: Features) -> None:
    """Refused PROBE_NOT_CENTERED for a face that no centered model makes: it would be alike to everybody.

    It depends on nothing that is enrolled, so nothing is learned from it and nothing is counted.
    """
    if isinstance(probe, FaceEmbedding) and flaw_of(probe.vector) is not None:
        raise Refused(Status.PROBE_NOT_CENTERED)
