"""Figures of each engine on the same pictures: `engines` of `extract.json`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from bench.accuracy import figures, finite_or_none
from bench.enrollment_gate import product_gate
from bench.extracting.kept import Extracted
from bench.extracting.pictures import PictureSet
from bench.load import FingerprintSet
from bench.matchers import Progress, fingerprint_scores
from bench.metrics.comparisons import Comparisons, Identities, pair_scores
from bench.metrics.failures import enrollments, failure_to_acquire
from bench.metrics.mean_of_sets import mean_of_sets
from bench.metrics.resampling import proportion
from bench.metrics.touches import best_of_all
from bench.threshold_check import labelled, profile_data
from bench.wording import NOT_MEASURABLE
from bioguard.match.thresholds import builtin_profile, extractor_profile
from bioguard.records.comparison_profile import ComparisonProfile
from bioguard.records.extractor import ExtractorIdentity
from bioguard.records.modality import Modality
from bioguard.records.scores import Score

TOUCHES: Final = (1, 2, 3)
SAMPLES_TO_ENROLL: Final = 3
REMARKS: Final[Mapping[str, str]] = {
    "leader": "What the LEADER network was trained on is not established; its authors tuned other networks on the B "
    "sets of FVC, and whether pictures like these were among what it learned from is not known."
}
"""What has to stand beside every figure of an engine, by the name in its identity."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """An engine on all sets.

    Attributes:
        identity: of the engine.
        found: what it made of each picture, by set.
        templates: its minutiae, by set.
        sets: the comparisons.
    """

    identity: ExtractorIdentity
    found: Mapping[str, Sequence[Extracted]]
    templates: Sequence[FingerprintSet]
    sets: Sequence[Comparisons]


def scored(
    identity: ExtractorIdentity, pictures: Sequence[PictureSet], found: Mapping[str, Sequence[Extracted]],
    advance: Progress,
) -> Scored:  # fmt: skip
    """Compare all samples of each set."""
    templates = [
        FingerprintSet(p.name, p.impressions, p.fingers, [e.template for e in found[p.name]]) for p in pictures
    ]
    sets = [_comparisons(identity, one, found[one.name], advance) for one in templates]
    return Scored(identity, found, templates, sets)


def _comparisons(
    identity: ExtractorIdentity, one: FingerprintSet, found: Sequence[Extracted], advance: Progress
) -> Comparisons:
    """Samples are ordered by what the engine says of them, or by their minutiae if it says nothing."""
    quality = np.array([e.quality for e in found], np.float64)
    kind = f"quality by {identity.name}"
    if not quality.any():
        quality, kind = np.array([len(e.template) if e.template else 0 for e in found], np.float64), "minutiae"
    unusable = [i for i, e in enumerate(found) if e.template is None]
    return Comparisons(one.name, fingerprint_scores(one, advance), one.subjects, one.files, unusable, quality, kind)


def profile_of(identity: ExtractorIdentity) -> ComparisonProfile:
    """The built-in profile that is made for this extractor; else the one of no extractor in particular."""
    return extractor_profile(identity.model) or builtin_profile(Modality.FINGERPRINT)


def engine_figures(one: Scored, who: Identities, *, seed: int, replicates: int) -> dict[str, Any]:
    """All figures of an engine."""
    profile = profile_of(one.identity)
    judges = {t.name: product_gate(t.templates, profile) for t in one.templates}
    more: dict[str, Any] = {
        "seed": seed, "replicates": replicates, "who": who,
        "thresholds": labelled(profile, Score.LIKELIHOOD_RATIO),
        "enrolled": {s.name: enrollments(s, judges[s.name], SAMPLES_TO_ENROLL) for s in one.sets},
    }  # fmt: skip
    alone = {s.name: figures([s], **more) for s in one.sets}
    pooled = figures(one.sets, **more) if len(one.sets) > 1 else next(iter(alone.values()))
    mean = mean_of_sets(one.sets, who=who, seed=seed, replicates=replicates)
    eer = mean["eer"]
    found = [e for extracted in one.found.values() for e in extracted]
    result: dict[str, Any] = {
        "identity": {
            "name": one.identity.name, "version": one.identity.version, "digest": one.identity.digest.hex(),
            "weights_sha256": one.identity.weights_sha256.hex(), "model": one.identity.model,
        },
        "remark": REMARKS.get(one.identity.name, ""),
        "comparison_profile": profile_data(profile),
        "mean_eer": eer if eer == NOT_MEASURABLE else eer["rate"],
        "mean_of_sets": mean,
        "sets": alone,
        "pooled": pooled,
        "touches": {str(k): touch_figures(one.sets, k, mean, who, seed=seed, replicates=replicates) for k in TOUCHES},
        "failure_to_acquire": failure_to_acquire(one.sets),
        "acquired": dict(sorted(Counter(e.acquired for e in found).items())),
        "minutiae": _spread([float(len(e.template)) for e in found if e.template is not None]),
        "quality_against_error": quality_against_error(pooled),
        "ms_per_picture": times([e for e in found if e.wall_ms]),
    }  # fmt: skip
    finite: dict[str, Any] = finite_or_none(result)
    return finite


def touch_figures(
    sets: Sequence[Comparisons], touches: int, alone: Mapping[str, Any], who: Identities | None, *, seed: int,
    replicates: int,
) -> dict[str, Any]:  # fmt: skip
    """Rates of templates of so many touches, with the comparisons they rest on.

    Choices overlap, so that there are many more of them than pairs: what the pairs do not measure they do not either.
    A mean is one of all sets; where one has too few samples for so many touches there is none.

    Args:
        sets: the comparisons.
        touches: of a template.
        alone: `mean_of_sets` of the pairs.
        who: people of the sets.
        seed, replicates: of the draws of people.
    """
    lists = list(best_of_all(sets, touches))
    sides = [pair_scores([one]) for one in lists]
    mean = mean_of_sets(lists if len(lists) == len(sets) else (), who=who, seed=seed, replicates=replicates)
    return {
        "genuine": sum(int(genuine.size) for genuine, _ in sides),
        "impostor": sum(int(impostor.size) for _, impostor in sides),
        "mean_of_sets": {n: NOT_MEASURABLE if alone[n] == NOT_MEASURABLE else found for n, found in mean.items()},
    }


def quality_against_error(pooled: Mapping[str, Any]) -> dict[str, Any]:
    """Quarters of the genuine pairs by the poorer sample, each with its FNMR at FMR 1e-2 and 95 % Clopper-Pearson."""
    quality = pooled["quality"]
    rows = [{**q, "interval_95": list(proportion(q["false_non_matches"], q["genuine"]))} for q in quality["quarters"]]
    return {"kind": quality["kind"], "at_fmr": "1e-2", "quarters": rows}


def times(found: Sequence[Extracted]) -> dict[str, Any]:
    """Milliseconds a picture, wall and processor, without decoding."""
    if not found:
        return {"pictures": 0, "p50": NOT_MEASURABLE, "p95": NOT_MEASURABLE, "processor_p50": NOT_MEASURABLE}
    wall, processor = [e.wall_ms for e in found], [e.processor_ms for e in found]
    return {
        "pictures": len(found), "p50": float(np.quantile(wall, 0.5)), "p95": float(np.quantile(wall, 0.95)),
        "processor_p50": float(np.quantile(processor, 0.5)),
    }  # fmt: skip


def _spread(values: Sequence[float]) -> dict[str, Any]:
    if not values:
        return dict.fromkeys(("least", "median", "mean", "most"), NOT_MEASURABLE)
    return {
        "least": min(values), "median": float(np.median(values)), "mean": float(np.mean(values)), "most": max(values),
    }  # fmt: skip
