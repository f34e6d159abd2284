"""What each person adds to the genuine comparisons: an FNMR over people instead of pairs, and who rules the pairs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.metrics.comparisons import Scored, counted_of, is_streamed
from bench.metrics.subjects import subject_names

Ints = NDArray[np.int64]
LARGE_SHARE = 0.1
"""Share of all genuine comparisons from which one person is named, if it is also twice what each would have."""


def genuine_counts(one: Scored, thresholds: Sequence[float]) -> tuple[Ints, Ints]:
    """Genuine comparisons of each person, int64 [people], and those missed at each threshold, int64 [k, people]."""
    people = max(one.people, 1)
    genuine, missed = np.zeros(people, np.int64), np.zeros((len(thresholds), people), np.int64)
    if is_streamed([one]):
        counted = counted_of((one,))
        genuine = np.bincount(counted.genuine_people, minlength=people)
        for i, threshold in enumerate(thresholds):
            missed[i] = np.bincount(counted.genuine_people[counted.genuine < threshold], minlength=people)
        return genuine, missed
    for scores, a, b in one.blocks():
        same = a == b
        own, values = a[same], scores[same]
        genuine += np.bincount(own, minlength=people)
        for i, threshold in enumerate(thresholds):
            missed[i] += np.bincount(own[values < threshold], minlength=people)
    return genuine, missed


def each_person_equal(group: Sequence[Scored], thresholds: Sequence[float]) -> list[float | None]:
    """FNMR at each threshold as the mean over people of their own; None if nobody has a genuine comparison."""
    rates: list[list[NDArray[np.float64]]] = [[] for _ in thresholds]
    for one in (named for named in group if named.people):
        genuine, missed = genuine_counts(one, thresholds)
        has = genuine > 0
        for found, row in zip(rates, missed, strict=True):
            found.append(row[has] / genuine[has])
    joined = [np.concatenate([*found, np.empty(0)]) for found in rates]
    return [float(own.mean()) if own.size else None for own in joined]


def largest_share(group: Sequence[Scored]) -> dict[str, Any] | None:
    """The person with most genuine comparisons; `large` if a figure over pairs is first of all one of this person."""
    best: dict[str, Any] | None = None
    total = people = 0
    for one in (named for named in group if named.people):
        genuine, _ = genuine_counts(one, [])
        total, people = total + int(genuine.sum()), people + int((genuine > 0).sum())
        top = int(np.argmax(genuine))
        if genuine[top] > (best["genuine"] if best else 0):
            best = {"set": one.name, "subject": subject_names(one)[top], "genuine": int(genuine[top])}
    if best is None:
        return None
    share = best["genuine"] / total
    return {**best, "share": share, "large": bool(share >= LARGE_SHARE and share >= 2 / people)}
