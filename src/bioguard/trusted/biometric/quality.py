"""Whether samples are good enough to enroll."""

from collections.abc import Sequence

from bioguard.commands.biometric import Status
from bioguard.records import Features, FingerprintTemplate
from bioguard.trusted.biometric.refusal import Refused

__all__ = ["check_samples"]

MIN_MINUTIAE = 6
"""The poorest impression of the four development databases has 6; below, a comparison rests on chance."""


def check_samples(samples: Sequence[Features]) -> None:
    """Refused POOR_QUALITY for a sample that cannot be compared."""
    if any(isinstance(sample, FingerprintTemplate) and len(sample) < MIN_MINUTIAE for sample in samples):
        raise Refused(Status.POOR_QUALITY)
