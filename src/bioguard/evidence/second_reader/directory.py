"""Anchor and directory of the store by docs/formats/storage.md sections 1 to 3."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bioguard.evidence.second_reader.disk import Disk
from bioguard.evidence.second_reader.flaws import Cursor, demand, zeros
from bioguard.evidence.second_reader.keys import Ladder, opened

_LEAF_MOST, _INNER_MOST, _HEAD, _ROOT_HEAD, _APPLICATION = 363, 153, 3, 9, 24
_RECORD: Final = 206


@dataclass(frozen=True, slots=True)
class Anchor:
    """The record in the RPMB: which root counts, and the salt of each generation of keys."""

    epoch: int
    root_key: bytes
    root_hash: bytes
    salts: dict[int, bytes]


@dataclass(frozen=True, slots=True)
class Entry:
    """One object as its leaf says: whose it is, its id, how its key is wrapped, its sealed header."""

    key: bytes
    generation: int
    size: int
    nonce: bytes
    wrapped: bytes
    header: bytes

    @property
    def application(self) -> bytes:
        """UUID of the application."""
        return self.key[:16]


def size_class(size: int) -> int:
    """The smallest of 2^k and 3 * 2^(k-1), k from 8, that is at least `size`."""
    step = 256
    while True:
        for bound in (step, step * 3 // 2):
            if size <= bound:
                return bound
        step *= 2


def open_anchor(sealed: bytes, ladder: Ladder, label: bytes = b"store anchor") -> Anchor:
    """The anchor in a block, or in the row of a store without RPMB. Raises Unreadable."""
    demand(sealed[:4] == b"TSA1", "the anchor begins otherwise")
    nonce, end = sealed[4:16], 16 + _RECORD + 16
    record = opened(ladder.derive(label), nonce, sealed[16:end], b"tee_sim anchor v1" + ladder.device_id, "the anchor")
    zeros(sealed[end:], "the end of the anchor")
    cursor = Cursor(record, "the anchor")
    epoch, generation = cursor.number(8), cursor.number(4)
    pending, next_salt = cursor.number(1), cursor.number(1)
    key, digest, pending_key, pending_hash, salt, salt_after = (cursor.take(32) for _ in range(6))
    demand(len(cursor.rest()) == 0 and {pending, next_salt} <= {0, 1}, "the anchor has another form")
    demand(not pending, "a commit of the store is pending: the device is not at rest")
    zeros(pending_key + pending_hash + (b"" if next_salt else salt_after), "an absent part of the anchor")
    salts = {generation: salt} | ({generation + 1: salt_after} if next_salt else {})
    return Anchor(epoch, key, digest, salts)


class Tree:
    """The pages of the directory, each opened with the key that its parent holds."""

    def __init__(self, disk: Disk, ladder: Ladder) -> None:
        self._disk, self._ladder = disk, ladder
        self.seen: set[int] = set()
        self.keys: list[bytes] = []
        self.sealed: list[bytes] = []
        self.counts: dict[bytes, int] = {}

    def entries(self, anchor: Anchor) -> list[Entry]:
        """All leaves, in order. Raises Unreadable."""
        found = list(self._page(0, anchor.root_key, anchor.root_hash, first=None))
        keys = [entry.key for entry in found]
        demand(keys == sorted(set(keys)), "the directory is not in order")
        for application, count in self.counts.items():
            there = sum(key[:16] == application for key in keys)
            demand(there == count, f"the directory counts {count} objects of an application and has {there}")
        demand({key[:16] for key in keys} <= set(self.counts), "the directory has an application it does not count")
        return found

    def _page(self, number: int, key: bytes, digest: bytes, *, first: bytes | None) -> Iterator[Entry]:
        demand(number in self._disk.pages and number not in self.seen, f"page {number} of the directory is missing")
        self.seen.add(number)
        self.keys.append(key)
        column, sealed = self._disk.pages[number]
        self.sealed.append(sealed)
        demand(column == digest == hashlib.sha256(sealed).digest(), f"page {number} has another hash")
        about = b"tee_sim page v2" + self._ladder.device_id + number.to_bytes(8, "big")
        page = opened(key, bytes(12), sealed, about, f"page {number} of the directory")
        cursor = Cursor(page, f"page {number} of the directory")
        level, count = cursor.number(1), cursor.number(2)
        size = _HEAD
        if number == 0:
            demand(cursor.number(8) > max(self._disk.pages), "a page number would be used again")
            applications = cursor.number(1)
            self.counts = {cursor.take(16): cursor.number(8) for _ in range(applications)}
            size += _ROOT_HEAD + _APPLICATION * applications
        if level == 0:
            entries = [_leaf(cursor) for _ in range(count)]
            demand(first is None or not entries or first <= entries[0].key, f"page {number} begins too early")
            yield from entries
        else:
            children = [_child(cursor) for _ in range(count)]
            demand(
                count and [c[0] for c in children] == sorted({c[0] for c in children}), f"page {number} is unordered"
            )
            for i, (lowest, child, child_key, child_hash) in enumerate(children):
                yield from self._page(child, child_key, child_hash, first=lowest if i else None)
        zeros(cursor.rest(), f"the end of page {number} of the directory")
        size += count * (_INNER_MOST if level else _LEAF_MOST)
        demand(len(page) == size_class(size), f"page {number} of the directory has another size")


def _leaf(cursor: Cursor) -> Entry:
    key = cursor.take(cursor.number(1))
    generation, size, header_size = cursor.number(4), cursor.number(4), cursor.number(2)
    return Entry(key, generation, size, cursor.take(12), cursor.take(48), cursor.take(header_size))


def _child(cursor: Cursor) -> tuple[bytes, int, bytes, bytes]:
    lowest = cursor.take(cursor.number(1))
    return lowest, cursor.number(8), cursor.take(32), cursor.take(32)
