"""Mean of several sets, each under its own thresholds: how FVC compares extractors and matchers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.metrics.comparisons import Identities, Scored, pair_scores, people_of
from bench.metrics.paired import NAMES, TARGETS, rates_of, side_of
from bench.metrics.rates import minimum_comparisons
from bench.metrics.resampling import Basis, Floats, Interval, rate_intervals
from bench.wording import NOT_MEASURABLE


def mean_of_sets(
    sets: Sequence[Scored], *, who: Identities | None = None, seed: int, replicates: int = 200
) -> dict[str, Any]:
    """EER and FNMR at 1e-2 and 1e-3, the mean over the sets, with intervals over people drawn for all sets at once.

    Measurable is a rate that lets pass one impostor pair of each set at least, and three of all.
    """
    sizes = [tuple(side.size for side in pair_scores([one])) for one in sets]
    if not sizes or not all(genuine and impostor for genuine, impostor in sizes):
        return dict.fromkeys(NAMES, NOT_MEASURABLE)
    places, people = people_of(sets, who)
    sides = [side_of(one, place) for one, place in zip(sets, places, strict=True)]

    def mean(weights: Floats) -> Floats:
        averaged: Floats = np.mean([rates_of(side, weights) for side in sides], axis=0)
        return averaged

    found = rate_intervals(mean, people, at_zero=people, seed=seed, replicates=replicates)
    values = mean(np.ones(people)).tolist()
    fewest, total = (combine(impostor for _, impostor in sizes) for combine in (min, sum))
    enough = [True, *(fewest * target >= 1 and total >= minimum_comparisons(target) for target in TARGETS)]
    return {
        name: _figure(value, interval) if there else NOT_MEASURABLE
        for name, value, interval, there in zip(NAMES, values, found, enough, strict=True)
    }


def _figure(value: float, interval: Interval) -> dict[str, Any]:
    """Keys as `bench.wording.over_people` reads them."""
    ends = NOT_MEASURABLE if interval.basis is Basis.NONE else [interval.low, interval.high]
    return {"rate": value, "interval_95": ends, "interval_basis": interval.basis.value}
