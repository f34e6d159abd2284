"""Comparisons of different people, ready to be drawn again: what a table of rates is made from.

One sample a person: the comparisons of two people weigh 1 together, however many samples both gave. So a person with
500 photographs does not rule the rates. People are drawn again with replacement, a finger that came through two
extractors once; a comparison then weighs the product of how often its two people were drawn.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioguard.simulate.people.counter_rng import uniforms

Floats = NDArray[np.float64]
Scores = NDArray[np.float32]
People = NDArray[np.int64]

SAME_FINGER_RATE = 1e-3
"""Of pairs. More may not be left out either: what confuses people would hide behind their names."""
SAME_FINGER_COMPARISONS = 4
SUSPECT_RATE = 5e-2
KEPT_SHARE = 0.4
"""Share of the highest scores that is drawn again: no draw puts the threshold of a rate of 0.1 below them."""
JUST_ABOVE = 1e-9
"""What a threshold lies above a score at least. Next to 0 float32 goes on by 1e-45, which no profile can hold."""
KEEP_ALL = 200_000
DRAWS = 0x520


@dataclass(frozen=True, slots=True, eq=False)
class PairScores:
    """Comparisons of samples.

    Attributes:
        names: of the people (fingers, faces), each once.
        scores: float32 [n], higher is more alike.
        first, second: int64 [n], numbers of the two people; equal in a genuine comparison.
        source: int64 [n], the set of one of the samples; `within` says whether the other is of the same set.
        within: bool [n].
        extractor: int64 [n], what made both samples: no comparison is across extractors.
    """

    names: Sequence[str]
    scores: Scores
    first: People
    second: People
    source: People
    within: NDArray[np.bool_]
    extractor: People

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def impostor(self) -> NDArray[np.bool_]:
        """bool [n]: comparisons of two different people."""
        different: NDArray[np.bool_] = self.first != self.second
        return different

    @property
    def genuine(self) -> Scores:
        """Scores of comparisons of one person."""
        return self.scores[~self.impostor]

    def only(self, kept: NDArray[np.bool_]) -> "PairScores":
        """Return the comparisons at which `kept` is true."""
        return PairScores(self.names, *(column[kept] for column in self._columns()))

    def _columns(self) -> Iterator[NDArray[Any]]:
        yield from (self.scores, self.first, self.second, self.source, self.within, self.extractor)

    def joined(self, others: "PairScores") -> "PairScores":
        """Return both under the names of this one; numbers of people must mean the same."""
        columns = (np.concatenate(pair) for pair in zip(self._columns(), others._columns(), strict=True))
        return PairScores(self.names, *columns)

    def pair_weights(self) -> Floats:
        """float64 [n]: the comparisons of two people through one extractor weigh 1 together."""
        low, high = np.minimum(self.first, self.second), np.maximum(self.first, self.second)
        _, which, count = np.unique(self._key(low, high), return_inverse=True, return_counts=True)
        weights: Floats = 1 / count[which]
        return weights

    def _key(self, low: People, high: People) -> People:
        people = len(self.names)
        return (self.extractor * people + low) * people + high

    def same_fingers(self) -> list[tuple[str, str, float]]:
        """Name people that score like one: half of their comparisons through one extractor, and at least four, reach
        what one comparison of others in a thousand reaches. Two names and the median score of each such pair.
        """
        impostor = self.only(self.impostor)
        if not len(impostor):
            return []
        low = np.minimum(impostor.first, impostor.second)
        high = np.maximum(impostor.first, impostor.second)
        keys, which, total = np.unique(impostor._key(low, high), return_inverse=True, return_counts=True)
        scores, weights = impostor.scores, 1 / total[which]

        def halves(limit: float) -> NDArray[np.bool_]:
            above = np.bincount(which, scores >= limit, keys.size)
            half: NDArray[np.bool_] = (total >= SAME_FINGER_COMPARISONS) & (2 * above >= total)
            return half

        looked_at = halves(threshold_at(*_descending(scores, weights), SUSPECT_RATE))
        others = ~looked_at[which]  # else one finger under two names sets the limit that it must reach
        if not others.any():
            return []
        alike = np.flatnonzero(
            looked_at & halves(threshold_at(*_descending(scores[others], weights[others]), SAME_FINGER_RATE))
        )
        found: dict[tuple[str, str], float] = {}
        for number in alike:
            at = which == number
            one, other = self.names[int(low[at][0])], self.names[int(high[at][0])]
            found[one, other] = max(found.get((one, other), -np.inf), float(np.median(impostor.scores[at])))
        return sorted((one, other, median) for (one, other), median in found.items())

    def without(self, same: Sequence[tuple[str, str, float]]) -> "PairScores":
        """Leave out every comparison of two people that are probably one."""
        number = {name: at for at, name in enumerate(self.names)}
        kept = np.ones(len(self), bool)
        for one, other, _ in same:
            pair = {number[one], number[other]}
            kept &= ~(np.isin(self.first, list(pair)) & np.isin(self.second, list(pair)) & self.impostor)
        return self.only(kept)


def _just_above(score: Scores) -> Floats:
    above: Floats = np.maximum(np.nextafter(score, np.float32(np.inf)), score + np.float64(JUST_ABOVE))
    return above


def threshold_at(ordered: Scores, weights: Floats, rate: float, total: float | None = None) -> float:
    """Just above the score at and above which more than this share of the weight lies.

    Args:
        ordered: descending, perhaps the highest only.
        weights: of each.
        rate: the share.
        total: weight of all, if `ordered` holds the highest only.
    """
    running = np.cumsum(weights)
    if total is None:
        total = float(running[-1]) if running.size else 0.0
    at = int(np.searchsorted(running, rate * total + 1e-9, side="right"))
    return float(_just_above(ordered[min(at, ordered.size - 1)]))


def _descending(scores: Scores, weights: Floats) -> tuple[Scores, Floats]:
    order = np.argsort(-scores, kind="stable")
    return scores[order], weights[order]


@dataclass(frozen=True, slots=True, eq=False)
class Impostors:
    """Comparisons of different people by falling score, perhaps the highest only.

    Attributes:
        people: how many there are.
        comparisons: all of them, kept or not.
        scores, weights, first, second: of those that were kept.
        total: weight of all comparisons when each person weighs this much, float64 [people].
        stands_for: float64 [kept], how many comparisons each stands for, if they were thinned out; None if not.
    """

    people: int
    comparisons: int
    scores: Scores
    weights: Floats
    first: People
    second: People
    total: Callable[[Floats], float]
    stands_for: Floats | None = None

    @classmethod
    def of(cls, pairs: PairScores) -> "Impostors":
        """All impostor comparisons of a set, numbered anew."""
        pairs = pairs.only(pairs.impostor)
        weights = pairs.pair_weights()
        present, both = np.unique(np.stack([pairs.first, pairs.second]), return_inverse=True)
        first, second = both.reshape(2, -1)
        cells, cell_of = np.unique(first * present.size + second, return_inverse=True)
        in_cell = np.bincount(cell_of, weights, cells.size)
        a, b = np.divmod(cells, max(present.size, 1))

        def total(person: Floats) -> float:
            return float((person[a] * person[b] * in_cell).sum())

        kept = len(pairs) if len(pairs) <= KEEP_ALL else int(KEPT_SHARE * len(pairs))
        order = np.argsort(-pairs.scores, kind="stable")[:kept]
        return cls(present.size, len(pairs), pairs.scores[order], weights[order], first[order], second[order], total)

    def same_score(self, rate: float) -> tuple[int, float]:
        """How many pairs of people share the score that the threshold of a rate lies just above, and that score."""
        threshold = self.threshold(rate)
        score = float(self.scores[min(int(np.searchsorted(-self.scores, -threshold, "right")), self.scores.size - 1)])
        return self.above(score)[1] - self.above(threshold)[1], score

    def threshold(self, rate: float, person: Floats | None = None) -> float:
        """Threshold of a rate when each person weighs this much; one each if not given."""
        if person is None:
            return threshold_at(self.scores, self.weights, rate, self.total(np.ones(self.people)))
        weights = self.weights * person[self.first] * person[self.second]
        return threshold_at(self.scores, weights, rate, self.total(person))

    def drawn(self, rates: Sequence[float], *, draws: int, seed: int) -> Floats:
        """Thresholds of rates in each draw of people, float64 [draws, rates]; NaN if a draw holds one person alone."""
        found = np.full((draws, len(rates)), np.nan)
        for draw in range(draws):
            chosen = (uniforms(seed, DRAWS, draw, 0, self.people)[0] * self.people).astype(np.int64)
            person = np.bincount(chosen, minlength=self.people).astype(np.float64)
            total = self.total(person)
            if total > 0:
                running = np.cumsum(self.weights * person[self.first] * person[self.second])
                at = np.searchsorted(running, np.asarray(rates) * total + 1e-9, side="right")
                found[draw] = _just_above(self.scores[np.minimum(at, self.scores.size - 1)])
        return found

    def above(self, threshold: float) -> tuple[int, int]:
        """How many comparisons match at a threshold, and of how many pairs of people."""
        count = int(np.searchsorted(-self.scores, -threshold, "right"))
        pairs = np.unique(self.first[:count] * self.people + self.second[:count]).size
        return count if self.stands_for is None else round(float(self.stands_for[:count].sum())), pairs

    def reaches(self, rate: float) -> bool:
        """Whether so much was kept that redrawing people cannot put the threshold of a rate below it."""
        return self.comparisons <= self.scores.size or self.weights.sum() >= 1.3 * rate * self.total(
            np.ones(self.people)
        )

    def share_above(self, threshold: float, person: Floats | None = None) -> float:
        """Weighted share of comparisons that match at a threshold; NaN without any."""
        person = np.ones(self.people) if person is None else person
        count = int(np.searchsorted(-self.scores, -threshold, "right"))
        total = self.total(person)
        matched = self.weights[:count] * person[self.first[:count]] * person[self.second[:count]]
        return float(matched.sum()) / total if total > 0 else float("nan")
