"""Rows of a gallery against lists that know everybody by name: whatever comes and goes, in whichever order."""

from random import Random

import numpy as np
import pytest

from bioguard.trusted.biometric.gallery_rows import RowOwners

Held = tuple[bytes, bytes, int, int]
"""User, record, until when the user may be searched for, when the record's retention ends."""


class Rows:
    """What should be there: what each row belongs to, None where a gap was left."""

    def __init__(self, seed: int, *, closes_gaps: bool) -> None:
        self.random = Random(seed)
        self.closes_gaps = closes_gaps
        self.rows: list[Held | None] = []
        self.owners = RowOwners()
        self.until_ms: dict[bytes, int] = {}

    @property
    def records(self) -> dict[bytes, Held]:
        return {held[1]: held for held in self.rows if held is not None}

    def drawn(self) -> tuple[Held, int]:
        user = bytes([self.random.randrange(6)])
        until_ms = self.until_ms[user] = self.random.randrange(100)
        return (user, self.random.randbytes(4), until_ms, self.random.randrange(1, 100)), self.random.randint(1, 3)

    def fill(self, count: int) -> None:
        """As after a start: a user has one time."""
        drawn = [self.drawn() for _ in range(count)]
        self.rows = [held for held, samples in drawn for _ in range(samples)]
        users, ids, _, ends_ms = zip(*(held for held, _ in drawn), strict=True)
        times = [self.until_ms[user] for user in users]
        self.owners.extend(users, ids, *(np.array(c) for c in ([samples for _, samples in drawn], times, ends_ms)))

    def add(self) -> None:
        (held, samples), first = self.drawn(), len(self.rows)
        self.owners.add(held[0], held[1], np.arange(first, first + samples), *held[2:])
        self.rows += [held] * samples

    def remove(self, record_id: bytes) -> None:
        rows = [row for row, held in enumerate(self.rows) if held is not None and held[1] == record_id]
        assert self.owners.remove(record_id, closes_gaps=self.closes_gaps).tolist() == rows
        kept = [held if row not in rows else None for row, held in enumerate(self.rows)]
        self.rows = [held for row, held in enumerate(kept) if row not in rows] if self.closes_gaps else kept

    def samples(self, user: bytes) -> int:
        return sum(held is not None and held[0] == user for held in self.rows)

    def check(self, now_ms: int) -> None:
        there = [row for row, held in enumerate(self.rows) if held is not None]
        assert self.owners.all().tolist() == there
        assert self.owners.count == len(there)
        users = {held[0] for held in self.records.values()}
        assert sorted(self.owners.sample_counts()) == sorted({self.samples(user) for user in users})
        barred = {bytes([self.random.randrange(6)]), b"nobody"}
        among = self.owners.open_to(barred, now_ms)
        rows = self.random.sample(there, len(there))
        scores = {row: np.float32(self.random.randrange(8)) for row in rows}
        expected: dict[bytes, tuple[bytes, bytes, float, int]] = {}
        for row in rows:
            user, record_id, *_ = self.rows[row] or (b"", b"")
            if self.until_ms[user] > now_ms and user not in barred:
                best = max(float(scores[row]), expected[record_id][2] if record_id in expected else 0)
                expected[record_id] = user, record_id, best, self.samples(user)
        found = self.owners.best(np.array(rows, np.int64), np.array([scores[row] for row in rows], np.float32), among)
        assert found == list(expected.values())


@pytest.mark.parametrize("closes_gaps", [True, False], ids=["fingers", "faces"])
@pytest.mark.parametrize("start", [0, 1, 8])
def test_rows_are_whose_they_were_said_to_be(start: int, *, closes_gaps: bool) -> None:
    rows = Rows(start, closes_gaps=closes_gaps)
    if start:
        rows.fill(start)
        rows.check(50)
    for turn in range(80):
        known = sorted(rows.records)
        if known and rows.random.random() < 0.45:
            rows.remove(rows.random.choice(known))
        else:
            rows.add()
        rows.check(turn)
    assert not rows.owners.remove(b"none").size


@pytest.mark.parametrize("start", [0, 8])
def test_a_record_is_over_when_its_retention_ends_and_not_before(start: int) -> None:
    rows = Rows(start, closes_gaps=True)
    if start:
        rows.fill(start)
    for _ in range(4):
        rows.add()
    for now_ms in range(101):
        over = {record_id for record_id, held in rows.records.items() if held[3] <= now_ms}
        assert set(rows.owners.over(now_ms)) == over
        for record_id in over:
            rows.remove(record_id)
        if now_ms == 40:
            rows.add()
    assert not rows.records
