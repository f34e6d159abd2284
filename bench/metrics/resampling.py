"""Confidence intervals: of independent trials by Clopper and Pearson, of pairs of scores by drawing people again.

Pairs of scores depend on each other, people do not.

A replicate draws as many people as there are, with replacement. A person drawn w times gives its genuine pairs the
weight w; an impostor pair of two people weighs the product of both. The interval is that of the percentiles.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from bioguard.simulate.people.counter_rng import uniforms

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DOMAIN = 0x500
TAIL_PAIRS = 1_000_000
"""Below this many impostor pairs all are drawn again; above it, only the highest scores that can decide a figure."""


def proportion(errors: int, trials: int) -> tuple[float, float]:
    """95 % Clopper-Pearson interval of a rate; (0, 1) without trials."""
    if trials == 0:
        return 0.0, 1.0
    low = beta.ppf(0.025, errors, trials - errors + 1) if errors else 0.0
    high = beta.ppf(0.975, errors + 1, trials - errors) if errors < trials else 1.0
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Scores of pairs and whom they are of, people numbered 0 .. people - 1.

    `impostor` may hold the highest scores only; `impostor_weight(w)` gives the weight of all of them.
    """

    people: int
    genuine: NDArray[np.float32]
    genuine_person: Ints
    impostor: NDArray[np.float32]
    impostor_a: Ints
    impostor_b: Ints
    impostor_weight: Callable[[Floats], float]


@dataclass(frozen=True, slots=True)
class SubjectIntervals:
    """95 % intervals over people."""

    eer: tuple[float, float]
    fnmr: Mapping[float, tuple[float, float]]
    replicates: int


def subject_intervals(pairs: Pairs, targets: Sequence[float], *, seed: int, replicates: int = 200) -> SubjectIntervals:
    """Draw people again `replicates` times; the same seed gives the same draws on any machine."""
    tables = Tables(pairs)
    eers = np.empty(replicates)
    fnmrs = np.empty((replicates, len(targets)))
    for r in range(replicates):
        eers[r], fnmrs[r] = tables.figures(_drawn(pairs.people, seed, r), targets)
    return SubjectIntervals(_middle(eers), {t: _middle(fnmrs[:, i]) for i, t in enumerate(targets)}, replicates)


def fnmr_loss(
    reference: Pairs, other: Pairs, target: float, *, seed: int, replicates: int = 200
) -> tuple[float, float, float]:
    """By how much the FNMR at this FMR is higher with the other score: estimate and 95 % interval over people.

    Each score has its own threshold; a draw takes the same people for both.
    """
    tables = Tables(reference), Tables(other)

    def loss(weights: Floats) -> float:
        before, after = (table.figures(weights, [target])[1][0] for table in tables)
        return after - before

    low, high = _middle(np.array([loss(_drawn(reference.people, seed, r)) for r in range(replicates)]))
    return loss(np.ones(reference.people)), low, high


def _drawn(people: int, seed: int, replicate: int) -> Floats:
    """How often each person is drawn."""
    drawn = (uniforms(seed, DOMAIN, replicate, 0, people)[0] * people).astype(np.int64)
    return np.bincount(drawn, minlength=people).astype(np.float64)


def _middle(values: Floats) -> tuple[float, float]:
    # with very few people a draw can hold one person alone, which has no impostors: such draws say nothing
    if np.isnan(values).all():
        return float("nan"), float("nan")
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)


class Tables:
    """What stays the same from draw to draw: orders, and positions of all observed scores."""

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs
        order = np.argsort(pairs.genuine, kind="stable")
        genuine = pairs.genuine[order]
        self._person = pairs.genuine_person[order]
        order = np.argsort(-pairs.impostor, kind="stable")
        impostor = pairs.impostor[order]
        self._a, self._b = pairs.impostor_a[order], pairs.impostor_b[order]
        starts = np.flatnonzero(np.append(True, impostor[1:] != impostor[:-1]))
        self._ends = np.append(starts[1:], impostor.size)
        levels = impostor[starts]  # distinct impostor scores, descending
        self._missed_above = np.searchsorted(genuine, levels, "right")
        # thresholds of the EER: every observed score and infinity, as the rule of the point value has them
        thresholds = np.append(np.unique(np.concatenate([genuine, impostor])), np.inf)
        if pairs.impostor_weight(np.ones(pairs.people)) > impostor.size:
            thresholds = thresholds[thresholds >= impostor[-1]]  # below the highest scores nothing is known
        self._missed = np.searchsorted(genuine, thresholds, "left")
        self._matched = np.searchsorted(-impostor, -thresholds, "right")

    def figures(self, weights: Floats, targets: Sequence[float]) -> tuple[float, list[float]]:
        """EER and FNMR at each target under one draw."""
        genuine = np.append(0.0, np.cumsum(weights[self._person]))
        impostor = np.append(0.0, np.cumsum(weights[self._a] * weights[self._b]))
        total, all_genuine = self._pairs.impostor_weight(weights), genuine[-1]
        if total <= 0 or all_genuine <= 0:
            return float("nan"), [float("nan")] * len(targets)
        eer = self._eer(impostor, total, genuine)
        return eer, [self._fnmr_at(target * total, impostor, genuine) for target in targets]

    def _fnmr_at(self, allowed: float, impostor: Floats, genuine: Floats) -> float:
        """Smallest threshold with at most this impostor weight: just above the first level that is too much."""
        weight_at_level = impostor[self._ends]
        level = int(np.searchsorted(weight_at_level, allowed + 1e-9, "right"))
        missed = self._missed_above[level] if level < self._missed_above.size else 0
        return float(genuine[missed] / genuine[-1])

    def _eer(self, impostor: Floats, total: float, genuine: Floats) -> float:
        """The rule of `Scores.eer`. A score that was not drawn has the rates of the next one above that was."""

        def rates(place: int) -> tuple[float, float]:
            return float(impostor[self._matched[place]] / total), float(genuine[self._missed[place]] / genuine[-1])

        places = range(self._missed.size)
        after = bisect_left(places, True, key=lambda place: rates(place)[0] <= rates(place)[1])
        before = max(after - 1, 0)
        return min(sum(rates(place)) / 2 for place in (before, after))
