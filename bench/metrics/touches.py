"""Several touches a template: the best score over k samples of a finger, whichever k they are.

A probe is each usable sample; references are all choices of k among the other samples of its finger (genuine) and among
the samples of each other finger of the set (impostor). So a figure rests on every choice and not on the first k; the
choices overlap, which the draws of people allow for and Clopper-Pearson does not.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from bench.metrics.comparisons import Comparisons
from bench.metrics.pair_lists import PairList

Ints = NDArray[np.int64]
MOST_SCORES = 1 << 23
"""Of a set; of more, choices are taken evenly from all of them, at least one a finger and probe."""
MOST_VIEWS = 12
"""Samples of a finger that are chosen from: its first ones. 12 give 220 choices of three."""


def best_of(one: Comparisons, touches: int) -> PairList | None:
    """Comparisons of a set with templates of several touches; None if no finger has one touch more than that.

    A template of several touches is named by its first; which it is decides nothing but the finger it is of.
    """
    members = [one.usable[one.subjects[one.usable] == person][:MOST_VIEWS] for person in range(one.people)]
    step = _step(members, touches)
    probes, references, scores = [], [], []
    for person, own in enumerate(members):
        for probe in own:
            for other, samples in enumerate(members):
                left = samples[samples != probe] if other == person else samples
                chosen = _choices(left, touches, step)
                if chosen.size:
                    probes.append(np.full(len(chosen), probe))
                    references.append(chosen[:, 0])
                    scores.append(one.scores[np.ix_([int(probe)], left)][0][_places(left, chosen)].max(axis=1))
    if not any((one.subjects[p] == one.subjects[r]).any() for p, r in zip(probes, references, strict=True)):
        return None
    return PairList(
        one.name,
        np.concatenate(scores).astype(np.float32),
        np.concatenate(probes).astype(np.int64),
        np.concatenate(references).astype(np.int64),
        one.subjects,
        one.samples,
        one.unusable,
        subject_names=one.subject_names,
    )


def best_of_all(sets: Sequence[Comparisons], touches: int) -> Iterator[PairList]:
    """The same of every set that has enough samples."""
    yield from (found for one in sets if (found := best_of(one, touches)) is not None)


def _step(members: Sequence[Ints], touches: int) -> int:
    probes = sum(map(len, members))
    scores = probes * sum(comb(len(own), touches) for own in members)
    return max(1, -(-scores // MOST_SCORES))


def _choices(samples: Ints, touches: int, step: int) -> Ints:
    """Choices of so many samples, ascending, int64 [choices, touches]."""
    if samples.size < touches:
        return np.empty((0, touches), np.int64)
    return np.array(list(combinations(samples.tolist(), touches))[::step], np.int64)


def _places(samples: Ints, chosen: Ints) -> Ints:
    places: Ints = np.searchsorted(samples, chosen)
    return places
