"""What one trusted application sees: its own objects, and transactions over them.

Does not promise: a border against hostile code in the process that has the store; on a device that is the core, and an
application asks it from another one (`tee_sim.secure.hosts`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol
from uuid import UUID

from tee_sim.secure.storage.directory import Tree
from tee_sim.secure.storage.directory_pages import ENTRY_BYTES, DirectoryEntry
from tee_sim.secure.storage.object_sealer import ObjectSealer, OpenedObject, SealedObject
from tee_sim.secure.storage.row_cache import RowCache
from tee_sim.secure.storage.size_classes import padded_size
from tee_sim.secure.storage.watch import Watch
from tee_sim.shared.blobs import BlobStore, Changes
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.limits import MAX_BODY_BYTES
from tee_sim.shared.object_header import Header, owner_and_kind, parse_header
from tee_sim.shared.reserve import Reserve, refuse_more_than

BATCH_BYTES = 512 << 10
BATCH_OBJECTS = 512
"""One read of `load`: half a frame, so that one answer holds it."""


Opened = dict[bytes, tuple[bytes, OpenedObject]]
"""Object by key of the directory, with the entry that it was opened by: another entry is another version."""


class Committer(Protocol):
    """The store, as the views of its applications use it: rows to read, one turn to write, one way to commit."""

    @property
    def blobs(self) -> BlobStore: ...
    @property
    def rows(self) -> RowCache: ...
    @property
    def watch(self) -> Watch: ...
    @property
    def epoch(self) -> int: ...
    @property
    def root_hash(self) -> bytes: ...

    @property
    def opened(self) -> Opened:
        """What was opened, or written, since the current request began; elsewhere a new and empty one each time."""
        ...

    def check_usable(self) -> None:
        """Raises TeeError STORAGE_NOT_AVAILABLE."""
        ...

    def begin(self, writer: TaStore) -> None:
        """Take the one turn there is to write. Raises TeeError BAD_STATE, STORAGE_NOT_AVAILABLE."""
        ...

    def end(self) -> None:
        """Give the turn back."""
        ...

    def commit(
        self, entries: dict[bytes, bytes | None], rows: Changes, counts: dict[UUID, int], reserve: Reserve
    ) -> None:
        """Make one transaction durable."""
        ...


class StoreTransaction:
    """Changes that happen together or not at all. Made by `TaStore.transaction`."""

    def __init__(self, owner: TaStore, sealer: ObjectSealer) -> None:
        self._owner = owner
        self._sealer = sealer
        self.pending: dict[bytes, OpenedObject | None] = {}
        """What a read inside sees; None for what is erased."""
        self.sealed: dict[bytes, SealedObject] = {}
        """What a commit writes of those that are not erased."""

    def put(
        self, object_id: bytes, body: bytes, *, kind: str, owner: bytes = b"", commitment: bytes = b"", ids: bytes = b""
    ) -> Header:
        """Create or replace an object.

        Raises:
            TeeError: STORAGE_NO_SPACE over a quota or the size of a message, BAD_PARAMETERS for a bad header.
        """
        header = self._owner.next_header(object_id, kind=kind, owner=owner, commitment=commitment, ids=ids)
        self._owner.check_quota(object_id, len(body))
        self.keep(header, body)
        return header

    def keep(self, header: Header, body: bytes) -> None:
        """Seal an object under a fresh key, to be written with the transaction."""
        self.sealed[header.object_id] = self._sealer.seal(header, body)
        self.pending[header.object_id] = OpenedObject(header, body)

    def erase(self, object_id: bytes) -> None:
        """Destroy an object's key and row. Raises TeeError ITEM_NOT_FOUND."""
        self._owner.header(object_id)
        self.pending[object_id] = None
        self.sealed.pop(object_id, None)


class TaStore:
    """The objects of one trusted application. Others' do not exist for it. Made by `ObjectStore.namespace`."""

    def __init__(
        self,
        directory: Tree,
        sealer: ObjectSealer,
        committer: Committer,
        ta: UUID,
        *,
        max_objects: int | None = None,
        max_object_bytes: int | None = None,
        reserve: Reserve = Reserve.ALL,
    ) -> None:
        self._directory = directory
        self._sealer = sealer
        self._store = committer
        self._ta = ta
        self._prefix = ta.bytes
        self._max_objects = max_objects
        self._max_object_bytes = min(max_object_bytes or MAX_BODY_BYTES, MAX_BODY_BYTES)
        self._reserve = reserve
        self._open: StoreTransaction | None = None

    def __len__(self) -> int:
        return self._directory.info.counts.get(self._ta, 0) + self._added()

    def _added(self) -> int:
        pending = self._open.pending if self._open else {}
        return sum((put is not None) - self.is_stored(object_id) for object_id, put in pending.items())

    @contextmanager
    def transaction(self, reserve: Reserve = Reserve.NONE) -> Iterator[StoreTransaction]:
        """All puts and erases of the block, or nothing if it raises. Reads inside see them.

        Raises:
            TeeError: BAD_STATE if a transaction is open; ACCESS_DENIED for more of the reserve than the application
                may use; what `ObjectStore.commit` raises.
        """
        refuse_more_than(self._reserve, reserve)
        self._store.begin(self)
        self._open = transaction = StoreTransaction(self, self._sealer)
        try:
            yield transaction
            if self._open is not transaction:
                raise TeeError(TeeResult.BAD_STATE, "the transaction was given up")
            if transaction.pending:
                self._commit(transaction, reserve)
        finally:
            if self._open is transaction:  # not another one, begun after this was given up
                self.give_up()

    def give_up(self) -> None:
        """End the open transaction; what it did not commit is forgotten."""
        self._open = None
        self._store.end()

    def _commit(self, transaction: StoreTransaction, reserve: Reserve) -> None:
        entries: dict[bytes, bytes | None] = {}
        puts: dict[bytes, bytes] = {}
        deletes: list[bytes] = []
        for object_id, put in transaction.pending.items():
            name, key = self._sealer.name(self._ta, object_id), self._prefix + object_id
            if put is not None:
                sealed = transaction.sealed[object_id]
                puts[name], entries[key] = sealed.row, sealed.entry
                self._store.watch.putting(name, object_id, self._directory.lookup(key), sealed.entry)
            elif self.is_stored(object_id):
                deletes.append(name)
                entries[key] = None
        if entries:
            reserve = self._for_erasure(transaction, reserve) if deletes else reserve
            changes = Changes(puts, tuple(deletes), reserved=reserve is not Reserve.NONE)
            self._store.commit(entries, changes, {self._ta: len(self)}, reserve)
            self._keep(transaction)

    def _keep(self, transaction: StoreTransaction) -> None:
        """Remember what a transaction has made durable, and forget what it has erased."""
        opened, rows = self._store.opened, self._store.rows
        for object_id, put in transaction.pending.items():
            name, key = self._sealer.name(self._ta, object_id), self._prefix + object_id
            if put is not None:
                sealed = transaction.sealed[object_id]
                opened[key] = (sealed.entry, put)
                rows.keep(name, sealed.entry, sealed.row)
                self._store.watch.kept(put.header)
            else:
                opened.pop(key, None)
                rows.drop(name)
                self._store.watch.erased(self._ta, object_id)

    def _for_erasure(self, transaction: StoreTransaction, asked: Reserve) -> Reserve:
        """What a transaction that erases may use: all, unless it is an excuse for writing."""
        # One that makes an object, or whose bodies grow, could be repeated until nothing is left for the erasures of
        # others. One that does not ends at the number of objects that there are.
        put_bytes = freed_bytes = 0
        for object_id, put in transaction.pending.items():
            raw = self._directory.lookup(self._prefix + object_id)
            if raw is None and put is not None:
                return max(asked, self._reserve)
            put_bytes += len(put.body) if put is not None else 0
            freed_bytes += DirectoryEntry.from_bytes(raw).body_size if raw is not None else 0
        return Reserve.ALL if put_bytes <= freed_bytes else max(asked, self._reserve)

    def put(
        self, object_id: bytes, body: bytes, *, kind: str, owner: bytes = b"", commitment: bytes = b"", ids: bytes = b""
    ) -> Header:
        """A transaction of one put."""
        with self.transaction() as transaction:
            return transaction.put(object_id, body, kind=kind, owner=owner, commitment=commitment, ids=ids)

    def erase(self, object_id: bytes) -> None:
        """A transaction of one erasure."""
        with self.transaction() as transaction:
            transaction.erase(object_id)

    def state(self) -> tuple[int, bytes]:
        """Epoch and root hash of the last commit of the whole store."""
        return self._store.epoch, self._store.root_hash

    def header(self, object_id: bytes) -> Header:
        """Return the authentic header, without touching the object's row. Raises TeeError ITEM_NOT_FOUND."""
        put = self._pending(object_id)
        return (
            put.header
            if put is not None
            else parse_header(DirectoryEntry.from_bytes(self._raw_entry(object_id)).header)
        )

    def get(self, object_id: bytes) -> OpenedObject:
        """Open one object. Raises TeeError ITEM_NOT_FOUND, CORRUPT_OBJECT."""
        put = self._pending(object_id)
        if put is not None:
            return put
        raw, key = self._raw_entry(object_id), self._prefix + object_id
        kept, stored = self._store.opened.get(key, (b"", None))
        if stored is None or kept != raw:
            ((name, row),) = self._read({object_id: raw})
            stored = self._unseal(name, row, raw)
            self._store.opened[key] = (raw, stored)
        return stored

    def fetch(self, object_ids: Sequence[bytes]) -> None:
        """Read these in one request to the disk, as far as they are stored and sound."""
        opened = self._store.opened
        wanted = {}
        for object_id in object_ids:
            raw = self._directory.lookup(self._prefix + object_id)
            if raw is not None and opened.get(self._prefix + object_id, (b"",))[0] != raw:
                wanted[object_id] = raw
        for (object_id, raw), (name, row) in zip(wanted.items(), self._read(wanted), strict=True):
            with suppress(TeeError):  # damaged: whoever asks for this one hears it
                opened[self._prefix + object_id] = (raw, self._unseal(name, row, raw))

    def read_ahead(self, object_ids: Iterable[bytes]) -> None:
        """Have the rows of these in memory: what is there is left alone, and not opened.

        Raises:
            TeeError: CORRUPT_OBJECT if one is damaged; the others are there then.
        """
        wanted = [i for i in object_ids if self.is_stored(i) and not self.is_ahead(i)]
        self.fetch(wanted)
        for object_id in wanted:
            if self._prefix + object_id not in self._store.opened:
                raise TeeError(TeeResult.CORRUPT_OBJECT, "a row that was read ahead is damaged")

    def is_ahead(self, object_id: bytes) -> bool:
        """Whether the row of an object is in memory."""
        raw = self._directory.lookup(self._prefix + object_id)
        return raw is not None and self._store.rows.get(self._sealer.name(self._ta, object_id), raw) is not None

    def _read(self, wanted: Mapping[bytes, bytes], walk: int | None = None) -> list[tuple[bytes, bytes | None]]:
        """Names and rows of objects, by id with their entries. What was not used before is one request to the disk."""
        names = {self._sealer.name(self._ta, object_id): raw for object_id, raw in wanted.items()}
        rows = {name: self._store.rows.get(name, raw) for name, raw in names.items()}
        # In the order of the names, which says nothing: the order asked in is the application's choice.
        missing = sorted(name for name, row in rows.items() if row is None)
        if missing and walk is not None:
            self._store.watch.walks(walk, missing)
        if missing:
            rows |= zip(missing, self._store.blobs.read(missing), strict=True)
        return list(rows.items())

    def _unseal(self, name: bytes, row: bytes | None, raw: bytes) -> OpenedObject:
        """Open a row, and keep it if it is sound. Raises TeeError CORRUPT_OBJECT."""
        stored = self._sealer.open(self._ta, DirectoryEntry.from_bytes(raw), row)
        self._store.rows.keep(name, raw, row or b"")
        return stored

    def find(self, object_id: bytes) -> OpenedObject | None:
        """Open one object; None if there is none. Raises TeeError CORRUPT_OBJECT."""
        try:
            return self.get(object_id)
        except TeeError as error:
            if error.result is not TeeResult.ITEM_NOT_FOUND:
                raise
            return None

    def headers(self) -> Iterator[Header]:
        """All headers in id order, out of the directory."""
        for object_id, raw in self._entries():
            put = self._pending(object_id)
            yield put.header if put is not None else parse_header(DirectoryEntry.from_bytes(raw).header)

    def owners(self) -> Iterator[tuple[bytes, bytes, str]]:
        """Id, owner and kind of what is stored, out of the directory: without what the open transaction changes."""
        for keys, entries in self._directory.leaves(self._prefix):
            for key, raw in zip(keys, entries, strict=True):
                object_id = key[16:]
                yield object_id, *owner_and_kind(raw, ENTRY_BYTES, len(object_id))

    def load(
        self, *, kind: str | None = None, batch: int = BATCH_OBJECTS, keep: bool = False
    ) -> Iterator[OpenedObject]:
        """Open all objects (of one kind) in id order, `batch` at a time.

        Args:
            keep: what is opened for the next walk of this request: an application walks through what was read for it.
        """
        walk = self._store.watch.walk(self._ta)
        waiting: dict[bytes, bytes] = {}
        size = 0
        for object_id, raw in self._entries() if kind is None else self._entries_of(kind):
            waiting[object_id] = raw
            size += padded_size(DirectoryEntry.from_bytes(raw).body_size)
            if size >= BATCH_BYTES or len(waiting) >= batch:
                yield from self._load(waiting, walk, keep=keep)
                waiting, size = {}, 0
        yield from self._load(waiting, walk, keep=keep)
        self._store.watch.walked(walk)

    def _load(self, wanted: dict[bytes, bytes], walk: int, *, keep: bool) -> Iterator[OpenedObject]:
        changed = self._open is not None and bool(self._open.pending)
        stored = {i: raw for i, raw in wanted.items() if not changed or self._pending(i) is None}
        # What the open transaction puts or erases is left out of the walk: which rows it reads is a choice then, and
        # each of them is counted.
        rows = dict(zip(stored, self._read(stored, None if changed else walk), strict=True))
        for object_id, raw in wanted.items():
            put = self._pending(object_id)
            if put is None and object_id in rows:
                kept, put = self._store.opened.pop(self._prefix + object_id, (b"", None))
                if put is None or kept != raw:
                    put = self._unseal(*rows[object_id], raw)
                if keep:
                    self._store.opened[self._prefix + object_id] = raw, put
            yield put if put is not None else self.get(object_id)

    def renew(self, batch: int) -> Iterator[int]:
        """Reseal, in transactions of `batch`, what is not of the newest key generation. Yields how many each did."""
        generation = self._sealer.newest_generation
        old = [i for i, raw in self._entries() if DirectoryEntry.from_bytes(raw).generation != generation]
        for start in range(0, len(old), batch):
            part = [object_id for object_id in old[start : start + batch] if self.is_stored(object_id)]
            with self.transaction() as transaction:
                for object_id in part:
                    stored = self.get(object_id)
                    transaction.keep(stored.header, stored.body)
            yield len(part)

    def next_header(self, object_id: bytes, *, kind: str, owner: bytes, commitment: bytes, ids: bytes) -> Header:
        """The header of the next version of an object. Raises TeeError BAD_PARAMETERS."""
        return Header(
            ta=self._ta, object_id=object_id, version=self._store.epoch + 1, kind=kind, owner=owner,
            commitment=commitment, ids=ids,
        )  # fmt: skip

    def check_quota(self, object_id: bytes, size_bytes: int) -> None:
        """Raises TeeError STORAGE_NO_SPACE if one more object, or one of this size, is too much."""
        if size_bytes > self._max_object_bytes:
            raise TeeError(TeeResult.STORAGE_NO_SPACE, f"object is larger than {self._max_object_bytes} bytes")
        if self._max_objects is not None and len(self) >= self._max_objects and not self._exists(object_id):
            raise TeeError(TeeResult.STORAGE_NO_SPACE, f"quota of {self._max_objects} objects is used up")

    def is_stored(self, object_id: bytes) -> bool:
        """Whether the object existed before the open transaction."""
        return self._directory.lookup(self._prefix + object_id) is not None

    def _exists(self, object_id: bytes) -> bool:
        if self._open is not None and object_id in self._open.pending:
            return self._open.pending[object_id] is not None
        return self.is_stored(object_id)

    def _pending(self, object_id: bytes) -> OpenedObject | None:
        """What the open transaction has put. Raises TeeError ITEM_NOT_FOUND if it has erased it."""
        if self._open is None or object_id not in self._open.pending:
            return None
        put = self._open.pending[object_id]
        if put is None:
            raise _not_found()
        return put

    def _raw_entry(self, object_id: bytes) -> bytes:
        self._store.check_usable()
        raw = self._directory.lookup(self._prefix + object_id)
        if raw is None:
            raise _not_found()
        return raw

    def _entries(self) -> Iterator[tuple[bytes, bytes]]:
        """Ids and entries in id order, with those of the open transaction."""
        self._store.check_usable()
        self._store.watch.scans(self._ta)
        pending = dict(self._open.pending) if self._open else {}
        added = sorted((i for i, put in pending.items() if put is not None and not self.is_stored(i)), reverse=True)
        for key, raw in self._directory.scan(self._prefix):
            object_id = key[16:]
            while added and added[-1] < object_id:
                yield from self._pending_entry(added.pop())
            if object_id not in pending:
                yield object_id, raw
            else:
                yield from self._pending_entry(object_id)
        while added:
            yield from self._pending_entry(added.pop())

    def _entries_of(self, kind: str) -> Iterator[tuple[bytes, bytes]]:
        """The same of one kind. Of which ids it is, is known where nothing is changed: the whole is not looked at."""
        known = None if self._open is not None else self._store.watch.ids(self._ta, kind)
        if known is not None:
            self._store.check_usable()
            entries = ((object_id, self._directory.lookup(self._prefix + object_id)) for object_id in known)
            yield from ((object_id, raw) for object_id, raw in entries if raw is not None)
            return
        marker = kind.encode()
        for object_id, raw in self._entries():
            # The kind and nothing else: whose id or owner has it in it would be read for a walk of that kind.
            if marker in raw and owner_and_kind(raw, ENTRY_BYTES, len(object_id))[1] == kind:
                yield object_id, raw

    def _pending_entry(self, object_id: bytes) -> Iterator[tuple[bytes, bytes]]:
        sealed = self._open.sealed.get(object_id) if self._open else None
        if sealed is not None:
            yield object_id, sealed.entry


def _not_found() -> TeeError:
    return TeeError(TeeResult.ITEM_NOT_FOUND, "no such object")
