"""Error rates of sets of comparisons, alone and pooled, as one dictionary (`accuracy.json`)."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.dataset import UNDESCRIBED, Dataset
from bench.metrics.comparisons import Identities, Scored, band_rates, pair_scores, pairs_of, people_of, square
from bench.metrics.counted import CountedScores
from bench.metrics.enrollments import user_effect, view_effect
from bench.metrics.failures import Enrollments, enrollments, failure_to_acquire, failure_to_enroll, transactions
from bench.metrics.groups import group_rates
from bench.metrics.identification import identification, searches
from bench.metrics.pair_lists import PairList
from bench.metrics.people import each_person_equal, largest_share
from bench.metrics.rates import OperatingPoint, Scores, minimum_comparisons
from bench.metrics.resampling import Basis, Interval, proportion, subject_intervals
from bench.metrics.subjects import quality_bins, subject_table, zoo
from bench.metrics.threshold_check import Labelled, threshold_check
from bench.wording import NOT_MEASURABLE, NOT_STATED

Floats = NDArray[np.float32]

TARGETS: Mapping[str, float] = {"1e-2": 1e-2, "1e-3": 1e-3, "1e-4": 1e-4, "1e-5": 1e-5}
EER_RULE = "FVC2000: middle of FMR and FNMR at the first threshold where FMR <= FNMR, or the one before"
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
FEW_ERRORS = 30


def figures(
    sets: Sequence[Scored],
    *,
    seed: int,
    replicates: int = 200,
    thresholds: Sequence[Labelled] = (),
    enrolled: Mapping[str, Enrollments] | None = None,
    dataset: Dataset = UNDESCRIBED,
    who: Identities | None = None,
) -> dict[str, Any]:
    """All figures of a group of sets under one threshold.

    Where genuine or impostor comparisons are missing, what needs them is "not measurable", and the rest is there. A
    figure that is no finite number is None: d' of scores that do not vary.

    Args:
        sets: one set, or several to pool.
        seed: of the draws of people.
        replicates: number of draws.
        thresholds: those of the comparison profile in use; what they do here is counted.
        enrolled: of each set by name, who passed the gate of the enrollment; without it one usable sample is enough.
        dataset: says how many attempts a transaction has, and may have groups of people.
        who: the subjects of each set; without it nobody is in two sets.
    """
    group = list(sets)
    genuine, impostor = pair_scores(group)
    found = searches(square(group), who)
    passed = [enrolled[one.name] if enrolled else enrollments(one, None, 1) for one in group]
    result: dict[str, Any] = {
        "people": people_of(group, who)[1] if _named(group) else NOT_STATED,
        "samples": sum(len(s.samples) for s in group) if _named(group) else NOT_STATED,
        "genuine": int(genuine.size),
        "impostor": int(impostor.size),
        "eer_rule": EER_RULE,
        "score_quantiles": {
            "levels": list(QUANTILES),
            "genuine": _quantiles(genuine),
            "impostor": _quantiles(impostor),
        },
        "failure_to_acquire": failure_to_acquire(group),
        "failure_to_enroll": failure_to_enroll(passed),
        "largest_share": largest_share(group),
        "identification": identification(found, seed=seed, replicates=replicates) if found else NOT_MEASURABLE,
        "bootstrap_replicates": replicates,
    }
    two_sided = bool(genuine.size and impostor.size)
    result |= _rates(group, Scores(genuine, impostor), who, seed, replicates) if two_sided else _no_rates(group)
    points = result["fnmr_at_fmr"]
    result["transaction_at_fmr"] = transactions(group, passed, points, dataset.attempts)
    if dataset.groups is not None:
        result["groups"] = group_rates(group, dataset.groups, points, TARGETS, who)
    result["threshold_check"] = threshold_check(group, thresholds, who=who, seed=seed, replicates=replicates)
    finite: dict[str, Any] = finite_or_none(result)
    return finite


def rows_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """Figures of a result by what they are of: each set, and all of them pooled if they are several."""
    several = data.get("pooled") and len(data["sets"]) > 1
    return {**data["sets"], **({"pooled": data["pooled"]} if several else {})}


def _named(group: Sequence[Scored]) -> bool:
    """Whether it is known of every comparison whose samples it is of."""
    return not any(isinstance(one, PairList) and one.anonymous for one in group)


def finite_or_none(value: Any) -> Any:
    """The same figures with None for what is no finite number, which JSON cannot say."""
    if isinstance(value, Mapping):
        return {k: finite_or_none(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite_or_none(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _rates(group: list[Scored], scores: Scores, who: Identities | None, seed: int, replicates: int) -> dict[str, Any]:
    """What needs genuine and impostor scores."""
    over_people: dict[float, Interval | None] = dict.fromkeys(TARGETS.values())
    eer_over_people = None
    band: dict[str, Any] | str = NOT_MEASURABLE
    if _named(group):
        pairs = pairs_of(group, scores, who)
        rates = band_rates(pairs, scores.impostor.size)
        targets = list(dict.fromkeys([*TARGETS.values(), *rates]))
        found = subject_intervals(pairs, targets, seed=seed, replicates=replicates)
        over_people |= found.fnmr
        eer_over_people = found.eer
        band = _band(scores, {rate: found.fnmr[rate] for rate in rates})
    eer = scores.eer()
    at_percent = scores.at_fmr(1e-2)
    rows = [row for one in group for row in subject_table(one, at_percent.threshold)]
    return {
        "eer": eer.value,
        "eer_bounds": [eer.low, eer.high],
        "eer_interpolated": eer.interpolated,
        **_ends("eer_interval", eer_over_people),
        "fnmr_at_fmr": _over_people(
            group, {name: _at_fmr(scores, target, over_people[target]) for name, target in TARGETS.items()}
        ),
        "det_band": band,
        "zero_fmr": _counts(scores.at_fmr(0.0)),
        "fmr_at_zero_fnmr": scores.at_fnmr(0.0).fmr,
        "auc": scores.auc(),
        "d_prime": scores.d_prime(),
        "subjects": {"threshold_at_fmr": "1e-2", **zoo(rows), "all": rows if len(rows) <= 500 else []},
        "quality": {
            "kind": next((s.quality_kind for s in group if s.quality_kind), ""),
            "quarters": quality_bins(square(group), at_percent.threshold),
        },
        "several_enrollments": {
            "at_fmr": "1e-2",
            "views": view_effect(square(group), at_percent.threshold, (1, 2, 3, 5)),
            "subjects_per_user": user_effect(square(group), at_percent.threshold, at_percent.fmr, (1, 2, 5), seed=seed),
        },
    }


def _no_rates(group: list[Scored]) -> dict[str, Any]:
    """The same keys where comparisons of one kind are missing."""
    single = ("eer", "eer_bounds", "eer_interpolated", "det_band", "zero_fmr", "fmr_at_zero_fnmr", "auc")
    return {
        **dict.fromkeys(single, NOT_MEASURABLE),
        **_ends("eer_interval", None),
        "fnmr_at_fmr": dict.fromkeys(TARGETS, NOT_MEASURABLE),
        "d_prime": None,
        "subjects": {"threshold_at_fmr": "1e-2", **zoo([]), "all": []},
        "quality": {"kind": next((s.quality_kind for s in group if s.quality_kind), ""), "quarters": []},
        "several_enrollments": {"at_fmr": "1e-2", "views": [], "subjects_per_user": []},
    }


def _over_people(group: list[Scored], points: dict[str, dict[str, Any] | str]) -> dict[str, dict[str, Any] | str]:
    """The same points, each with the FNMR that weighs people alike."""
    measured = [p for p in points.values() if isinstance(p, dict)]
    limits = [p["threshold"] if isinstance(p["threshold"], float) else math.inf for p in measured]
    for point, rate in zip(measured, each_person_equal(group, limits), strict=True):
        point["fnmr_each_person_equal"] = rate
    return points


def _at_fmr(scores: Scores, target: float, interval: Interval | None) -> dict[str, Any] | str:
    if scores.impostor.size < minimum_comparisons(target):
        return NOT_MEASURABLE
    point = scores.at_fmr(target)
    found = {**_counts(point), **_ends("subject_interval", interval)}
    if point.false_matches < FEW_ERRORS:
        found["note"] = f"only {point.false_matches} false matches: the threshold is known to more than 30 percent only"
    return found


def _band(scores: Scores, intervals: Mapping[float, Interval]) -> dict[str, Any]:
    """FNMR along the curve with its interval over people, where somebody errs."""
    points = [(rate, scores.at_fmr(rate).fnmr, one) for rate, one in intervals.items() if one.basis is Basis.DRAWS]
    return {
        "at_fmr": [rate for rate, _, _ in points],
        "point": [fnmr for _, fnmr, _ in points],
        "low": [one.low for _, _, one in points],
        "high": [one.high for _, _, one in points],
    }


def _ends(name: str, interval: Interval | None) -> dict[str, Any]:
    """Both ends and what they rest on; scores of nobody known have no interval over people."""
    if interval is None or interval.basis is Basis.NONE:
        return {f"{name}_95": NOT_MEASURABLE, f"{name}_basis": Basis.NONE.value}
    return {f"{name}_95": [interval.low, interval.high], f"{name}_basis": interval.basis.value}


def _counts(point: OperatingPoint) -> dict[str, Any]:
    return {
        "fnmr": point.fnmr,
        "false_non_matches": point.false_non_matches,
        "genuine": point.genuines,
        "interval_95": list(proportion(point.false_non_matches, point.genuines)),
        "fmr": point.fmr,
        "false_matches": point.false_matches,
        "impostor": point.impostors,
        "fmr_interval_95": list(proportion(point.false_matches, point.impostors)),
        "threshold": point.threshold if np.isfinite(point.threshold) else "above every score",
    }


def _quantiles(values: Floats | CountedScores) -> list[float] | None:
    if not values.size:
        return None
    if isinstance(values, CountedScores):
        return values.quantiles(QUANTILES)
    # between two infinities nothing can be interpolated
    method: Literal["linear", "inverted_cdf"] = "linear" if np.isfinite(values).all() else "inverted_cdf"
    return [float(q) for q in np.quantile(values, QUANTILES, method=method)]
