"""Measured over labeled: what thresholds do to fingers they were not made from, with intervals over those fingers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.calibration.impostors import PairScores
from bench.metrics.rates import minimum_comparisons
from bioguard.simulate.people.counter_rng import uniforms

Floats = NDArray[np.float64]
DRAWS = 1000
DOMAIN = 0x521
SEED = 1


def at_most(pairs_of_people: int, rate: float) -> float:
    """Ratio that no false match at all leaves possible: the rule of three over pairs of people."""
    return 3 / max(pairs_of_people, 1) / rate


@dataclass(slots=True)
class Tally:
    """Counts by pair of people, rate by rate; comparisons of several splits add up."""

    people: int
    rates: Sequence[float]
    matched: Floats = field(init=False)
    compared: Floats = field(init=False)
    missed: Floats = field(init=False)
    genuine: int = 0

    def __post_init__(self) -> None:
        self.matched = np.zeros((len(self.rates), self.people, self.people))
        self.compared = np.zeros((self.people, self.people))
        self.missed = np.zeros(len(self.rates))

    def add(self, pairs: PairScores, thresholds: Mapping[float, float | Floats]) -> None:
        """Count comparisons at the threshold of each rate: one for all, or one for each of them."""
        impostor = pairs.impostor
        cell = (pairs.first * self.people + pairs.second)[impostor]
        size = self.people**2
        self.compared += np.bincount(cell, minlength=size).reshape(self.people, self.people)
        for at, rate in enumerate(self.rates):
            above = pairs.scores >= thresholds[rate]
            matched = np.bincount(cell[above[impostor]], minlength=size)
            self.matched[at] += matched.reshape(self.people, self.people)
            self.missed[at] += np.count_nonzero(~above & ~impostor)
        self.genuine += int(np.count_nonzero(~impostor))

    def rows(self, *, times: float = 1.0) -> list[dict[str, Any]]:
        """Rate, counts, ratio to the label with its interval over people, FNMR.

        Args:
            times: how often each comparison was counted, in another split; counts are of one time.
        """
        drawn = [self._weights(draw) for draw in range(DRAWS)]
        total = float(self.compared.sum())
        rows = []
        for at, rate in enumerate(self.rates):
            ratios = [self._ratio(at, rate, weights) for weights in drawn]
            low, high = np.nanquantile(ratios, [0.025, 0.975])
            if not self.matched[at].any():
                high = at_most(int(np.count_nonzero(self.compared + self.compared.T)) // 2, rate)
            rows.append({
                "rate": rate, "false_matches": round(float(self.matched[at].sum()) / times, 1),
                "impostors": round(total / times), "ratio": self._ratio(at, rate, np.ones(self.people)),
                "interval_95": [float(low), float(high)],
                "measurable": total / times >= minimum_comparisons(rate),
                "fnmr": float(self.missed[at] / self.genuine) if self.genuine else None,
            })  # fmt: skip
        return rows

    def _weights(self, draw: int) -> Floats:
        present = np.flatnonzero((self.compared.sum(axis=0) + self.compared.sum(axis=1)) > 0)
        chosen = present[(uniforms(SEED, DOMAIN, draw, 0, present.size)[0] * present.size).astype(np.int64)]
        return np.bincount(chosen, minlength=self.people).astype(np.float64)

    def _ratio(self, at: int, rate: float, weights: Floats) -> float:
        total = float(weights @ self.compared @ weights)
        return float(weights @ self.matched[at] @ weights) / total / rate if total else float("nan")
