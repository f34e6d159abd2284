"""Error rates of sets of comparisons, alone and pooled, as one dictionary (`accuracy.json`)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bench.intervals import proportion
from bench.metrics.enrollments import user_effect, view_effect
from bench.metrics.identification import identification, searches
from bench.metrics.rates import OperatingPoint, Scores, minimum_comparisons
from bench.metrics.resampling import subject_intervals
from bench.metrics.subjects import quality_bins, subject_table, zoo
from bench.sets import Comparisons, pairs_of, scores_of

__all__ = ["EER_RULE", "TARGETS", "figures"]

TARGETS: Mapping[str, float] = {"1e-2": 1e-2, "1e-3": 1e-3, "1e-4": 1e-4, "1e-5": 1e-5}
EER_RULE = "FVC2000: middle of FMR and FNMR at the first threshold where FMR <= FNMR, or the one before"
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
FEW_ERRORS = 30


def figures(
    sets: Sequence[Comparisons], *, seed: int, replicates: int = 200, decision_threshold: float | None = None
) -> dict[str, Any]:
    """All figures of a group of sets under one threshold.

    Args:
        sets: one set, or several to pool.
        seed: of the draws of people.
        replicates: number of draws.
        decision_threshold: threshold the product decides at; its errors are counted too.
    """
    group = list(sets)
    scores = scores_of(group)
    intervals = subject_intervals(pairs_of(group, scores), list(TARGETS.values()), seed=seed, replicates=replicates)
    eer = scores.eer()
    at_percent = scores.at_fmr(1e-2)
    samples, failed = sum(len(s.samples) for s in group), sum(len(s.unusable) for s in group)
    rows = [row for one in group for row in subject_table(one, at_percent.threshold)]
    found = searches(group)
    result: dict[str, Any] = {
        "people": sum(s.people for s in group),
        "samples": samples,
        "genuine": int(scores.genuine.size),
        "impostor": int(scores.impostor.size),
        "eer": eer.value,
        "eer_bounds": [eer.low, eer.high],
        "eer_interpolated": eer.interpolated,
        "eer_interval_95": list(intervals.eer),
        "eer_rule": EER_RULE,
        "fnmr_at_fmr": {
            name: _at_fmr(scores, target, intervals.fnmr[target], rows if name == "1e-2" else None)
            for name, target in TARGETS.items()
        },
        "zero_fmr": _counts(scores.at_fmr(0.0)),
        "fmr_at_zero_fnmr": scores.at_fnmr(0.0).fmr,
        "auc": scores.auc(),
        "d_prime": scores.d_prime(),
        "score_quantiles": {
            "levels": list(QUANTILES),
            "genuine": _quantiles(scores.genuine),
            "impostor": _quantiles(scores.impostor),
        },
        "failure_to_acquire": {
            "rate": failed / samples,
            "failed": failed,
            "samples": samples,
            "interval_95": list(proportion(failed, samples)),
        },
        "failure_to_enroll": _failure_to_enroll(group),
        "identification": identification(found) if found else "not measurable",
        "subjects": {"threshold_at_fmr": "1e-2", **zoo(rows), "all": rows if len(rows) <= 500 else []},
        "quality": {
            "kind": next((s.quality_kind for s in group if s.quality_kind), ""),
            "quarters": quality_bins(group, at_percent.threshold),
        },
        "several_enrollments": {
            "at_fmr": "1e-2",
            "views": view_effect(group, at_percent.threshold, (1, 2, 3, 5)),
            "subjects_per_user": user_effect(group, at_percent.threshold, at_percent.fmr, (1, 2, 5), seed=seed),
        },
        "bootstrap_replicates": replicates,
    }
    result["transaction_at_fmr"] = _transactions(result)
    if decision_threshold is not None:
        result["at_product_threshold"] = _counts(scores.at(decision_threshold))
    return result


def _at_fmr(
    scores: Scores, target: float, interval: tuple[float, float], rows: list[dict[str, Any]] | None
) -> dict[str, Any] | str:
    if scores.impostor.size < minimum_comparisons(target):
        return "not measurable"
    point = scores.at_fmr(target)
    found = {**_counts(point), "subject_interval_95": list(interval)}
    if point.false_matches < FEW_ERRORS:
        found["note"] = f"only {point.false_matches} false matches: the threshold is known to more than 30 percent only"
    if rows is not None:
        rates = [r["fnmr"] for r in rows if r["fnmr"] is not None]
        found["fnmr_each_person_equal"] = float(np.mean(rates))
    return found


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


def _quantiles(values: np.ndarray[Any, Any]) -> list[float]:
    return [float(q) for q in np.quantile(values, QUANTILES)]


def _failure_to_enroll(sets: Sequence[Comparisons]) -> dict[str, Any]:
    """A subject none of whose samples can be used cannot be enrolled."""
    people = failed = 0
    for one in sets:
        people += one.people
        failed += one.people - np.unique(one.subjects[one.usable]).size
    return {
        "rate": failed / people,
        "failed": failed,
        "people": people,
        "interval_95": list(proportion(failed, people)),
    }


def _transactions(result: Mapping[str, Any]) -> dict[str, Any]:
    """Single attempts: FAR = FMR (1 - FTA), FRR = FTA + FNMR (1 - FTA); generalized rates count FTE as well."""
    fta, fte = result["failure_to_acquire"]["rate"], result["failure_to_enroll"]["rate"]
    rates: dict[str, Any] = {}
    for name, point in result["fnmr_at_fmr"].items():
        if point == "not measurable":
            rates[name] = point
            continue
        far, frr = point["fmr"] * (1 - fta), fta + point["fnmr"] * (1 - fta)
        rates[name] = {"far": far, "frr": frr, "gfar": far * (1 - fte), "gfrr": fte + (1 - fte) * frr}
    return rates
