"""The disk, with what the choice of each message tells counted before it is sent.

A message is charged as the ledger's code words say: which rows, whether they are new, whether their sizes have changed.
What is a function of that and of what was there before costs nothing: the pages of the directory on the way to a row,
what is read back, the two writes of the anchor. The order of names in a message is that of their bytes.

Rows that the core reads on its own before an application runs, those of whoever the request names, cost nothing.
"""

import math
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from tee_sim.secure.ledger import (
    COMMIT_BITS,
    LEAVES_WALK_BITS,
    PAGES_BITS,
    READ_BITS,
    UNDECLARED_BITS,
    WALKS_ON_BITS,
    Ledger,
    Recent,
    Sizes,
    Way,
    choice_bits,
    declared_bits,
    follows,
    gamma_bits,
    new_row_bits,
    row_bits,
    set_bits,
)
from tee_sim.shared.blobs import ANCHOR_NAME, Around, BlobStore, Changes, Committed, commit_around, page_name
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.row_patterns import matches
from tee_sim.shared.rpmb_frames import RpmbTransport

Commits = tuple[tuple[tuple[bytes, str], ...], ...]
_SIZES_KEPT: Final = 65_536
"""Rows and pages whose size is known from when they were read or written; about 10 MB."""
_PAGE: Final = b"p"
_ROOT: Final = page_name(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is known of one request before an application runs.

    Attributes:
        related: names of the rows of whoever it names.
        words: in it, that an id could end in.
        ta: whose rows these are.
        commits: which rows the commits of its command put, as the manifest says.
    """

    related: Collection[bytes] = frozenset()
    words: Collection[bytes] = frozenset()
    ta: UUID | None = None
    commits: Commits = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """A row that is about to be put: whose, its id, how long its header was, if there was one, and is (`Sizes`)."""

    ta: UUID
    object_id: bytes
    header_before: int | None
    header: int


class CountedBlobs:
    """`BlobStore` and `CommitsAround`.

    Args:
        inner: the disk.
        ledger: where each message is charged; over its limit nothing is sent.

    Attributes:
        rows, pages: how many rows of objects, and pages of the directory, there are at most.
    """

    def __init__(self, inner: BlobStore, ledger: Ledger) -> None:
        self._inner = inner
        self._ledger = ledger
        self._recent = Recent()
        self._puts: dict[bytes, Put] = {}
        self._ids: dict[bytes, bytes] = {}
        self._goes_on: set[tuple[UUID, bytes]] = set()
        self._numbered: dict[tuple[UUID, bytes], Put] = {}
        self._sizes: OrderedDict[bytes, int] = OrderedDict()
        self._asked = Asked()
        self._walks = 0
        self._begins: dict[int, float] = {}
        self._batch: tuple[int, frozenset[bytes]] = (0, frozenset())
        self._on_walk = 0
        self._free = False
        self._announced: Changes | None = None
        self.rows = self.pages = 0

    def goes_on(self, ta: UUID, starts: Iterable[bytes]) -> None:
        """Ids of this application that begin so end in a number, and its commits go on with them."""
        self._goes_on.update((ta, start) for start in starts)

    def last(self, ta: UUID, start: bytes) -> bytes | None:
        """The id of the last of its rows that begin so and end in a number, if one was written since the start."""
        put = self._numbered.get((ta, start))
        return None if put is None else put.object_id

    def begin(self, asked: Asked) -> None:
        """A request begins: what it is about."""
        self._asked = asked
        self._puts.clear()
        self._begins.clear()
        self._on_walk = 0

    @contextmanager
    def on_its_own(self) -> Iterator[None]:
        """The core reads what no application has asked for."""
        before, self._free = self._free, True
        try:
            yield
        finally:
            self._free = before

    def putting(self, name: bytes, put: Put) -> None:
        """A row is about to be put."""
        self._puts[name] = put

    def scans(self) -> None:
        """All pages of the directory are about to be read: which ones, is no choice. Raises as `read`."""
        if not self._free and self._ledger.counting:
            self._count(Way.READ, self._leaves_walk() + PAGES_BITS + gamma_bits(self.pages + 1))

    def walk(self, kinds: int) -> int:
        """A walk through the store begins, of all rows or of those of one of so many kinds. Returns its number."""
        self._walks += 1
        self._begins[self._walks] = READ_BITS + 1.0 + choice_bits(kinds + 1)
        return self._walks

    def walks(self, number: int, names: Collection[bytes]) -> None:
        """The next READ is a batch of a walk: these rows, in the order of their names."""
        self._batch = number, frozenset(names)

    def walked(self, number: int) -> None:
        """A walk has come to its end: what comes next is no choice to leave it."""
        self._begins.pop(number, None)
        self._on_walk = 0 if self._on_walk == number else self._on_walk

    def read(self, names: Sequence[bytes]) -> list[bytes | None]:
        """As `BlobStore.read`. Raises TeeError SECURITY, and sends nothing, over the limit."""
        if not names:
            return []
        if not self._free and names != [_ROOT]:  # the root page is the core's own to look at
            self._count(Way.READ, self._read_bits(names))
        found = self._inner.read(names)
        for name, blob in zip(names, found, strict=True):
            self._seen(name, len(blob or b""))
        return found

    def scan(self, after: bytes, limit: int) -> list[bytes]:
        """As `BlobStore.scan`: the core alone asks, and no application chooses what."""
        return self._inner.scan(after, limit)

    def committing(self, changes: Changes) -> None:
        """Count a transaction that is sent next: before the anchor is written for it. Raises as `read`."""
        self._announced = None
        self._count(Way.WRITE, self._commit_bits(changes))
        self._announced = changes

    def commit(self, changes: Changes) -> None:
        """As `BlobStore.commit`. Raises as `read`."""
        self.commit_around(None, changes, (), ())

    def commit_around(
        self, rpmb: RpmbTransport | None, changes: Changes, names: Sequence[bytes], around: Around
    ) -> Committed:
        """As `CommitsAround.commit_around`. Raises as `read`, unless it was counted before."""
        if changes.puts.keys() == {
            ANCHOR_NAME
        }:  # where there is no RPMB to write: a step of a transaction that is counted
            return commit_around(self._inner, rpmb, changes, names, around)
        if changes is not self._announced:
            self.committing(changes)
        self._announced = None
        done = commit_around(self._inner, rpmb, changes, names, around)
        for name, blob in changes.puts.items():
            self._seen(name, len(blob))
        for name in changes.deletes:
            self._recent.drop(name)
            self._sizes.pop(name, None)
            self._ids.pop(name, None)
        return done

    def _count(self, way: Way, bits: float) -> None:
        self._ledger.charge(way, bits)
        if self._ledger.spent:
            raise TeeError(TeeResult.SECURITY, "a storage request would tell more than the manifest allows")

    def _read_bits(self, names: Sequence[bytes]) -> float:
        if not self._ledger.counting:
            return 0.0
        number, batch = self._batch
        if number and batch.issuperset(names):
            return self._walk_bits(number)
        left = self._leaves_walk()
        if names[0][:1] == _PAGE:
            return left + PAGES_BITS + set_bits([row_bits(0, 0, self.pages)] * len(names))
        bits = left + READ_BITS + set_bits([self._row_bits(name) for name in names])
        for name in names:
            self._recent.use(name)
        return bits

    def _commit_bits(self, changes: Changes) -> float:
        if not self._ledger.counting:
            return 0.0
        puts = {name: self._puts[name] for name in changes.puts if name[:1] != _PAGE}
        deletes = [name for name in changes.deletes if name[:1] != _PAGE]
        declared = self._declared(puts, deletes)
        rows = declared if declared < math.inf else self._itemized(puts, deletes)
        bits = COMMIT_BITS + self._leaves_walk() + rows
        for name, put in puts.items():
            last = self._numbered.get((put.ta, put.object_id[:-8]))
            goes_on = last is not None and put.header_before is None and follows(put.object_id, last.object_id)
            sizes = Sizes(
                row_before=self._sizes.get(name),
                row=len(changes.puts[name]),
                header_before=last.header if last is not None and goes_on else put.header_before,
                header=put.header,
            )
            bits += sizes.bits()
            self._recent.use(name)
            self._ids[name] = put.object_id
        for put in puts.values():
            self._number(put)
        self._puts.clear()
        self._ids = {name: known for name, known in self._ids.items() if name in self._recent}
        return bits

    def _number(self, put: Put) -> None:
        """The last of its numbered rows is the one with the highest number: a commit may change earlier ones too."""
        where = put.ta, put.object_id[:-8]
        last = self._numbered.get(where)
        if where in self._goes_on and (last is None or put.object_id >= last.object_id):
            self._numbered[where] = put

    def _declared(self, puts: Mapping[bytes, Put], deletes: Sequence[bytes]) -> float:
        """As one of the commits that the manifest names; infinite if it is none of them."""
        ids = [put.object_id for put in puts.values() if put.ta == self._asked.ta]
        new = [put.object_id for put in puts.values() if put.header_before is None]
        lasts = {start: last.object_id for (ta, start), last in self._numbered.items() if ta == self._asked.ta}
        numbered = {start: [last, *(i for i in new if follows(i, last))] for start, last in lasts.items()}
        for commit in self._asked.commits:
            goes_on = sum(object_id in numbered.get(object_id[:-8], ()) for object_id in new)
            if (
                len(ids) == len(puts)
                and not deletes
                and goes_on == len(new)
                and matches(commit, ids, self._asked.words, numbered)
            ):
                return declared_bits(len(self._asked.commits), goes_on) + choice_bits(len(self._asked.words))
        return math.inf

    def _itemized(self, puts: Mapping[bytes, Put], deletes: Sequence[bytes]) -> float:
        """Row by row."""
        made = [self._made_bits(put) if put.header_before is None else self._row_bits(n) for n, put in puts.items()]
        return UNDECLARED_BITS + set_bits(made) + set_bits([self._row_bits(name) for name in deletes])

    def _row_bits(self, name: bytes) -> float:
        related = len(self._asked.related) if name in self._asked.related else 0
        return row_bits(self._recent.rank(name), related, self.rows)

    def _made_bits(self, put: Put) -> float:
        words = self._asked.words
        about = len(words) if any(_ends_in(put.object_id, word) for word in words) else 0
        ranks = [self._recent.rank(name) for name, known in self._ids.items() if follows(put.object_id, known)]
        return new_row_bits(min(filter(None, ranks), default=0), about, self.rows)

    def _walk_bits(self, number: int) -> float:
        """The next batch of the walk that was read last; or another one, which begins or is gone back to."""
        self._batch = (0, frozenset())
        if number == self._on_walk:
            return WALKS_ON_BITS
        left = self._leaves_walk()
        self._on_walk = number
        return left + self._begins.pop(number, READ_BITS + 1.0 + choice_bits(self._walks))

    def _leaves_walk(self) -> float:
        left, self._on_walk = self._on_walk, 0
        return LEAVES_WALK_BITS if left else 0.0

    def ends(self) -> None:
        """The request ends: where a walk was left, that is counted."""
        self._ledger.charge(Way.READ, self._leaves_walk())

    def _seen(self, name: bytes, size_bytes: int) -> None:
        self._sizes[name] = size_bytes
        self._sizes.move_to_end(name)
        if len(self._sizes) > _SIZES_KEPT:
            self._sizes.popitem(last=False)


def _ends_in(object_id: bytes, word: bytes) -> bool:
    return object_id.endswith(word) and len(object_id) - len(word) <= 2
