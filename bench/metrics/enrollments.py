"""What several enrollments do to error rates: the score of a user is the best of all enrolled.

* views: the first k samples of a subject are enrolled, the rest are probes. FNMR falls, FMR rises.
* users: a user has several subjects enrolled (5 fingers, 2 faces); an impostor meets all of them. FMR rises to about
  1 - (1 - FMR)^k.

Both at the threshold that gives the stated FMR for one comparison.
"""

from typing import Any

import numpy as np

from bench.metrics.comparisons import Comparisons
from bioguard.simulate.people.counter_rng import uniforms

DOMAIN = 0x502
USERS = 2000


def view_effect(sets: list[Comparisons], threshold: float, views: tuple[int, ...]) -> list[dict[str, Any]]:
    """FMR and FNMR with k enrolled views; probes are the samples after the largest k, so that rows compare."""
    most, rows = max(views), []
    for k in views:
        missed = genuine = false = impostor = 0
        for one in sets:
            usable = one.usable
            subject = one.subjects[usable]
            order = np.argsort(subject, kind="stable")
            starts = np.searchsorted(subject[order], subject[order])
            place = np.empty(len(order), np.int64)
            place[order] = np.arange(len(order)) - starts
            enough = np.bincount(subject, minlength=one.people) > most
            enrolled = usable[(place < k) & enough[subject]]
            probes = usable[(place >= most) & enough[subject]]
            people = np.unique(one.subjects[enrolled])
            if len(people) < 2:
                continue
            for start in range(0, probes.size, 256):
                part = probes[start : start + 256]
                scores = one.scores[np.ix_(part, enrolled)]
                order = np.argsort(one.subjects[enrolled], kind="stable")
                best = np.maximum.reduceat(
                    scores[:, order], np.searchsorted(one.subjects[enrolled][order], people), axis=1
                )
                same = one.subjects[part][:, None] == people
                matched = best >= threshold
                genuine += int(same.sum())
                missed += int((same & ~matched).sum())
                impostor += int((~same).sum())
                false += int((~same & matched).sum())
        if genuine:
            rows.append({
                "views": k, "genuine": genuine, "false_non_matches": missed, "fnmr": missed / genuine,
                "impostor": impostor, "false_matches": false, "fmr": false / impostor,
            })  # fmt: skip
    return rows


def user_effect(
    sets: list[Comparisons], threshold: float, fmr: float, sizes: tuple[int, ...], *, seed: int
) -> list[dict[str, Any]]:
    """FMR of users with k random subjects of one set, against probes of subjects that are not among them."""
    rows = []
    for k in sizes:
        false = trials = 0
        for number, one in enumerate(sets):
            usable = one.usable
            subjects, first = np.unique(one.subjects[usable], return_index=True)
            gallery = usable[first]
            if len(subjects) <= k:
                continue
            draws = uniforms(seed, DOMAIN, number, k, USERS * (k + 1))[0].reshape(USERS, k + 1)
            chosen = _without_repeats(draws[:, :k], len(subjects))
            probe = usable[(draws[:, k] * usable.size).astype(np.int64)]
            outside = (one.subjects[probe][:, None] != subjects[chosen]).all(axis=1)
            best = one.scores[probe[outside][:, None], gallery[chosen[outside]]].max(axis=1)
            false += int((best >= threshold).sum())
            trials += int(outside.sum())
        if trials:
            rows.append({
                "enrolled": k, "trials": trials, "false_matches": false, "fmr": false / trials,
                "independent": 1 - (1 - fmr) ** k,
            })  # fmt: skip
    return rows


def _without_repeats(draws: np.ndarray[Any, np.dtype[np.float64]], n: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Row-wise Floyd sampling: k different numbers below n from k uniforms."""
    k = draws.shape[1]
    chosen = np.empty(draws.shape, np.int64)
    for i in range(k):
        top = n - k + i
        pick = (draws[:, i] * (top + 1)).astype(np.int64)
        seen = (chosen[:, :i] == pick[:, None]).any(axis=1)
        chosen[:, i] = np.where(seen, top, pick)
    return chosen
