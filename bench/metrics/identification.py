"""1:N: what a search among all enrolled finds (FPIR, FNIR, rank), from one score matrix.

Enrolled is the first usable sample of every subject; every other sample is a probe. A mated search has the subject in
the gallery; the same probe with its subject taken out is a non-mated search. FNIR(N, T) = share of mated searches that
do not return the subject first and at or above T; FPIR(N, T) = share of non-mated searches that return anybody at or
above T.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.metrics.comparisons import Comparisons
from bench.metrics.resampling import proportion

FPIRS = (0.1, 0.03, 0.01, 0.003)
RANKS = (1, 5, 10, 20)


@dataclass(frozen=True, slots=True)
class Searches:
    """Best scores of each search, pooled over sets.

    Attributes:
        enrolled: subjects in the galleries, the smallest and the largest set.
        mate: float32 [m], score of the subject.
        other: float32 [m], best score of anybody else.
        rank: int64 [m], place of the subject, from 1.
    """

    enrolled: tuple[int, int]
    mate: NDArray[np.float32]
    other: NDArray[np.float32]
    rank: NDArray[np.int64]


def searches(sets: list[Comparisons]) -> Searches | None:
    """All searches of all sets; None if no subject has two samples and another subject beside it."""
    mates, others, ranks, sizes = [], [], [], []
    for one in sets:
        usable = one.usable
        subjects, first = np.unique(one.subjects[usable], return_index=True)
        gallery, probes = usable[first], np.delete(usable, first)
        if len(subjects) < 2 or not probes.size:
            continue
        sizes.append(len(subjects))
        column = np.searchsorted(subjects, one.subjects[probes])
        for start in range(0, probes.size, 512):
            part, own = probes[start : start + 512], column[start : start + 512]
            scores = one.scores[np.ix_(part, gallery)]
            rows = np.arange(len(part))
            mate = scores[rows, own]
            scores[rows, own] = -np.inf
            mates.append(mate)
            others.append(scores.max(axis=1))
            ranks.append(1 + (scores >= mate[:, None]).sum(axis=1))
    if not sizes:
        return None
    return Searches((min(sizes), max(sizes)), np.concatenate(mates), np.concatenate(others), np.concatenate(ranks))


def identification(found: Searches) -> dict[str, Any]:
    """FNIR at fixed FPIR, and hit rates by rank without a threshold."""
    m = found.mate.size
    rates: dict[str, Any] = {}
    ordered = np.sort(found.other)
    for target in FPIRS:
        if m < 3 / target:
            rates[f"{target:g}"] = "not measurable"
            continue
        allowed = int(np.floor(target * m + 1e-9))
        limit = ordered[m - 1 - allowed]
        missed = int(np.sum((found.rank > 1) | (found.mate <= limit)))
        rates[f"{target:g}"] = {
            "fnir": missed / m, "misses": missed, "searches": m, "interval_95": proportion(missed, m),
            "false_positives": int(np.sum(found.other > limit)),
        }  # fmt: skip
    return {
        "enrolled_subjects": list(found.enrolled),
        "searches": m,
        "fnir_at_fpir": rates,
        "hit_rate_by_rank": {str(r): float(np.mean(found.rank <= r)) for r in RANKS if r <= found.enrolled[1]},
    }
