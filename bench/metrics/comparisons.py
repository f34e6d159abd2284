"""One set of comparisons, whatever made it: a square matrix of scores, and whose each sample is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bench.metrics.computed import ComputedScores
from bench.metrics.counted import CountedScores
from bench.metrics.pair_lists import PairList
from bench.metrics.rates import Scores
from bench.metrics.resampling import TAIL_PAIRS, Pairs
from bench.names import counted
from bioguard.errors import InputRefused

Ints = NDArray[np.int64]
HELD_PAIRS = 1 << 25
"""Pairs whose scores are held and sorted: 8 192 samples. Of more, all are counted and the highest are kept."""
BLOCK_SCORES = 1 << 22
"""Scores looked at together: some 200 MB with what is made of them on the way."""
TAIL_SHARE = 0.06
"""Share of impostor scores that can decide an EER or an FNMR at FMR 1e-2 in some draw of a large set."""


BAND_POINTS = 24
"""Rates at which a DET curve has an interval, evenly over their logarithm."""
BAND_TO = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """Scores of all samples of one set against each other.

    Attributes:
        name: relative directory, or what was scored.
        scores: float32 [n, n], row = probe, higher is more alike; -inf for a sample that could not be used. Of many
            samples they are made when they are asked for, and indexed by arrays only.
        subjects: int64 [n], 0 .. people - 1: a finger, or a face.
        samples: names of the samples.
        unusable: indices of samples that could not be read: failures to acquire.
        quality: float64 [n]: a measure to sort samples by, or empty; its meaning is `quality_kind`.
        remarks: for people: what is to be known about the file the scores are from.
        subject_names: by subject, where they are not the samples' without their impression.
    """

    name: str
    scores: NDArray[np.float32] | ComputedScores
    subjects: Ints
    samples: Sequence[str]
    unusable: Sequence[int] = ()
    quality: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    quality_kind: str = ""
    remarks: Sequence[str] = ()
    subject_names: Sequence[str] = ()

    @property
    def people(self) -> int:
        """Number of different subjects."""
        return int(self.subjects.max()) + 1 if self.subjects.size else 0

    @property
    def usable(self) -> Ints:
        """Indices of the samples that could be compared."""
        return np.setdiff1d(np.arange(len(self.subjects)), np.asarray(self.unusable, np.int64))

    def lines(self) -> list[str]:
        """For people: how many subjects and samples, and what is to be known about the file."""
        return [f"{self.name}: {text}" for text in (counted(self.people, len(self.samples)), *self.remarks)]

    def blocks(self, rows: int = 512) -> Iterator[tuple[NDArray[np.float32], Ints, Ints]]:
        """Scores, subject of the probe and subject of the reference of each pair i < j, some rows at a time."""
        usable = self.usable
        rows = min(rows, rows_at_once(usable.size))
        for start in range(0, usable.size, rows):
            part = usable[start : start + rows]
            scores = self.scores[np.ix_(part, usable[start:])]
            later = np.arange(usable.size - start) > np.arange(part.size)[:, None]
            own, other = self.subjects[part][:, None], self.subjects[usable[start:]]
            yield scores[later], np.broadcast_to(own, later.shape)[later], np.broadcast_to(other, later.shape)[later]

    def impostor_weight(self, weights: NDArray[np.float64]) -> float:
        """Sum over all impostor pairs of the product of both people's weights, float64 [people]."""
        own = weights * np.bincount(self.subjects[self.usable], minlength=self.people)
        return float((own.sum() ** 2 - (own**2).sum()) / 2)


Scored = Comparisons | PairList
"""What rates are made of: all samples of a set with each other, or a list of comparisons."""


def square(sets: Sequence[Scored]) -> list[Comparisons]:
    """The sets in which everybody was compared with everybody: what 1:N and several enrollments need."""
    return [one for one in sets if isinstance(one, Comparisons)]


def rows_at_once(columns: int) -> int:
    """Rows of a matrix with so many columns that are looked at together: 512, fewer of a very wide one."""
    return max(1, BLOCK_SCORES // max(columns, 1))


def is_streamed(sets: Sequence[Scored]) -> bool:
    """Whether the comparisons are too many to hold their scores in one array."""
    pairs = (one.scores.size if isinstance(one, PairList) else len(one.subjects) ** 2 // 2 for one in sets)
    return sum(pairs) > HELD_PAIRS


@lru_cache(maxsize=2)  # figures, and then pictures, are asked of the same sets
def counted_of(sets: tuple[Scored, ...]) -> CountedScores:
    """All scores of sets that are streamed; people of the impostor pairs are numbered from set to set."""
    firsts = np.append(0, np.cumsum([max(one.people, 2) for one in sets])).tolist()

    def blocks() -> Iterator[tuple[NDArray[np.float32], Ints, Ints]]:
        for first, one in zip(firsts, sets, strict=False):
            for scores, a, b in one.blocks():
                yield scores, a + first, b + first

    return CountedScores(blocks)


def pair_scores(sets: Sequence[Scored]) -> tuple[NDArray[np.float32], NDArray[np.float32] | CountedScores]:
    """Genuine and impostor scores of all sets; either may be empty. Very many impostor scores are counted only."""
    if is_streamed(sets):
        counted = counted_of(tuple(sets))
        return counted.genuine, counted
    genuine, impostor = [np.empty(0, np.float32)], [np.empty(0, np.float32)]
    for one in sets:
        for scores, a, b in one.blocks():
            same = a == b
            genuine.append(scores[same])
            impostor.append(scores[~same])
    return np.concatenate(genuine), np.concatenate(impostor)


def scores_of(sets: Sequence[Scored]) -> Scores:
    """Genuine and impostor scores of all sets under one threshold.

    Raises:
        InputRefused: there are none of one kind.
    """
    genuine, impostor = pair_scores(sets)
    for word, side, wanted in (("genuine", genuine, "a subject with two"), ("impostor", impostor, "two subjects of")):
        if not side.size:
            raise InputRefused(
                f"{', '.join(s.name for s in sets)}: no {word} comparison", hint=f"give {wanted} usable samples",
                code="bench.one_sided",
            )  # fmt: skip
    return Scores(genuine, impostor)


Identities = Mapping[str, Sequence[str]]
"""By set: who its subjects 0 .. people - 1 are; equal texts are one person, also in another set."""


def people_of(sets: Sequence[Scored], who: Identities | None = None) -> tuple[list[Ints], int]:
    """Number of each subject of each set among all people, and how many they are; without `who` nobody is in two sets.

    Returns:
        For each set int64 [people of the set], 0 .. all people - 1 in order of appearance.
    """
    known: dict[str, int] = {}
    places = []
    for number, one in enumerate(sets):
        names = who[one.name] if who is not None else [f"{number}/{i}" for i in range(one.people)]
        places.append(np.array([known.setdefault(name, len(known)) for name in names], np.int64))
    return places, len(known)


def band_rates(pairs: Pairs, impostors: int) -> list[float]:
    """FMR from one impostor pair up; of a large set half as far as its highest scores are kept, for draws vary."""
    most = BAND_TO if pairs.impostor.size == impostors else pairs.impostor.size / impostors / 2
    return [float(rate) for rate in np.geomspace(1 / impostors, most, BAND_POINTS)] if impostors * most > 1 else []


def pairs_of(sets: Sequence[Scored], scores: Scores, who: Identities | None = None) -> Pairs:
    """The pairs of all sets with their people, for drawing people again."""
    if isinstance(scores.impostor, CountedScores):
        return _pairs_of_counted(sets, scores.impostor, who)
    cut = -np.inf
    if scores.impostor.size > TAIL_PAIRS:
        cut = float(scores.impostor[int((1 - max(TAIL_SHARE, 4 * scores.eer().high)) * scores.impostor.size)])
    columns: list[list[NDArray[np.float32] | Ints]] = [[], [], [], [], []]
    places, people = people_of(sets, who)
    for one, place in zip(sets, places, strict=True):
        for values, a, b in one.blocks():
            same = a == b
            kept = ~same & (values >= cut)
            for column, part in zip(
                columns, (values[same], place[a[same]], values[kept], place[a[kept]], place[b[kept]]), strict=True
            ):
                column.append(part)
    joined = [np.concatenate(column) for column in columns]

    def impostor_weight(weights: NDArray[np.float64]) -> float:
        return sum(one.impostor_weight(weights[place]) for one, place in zip(sets, places, strict=True))

    return Pairs(
        people, joined[0].astype(np.float32), joined[1].astype(np.int64), joined[2].astype(np.float32),
        joined[3].astype(np.int64), joined[4].astype(np.int64), impostor_weight,
    )  # fmt: skip


def _pairs_of_counted(sets: Sequence[Scored], counted: CountedScores, who: Identities | None) -> Pairs:
    """The same of scores that are streamed: the impostor pairs are the highest ones that are kept."""
    places, people = people_of(sets, who)
    number = np.concatenate([np.append(place, np.zeros(max(2 - place.size, 0), np.int64)) for place in places])

    def impostor_weight(weights: NDArray[np.float64]) -> float:
        return sum(one.impostor_weight(weights[place]) for one, place in zip(sets, places, strict=True))

    a, b = (number[side] for side in counted.high_people)
    return Pairs(people, counted.genuine, number[counted.genuine_people], counted.high, a, b, impostor_weight)
