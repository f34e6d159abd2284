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

from bench.metrics.comparisons import Comparisons, Identities, people_of
from bench.metrics.resampling import Floats, Interval, proportion, rate_intervals

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
        person: int64 [m], whose search it is, among `people`.
        people: all people of the sets.
    """

    enrolled: tuple[int, int]
    mate: NDArray[np.float32]
    other: NDArray[np.float32]
    rank: NDArray[np.int64]
    person: NDArray[np.int64]
    people: int


def searches(sets: list[Comparisons], who: Identities | None = None) -> Searches | None:
    """All searches of all sets; None if no subject has two samples and another subject beside it."""
    mates, others, ranks, persons, sizes = [], [], [], [], []
    places, people = people_of(sets, who)
    for one, place in zip(sets, places, strict=True):
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
            persons.append(place[one.subjects[part]])
            others.append(scores.max(axis=1))
            ranks.append(1 + (scores >= mate[:, None]).sum(axis=1))
    if not sizes:
        return None
    mate, other, rank, person = (np.concatenate(column) for column in (mates, others, ranks, persons))
    return Searches((min(sizes), max(sizes)), mate, other, rank, person, people)


def identification(found: Searches, *, seed: int = 1, replicates: int = 200) -> dict[str, Any]:
    """FNIR at fixed FPIR, and hit rates by rank without a threshold.

    The interval over people draws those who search, against the same enrolled, with the threshold found anew.
    """
    over_people = _over_people(found, seed, replicates)
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
            "subject_interval_95": [over_people[target].low, over_people[target].high],
            "subject_interval_basis": over_people[target].basis.value,
            "false_positives": int(np.sum(found.other > limit)),
        }  # fmt: skip
    return {
        "enrolled_subjects": list(found.enrolled),
        "searches": m,
        "fnir_at_fpir": rates,
        "hit_rate_by_rank": {str(r): float(np.mean(found.rank <= r)) for r in RANKS if r <= found.enrolled[1]},
    }


def _over_people(found: Searches, seed: int, replicates: int) -> dict[float, Interval]:
    order = np.argsort(-found.other, kind="stable")
    falling, falling_person = found.other[order], found.person[order]

    def fnir(weights: Floats) -> Floats:
        own = weights[found.person]
        total = own.sum()
        if total <= 0:
            return np.full(len(FPIRS), np.nan)
        # the first score of somebody else that is too much: only higher ones are returned
        first = np.searchsorted(np.cumsum(weights[falling_person]), np.array(FPIRS) * total + 1e-9, "right")
        limits = falling[np.minimum(first, falling.size - 1)]
        missed = [float(own @ ((found.rank > 1) | (found.mate <= limit))) for limit in limits]
        return np.array(missed) / float(total)

    searching = int(np.unique(found.person).size)
    intervals = rate_intervals(fnir, found.people, at_zero=searching, seed=seed, replicates=replicates)
    return dict(zip(FPIRS, intervals, strict=True))
