"""What a sensor does with a person: a sample that cannot be used or does not fit is named, and the next one is taken.

The judgement is that of an enrollment (`match.fingerprint.enrollment`, `match.face_views`); the device judges again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field

import numpy as np

from bioguard.cli.collection import Sample
from bioguard.match.face_views import check_views
from bioguard.match.fingerprint.enrollment import check_touches
from bioguard.match.thresholds import builtin_profile
from bioguard.records import FaceEmbedding, Features, FingerprintTemplate
from bioguard.records.acquired import AcquiredCode
from bioguard.records.centering import flaw_of
from bioguard.records.modality import Modality
from tee_sim.shared.dataclass import dataclass


@dataclass(slots=True)
class Taken:
    """What was captured of one finger or face.

    Attributes:
        chosen: samples to enroll together; fewer than wanted if no more could be had.
        passed_over: name and fault of each sample that was not taken.
        left: the samples after them, to be used as probes.
    """

    chosen: list[Sample] = field(default_factory=list)
    passed_over: list[tuple[str, str]] = field(default_factory=list)
    left: list[Sample] = field(default_factory=list)

    @property
    def probes(self) -> list[Features]:
        """What can be compared of the samples that are left."""
        return [s.features for s in self.left if s.features is not None and not any(_faults([s.features]))]


def take(samples: Sequence[Sample], wanted: int, report: Callable[[str, str], None]) -> Taken:
    """Take samples in their order until `wanted` of them can be enrolled together.

    Args:
        report: called with the name and the fault of each sample that is not taken, when it is seen.
    """
    taken, coming = Taken(), iter(samples)

    def pass_over(sample: Sample, fault: str) -> None:
        taken.passed_over.append((sample.name, fault))
        report(sample.name, fault)

    while len(taken.chosen) < wanted:
        sample = _next_good(coming, pass_over)
        if sample is None:
            return taken
        taken.chosen.append(sample)
        if len(taken.chosen) == wanted:
            faults = _faults([s.features for s in taken.chosen if s.features is not None])
            for one, fault in zip(tuple(taken.chosen), faults, strict=True):
                if fault:
                    taken.chosen.remove(one)
                    pass_over(one, fault)
    taken.left = list(coming)
    return taken


def _next_good(coming: Iterator[Sample], pass_over: Callable[[Sample, str], None]) -> Sample | None:
    """The next sample that is good by itself."""
    for sample in coming:
        if sample.features is None:
            pass_over(sample, f"cannot be used: {sample.reason}")
            continue
        (fault,) = _faults([sample.features])
        if not fault:
            return sample
        pass_over(sample, fault)
    return None


def _faults(samples: Sequence[Features]) -> list[str]:
    """What is wrong with each of these samples of one finger or face, "" for nothing."""
    touches = [sample for sample in samples if isinstance(sample, FingerprintTemplate)]
    views = [sample for sample in samples if isinstance(sample, FaceEmbedding)]
    return _touch_faults(touches) if touches else _view_faults(views)


_DIFFERS = "does not look like the others"
_TOUCHES = {
    AcquiredCode.PARTIAL: "shows too small a part of the finger",
    AcquiredCode.INSUFFICIENT: "has too few minutiae",
    AcquiredCode.IMMOBILE: "is the same touch again",
}


def _touch_faults(touches: Sequence[FingerprintTemplate]) -> list[str]:
    report = check_touches(touches, builtin_profile(Modality.FINGERPRINT))
    return [
        _TOUCHES.get(code, "" if fits else _DIFFERS)
        for code, fits in zip(report.acquired, report.consistent.tolist(), strict=True)
    ]


def _view_faults(views: Sequence[FaceEmbedding]) -> list[str]:
    flaws = [flaw_of(view.vector) for view in views]
    if any(flaws):
        return [f"is {flaw}" if flaw else "" for flaw in flaws]
    report = check_views(np.stack([view.vector for view in views]), builtin_profile(Modality.FACE, len(views[0])))
    return [
        "is the same view again" if repeats else "" if fits else _DIFFERS
        for fits, repeats in zip(report.fits.tolist(), report.repeats.tolist(), strict=True)
    ]
