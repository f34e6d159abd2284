"""A SQLite file, byte by byte (https://www.sqlite.org/fileformat2.html): what no table accounts for has to be zero.

Through `sqlite3` one sees rows; what stands between them, in free pages and in rows that were deleted, one sees here.
"""

import re
from collections.abc import Iterator
from typing import Final

from bioguard.evidence.second_reader.flaws import demand, zeros

_TREES: Final = {2: (12, 4), 5: (12, 4), 10: (8, 0), 13: (8, 0)}
"""Kind of a page of a tree: bytes of its head, bytes of the child in each cell."""
_FRAGMENT: Final = 3
"""A gap of so few bytes between two cells is too small for SQLite to use again."""

_ZEROS: Final = re.compile(b"\\0{8,}")
_PLAIN_SHARE: Final = 0.6
"""Of the different values that random bytes have. A remainder may hold the heads of two rows, which are alike: 0.73 was
seen on a device, 0.83 was the least of 364 remainders of stores that were written at random. English text has half."""
_TELLING_BYTES: Final = 64
_PLAIN_BYTES: Final = 256
"""Shorter remainders are pieces of SQLite's offsets, free blocks and heads of rows as often as of sealed rows, too
short to tell which: 19 and 40 bytes made honest audits red. All of them that look plain may have so many bytes
together, or one in a thousand of the file's."""


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for i in range(9):
        byte = data[at + i]
        if i == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + i + 1
    raise AssertionError


def _offsets_alone(gap: bytes, page_size: int) -> bool:
    """Whether bytes are zeros and big-endian numbers of 16 bits below the page size, however they are aligned."""
    between, within = True, False  # both can be so after a zero
    for byte in gap:
        between, within = within or (between and byte == 0), between and byte < page_size // 256
        if not (between or within):
            return False
    return True


def _looks_sealed(run: bytes) -> bool:
    """Whether bytes have about as many different values as random ones of that number would have."""
    expected = 256 * (1 - (1 - 1 / 256) ** len(run))
    return len(set(run)) >= _PLAIN_SHARE * expected


class SqliteFile:
    """The pages of a database at rest. Raises Unreadable for whatever it cannot account for."""

    def __init__(self, data: bytes) -> None:
        demand(data[:16] == b"SQLite format 3\0", "storage.db begins otherwise")
        self.size = int.from_bytes(data[16:18], "big")
        demand(self.size in {1 << n for n in range(9, 16)}, "storage.db has another page size")
        demand(len(data) % self.size == 0 and data[20] == 0, "storage.db is no whole number of pages")
        zeros(data[72:92], "the reserved part of the head of storage.db")
        self._data, self._seen = data, set[int]()
        self.remains = self.plain = 0
        self.count = len(data) // self.size
        demand(int.from_bytes(data[28:32], "big") == self.count, "storage.db says another number of pages")
        demand(int.from_bytes(data[52:56], "big") == 0, "storage.db has a pointer map")

    def account(self, roots: list[int]) -> None:
        """Walk the trees from their roots (page 1 is the schema's) and the free pages: nothing else may be there."""
        for root in (1, *roots):
            self._tree(root)
        self._free()
        missing = sorted(set(range(1, self.count + 1)) - self._seen)
        demand(not missing, f"page {missing[:1]} of storage.db belongs to nothing")
        most = max(_PLAIN_BYTES, len(self._data) // 1000)
        demand(self.plain <= most, f"the free space of storage.db holds {self.plain} bytes that nothing accounts for")

    def _page(self, number: int) -> bytes:
        demand(0 < number <= self.count and number not in self._seen, f"page {number} of storage.db is there twice")
        self._seen.add(number)
        return self._data[(number - 1) * self.size : number * self.size]

    def _free(self) -> None:
        trunk, counted = int.from_bytes(self._data[32:36], "big"), 0
        while trunk:
            page = self._page(trunk)
            leaves = int.from_bytes(page[4:8], "big")
            words = [int.from_bytes(page[at : at + 4], "big") for at in range(8, self.size, 4)]
            for leaf in words[:leaves]:
                zeros(self._page(leaf), f"free page {leaf} of storage.db")
            old = [word for word in words[leaves:] if word > self.count + _FRAGMENT * self.count]
            demand(not old, f"free page {trunk} of storage.db holds something that nothing accounts for")
            counted += 1 + leaves
            trunk = int.from_bytes(page[:4], "big")
        demand(counted == int.from_bytes(self._data[36:40], "big"), "storage.db says another number of free pages")

    def _tree(self, number: int) -> None:
        page, head = self._page(number), 100 if number == 1 else 0
        kind = page[head]
        demand(kind in _TREES, f"page {number} of storage.db is of no tree")
        size, child = _TREES[kind]
        cells = int.from_bytes(page[head + 3 : head + 5], "big")
        pointers = head + size
        used = [(0, pointers + 2 * cells)]
        for i in range(cells):
            at = int.from_bytes(page[pointers + 2 * i : pointers + 2 * i + 2], "big")
            if child:
                self._tree(int.from_bytes(page[at : at + 4], "big"))
            used.append((at, self._cell(page, kind, at)))
        if child:
            self._tree(int.from_bytes(page[head + 8 : head + 12], "big"))
        used += self._free_blocks(page, head)
        self._gaps(page, number, sorted(used))

    def _free_blocks(self, page: bytes, head: int) -> Iterator[tuple[int, int]]:
        """Four bytes of each free block are SQLite's."""
        at = int.from_bytes(page[head + 1 : head + 3], "big")
        while at:
            yield at, at + 4
            following = int.from_bytes(page[at : at + 2], "big")
            demand(following == 0 or following > at, "a page of storage.db has free blocks in a circle")
            at = following

    def _gaps(self, page: bytes, number: int, used: list[tuple[int, int]]) -> None:
        end = 0
        for start, stop in [*used, (self.size, self.size)]:
            demand(start >= end, f"page {number} of storage.db has cells over each other")
            if start - end > _FRAGMENT:
                self._bookkeeping(page[end:start], f"the free space of page {number} of storage.db")
            end = stop

    def _bookkeeping(self, gap: bytes, what: str) -> None:
        """Content that is deleted is zeroed (`secure_delete`), content that is moved to another page is not always.

        So each run of bytes is made of old offsets within the page, or is what is left of a sealed row: `remains`
        counts those. Anything plainer than sealed bytes is a flaw.
        """
        for run in (piece.strip(b"\0") for piece in re.split(_ZEROS, gap)):
            if not _offsets_alone(b"\0" + run, self.size):  # the upper half of the first may be a zero
                plain = not _looks_sealed(run)
                demand(not plain or len(run) < _TELLING_BYTES, f"{what} holds something that nothing accounts for")
                self.plain += len(run) * plain
                self.remains += len(run)

    def _cell(self, page: bytes, kind: int, at: int) -> int:
        """Where a cell ends; its overflow pages are walked."""
        at += _TREES[kind][1]
        if kind == 5:
            return _varint(page, at)[1]
        payload, at = _varint(page, at)
        if kind == 13:
            at = _varint(page, at)[1]
        most = self.size - 35 if kind == 13 else (self.size - 12) * 64 // 255 - 23
        if payload <= most:
            return at + payload
        least = (self.size - 12) * 32 // 255 - 23
        local = least + (payload - least) % (self.size - 4)
        local = local if local <= most else least
        self._overflow(int.from_bytes(page[at + local : at + local + 4], "big"), payload - local)
        return at + local + 4

    def _overflow(self, number: int, rest: int) -> None:
        while number:
            page = self._page(number)
            here = min(rest, self.size - 4)
            zeros(page[4 + here :], f"the end of overflow page {number} of storage.db")
            rest, number = rest - here, int.from_bytes(page[:4], "big")
        demand(rest == 0, "a row of storage.db ends early")
