"""Failures to enroll and to acquire, and the rates of whole transactions (ISO/IEC 19795-1:2021, section 8).

    single attempt    FRR = FTA' + (1 - FTA') FNMR'         FAR = (1 - FTA) FMR
    generalized      GFRR = FTE + (1 - FTE) FRR            GFAR = (1 - FTE) FAR

FTE is a share of the people, of whom an enrollment is refused. FTA' and FNMR' are those of the people who are enrolled:
one who is not makes no genuine attempt, and would otherwise be counted twice. Impostors are everybody: FTA.

A transaction of n attempts fails if each of them does. A reference is each usable sample of an enrolled person in
turn; the other samples of one person, in their order, n at a time, are the attempts of a transaction; a sample that
could not be acquired is an attempt that fails.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.metrics.comparisons import Comparisons, Scored, rows_at_once
from bench.metrics.computed import ComputedScores
from bench.metrics.pair_lists import PairList
from bench.metrics.people import genuine_counts
from bench.metrics.resampling import proportion
from bench.wording import NOT_MEASURABLE, NOT_STATED

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Judge = Callable[[Ints], str]
"""Samples by their indices -> why an enrollment of them is refused, or nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Enrollments:
    """Who of a set can be enrolled.

    Attributes:
        together: samples of one enrollment; 0 if no gate judged, and one usable sample was enough.
        refused: why, a person; "" for who is enrolled.
        judged: bool [people], who gave as many samples as an enrollment takes.
        windows: enrollments of so many samples in a row that were tried beside the first, and those refused.
    """

    together: int
    refused: tuple[str, ...]
    judged: Mask
    windows: tuple[int, int]

    @property
    def enrolled(self) -> Mask:
        """Who is enrolled, bool [people]."""
        return np.array([not why for why in self.refused], np.bool_)


def enrollments(one: Scored, judge: Judge | None, together: int) -> Enrollments:
    """Enroll everybody of a set with the first usable samples.

    Args:
        one: the set.
        judge: the gate; None if there are no features to judge, only scores.
        together: samples of one enrollment; fewer if nobody gave as many.
    """
    usable = np.zeros(len(one.subjects), np.bool_)
    usable[one.usable] = True
    of = [np.flatnonzero(one.subjects == person) for person in range(one.people)]
    wanted = min(together, max((own.size for own in of), default=0)) if judge else 0
    judged = np.array([own.size >= wanted for own in of], np.bool_)
    reasons, tried, failed = [], 0, 0
    for own, enough in zip(of, judged, strict=True):
        good = own[usable[own]]
        if judge is None or not enough:
            reasons.append("" if good.size else "no usable sample")
            continue
        found = [judge(good[start : start + wanted]) for start in range(good.size - wanted + 1)]
        reasons.append(found[0] if found else "too few usable samples")
        tried, failed = tried + len(found), failed + sum(map(bool, found))
    return Enrollments(wanted, tuple(reasons), judged, (tried, failed))


def failure_to_acquire(group: Sequence[Scored]) -> dict[str, Any]:
    """Samples that could not be used."""
    if not all(one.people for one in group):
        return _unknown("samples")
    samples, failed = sum(len(s.samples) for s in group), sum(len(s.unusable) for s in group)
    return _rate(failed, samples, "samples")


def failure_to_enroll(found: Sequence[Enrollments]) -> dict[str, Any]:
    """People who gave enough samples and cannot be enrolled, with the reasons."""
    if not all(one.refused for one in found):
        return _unknown("people")
    why = [r for one in found for r, judged in zip(one.refused, one.judged, strict=True) if judged]
    reasons = Counter(filter(None, why))
    rate = _rate(sum(reasons.values()), len(why), "people")
    rate |= {"reasons": dict(sorted(reasons.items())), "not_judged": sum(int((~one.judged).sum()) for one in found)}
    together = sorted({one.together for one in found})
    if together == [0]:
        return {**rate, "gate": "none: scores only, one usable sample is enough"}
    tried, refused = (sum(one.windows[i] for one in found) for i in (0, 1))
    rows = {"tried": tried, "refused": refused, "interval_95": list(proportion(refused, tried))}
    return {**rate, "gate": "the product's", "samples_together": together[-1], "every_samples_in_a_row": rows}


def transactions(
    group: Sequence[Scored], found: Sequence[Enrollments], points: Mapping[str, Any], attempts: int
) -> dict[str, Any]:
    """Rates of single attempts and of transactions at each operating point of the group.

    Args:
        group, found: sets and who of them is enrolled.
        points: `fnmr_at_fmr` of the group.
        attempts: of one transaction.
    """
    measured = {name: point for name, point in points.items() if point != NOT_MEASURABLE}
    limits = [p["threshold"] if isinstance(p["threshold"], float) else np.inf for p in measured.values()]
    fta, fte = failure_to_acquire(group), failure_to_enroll(found)
    if NOT_MEASURABLE in (fta["rate"], fte["rate"]):
        return dict.fromkeys(points, NOT_MEASURABLE)
    own = _acquired_of_enrolled(group, found)
    genuine, missed = _of_enrolled(group, found, limits)
    several = _several(group, found, limits, attempts)
    rates: dict[str, Any] = dict.fromkeys(points, NOT_MEASURABLE)
    for i, (name, point) in enumerate(measured.items()):
        if own["rate"] == NOT_MEASURABLE or not genuine:
            continue
        fnmr = int(missed[i]) / genuine
        frr, far = own["rate"] + (1 - own["rate"]) * fnmr, (1 - fta["rate"]) * point["fmr"]
        rates[name] = {
            "fte": fte["rate"], "fta": fta["rate"], "fta_of_enrolled": own["rate"], "fnmr_of_enrolled": fnmr,
            "far": far, "frr": frr, "gfar": (1 - fte["rate"]) * far, "gfrr": fte["rate"] + (1 - fte["rate"]) * frr,
            "several_attempts": _of_several(several[i], fte["rate"], attempts),
        }  # fmt: skip
    return rates


def _rate(count: int, total: int, what: str) -> dict[str, Any]:
    rate = count / total if total else NOT_MEASURABLE
    return {"rate": rate, "failed": count, what: total, "interval_95": list(proportion(count, total))}


def _unknown(what: str) -> dict[str, Any]:
    """Of scores that only say whether they are genuine."""
    return {"rate": NOT_MEASURABLE, "failed": NOT_STATED, what: NOT_STATED, "interval_95": NOT_MEASURABLE}


def _acquired_of_enrolled(group: Sequence[Scored], found: Sequence[Enrollments]) -> dict[str, Any]:
    samples = failed = 0
    for one, who in zip(group, found, strict=True):
        theirs = who.enrolled[one.subjects]
        samples += int(theirs.sum())
        failed += int(theirs[np.asarray(one.unusable, np.int64)].sum())
    return _rate(failed, samples, "samples")


def _of_enrolled(group: Sequence[Scored], found: Sequence[Enrollments], limits: Sequence[float]) -> tuple[int, Ints]:
    """Genuine comparisons of enrolled people, and those missed at each threshold, int64 [k]."""
    total, missed = 0, np.zeros(len(limits), np.int64)
    for one, who in zip(group, found, strict=True):
        genuine, lost = genuine_counts(one, limits)
        total += int(genuine[who.enrolled].sum())
        missed += lost[:, who.enrolled].sum(axis=1)
    return total, missed


def _of_several(counts: Ints, fte: float, attempts: int) -> dict[str, Any] | str:
    """FRR and FAR of transactions from (genuine, refused, impostor, accepted)."""
    genuine, refused, impostor, accepted = map(int, counts)
    if not genuine or not impostor:
        return NOT_MEASURABLE
    frr, far = refused / genuine, accepted / impostor
    return {
        "attempts": attempts, "genuine": genuine, "refused": refused, "impostor": impostor, "accepted": accepted,
        "frr": frr, "far": far, "gfrr": fte + (1 - fte) * frr, "gfar": (1 - fte) * far,
    }  # fmt: skip


def _several(group: Sequence[Scored], found: Sequence[Enrollments], limits: Sequence[float], attempts: int) -> Ints:
    """For each threshold (genuine, refused, impostor, accepted) transactions of all sets, int64 [k, 4]."""
    counts = np.zeros((len(limits), 4), np.int64)
    for one, who in zip(group, found, strict=True):
        if isinstance(one, PairList):  # which attempts belong together it does not say
            continue
        enrolled = np.zeros(len(one.subjects), np.bool_)
        enrolled[one.usable] = True
        references = np.flatnonzero(enrolled & who.enrolled[one.subjects])
        of = [np.flatnonzero(one.subjects == person) for person in range(one.people)]
        impostors = np.concatenate([*(_in_order(own, attempts) for own in of), np.empty((0, attempts), np.int64)])
        whose = one.subjects[impostors[:, :1]]
        step = rows_at_once(len(one.subjects) * attempts)
        for start in range(0, references.size, step):
            part = references[start : start + step]
            best = _against(one, part)[impostors].max(axis=1)
            other = whose != one.subjects[part]
            for row, limit in zip(counts, limits, strict=True):
                row[2:] += int(other.sum()), int((other & (best >= limit)).sum())
        own = [of[person] for person in one.subjects[references]]
        genuine = [_in_order(mine[mine != r], attempts) for mine, r in zip(own, references, strict=True)]
        tries = np.concatenate([*genuine, np.empty((0, attempts), np.int64)])
        # all at once: of scores that are made when they are asked for, each row is made once
        best = one.scores[tries, np.repeat(references, [len(part) for part in genuine])[:, None]].max(axis=1)
        for row, limit in zip(counts, limits, strict=True):
            row[:2] += len(best), int((best < limit).sum())
    return counts


def _against(one: Comparisons, references: Ints) -> NDArray[np.float32]:
    """Scores of all samples against these references, float32 [n, references]; those made on demand are symmetric."""
    return one.scores[references].T if isinstance(one.scores, ComputedScores) else one.scores[:, references]


def _in_order(samples: Ints, attempts: int) -> Ints:
    """Samples of one person in their order, so many at a time, int64 [m, attempts]; what is left over tries nothing."""
    return samples[: samples.size // attempts * attempts].reshape(-1, attempts)
