"""Who causes the errors: goats, lambs and wolves (Doddington et al., Sheep, Goats, Lambs and Wolves, ICSLP 1998)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.metrics.comparisons import Comparisons, Scored, rows_at_once
from bench.metrics.pair_lists import PairList
from bench.names import subject_of

Counts = NDArray[np.float64]
MIN_GENUINE = 3
MIN_SAMPLES = 2
LISTED = 8


def subject_table(one: Scored, threshold: float) -> list[dict[str, Any]]:
    """Per subject: errors at the threshold and mean scores, subjects in order; nothing of an anonymous list.

    `as_reference` is the share of impostor comparisons against this subject's samples that match (lambs are high),
    `as_probe` the share of this subject's own impostor attempts that match (wolves are high). A genuine comparison
    of a list counts once, one of a matrix in both directions.
    """
    if isinstance(one, PairList):
        return [] if one.anonymous else _of_list(one, threshold)
    usable = one.usable
    subject = one.subjects[usable]
    n = one.people
    genuine, missed, total = np.zeros(n), np.zeros(n), np.zeros(n)
    against, by, trials = np.zeros(n), np.zeros(n), np.zeros(n)
    rows = min(512, rows_at_once(usable.size))
    for start in range(0, usable.size, rows):
        part = usable[start : start + rows]
        scores = one.scores[np.ix_(part, usable)]
        own = one.subjects[part]
        same = own[:, None] == subject
        same[np.arange(len(part)), start + np.arange(len(part))] = False
        matched = scores >= threshold
        false = matched & (own[:, None] != subject)
        np.add.at(genuine, own, same.sum(axis=1))
        np.add.at(missed, own, (same & ~matched).sum(axis=1))
        np.add.at(total, own, np.where(same, scores, 0).sum(axis=1))
        np.add.at(against, subject, false.sum(axis=0))
        np.add.at(by, own, false.sum(axis=1))
        np.add.at(trials, own, (own[:, None] != subject).sum(axis=1))
    return _rows(one, genuine, missed, total, against, trials, by, trials)


def _of_list(one: PairList, threshold: float) -> list[dict[str, Any]]:
    n = one.people
    genuine, missed, total = np.zeros(n), np.zeros(n), np.zeros(n)
    against, met, by, trials = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    for scores, probe, reference in one.blocks():
        same, matched = probe == reference, scores >= threshold
        false = matched & ~same
        own = probe[same]
        genuine += np.bincount(own, minlength=n)
        missed += np.bincount(probe[same & ~matched], minlength=n)
        total += np.bincount(own, scores[same], minlength=n)
        against += np.bincount(reference[false], minlength=n)
        met += np.bincount(reference[~same], minlength=n)
        by += np.bincount(probe[false], minlength=n)
        trials += np.bincount(probe[~same], minlength=n)
    return _rows(one, genuine, missed, total, against, met, by, trials)


def _rows(
    one: Scored, genuine: Counts, missed: Counts, total: Counts, against: Counts, met: Counts, by: Counts,
    trials: Counts,
) -> list[dict[str, Any]]:  # fmt: skip
    names = subject_names(one)
    samples = np.bincount(one.subjects[one.usable], minlength=one.people)
    return [
        {
            "set": one.name,
            "subject": names[i],
            "samples": int(samples[i]),
            "genuine": int(genuine[i]),
            "false_non_matches": int(missed[i]),
            "fnmr": float(missed[i] / genuine[i]) if genuine[i] else None,
            "mean_genuine_score": float(total[i] / genuine[i]) if genuine[i] else None,
            "as_reference": float(against[i] / max(met[i], 1)),
            "as_probe": float(by[i] / max(trials[i], 1)),
            "false_matches": int(against[i]),
        }
        for i in range(one.people)
    ]


def subject_names(one: Scored) -> list[str]:
    """Names of the subjects 0 .. people - 1."""
    if one.subject_names:
        return list(one.subject_names)
    first = {int(s): i for i, s in reversed(list(enumerate(one.subjects)))}
    return [subject_of(one.samples[first[s]]) for s in range(one.people)]


def zoo(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Worst subjects of each kind, and how unevenly errors are spread: the share due to the worst tenth.

    Lambs are looked for among references, wolves among probes. Of a score that decides alike in both directions they
    are the same people, and `symmetric` says so. Who errs nowhere is neither; who gave one sample has no rate.
    """
    goats = [r for r in rows if r["genuine"] >= MIN_GENUINE and r["false_non_matches"]]
    several = [r for r in rows if r["samples"] >= MIN_SAMPLES]
    return {
        "goats": sorted(goats, key=lambda r: (-r["fnmr"], r["mean_genuine_score"]))[:LISTED],
        "lambs": sorted(filter(lambda r: r["as_reference"], several), key=lambda r: -r["as_reference"])[:LISTED],
        "wolves": sorted(filter(lambda r: r["as_probe"], several), key=lambda r: -r["as_probe"])[:LISTED],
        "symmetric": all(r["as_reference"] == r["as_probe"] for r in rows),
        "share_of_false_non_matches_by_worst_tenth": _worst_tenth([r["false_non_matches"] for r in rows]),
        "share_of_false_matches_by_worst_tenth": _worst_tenth([r["false_matches"] for r in rows]),
    }


def _worst_tenth(counts: list[int]) -> float | None:
    ordered = np.sort(np.array(counts))[::-1]
    return float(ordered[: -(-ordered.size // 10)].sum() / ordered.sum()) if ordered.sum() else None


def quality_bins(sets: Sequence[Comparisons], threshold: float) -> list[dict[str, Any]]:
    """FNMR by the lower quality of the two samples, in quarters of the genuine pairs; empty without a quality."""
    quality, missed = [], []
    for one in sets:
        if not one.quality.size:
            continue
        i, j = _genuine_pairs(one)
        quality.append(np.minimum(one.quality[i], one.quality[j]))
        missed.append(one.scores[i, j] < threshold)
    if not quality:
        return []
    q, m = np.concatenate(quality), np.concatenate(missed)
    edges = np.quantile(q, [0.25, 0.5, 0.75])
    quarter = np.searchsorted(edges, q, "left")
    return [
        {
            "from": float(q[quarter == k].min()),
            "to": float(q[quarter == k].max()),
            "genuine": int(np.sum(quarter == k)),
            "false_non_matches": int(m[quarter == k].sum()),
            "fnmr": float(m[quarter == k].mean()),
        }
        for k in range(4)
        if np.any(quarter == k)
    ]


def _genuine_pairs(one: Comparisons) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    usable = one.usable
    i, j = np.nonzero(np.triu(one.subjects[usable][:, None] == one.subjects[usable], 1))
    return usable[i], usable[j]
