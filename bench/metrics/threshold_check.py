"""What thresholds that are labelled with a rate do on these data: the table that a lab signs.

The interval is over people, as everywhere. A label that lies below it does not hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.metrics.comparisons import Comparisons, Identities, Scored, people_of
from bench.metrics.pair_lists import PairList
from bench.metrics.rates import minimum_comparisons
from bench.metrics.resampling import Basis, Floats, Interval, proportion, rate_intervals
from bench.wording import NOT_MEASURABLE

Ints = NDArray[np.int64]
LABELS: Mapping[str, float] = {
    "1e-2": 1e-2, "1e-3": 1e-3, "1e-4": 1e-4, "1/50000": 1 / 50_000, "1e-5": 1e-5, "1e-6": 1e-6,
}  # fmt: skip
"""The rates that are checked; the product decides at 1/50000 (docs/android-contract.md, "Rates")."""


MOST_PAIRS = 2_000_000
"""False matches whose pairs of people are kept at one threshold."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A threshold and the rate it promises."""

    label: str
    rate: float
    threshold: float
    basis: str


@dataclass(frozen=True, slots=True)
class _Counted:
    """What happens at one threshold.

    Attributes:
        missed: false non-matches of each person, int64 [people].
        false: pair of people of each false match, as a * people + b; None of more than MOST_PAIRS.
        touched: false matches that each person is in, int64 [people].
        genuine, impostors: comparisons.
    """

    missed: Ints
    false: Ints | None
    touched: Ints
    genuine: int
    impostors: int

    @property
    def hits(self) -> int:
        return int(self.touched.sum()) // 2


def threshold_check(
    sets: Sequence[Scored], thresholds: Sequence[Labelled], *, who: Identities | None = None, seed: int,
    replicates: int = 200,
) -> list[dict[str, Any]]:  # fmt: skip
    """A row for each threshold: counts, the ratio to the label with its interval over people, and whether it holds.

    `holds` is false where the label lies below the interval, "not measurable" below 3 / rate impostor comparisons
    otherwise, and else true. Scores of nobody known have Clopper-Pearson intervals, and `basis_of_interval` says so.

    Args:
        sets: all under the same thresholds.
        thresholds: what is checked.
        who: the subjects of each set.
        seed: of the draws of people.
        replicates: number of draws.
    """
    if not thresholds:
        return []
    places, people = people_of(sets, who)
    named = not any(isinstance(one, PairList) and one.anonymous for one in sets)
    everybody = people if named else 2  # scores of nobody known are of two who stand for all
    genuine_people, counted = _count(sets, places, everybody, [t.threshold for t in thresholds])
    weigh = _Weights(sets, places, genuine_people, people)
    intervals = _over_people(weigh, counted, sets, places, seed, replicates) if named else None
    return [
        _row(label, one, *(intervals[i] if intervals is not None else (None, None)))
        for i, (label, one) in enumerate(zip(thresholds, counted, strict=True))
    ]


def _count(
    sets: Sequence[Scored], places: Sequence[Ints], people: int, limits: Sequence[float]
) -> tuple[Ints, list[_Counted]]:
    """Genuine comparisons of each person, and what happens at each threshold."""
    genuine_people = np.zeros(people, np.int64)
    missed, touched = (np.zeros((len(limits), people), np.int64) for _ in range(2))
    false: list[list[Ints] | None] = [[np.empty(0, np.int64)] for _ in limits]
    impostors = genuine = 0
    for one, place in zip(sets, places, strict=True):
        at = place if place.size else np.arange(2)
        for scores, a, b in one.blocks():
            same = a == b
            own, own_people = scores[same], at[a[same]]
            genuine_people += np.bincount(own_people, minlength=people)
            genuine += int(own.size)
            other, x, y = scores[~same], at[a[~same]], at[b[~same]]
            impostors += int(other.size)
            for i, limit in enumerate(limits):
                missed[i] += np.bincount(own_people[own < limit], minlength=people)
                hit = other >= limit
                touched[i] += np.bincount(x[hit], minlength=people) + np.bincount(y[hit], minlength=people)
                kept = false[i]
                if kept is not None:
                    kept.append(x[hit] * people + y[hit])
                    false[i] = kept if touched[i].sum() <= 2 * MOST_PAIRS else None
    return genuine_people, [
        _Counted(m, None if f is None else np.concatenate(f), t, genuine, impostors)
        for m, f, t in zip(missed, false, touched, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Weights:
    """All comparisons under a draw of people."""

    sets: Sequence[Scored]
    places: Sequence[Ints]
    genuine_people: Ints
    people: int

    def impostor(self, weights: Floats) -> float:
        return sum(one.impostor_weight(weights[p]) for one, p in zip(self.sets, self.places, strict=True))

    def genuine(self, weights: Floats) -> float:
        return float(weights @ self.genuine_people)


def _over_people(
    weigh: _Weights, counted: Sequence[_Counted], sets: Sequence[Scored], places: Sequence[Ints], seed: int,
    replicates: int,
) -> list[tuple[Interval, Interval]]:  # fmt: skip
    """Of FMR and FNMR at each threshold."""
    hits = [None if one.false is None else np.unique(one.false, return_counts=True) for one in counted]
    misses = [one.missed for one in counted]
    size = weigh.genuine_people.size

    def matched(weights: Floats, i: int) -> float:
        pairs = hits[i]
        if pairs is None:  # so many that w_a w_b is w_a + w_b - 1 all in all
            return max(0.0, float(weights @ counted[i].touched) - counted[i].hits)
        codes, count = pairs
        return float(weights[codes // size] * weights[codes % size] @ count)

    def fmr(weights: Floats) -> Floats:
        total = weigh.impostor(weights)
        return np.array([matched(weights, i) for i in range(len(counted))]) / total if total > 0 else _unknown(counted)

    def fnmr(weights: Floats) -> Floats:
        total = weigh.genuine(weights)
        return np.array([weights @ n for n in misses]) / total if total > 0 else _unknown(counted)

    erring = int(np.count_nonzero(weigh.genuine_people))
    pairs = _pairs_of_people(sets, places, weigh.people)
    more = {"seed": seed, "replicates": replicates}
    return list(
        zip(
            rate_intervals(fmr, weigh.people, at_zero=pairs, **more),
            rate_intervals(fnmr, weigh.people, at_zero=erring, **more),
            strict=True,
        )
    )


def _unknown(counted: Sequence[_Counted]) -> Floats:
    return np.full(len(counted), np.nan)


def _pairs_of_people(sets: Sequence[Scored], places: Sequence[Ints], people: int) -> int:
    """How many pairs of people are compared; a pair that several sets hold counts once."""
    within = np.zeros((people, len(sets)), np.bool_)  # in which sets of all pairs each is
    listed = [np.empty(0, np.int64)]
    for number, (one, place) in enumerate(zip(sets, places, strict=True)):
        if isinstance(one, Comparisons):
            within[place[one.subjects[one.usable]], number] = True
        else:
            a, b = place[one.impostor_people[:2]]
            listed.append(np.minimum(a, b) * people + np.maximum(a, b))
    kinds, count = np.unique(within, axis=0, return_counts=True)
    together = kinds.astype(np.int64) @ kinds.T > 0
    ordered = int(count @ together @ count - count[together.diagonal()].sum())
    a, b = np.divmod(np.unique(np.concatenate(listed)), max(people, 1))
    return ordered // 2 + int(np.count_nonzero(~(within[a] & within[b]).any(axis=1)))


def _row(label: Labelled, one: _Counted, fmr: Interval | None, fnmr: Interval | None) -> dict[str, Any]:
    hits, misses = one.hits, int(one.missed.sum())
    row: dict[str, Any] = {
        "label": label.label, "rate": label.rate, "threshold": label.threshold, "basis": label.basis,
        "false_matches": hits, "impostors": one.impostors,
        **dict.fromkeys(("fmr", "ratio", "interval_95", "fmr_interval_95", "holds"), NOT_MEASURABLE),
        "false_non_matches": misses, "genuine": one.genuine,
        **dict.fromkeys(("fnmr", "fnmr_interval_95"), NOT_MEASURABLE),
    }  # fmt: skip
    if one.impostors:
        rate = hits / one.impostors
        (low, high), basis = _ends(fmr, hits, one.impostors, "pairs of people")
        row |= {
            "fmr": rate, "ratio": rate / label.rate, "interval_95": [low / label.rate, high / label.rate],
            "fmr_interval_95": [low, high], "basis_of_interval": basis,
            "holds": _holds(label.rate, low, one.impostors),
        }  # fmt: skip
    if one.genuine:
        ends, basis = _ends(fnmr, misses, one.genuine, "people")
        row |= {"fnmr": misses / one.genuine, "fnmr_interval_95": list(ends), "basis_of_fnmr_interval": basis}
    return row


def _ends(interval: Interval | None, errors: int, trials: int, erring: str) -> tuple[tuple[float, float], str]:
    if interval is None or not np.isfinite([interval.low, interval.high]).all():
        return proportion(errors, trials), "Clopper-Pearson over comparisons"
    if interval.basis is Basis.RULE_OF_3:
        return (interval.low, interval.high), f"rule of 3 over {erring}"
    # at a given threshold comparisons that depend on each other say less than as many independent ones, never more
    low, high = proportion(errors, trials)
    return (min(low, interval.low), max(high, interval.high)), interval.basis.value


def _holds(rate: float, low: float, impostors: int) -> bool | str:
    if rate < low:
        return False
    return True if impostors >= minimum_comparisons(rate) else NOT_MEASURABLE
