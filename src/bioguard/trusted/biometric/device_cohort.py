"""Hold the fingers of a few other people in memory, and say how much stricter a decision becomes by them.

Enforces: nobody who can enroll makes a decision about somebody else looser than the profile's own table, nor stricter
by more than `CohortScale.most` (`cohort.dilute`, `cohort.raise`): who is in a cohort is not a caller's choice, own
fingers and the same finger again are not, and one person is one finger in it.

Does not promise: that those fingers are of people. And nothing of this is stored: what was computed from a person's
finger is gone with the record, and is computed anew after a start, once for each record that is claimed.

A decision compares its probe with at most MOST_FINGERS times MOST_VIEWS templates, whatever is found, and reads no row
for it (`cohort_fingers`).
"""

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.match.fingerprint.cohort import (
    MOST_FINGERS,
    MOST_VIEWS,
    SCALES,
    CohortSize,
    cohort_of,
    cohort_statistic,
    penalty,
)
from bioguard.match.fingerprint.parameters import ENROLLMENT
from bioguard.records import FaceEmbedding
from bioguard.trusted.biometric.decision import Finger, Ready, ReadyRecord, finger_samples, finger_scores
from bioguard.trusted.biometric.levels import Kind, Levels, levels
from bioguard.trusted.biometric.rates import Terms
from bioguard.trusted.biometric.stored_objects import StoredRecord
from tee_sim.shared.dataclass import dataclass

CODE_VIEWS: Final = 1
"""Of each finger, where protected codes are compared: each takes most of a millisecond."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person's finger, and the wall time until which it may be used if nothing is changed."""

    user: bytes
    until_ms: int
    record: StoredRecord


@dataclass(frozen=True, slots=True)
class Standing:
    """How a probe and a record stand to a cohort: templates that its table is named by, 0 without one; the penalty."""

    templates: int = 0
    penalty: float = 0.0


@dataclass(frozen=True, slots=True)
class _Reference:
    """What is known of a record: its cohort, which fingers are in it, and how alike it is to them."""

    size: CohortSize
    chosen: list[int]
    statistic: float


ALONE: Final = Standing()


class DeviceCohort:
    """The fingers that cohorts are taken from, in the order of `cohort.one_of_each`."""

    def __init__(self, members: Sequence[Member] = ()) -> None:
        self._members = members
        self._ready: dict[int, Sequence[Finger]] = {}
        self._references: dict[tuple[bytes, tuple[int, ...]], _Reference | None] = {}

    def fingers(self, kind: Kind, now_ms: int) -> int:
        """How many fingers are compared with where somebody is claimed who is not among them; 0 if too few."""
        found = cohort_of([self._views(i, kind) for i in self._others(b"", now_ms)], sizes=kind.cohorts)
        return found[0].fingers if found else 0

    def standings(
        self, user: bytes, probe: Ready, records: Sequence[tuple[bytes, ReadyRecord]], kind: Kind, now_ms: int
    ) -> list[Standing]:
        """How a probe and each record (id, record) of one person stand to the fingers of others. Faces stand alone."""
        if isinstance(probe, FaceEmbedding):
            return [ALONE] * len(records)
        others = self._others(user, now_ms)
        views = [self._views(i, kind) for i in others]
        if cohort_of(views, sizes=kind.cohorts) is None:
            return [ALONE] * len(records)
        table = self._table(probe, others, views)
        found = (self._reference(record_id, record, tuple(others), views, kind) for record_id, record in records)
        return [_standing(table, reference, kind) if reference else ALONE for reference in found]

    def forget(self, record_ids: Collection[bytes]) -> None:
        """Keep nothing of records that nobody is compared with."""
        self._references = {key: value for key, value in self._references.items() if key[0] not in record_ids}

    def _others(self, user: bytes, now_ms: int) -> list[int]:
        usable = [i for i, m in enumerate(self._members) if m.user != user and now_ms < m.until_ms]
        return usable[:MOST_FINGERS]

    def _views(self, member: int, kind: Kind) -> int:
        return min(self._members[member].record.samples, CODE_VIEWS if kind.protected else MOST_VIEWS)

    def _templates(self, member: int, views: int) -> Sequence[Finger]:
        if member not in self._ready:
            self._ready[member] = finger_samples(self._members[member].record, views)
        return self._ready[member]

    def _table(self, one: Finger, others: Sequence[int], views: Sequence[int]) -> NDArray[np.float32]:
        """Scores against each view of each finger, float32 [1, fingers, MOST_VIEWS]; -inf where there is none."""
        against = [template for i, count in zip(others, views, strict=True) for template in self._templates(i, count)]
        table = np.full((1, len(others), MOST_VIEWS), -np.inf, np.float32)
        table[0, np.arange(MOST_VIEWS) < np.array(views)[:, None]] = finger_scores(one, against)
        return table

    def _reference(
        self, record_id: bytes, record: ReadyRecord, others: tuple[int, ...], views: Sequence[int], kind: Kind
    ) -> _Reference | None:
        key = record_id, others
        if key not in self._references:
            own = record.fingers
            table = np.concatenate([self._table(one, others, views) for one in own])
            limit = kind.threshold(ENROLLMENT.duplicate_fmr / (len(own) * MOST_VIEWS))
            same = np.flatnonzero(table.max(axis=(0, 2)) >= limit)
            found = cohort_of(views, same.tolist(), sizes=kind.cohorts)
            self._references[key] = found and _Reference(*found, float(_statistics(table, *found).mean()))
        return self._references[key]


def stricter(plain: Levels, kind: Kind, terms: Terms, comparisons: int, standing: Standing) -> Levels:
    """The thresholds of a claim, or those of scores that a cohort normalizes where they are stricter."""
    return plain.or_stricter(levels(kind, terms, comparisons, cohort=standing.templates), standing.penalty)


def _statistics(table: NDArray[np.float32], size: CohortSize, chosen: list[int]) -> NDArray[np.float32]:
    return cohort_statistic(table[:, chosen, : size.views])


def _standing(table: NDArray[np.float32], reference: _Reference, kind: Kind) -> Standing:
    (own,) = _statistics(table, reference.size, reference.chosen)
    return Standing(reference.size.templates, float(penalty(own, reference.statistic, SCALES[kind.score])))
