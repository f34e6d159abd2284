"""Whether samples are good enough to enroll."""

from collections.abc import Sequence

from bioguard.commands.biometric import AcquiredCode, Status
from bioguard.match.fingerprint.enrollment import Acquired, check_touches
from bioguard.records import Features, FingerprintTemplate

__all__ = ["judge_samples"]

_CODES = {
    Acquired.GOOD: AcquiredCode.GOOD,
    Acquired.PARTIAL: AcquiredCode.PARTIAL,
    Acquired.INSUFFICIENT: AcquiredCode.INSUFFICIENT,
    Acquired.IMMOBILE: AcquiredCode.IMMOBILE,
}


def judge_samples(samples: Sequence[Features]) -> tuple[Status, tuple[AcquiredCode, ...]]:
    """The status of an enrollment as far as quality goes, and what to tell the person about each sample.

    Faces are judged by their extractor: an embedding says nothing about the quality of its image.
    """
    touches = [sample for sample in samples if isinstance(sample, FingerprintTemplate)]
    if not touches:
        return Status.OK, tuple(AcquiredCode.GOOD for _ in samples)
    report = check_touches(touches)
    codes = tuple(_CODES[code] for code in report.acquired)
    if any(code is not AcquiredCode.GOOD for code in codes):
        return Status.POOR_QUALITY, codes
    return (Status.OK if report.consistent.all() else Status.INCONSISTENT_SAMPLES), codes
