"""Keep the transparency log, in the application's own anchored store.

Enforces:
* Entries are numbered here; the tree over them is RFC 6962. A missing number, a changed entry or an older tree shows.
* An entry is written in the transaction of what it reports, or not at all: where something happens it is noted, and the
  transaction that stores it, made by `transaction`, writes what was noted. Records are stored and erased in one place
  (`bioguard.trusted.biometric.vault`), which notes each of them.
* Bodies are pruned after LOG_DAYS (policy III.1(2)b, POL-11); leaf hashes stay, so old proofs keep verifying.
* Time does not go back (`now_ms`).

Does not promise: that an entry's time is right, only that it is not before the last one; the clock is the normal
world's (docs/policy.md section 6).

| object id           | kind    | body    |
|---------------------|---------|---------|
| `H`                 | loghead | Head, padded to HEAD_BYTES |
| `L` + first, 8 bytes| log     | Chunk   |
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Annotated, Any

from bioguard.proofs.merkle import Frontier
from bioguard.records.audit_events import MAX_SEQUENCE, Cause, Entry, Event, LogItem, leaf_of
from bioguard.records.consent import DAY_MS, MAX_MS
from bioguard.records.modality import Modality
from tee_sim.shared.clock import MAX_BOOT_MS, Clock, Moment
from tee_sim.shared.codec import array_of, encode
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.reserve import Reserve
from tee_sim.shared.rng import Rng
from tee_sim.shared.schema import Fixed, Items, Record, UpTo
from tee_sim.shared.ta_api import Store, Transaction

LOG_DAYS = 30
"""Policy III.1(2)b: log data are cleared, usually within 30 days."""
CHUNK = 32
"""Entries in one object: an append rewrites at most 32 short entries."""
BLIND_BYTES = 16
_HEAD = b"H"
HEAD_BYTES = 1500
"""41 peaks of 34 bytes and five numbers of at most 9."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head(Record):
    """Where the log stands.

    Attributes:
        last_ms: the latest time it has seen: for the rules, time does not go back behind it.
        last_boot_ms: boot time at that moment: since then time has gone on at least as boot time has.
    """

    size: Annotated[int, UpTo(MAX_SEQUENCE)] = 0
    peaks: Annotated[tuple[bytes, ...], Items(41, Fixed(32))] = ()
    first_body: Annotated[int, UpTo(MAX_SEQUENCE)] = 0
    last_ms: Annotated[int, UpTo(MAX_MS)] = 0
    last_boot_ms: Annotated[int, UpTo(MAX_BOOT_MS)] = 0

    @property
    def frontier(self) -> Frontier:
        """The tree."""
        return Frontier(self.size, self.peaks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk(Record):
    """Up to CHUNK consecutive items."""

    items: Annotated[tuple[LogItem, ...], Items(CHUNK)] = ()


Chunks = Mapping[bytes, list[bytes]]
"""Items of some chunks, each of them encoded."""
LastChunk = tuple[bytes, list[bytes]]
"""The id of the chunk that was written last, and its items."""


def _padded(body: bytes) -> bytes:
    """Length, body, zeros. How many peaks a tree has would else show in the size, and count with a decision."""
    return (len(body).to_bytes(2, "big") + body).ljust(HEAD_BYTES, b"\0")


def _unpadded(data: bytes) -> bytes:
    """What `_padded` was given."""
    return data[2 : 2 + int.from_bytes(data[:2], "big")]


def _chunk_id(sequence: int) -> bytes:
    return b"L" + (sequence - sequence % CHUNK).to_bytes(8, "big")


def _body_ends_ms(entry: Entry) -> int:
    """The first moment at which a body is older than LOG_DAYS."""
    return entry.wall_ms + LOG_DAYS * DAY_MS + 1


class AuditLog:
    """The log of one trusted application."""

    def __init__(self, store: Store, clock: Clock, salts: Rng) -> None:
        self._store = store
        self._clock = clock
        self._salts = salts
        self._pending: list[dict[str, Any]] = []
        self._blinds = b""
        self._last: LastChunk | None = None
        stored = store.find(_HEAD)
        self.head = Head() if stored is None else Head.from_bytes(_unpadded(stored.body))
        self._seen = Moment(wall_ms=self.head.last_ms, boot_ms=self.head.last_boot_ms)

    def now_ms(self) -> int:
        """The time that all rules about dates go by: the wall clock's, but never behind what was seen before.

        Where the wall clock was set back, time goes on from what was seen with the boot clock, which counts what has
        passed since; after a reboot, what has passed since that, which is less and never more.
        """
        return self._now().wall_ms

    def _now(self) -> Moment:
        boot_ms, seen = self._clock.boot_ms(), self._seen
        passed_ms = boot_ms - seen.boot_ms if boot_ms >= seen.boot_ms else boot_ms
        wall_ms = min(max(self._clock.wall_ms(), seen.wall_ms + passed_ms), MAX_MS)
        self._seen = Moment(wall_ms=wall_ms, boot_ms=boot_ms)
        return self._seen

    def note(self, event: Event, **fields: Any) -> None:
        """Queue an entry; it is written with the next transaction, or by `flush`."""
        self._pending.append({"event": event, **fields})

    def record_stored(
        self, user: bytes, modality: Modality, record_id: bytes, digest: bytes, model: Cause | None
    ) -> None:
        """Queue RECORD_STORED, inside the transaction that stores the record."""
        self.note(Event.RECORD_STORED, subject=user, modality=modality, record_id=record_id, digest=digest, cause=model)

    def record_erased(self, user: bytes, modality: Modality, record_id: bytes, digest: bytes, cause: Cause) -> None:
        """Queue RECORD_ERASED, inside the transaction that erases the record."""
        self.note(Event.RECORD_ERASED, subject=user, modality=modality, record_id=record_id, digest=digest, cause=cause)

    def doubt(self) -> None:
        """A request failed: what it noted did not happen, and the next one must not write it."""
        self._pending.clear()

    def flush(self) -> None:
        """Write what is queued."""
        if self._pending:
            with self.transaction():
                pass

    def transaction(self, reserve: Reserve = Reserve.NONE) -> AbstractContextManager[Transaction]:
        """A store transaction that also writes the queued entries; entries of a failed one are dropped."""
        return self._logging(self.head, {}, reserve)

    @contextmanager
    def _logging(self, head: Head, chunks: Chunks, reserve: Reserve) -> Iterator[Transaction]:
        """A store transaction of what changes in the log itself and of the queued entries.

        1. The changes of the block, and whatever it notes.
        2. The entries, in the same commit: there is no change without its entry and no entry without its change.
        3. Only after the commit is the new head the head, with its last chunk: a failed one leaves the old tree.

        Args:
            head: where the log stands before the queued entries.
            chunks: those that change with it; written only together with an entry.
        """
        try:
            with self._store.transaction(reserve) as transaction:
                yield transaction
                head, last = self._write(transaction, head, chunks)
        finally:
            self._pending.clear()
        self.head, self._last = head, last

    def _write(self, transaction: Transaction, head: Head, changed: Chunks) -> tuple[Head, LastChunk | None]:
        if not self._pending:
            return head, self._last
        now, frontier, chunks = self._now(), head.frontier, dict(changed)
        for fields in self._pending:
            entry = Entry(sequence=frontier.size, wall_ms=now.wall_ms, blind=self._blind(), **fields)
            where = _chunk_id(entry.sequence)
            if where not in chunks:
                chunks[where] = self._items(where) if entry.sequence % CHUNK else []
            body = entry.to_bytes()
            leaf = leaf_of(body)
            chunks[where] = [*chunks[where], array_of([encode(leaf), body])]
            frontier = frontier.append(leaf)
        for where, items in chunks.items():
            transaction.put(where, array_of([array_of(items)]), kind="log")
        head = replace(head, size=frontier.size, peaks=frontier.peaks, last_ms=now.wall_ms, last_boot_ms=now.boot_ms)
        transaction.put(_HEAD, _padded(head.to_bytes()), kind="loghead")
        return head, (where, chunks[where])

    def _blind(self) -> bytes:
        """Random bytes of one entry, of those that were asked for at once."""
        if not self._blinds:
            self._blinds = self._salts.bytes(BLIND_BYTES * CHUNK)
        blind, self._blinds = self._blinds[:BLIND_BYTES], self._blinds[BLIND_BYTES:]
        return blind

    def next_objects(self) -> list[bytes]:
        """What is read to log something now: the chunk that is not full yet, unless it is in memory."""
        where = _chunk_id(self.head.size)
        kept = self._last is not None and self._last[0] == where
        return [where] if self.head.size % CHUNK and not kept else []

    def hold_next(self) -> None:
        """Have it in memory: after a transaction it would be asked for by itself."""
        for where in self.next_objects():
            self._last = where, self._items(where)

    def _items(self, where: bytes) -> list[bytes]:
        """The items of a chunk, each encoded."""
        if self._last is not None and self._last[0] == where:
            return self._last[1]
        return [item.to_bytes() for item in self._chunk(where).items]

    def _chunk(self, where: bytes) -> Chunk:
        return Chunk.from_bytes(self._store.get(where).body)

    def read(self, first: int, count: int) -> tuple[LogItem, ...]:
        """Items from number `first` on, at most `count`, all of one chunk; empty past the end."""
        if first >= self.head.size:
            return ()
        offset = first % CHUNK
        return self._chunk(_chunk_id(first)).items[offset : offset + count]

    def overdue(self) -> bool:
        """Whether the oldest body that is left is older than LOG_DAYS."""
        oldest = self.read(self.head.first_body, 1)
        return bool(oldest) and oldest[0].entry is not None and _body_ends_ms(oldest[0].entry) <= self.now_ms()

    def prune(self, due: Callable[[int], bool]) -> int:
        """Drop the bodies older than LOG_DAYS; return how many. The pruning is logged.

        Args:
            due: whether what ends at this time may be dropped; the first that may not keeps all later ones.
        """
        chunks, first, pruned = dict[bytes, list[bytes]](), self.head.first_body, 0
        while first < self.head.size:
            where = _chunk_id(first)
            items = list(self._chunk(where).items)
            before = first
            for offset in range(first % CHUNK, len(items)):
                entry = items[offset].entry
                if entry is not None and not due(_body_ends_ms(entry)):
                    break
                items[offset] = LogItem(leaf=items[offset].leaf, entry=None)
                first += 1
            if first > before:
                chunks[where] = [item.to_bytes() for item in items]
                pruned += first - before
            if first == before or first % CHUNK:
                break
        if not pruned:
            return 0
        # One commit: after a power cut between the two, bodies would be gone and no entry would say that they were.
        self.note(Event.LOG_PRUNED, number=first)
        with self._logging(replace(self.head, first_body=first), chunks, Reserve.NONE):
            pass
        return pruned


class LogClock:
    """`tee_sim.shared.clock.Clock` whose wall time is the log's: no application stamps anything with the host's."""

    def __init__(self, clock: Clock, log: AuditLog) -> None:
        self._clock = clock
        self._log = log

    def wall_ms(self) -> int:
        return self._log.now_ms()

    def boot_ms(self) -> int:
        return self._clock.boot_ms()


class LoggedStore:
    """`Store` whose transactions carry the entries that wait in the log, and nothing else of their own."""

    def __init__(self, inner: Store, log: AuditLog) -> None:
        self.transaction = log.transaction
        self.get, self.find, self.fetch, self.headers = inner.get, inner.find, inner.fetch, inner.headers
        self.load, self.state = inner.load, inner.state
