"""Error rates of groups of people under the thresholds of all (ISO/IEC 19795-10).

A group's genuine comparisons are those of its people; its impostor comparisons those of two of its people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.dataset import Groups
from bench.metrics.comparisons import Identities, Scored, pair_scores, people_of
from bench.metrics.computed import ComputedScores
from bench.metrics.counted import CountedScores, matches
from bench.metrics.pair_lists import PairList
from bench.metrics.rates import minimum_comparisons
from bench.metrics.resampling import proportion
from bench.metrics.subjects import subject_names
from bench.wording import NOT_MEASURABLE

Mask = NDArray[np.bool_]


def group_rates(
    sets: Sequence[Scored],
    groups: Groups,
    points: Mapping[str, Any],
    targets: Mapping[str, float],
    who: Identities | None = None,
) -> list[dict[str, Any]]:
    """A row for each value of each column, values in order.

    Args:
        sets: under one threshold.
        groups: whose row every subject has.
        points: `fnmr_at_fmr` of all sets together: where the thresholds are from.
        targets: the rates of their names.
        who: the subjects of each set.

    Raises:
        InputRefused: a subject has no row.
    """
    values = [groups.of(one.name, subject_names(one)) for one in sets]
    limits = {
        name: p["threshold"]
        for name, p in points.items()
        if p != NOT_MEASURABLE and p["threshold"] != "above every score"
    }
    places, _ = people_of(sets, who)
    rows = []
    for at, column in enumerate(groups.columns):
        for value in sorted({own[at] for of_set in values for own in of_set}):
            masks = [np.array([own[at] == value for own in of_set], np.bool_) for of_set in values]
            people = {int(person) for place, mask in zip(places, masks, strict=True) for person in place[mask]}
            parts = [only(one, mask) for one, mask in zip(sets, masks, strict=True) if mask.any()]
            genuine, impostor = pair_scores(parts)
            rows.append({
                "column": column, "value": value, "people": len(people),
                "samples": sum(len(part.samples) for part in parts),
                "genuine": int(genuine.size), "impostor": int(impostor.size),
                "at_fmr": {name: _counts(genuine, impostor, limit, targets[name]) for name, limit in limits.items()},
            })  # fmt: skip
    return rows


def only(one: Scored, people: Mask) -> Scored:
    """The comparisons of these people with each other; people bool [people]."""
    kept = np.flatnonzero(people[one.subjects])
    place = np.full(len(one.subjects), -1, np.int64)
    place[kept] = np.arange(kept.size)
    parts: dict[str, Any] = {
        "subjects": (np.cumsum(people) - 1)[one.subjects[kept]],
        "samples": [one.samples[int(i)] for i in kept],
        "unusable": [int(place[i]) for i in one.unusable if place[i] >= 0],
        "subject_names": [name for name, mine in zip(subject_names(one), people, strict=True) if mine],
    }
    if isinstance(one, PairList):
        both = (place[one.probe] >= 0) & (place[one.reference] >= 0)
        probe, reference = place[one.probe[both]], place[one.reference[both]]
        return replace(one, scores=one.scores[both], probe=probe, reference=reference, **parts)
    scores = one.scores
    if isinstance(scores, ComputedScores):  # too many to hold: those of the group are made when they are asked for
        made = ComputedScores(kept.size, lambda rows: scores[np.ix_(kept[rows], kept)])
        return replace(one, scores=made, quality=np.empty(0), **parts)
    return replace(one, scores=scores[np.ix_(kept, kept)], quality=np.empty(0), **parts)


def _counts(
    genuine: NDArray[np.float32], impostor: NDArray[np.float32] | CountedScores, limit: float, target: float
) -> dict[str, Any]:
    missed, matched = int((genuine < limit).sum()), matches(impostor, limit)
    enough = impostor.size >= minimum_comparisons(target)
    return {
        "threshold": limit, "false_non_matches": missed, "false_matches": matched,
        "fnmr": missed / genuine.size if genuine.size else NOT_MEASURABLE,
        "fnmr_interval_95": list(proportion(missed, genuine.size)),
        "fmr": matched / impostor.size if enough else NOT_MEASURABLE,
        "fmr_interval_95": list(proportion(matched, impostor.size)),
    }  # fmt: skip
