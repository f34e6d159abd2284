"""Which enrollments the product's gate refuses: of one person, and with somebody else's samples among them.

The gate is the product's own (`bioguard.match.face_views`, `bioguard.match.fingerprint.enrollment`). One group is drawn
a person, so that the interval of a rate of refusals counts people; groups of two people are drawn at random.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.metrics.failures import Judge
from bench.metrics.resampling import proportion
from bioguard.commands.status import ReplyStatus
from bioguard.match.face_views import check_views
from bioguard.match.fingerprint.enrollment import check_touches
from bioguard.match.thresholds import builtin_profile
from bioguard.records import Features, FingerprintTemplate
from bioguard.records.acquired import AcquiredCode
from bioguard.records.centering import flaw_of
from bioguard.records.comparison_profile import ComparisonProfile
from bioguard.records.modality import Modality
from bioguard.trusted.biometric.samples import judge_samples

FACE_SIZES = (2, 3, 4, 8)
FINGER_SIZES = (2, 3, 4, 6)


def product_gate(features: Sequence[Features | None], profile: ComparisonProfile) -> Judge:
    """The judgement of the application in the secure world over samples by their indices."""

    def judge(group: NDArray[np.int64]) -> str:
        status, _ = judge_samples([s for i in group if (s := features[i]) is not None], profile)
        return "" if status is ReplyStatus.OK else status.name.lower().replace("_", " ")

    return judge


def face_gate(rows: NDArray[np.float32], subjects: NDArray[np.int64], seed: int, draws: int) -> dict[str, Any]:
    """Refusals of groups of views, and of single vectors for what they are."""

    profile = builtin_profile(Modality.FACE, rows.shape[1])

    def judge(group: NDArray[np.int64]) -> str:
        report = check_views(rows[group], profile)
        return "equal" if report.repeats.any() else "" if report.fits.all() else "inconsistent"

    flaws = [flaw.name for flaw in map(flaw_of, rows) if flaw is not None]
    return {
        "vectors": len(rows),
        "flawed_vectors": {name: flaws.count(name) for name in sorted(set(flaws))},
        "groups": list(_groups(judge, subjects, FACE_SIZES, seed, draws)),
    }


def finger_gate(
    templates: Sequence[FingerprintTemplate], subjects: NDArray[np.int64], seed: int, draws: int
) -> dict[str, Any]:
    """Refusals of groups of touches; those with a touch that is too poor are counted apart."""

    profile = builtin_profile(Modality.FINGERPRINT)

    def judge(group: NDArray[np.int64]) -> str:
        report = check_touches([templates[i] for i in group], profile)
        if AcquiredCode.INSUFFICIENT in report.acquired or AcquiredCode.PARTIAL in report.acquired:
            return "poor"
        return (
            "equal" if AcquiredCode.IMMOBILE in report.acquired else "" if report.consistent.all() else "inconsistent"
        )

    return {"touches": len(templates), "groups": list(_groups(judge, subjects, FINGER_SIZES, seed, draws))}


def _groups(
    judge: Judge, subjects: NDArray[np.int64], sizes: Sequence[int], seed: int, draws: int
) -> Iterator[dict[str, Any]]:
    of = [np.flatnonzero(subjects == subject) for subject in range(int(subjects.max()) + 1)]
    for size in sizes:
        rng = np.random.default_rng([seed, size])
        large = [own for own in of if own.size >= size]
        if len(large) < 2:
            continue
        own = [judge(rng.permutation(group)[:size]) for group in large]
        yield {"samples": size, "of": "one person", **_counted(own)}
        splits = dict.fromkeys((size - 1, size // 2))
        for mine in splits:
            mixed = [judge(_mixed(rng, of, mine, size - mine)) for _ in range(draws)]
            yield {"samples": size, "of": f"{mine} and {size - mine} of two people", **_counted(mixed)}


def _mixed(rng: np.random.Generator, of: Sequence[NDArray[np.int64]], mine: int, others: int) -> NDArray[np.int64]:
    while True:
        one, other = rng.choice(len(of), 2, replace=False)
        if of[one].size >= mine and of[other].size >= others:
            group = (rng.permutation(of[one])[:mine], rng.permutation(of[other])[:others])
            return np.asarray(rng.permutation(np.concatenate(group)))


def _counted(reasons: Sequence[str]) -> dict[str, Any]:
    usable = [reason for reason in reasons if reason != "poor"]
    refused = sum(map(bool, usable))
    return {
        "groups": len(usable),
        "poor": len(reasons) - len(usable),
        "inconsistent": usable.count("inconsistent"),
        "equal": usable.count("equal"),
        "refused": refused / len(usable) if usable else None,
        "interval_95": list(proportion(refused, len(usable))),
    }
