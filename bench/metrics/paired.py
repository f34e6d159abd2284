"""Two matchers on the same people: the difference of their rates, with people drawn once for both.

The people of a set make both matchers' errors; what they share is no difference. An interval of the difference is
therefore narrower than two intervals side by side let expect, and "the intervals overlap" decides nothing.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.metrics.comparisons import Identities, Scored, pairs_of, people_of, scores_of
from bench.metrics.pair_lists import PairList
from bench.metrics.resampling import Floats, Tables, differences
from bench.metrics.subjects import subject_names
from bioguard.errors import InputRefused

TARGETS = (1e-2, 1e-3)
NAMES = ("eer", "fnmr_at_1e-2", "fnmr_at_1e-3")
Side = tuple[Tables, NDArray[np.int64]]


def paired(
    first: Sequence[Scored], second: Sequence[Scored], *, who: Identities | None = None, seed: int,
    replicates: int = 200,
) -> dict[str, Any]:  # fmt: skip
    """What is higher (worse) with the second matcher, set by set and in the mean of the sets.

    Args:
        first, second: sets of the same names, of the same people; each matcher has its own thresholds.
        who: the subjects of the sets of the first.
        seed: of the draws of people.
        replicates: number of draws.

    Raises:
        InputRefused: `bench.paired`: the sets or their subjects are not the same, or nobody is named.
    """
    others = {one.name: one for one in second}
    names = [one.name for one in first]
    if set(names) != set(others) or not names:
        raise _refuse(
            f"the sets are {', '.join(names)} and {', '.join(others)}", "compare two matchers on the same sets"
        )
    places, people = people_of(first, who)
    sides = []
    for one, place in zip(first, places, strict=True):
        other = others[one.name]
        own, theirs = subject_names(one), subject_names(other)
        if sorted(own) != sorted(theirs) or any(isinstance(x, PairList) and x.anonymous for x in (one, other)):
            raise _refuse(f"{one.name}: the subjects are not the same", "compare two matchers on the same people")
        at = {name: int(number) for name, number in zip(own, place, strict=True)}
        sides.append((side_of(one, place), side_of(other, np.array([at[name] for name in theirs], np.int64))))

    def change(weights: Floats) -> Floats:
        each = np.array([rates_of(b, weights) - rates_of(a, weights) for a, b in sides])
        return np.concatenate([each.ravel(), each.mean(axis=0)])

    found = [
        {"difference": point, "interval_95": [low, high]}
        for point, low, high in differences(change, people, seed=seed, replicates=replicates)
    ]
    rows = [dict(zip(NAMES, found[i : i + len(NAMES)], strict=True)) for i in range(0, len(found), len(NAMES))]
    return {"people": people, "sets": dict(zip(names, rows, strict=False)), "mean_of_sets": rows[-1]}


def side_of(one: Scored, place: NDArray[np.int64]) -> Side:
    """Tables of a set, and the number of each of its subjects among all people."""
    return Tables(pairs_of([one], scores_of([one]))), place


def rates_of(side: Side, weights: Floats) -> Floats:
    """EER and FNMR at `TARGETS` of one set under a draw, in the order of `NAMES`."""
    tables, place = side
    eer, fnmrs = tables.figures(weights[place], TARGETS)
    return np.array([eer, *fnmrs])


def _refuse(what: str, hint: str) -> InputRefused:
    return InputRefused(what, hint=hint, code="bench.paired")
