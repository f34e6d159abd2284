"""Which subjects of one set are those of another: the same fingers through two extractors are drawn together.

How it is known is the caller's choice:

* found: of fingerprints by comparing. Two sets whose fingers have the same names are the same fingers if most of
  their first common impressions match across at 1000 to 1. Of scores, which cannot be compared, by the names alone:
  `rect/a/b` and `sa/a/b` differ in the first part only and their samples have the same names.
* named: a subject is the same in every set in which its name stands.
* none: every set has subjects of its own.

A tie that is wrong leaves an interval as wide as it is, or makes it wider: fewer people are drawn. A tie that is missed
makes it narrower.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum, unique

import numpy as np

from bench.load import FingerprintSet
from bench.metrics.comparisons import Identities, Scored
from bench.metrics.subjects import subject_names
from bioguard.match import FingerprintGallery
from bioguard.records import FingerprintTemplate

SAME_FINGER = 3.0
"""log10 likelihood ratio of two impressions, 1000 to 1. Of the development data, 8 sets, the median across extractors
is 7.4 to 10.5 for the same fingers, and below -1.5 for others of the same name."""


@unique
class Shared(StrEnum):
    """How it is known that two sets hold the same subjects."""

    FOUND = "found"
    NAMED = "named"
    NONE = "none"


def identities(sets: Sequence[Scored], how: Shared, fingerprints: Sequence[FingerprintSet] = ()) -> Identities:
    """Who the subjects of each set are.

    Args:
        sets: all sets.
        how: see the module.
        fingerprints: the templates of the sets, where there are some.
    """
    templates = {one.name: one for one in fingerprints}

    def same(a: Scored, b: Scored) -> bool:
        if how is not Shared.FOUND:
            return how is Shared.NAMED
        if a.name in templates and b.name in templates:
            return _match_across(templates[a.name], templates[b.name])
        return bool(a.samples) and _same_path(a.name, b.name) and sorted(a.samples) == sorted(b.samples)

    return _merged(sets, same)


def _merged(sets: Sequence[Scored], same: Callable[[Scored, Scored], bool]) -> Identities:
    found: dict[str, list[str]] = {}
    for i, one in enumerate(sets):
        known: dict[str, str] = {}
        for before in (b for b in sets[:i] if same(b, one)):
            known = dict(zip(subject_names(before), found[before.name], strict=True)) | known
        found[one.name] = [known.get(name, f"{one.name}/{name}") for name in subject_names(one)]
    return found


def shared_lines(sets: Sequence[Scored], who: Identities) -> list[str]:
    """For people: which sets share subjects."""
    lines: list[str] = []
    seen: dict[str, str] = {}
    for one in sets:
        others: dict[str, int] = {}
        for person in who[one.name]:
            first = seen.setdefault(person, one.name)
            if first != one.name:
                others[first] = others.get(first, 0) + 1
        lines += [
            f"{one.name}: {count} of {one.people} subjects are those of {first}; where sets are pooled they are drawn "
            f"together, and the two sets are not compared with each other" for first, count in others.items()
        ]  # fmt: skip
    return lines


def _same_path(a: str, b: str) -> bool:
    """The same below different first parts, as `bioguard demo` reads collections."""
    x, y = a.split("/"), b.split("/")
    return len(x) > 2 and x[1:] == y[1:]


def _match_across(a: FingerprintSet, b: FingerprintSet) -> bool:
    first, second = _by_impression(a), _by_impression(b)
    pairs: dict[str, tuple[FingerprintTemplate, FingerprintTemplate]] = {}
    for key in first:
        if key in second:
            pairs.setdefault(key[0], (first[key], second[key]))
    fewer = min(len(set(a.fingers)), len(set(b.fingers)))
    if 2 * len(pairs) < fewer or not pairs:
        return False
    scores = [float(FingerprintGallery([x]).scores(y)[0]) for x, y in pairs.values()]
    return float(np.median(scores)) >= SAME_FINGER


def _by_impression(one: FingerprintSet) -> dict[tuple[str, str], FingerprintTemplate]:
    rows = zip(one.fingers, one.files, one.templates, strict=True)
    return {(finger, file.rsplit(".", 1)[0]): template for finger, file, template in rows if template is not None}
