"""Whose the rows of a search gallery are, and the exact views beside them: arrays, so that a search loops over nobody.

People and records are numbered as they come, and the rows of one record lie side by side. What is removed keeps its
number, and nobody else gets it while the gallery lives.

Does not promise: to follow the store by itself; whoever changes a record says so.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
_GONE = -1


def _with_room(array: NDArray[Any], size: int) -> NDArray[Any]:
    """The array if so many fit, else a larger one with the same beginning: twice as large, so that growing is cheap."""
    if size <= len(array):
        return array
    larger = np.zeros((max(size, 2 * len(array)), *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger


class _People:
    """Who has rows: until when each may be searched for, in wall time, and how many samples each has."""

    def __init__(self) -> None:
        self.ids: list[bytes] = []
        self.until_ms: Numbers = np.zeros(0, np.int64)
        self.samples: Numbers = np.zeros(0, np.int64)
        self.with_samples: Counter[int] = Counter()
        self._numbers: dict[bytes, int] = {}

    def number(self, user: bytes) -> int | None:
        return self._numbers.get(user)

    def numbered(self, user: bytes, until_ms: int) -> int:
        """The number of a user, a new one if need be."""
        number = self._numbers.setdefault(user, len(self.ids))
        if number == len(self.ids):
            self.ids.append(user)
            self.until_ms = _with_room(self.until_ms, len(self.ids))
            self.samples = _with_room(self.samples, len(self.ids))
        self.until_ms[number] = until_ms
        return number

    def extend(self, users: Sequence[bytes], samples: Numbers, until_ms: Numbers) -> Numbers:
        """Have these users, each once or more with so many samples, when there is nobody yet; return their numbers."""
        self._numbers = {user: number for number, user in enumerate(dict.fromkeys(users))}
        self.ids = list(self._numbers)
        numbers = np.fromiter(map(self._numbers.__getitem__, users), np.int64, len(users))
        self.until_ms, self.samples = np.zeros((2, len(self.ids)), np.int64)
        self.until_ms[numbers] = until_ms
        np.add.at(self.samples, numbers, samples)
        self.with_samples = Counter(self.samples.tolist())
        return numbers

    def count(self, number: int, change: int) -> None:
        """So many samples more, or fewer."""
        for weight in (-1, 1):
            self.with_samples[int(self.samples[number])] += weight
            self.samples[number] += change * (weight < 0)


class RowOwners:
    """Which record and person each row belongs to.

    Attributes:
        count: rows that are there.
    """

    def __init__(self) -> None:
        self.count = 0
        self._people = _People()
        self._ids: list[bytes] = []
        self._numbers: dict[bytes, int] = {}
        self._owner: Numbers = np.zeros(0, np.int64)
        self._first: Numbers = np.zeros(0, np.int64)
        self._rows: Numbers = np.zeros(0, np.int64)
        self._ends_ms: Numbers = np.zeros(0, np.int64)
        self._record_of: Numbers = np.zeros(0, np.int64)
        self._used = 0
        self._next_end_ms: int | None = None

    def add(self, user: bytes, record_id: bytes, rows: Numbers, until_ms: int, ends_ms: int) -> None:
        """A record of a user has these rows, which follow all others.

        Args:
            until_ms: wall time until which the user may be searched for.
            ends_ms: wall time at which the record's retention ends.
        """
        number, first = len(self._ids), int(rows[0])
        self._ids.append(record_id)
        self._numbers[record_id] = number
        self._owner, self._first, self._rows, self._ends_ms = (
            _with_room(array, number + 1) for array in (self._owner, self._first, self._rows, self._ends_ms)
        )
        owner = self._people.numbered(user, until_ms)
        self._owner[number], self._first[number] = owner, first
        self._rows[number], self._ends_ms[number] = len(rows), ends_ms
        self._used = first + len(rows)
        self._record_of = _with_room(self._record_of, self._used)
        self._record_of[first : self._used] = number
        self._people.count(owner, len(rows))
        self.count += len(rows)
        self._next_end_ms = ends_ms if self._next_end_ms is None else min(self._next_end_ms, ends_ms)

    def extend(
        self,
        users: Sequence[bytes],
        record_ids: Sequence[bytes],
        samples: Numbers,
        until_ms: Numbers,
        ends_ms: Numbers,
    ) -> None:
        """As `add` for many records whose rows follow each other, when there are none yet."""
        count = len(record_ids)
        ends = np.cumsum(samples)
        self._ids, self._numbers = list(record_ids), dict(zip(record_ids, range(count), strict=True))
        self._owner = self._people.extend(users, samples, until_ms)
        self._first, self._rows, self._ends_ms = ends - samples, samples.copy(), ends_ms.copy()
        self._record_of = np.repeat(np.arange(count, dtype=np.int64), samples)
        self._used = self.count = int(samples.sum())
        self._next_end_ms = int(ends_ms.min()) if count else None

    def remove(self, record_id: bytes, *, closes_gaps: bool = False) -> Numbers:
        """Take a record out; return its rows as they were, none if it is not here.

        Args:
            closes_gaps: whether all rows behind them move up.
        """
        number = self._numbers.pop(record_id, None)
        if number is None:
            return np.zeros(0, np.int64)
        first, rows = int(self._first[number]), int(self._rows[number])
        gone = np.arange(first, first + rows, dtype=np.int64)
        self._record_of[gone] = _GONE
        self._ids[number] = b""
        self._rows[number] = 0
        self._people.count(int(self._owner[number]), -rows)
        self.count -= rows
        if closes_gaps:
            self._record_of[first : self._used - rows] = self._record_of[first + rows : self._used]
            self._first[self._first > first] -= rows
            self._used -= rows
        return gone

    def over(self, now_ms: int) -> list[bytes]:
        """Records whose retention has ended."""
        if self._next_end_ms is None or now_ms < self._next_end_ms:
            return []
        there = np.flatnonzero(self._rows[: len(self._ids)])
        ends_ms = self._ends_ms[there]
        left = ends_ms[ends_ms > now_ms]
        self._next_end_ms = int(left.min()) if left.size else None
        return [self._ids[number] for number in there[ends_ms <= now_ms]]

    def open_to(self, barred: Collection[bytes], now_ms: int) -> NDArray[np.bool_]:
        """Whom a search may find now, by number: has samples and a grant that has not run out, is not barred."""
        people = self._people
        known = len(people.ids)
        among = (people.until_ms[:known] > now_ms) & (people.samples[:known] > 0)
        numbers = (people.number(user) for user in barred)
        among[[number for number in numbers if number is not None]] = False
        return among

    def sample_counts(self) -> list[int]:
        """How many samples people have: each number that occurs."""
        return [samples for samples, people in self._people.with_samples.items() if samples and people]

    def best(
        self, rows: Numbers, scores: NDArray[np.float32], among: NDArray[np.bool_]
    ) -> list[tuple[bytes, bytes, float, int]]:
        """Of these people the records that the rows are of: user, record id, best score, samples of the user.

        In the order in which their rows come.
        """
        records = self._record_of[rows]
        found = among[self._owner[records]]
        numbers, first, which = np.unique(records[found], return_index=True, return_inverse=True)
        best = np.full(len(numbers), -np.inf, np.float32)
        np.maximum.at(best, which, scores[found])
        people, owners = self._people, self._owner[numbers]
        return [
            (people.ids[owners[i]], self._ids[numbers[i]], float(best[i]), int(people.samples[owners[i]]))
            for i in np.argsort(first)
        ]

    def all(self) -> Numbers:
        """Every row that is there, ascending."""
        return np.flatnonzero(self._record_of[: self._used] != _GONE)


class ViewRows:
    """Exact views by row of the gallery, in the precision that they are enrolled in: half of what a search computes in.

    Args:
        dimension: numbers of a view.
    """

    def __init__(self, dimension: int) -> None:
        self._views: NDArray[np.float16] = np.zeros((0, dimension), np.float16)
        self._place: Numbers = np.zeros(0, np.int64)
        self._free: list[int] = []
        self._used = 0

    def put(self, rows: Numbers, views: NDArray[np.floating[Any]]) -> None:
        """Keep a view for each row, float [n, d], exact in float16."""
        reused = [self._free.pop() for _ in range(min(len(self._free), len(rows)))]
        end = self._used + len(rows) - len(reused)
        places = np.array([*reused, *range(self._used, end)], np.int64)
        self._used = end
        before, self._views = self._views, _with_room(self._views, end)
        if before is not self._views:
            before.fill(0)
        self._place = _with_room(self._place, int(rows[-1]) + 1)
        self._views[places] = views
        self._place[rows] = places

    def drop(self, rows: Numbers) -> None:
        """Overwrite the views of rows that are gone."""
        places = self._place[rows]
        self._views[places] = 0
        self._free += places.tolist()

    def of(self, rows: Sequence[int] | Numbers) -> NDArray[np.float32]:
        """Views of rows, float32 [n, d]."""
        return self._views[self._place[rows]].astype(np.float32)
