"""The thresholds of the comparison profile in use, and comparisons across sets that check them."""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.accuracy import rows_of
from bench.load import FingerprintSet
from bench.metrics.comparisons import Identities, Scored
from bench.metrics.pair_lists import PairList
from bench.metrics.threshold_check import LABELS, Labelled, threshold_check
from bioguard.match.thresholds import basis_for_fmr, threshold_for_fmr
from bioguard.records.comparison_profile import ComparisonProfile
from bioguard.records.scores import Score
from bioguard.user_files import read_input

ONE_PERSON_SHARE = 0.5
"""Two subjects of two sets are probably one person if more of their comparisons match at 1e-4. Of the development data
one pair does, 49 of 64 times; the next has 2."""
MOST_LEFT_OUT = 0.01
"""Share of the pairs of subjects that may be left out so; above it it is the threshold that fails, and none is."""
Matrix = NDArray[np.float32]
Make = Callable[[FingerprintSet, FingerprintSet], Matrix]


def read_profile(path: Path) -> ComparisonProfile:
    """The profile of a file. Raises InputRefused."""
    return ComparisonProfile.from_bytes(read_input(path, code="bench.profile"))


def profile_data(profile: ComparisonProfile) -> dict[str, Any]:
    """Which profile it is, for the JSON of a run."""
    site = [{"score": s.score.word, "shift": s.shift} for s in profile.site]
    return {"name": profile.name, "model": profile.model, "sha256": profile.digest.hex(), "site": site}


def labelled(profile: ComparisonProfile, score: Score) -> list[Labelled]:
    """The thresholds of this score that are checked. Raises InputRefused: it is not calibrated."""
    return [
        Labelled(
            label,
            rate,
            threshold_for_fmr(rate, profile=profile, score=score),
            basis_for_fmr(rate, profile=profile, score=score).word,
        )
        for label, rate in LABELS.items()
    ]


@dataclass(frozen=True, slots=True)
class Across:
    """Comparisons between sets of one extractor.

    Attributes:
        extractor: the first part of the names, where some sets are of the same fingers; else nothing.
        lists: a list for each two sets.
        who: their subjects.
        one_person: pairs of subjects that are probably one person, and were left out.
    """

    extractor: str
    lists: Sequence[PairList]
    who: Identities
    one_person: Sequence[tuple[str, str]]


def across(
    sets: Sequence[FingerprintSet], who: Identities, thresholds: Sequence[Labelled], make: Make
) -> Iterator[Across]:
    """Every two sets of one extractor, samples of one against samples of the other; `make` is `cross_scores`."""
    shared = len({person for people in who.values() for person in people}) < sum(map(len, who.values()))
    groups: dict[str, list[FingerprintSet]] = {}
    for one in sets:
        groups.setdefault(one.name.split("/")[0] if shared else "", []).append(one)
    crossed: dict[str, list[PairList]] = {extractor: [] for extractor in groups}
    people = dict(who)
    for extractor, members in groups.items():
        for a, b in combinations(members, 2):
            if set(who[a.name]) & set(who[b.name]) or not all(any(x.templates) for x in (a, b)):
                continue
            pairs = _list(a, b, make(a, b))
            people[pairs.name] = [*who[a.name], *who[b.name]]
            crossed[extractor].append(pairs)
    limit = next(t.threshold for t in thresholds if t.label == "1e-4")
    # who is one person through one extractor is so through the other
    same = {pair for lists in crossed.values() for one in lists for pair in _one_person(one, people[one.name], limit)}
    for extractor, lists in crossed.items():
        if lists:
            yield Across(extractor, [_without(one, people[one.name], same) for one in lists], people, sorted(same))


def _list(a: FingerprintSet, b: FingerprintSet, matrix: Matrix) -> PairList:
    usable = [np.array([t is not None for t in one.templates]) for one in (a, b)]
    probe, reference = np.nonzero(np.outer(*usable))
    subjects = np.concatenate([a.subjects, a.subjects.max() + 1 + b.subjects])
    samples = [f"{one.name}/{file}" for one in (a, b) for file in one.files]
    first, _, rest = b.name.partition("/")
    other = rest if rest and a.name.startswith(f"{first}/") else b.name
    scores = matrix[probe, reference]
    return PairList(f"{a.name} x {other}", scores, probe, len(a.files) + reference, subjects, samples)


def _one_person(one: PairList, names: Sequence[str], limit: float) -> list[tuple[str, str]]:
    code = _code(one)
    total = np.bincount(code, minlength=len(names) ** 2)
    matched = np.bincount(code, one.scores >= limit, len(names) ** 2)
    suspected = np.flatnonzero(matched > ONE_PERSON_SHARE * np.maximum(total, 1)).tolist()
    if len(suspected) > max(1, MOST_LEFT_OUT * np.count_nonzero(total)):
        return []
    return [(names[k // len(names)], names[k % len(names)]) for k in suspected]


def _without(one: PairList, names: Sequence[str], same: Set[tuple[str, str]]) -> PairList:
    at = {name: i for i, name in enumerate(names)}
    codes = [at[a] * len(names) + at[b] for a, b in same if a in at and b in at]
    kept = ~np.isin(_code(one), codes)
    return replace(one, scores=one.scores[kept], probe=one.probe[kept], reference=one.reference[kept])


def _code(one: PairList) -> NDArray[np.int64]:
    """Pair of subjects of each comparison, as one number."""
    return one.subjects[one.probe] * one.people + one.subjects[one.reference]


def across_rows(
    found: Across, within: Sequence[Scored], thresholds: Sequence[Labelled], *, seed: int, replicates: int
) -> dict[str, list[dict[str, Any]]]:
    """Rows for each two sets, for all of them together, and with the sets themselves."""
    more: Mapping[str, Any] = {"who": found.who, "seed": seed, "replicates": replicates}
    own = [one for one in within if not found.extractor or one.name.split("/")[0] == found.extractor]
    word = f"{found.extractor}: " if found.extractor else ""
    rows = {one.name: threshold_check([one], thresholds, **more) for one in found.lists}
    rows[f"{word}all across"] = threshold_check(found.lists, thresholds, **more)
    rows[f"{word}within and across"] = threshold_check([*own, *found.lists], thresholds, **more)
    return rows


def check_rows(data: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """All rows of a result by what they are of: sets, pooled, sensor against sensor."""
    of = {name: one.get("threshold_check", []) for name, one in rows_of(data).items()}
    return {name: rows for name, rows in {**of, **data.get("across", {})}.items() if rows}
