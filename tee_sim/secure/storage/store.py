"""The object store of one device: boot, commit, erasure, key rotation.

Commit, for a disk that may lie and power that may fail between any two steps:

    1  anchor := current root, pending root      RPMB write
    2  disk: one transaction, then read it back
    3  anchor := pending root alone              RPMB write

At boot the root page on the disk must be the current root, or the pending one if there is one; whichever it is
becomes the only one. A disk that claims to have written and has not is found by reading back, or at the next boot.

Not promised: that old ciphertext has left the flash (it is unreadable instead), and availability.
"""

import hashlib
from dataclasses import replace
from uuid import UUID

from tee_sim.secure.keys import RPMB_TEST_KEY, KeyLadder
from tee_sim.secure.rpmb_client import RpmbClient
from tee_sim.secure.storage.anchor import (
    SALT_BYTES,
    Anchor,
    AnchorRecord,
    DiskAnchorSlot,
    DiskTransaction,
    RpmbAnchorSlot,
)
from tee_sim.secure.storage.anchorage import Anchorage
from tee_sim.secure.storage.directory import Tree
from tee_sim.secure.storage.directory_pages import HASH_BYTES, RootInfo
from tee_sim.secure.storage.object_sealer import ObjectSealer
from tee_sim.secure.storage.row_cache import RowCache
from tee_sim.secure.storage.ta_store import Opened, TaStore
from tee_sim.secure.storage.watch import Unwatched, Watch
from tee_sim.shared.blobs import BlobStore, Changes, page_name
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.object_header import Header
from tee_sim.shared.reserve import Condition, Reserve
from tee_sim.shared.rng import Rng
from tee_sim.shared.rpmb_frames import RpmbTransport
from tee_sim.shared.surrounds import Surrounds

READ_BACK_NAMES = 16
"""Rows read back after a transaction: the root page, and of the others the first by name. More would double the cost of
bulk writes; what is not read back is still found when it is used."""

_UNKNOWN = "the device must be restarted: a transaction ended in an unknown state"


class _NotKeptError(TeeError):
    """The disk said that it had written, and what it returns is something else."""


class ObjectStore:
    """All sealed objects of one device. Made by `open`. One writer, one thread.

    Raises TeeError from every method that touches the disk:
        CORRUPT_OBJECT         a page or an object is missing, older than the directory says, or damaged
        SECURITY               the disk as a whole, or the RPMB, is not the one of the last commit
        STORAGE_NO_SPACE, STORAGE_NOT_AVAILABLE, BUSY   as the disk reports; nothing changed, unless a later call says
                               STORAGE_NOT_AVAILABLE too: then the device must be opened again
        STORAGE_READ_ONLY, STORAGE_COUNTER_SPENT   by the `condition` of the store; nothing changed
    """

    def __init__(self, blobs: BlobStore, anchor: Anchorage, ladder: KeyLadder, rng: Rng) -> None:
        self.blobs = blobs
        self.rows = RowCache()
        self.watch: Watch = Unwatched()
        self.tree = Tree(blobs, ladder.device_id, rng)
        self._rng = rng
        self._anchor = anchor
        self._sealer = ObjectSealer(ladder, rng)
        self._dead = False
        self._writer: TaStore | None = None
        self._opened: Opened | None = None

    @classmethod
    def open(
        cls,
        blobs: BlobStore,
        rpmb: RpmbTransport | None,
        ladder: KeyLadder,
        rng: Rng,
        *,
        create: bool = False,
        rpmb_key: bytes | None = None,
    ) -> "ObjectStore":
        """Open the store of a device, finishing or undoing what a power cut interrupted.

        Args:
            ladder: the keys of the device.
            rpmb: None for a store without anchor, whose rollback as a whole is not noticed (level 0).
            create: make an empty store if the device never had one.
            rpmb_key: for tests; `RPMB_TEST_KEY` lowers the level to 100.

        Raises:
            TeeError: ITEM_NOT_FOUND if there is no store and `create` is not set; SECURITY for a rolled back, replaced
                or foreign disk or RPMB; what disk and RPMB raise.
        """
        if rpmb is None:
            slot: DiskAnchorSlot | RpmbAnchorSlot = DiskAnchorSlot(blobs)
        else:
            key = rpmb_key or ladder.rpmb_key()
            slot = RpmbAnchorSlot(RpmbClient(rpmb, key, rng), 100 if key == RPMB_TEST_KEY else 1000)
        anchor = Anchorage(
            Anchor(slot, ladder.derive("store anchor"), ladder.device_id, rng),
            lambda: Anchor(DiskAnchorSlot(blobs), ladder.derive("store anchor on disk"), ladder.device_id, rng),
        )
        store = cls(blobs, anchor, ladder, rng)
        record = store._anchor.read()
        if record is None:
            if not create:
                raise TeeError(TeeResult.ITEM_NOT_FOUND, "this device has no store", hint="initialize the device")
            store._make()
        else:
            store._recover(record)
        return store

    @property
    def epoch(self) -> int:
        """Number of the last committed transaction; 0 for a new store."""
        return self._record.epoch

    @property
    def root_hash(self) -> bytes:
        """SHA-256 of the root page: names this exact state of the store."""
        return self._record.current.hash

    @property
    def anti_rollback_level(self) -> int:
        """gpd.tee.trustedStorage.antiRollback.protectionLevel.

        1000 with an RPMB under a device key, 100 under the public test key, 0 without or once its counter is spent.
        """
        return self._anchor.level

    @property
    def condition(self) -> Condition:
        """Whether and for what the store can be written."""
        return self._anchor.condition

    def namespace(
        self,
        ta: UUID,
        *,
        max_objects: int | None = None,
        max_object_bytes: int | None = None,
        reserve: Reserve = Reserve.ALL,
    ) -> TaStore:
        """The objects of one trusted application, with its quotas and what it may use of the reserve."""
        return TaStore(
            self.tree,
            self._sealer,
            self,
            ta,
            max_objects=max_objects,
            max_object_bytes=max_object_bytes,
            reserve=reserve,
        )

    def name(self, header: Header) -> bytes:
        """The name of an object's row on the disk."""
        return self.row_name(header.ta, header.object_id)

    def row_name(self, ta: UUID, object_id: bytes) -> bytes:
        """The name of the row that an object has, or would have."""
        return self._sealer.name(ta, object_id)

    def check_usable(self) -> None:
        """Raises TeeError STORAGE_NOT_AVAILABLE once a transaction has ended in an unknown state."""
        if self._dead:
            raise TeeError(TeeResult.STORAGE_NOT_AVAILABLE, _UNKNOWN, hint="repeat the command")

    def request(self) -> Surrounds[None]:
        """Keep what is opened in the block: an application that asks twice within one request has it opened once.

        Not longer: bodies do not pile up in memory. Their rows, sealed, are kept in `rows`.
        """
        self._opened = {}
        return Surrounds(None, self._forget_opened)

    def _forget_opened(self) -> None:
        self._opened = None

    @property
    def opened(self) -> Opened:
        """What was opened, or written, in the current `request`; elsewhere a new and empty one each time."""
        return self._opened if self._opened is not None else {}

    @property
    def writer(self) -> TaStore | None:
        """Whose transaction is open."""
        return self._writer

    def begin(self, writer: TaStore) -> None:
        """Take the one turn there is to write. Raises TeeError BAD_STATE if it is taken."""
        self.check_usable()
        if self._writer is not None:
            raise TeeError(TeeResult.BAD_STATE, "a transaction is already open")
        self._writer = writer

    def end(self) -> None:
        """Give the turn back."""
        self._writer = None

    def abandon(self) -> None:
        """End the open transaction, if there is one, without its changes."""
        if self._writer is not None:
            self._writer.give_up()

    def commit(
        self,
        entries: dict[bytes, bytes | None],
        rows: Changes,
        counts: dict[UUID, int],
        reserve: Reserve = Reserve.NONE,
    ) -> None:
        """Make one transaction durable.

        Args:
            entries: directory changes.
            rows: object rows.
            counts: new number of objects of each application touched.
            reserve: what it may use of what is kept for erasures.
        """
        # 1. Fail closed: after a transaction of unknown end nothing is written on top of it.
        self.check_usable()
        # 2. Before anything changes: the last writes of the RPMB's counter are kept for erasures and people's requests.
        self._anchor.make_way(reserve)
        # 3. Everything that can be refused for its size or content is computed in memory; a refusal changes nothing
        #    (TEE Internal Core API 1.3.1, chapter 5: an operation on storage is carried out whole or not at all).
        info = RootInfo(self.tree.info.next_page, self.tree.info.counts | counts)
        update = self.tree.update(entries, info)
        before = self._record
        after = replace(before, epoch=before.epoch + 1, current=update.root)
        #    In the order of the names: which object an application put first is not for the disk to see.
        deletes = sorted([*rows.deletes, *map(page_name, update.freed)])
        puts = dict(sorted((update.puts | rows.puts).items()))
        changes = replace(rows, puts=puts, deletes=tuple(deletes))
        #    What may not be told is refused here, where nothing has been: above a budget the store goes on for others.
        self.watch.committing(changes)
        self._dead = True
        try:
            # 4. The anchor first: a cut after the disk's write and before this would leave a root page that no anchor
            #    knows, and the device could never be opened again. Both roots are good from here on.
            # 5. One transaction of the disk, so that a cut within it leaves one of the two roots.
            # 6. A disk that says it has written and has not (a lying cache) is found before the old root is given up.
            # 7. Only then is the old root key overwritten. This is the moment at which what was erased cannot be opened
            #    any more, and at which an older copy of the disk is refused.
            self._anchor.write_around(replace(before, pending=update.root), after, self._transaction(changes))
        except TeeError as error:
            # 8. Did it happen? The anchor and the root page say so, as after a power cut; the caller's transaction
            #    fails unless it did.
            self._adopt(self._settled(self._anchor.read()))
            self._anchor.write(self._record)
            happened = self._record.epoch == after.epoch
            self._dead = happened and isinstance(error, _NotKeptError)
            if self._dead or not happened:
                raise
        self._adopt(after)
        self._dead = False
        self.tree.adopt(update)

    def _transaction(self, changes: Changes) -> DiskTransaction:
        some = [*list(changes.puts)[:READ_BACK_NAMES], *changes.deletes[:READ_BACK_NAMES]]
        names = sorted({page_name(0), *some})

        def kept(found: list[bytes | None]) -> None:
            if found != [changes.puts.get(name) for name in names]:
                raise _NotKeptError(TeeResult.STORAGE_NOT_AVAILABLE, "the disk did not keep what it accepted")

        return DiskTransaction(self.blobs, changes, names, kept)

    def _make(self) -> None:
        # The disk before the anchor: an anchor is never written for a store that is not there yet. A cut in between
        # leaves a disk without an anchor, which the next `create` makes anew.
        self._anchor.make()
        update = self.tree.make_empty()
        self.blobs.commit(Changes(update.puts))
        self._adopt(AnchorRecord(epoch=0, current=update.root, generation=1, salt=self._rng.bytes(SALT_BYTES)))
        self._anchor.write(self._settled(self._record))
        self.tree.open(update.root)

    def _recover(self, record: AnchorRecord) -> None:
        # 1. Decide which root the disk has; a disk with neither is refused before anything of it is decrypted.
        # 2. Write that decision even if nothing was pending: it uses up the counter value of a write that the host may
        #    be withholding, which could otherwise be played later (as OP-TEE rewrites its FAT block at start).
        # 3. Only then believe the directory.
        self._adopt(self._settled(record))
        self._anchor.settle(self._record)
        self.tree.open(self._record.current)

    def _settled(self, record: AnchorRecord | None) -> AnchorRecord:
        """Decide between the anchor's roots by the root page on the disk."""
        (blob,) = self.blobs.read([page_name(0)])
        digest = hashlib.sha256(blob[HASH_BYTES:]).digest() if blob is not None else b""
        if record is None:
            raise TeeError(TeeResult.SECURITY, "the anchor is gone")
        if digest == record.current.hash:
            return replace(record, pending=None)
        if record.pending is not None and digest == record.pending.hash:
            return replace(record, current=record.pending, pending=None, epoch=record.epoch + 1)
        raise TeeError(
            TeeResult.SECURITY,
            "the disk is not in the state of the last commit: rolled back, replaced or damaged",
            hint="a restored copy is refused; wipe the device to start again",
        )

    def begin_rekey(self) -> None:
        """Start a new key generation, which what is written from now on is of, unless one was started before."""
        self.check_usable()
        if self._record.next_salt is None:
            self._write_record(replace(self._record, next_salt=self._rng.bytes(SALT_BYTES)))

    def finish_rekey(self) -> None:
        """Destroy the old key generation by overwriting its salt: what is still of it never opens again."""
        self.check_usable()
        record = self._record
        if record.next_salt is None:
            raise TeeError(TeeResult.BAD_STATE, "no new key generation was begun")
        self._write_record(replace(record, generation=record.generation + 1, salt=record.next_salt, next_salt=None))

    def _write_record(self, record: AnchorRecord) -> None:
        """Change the anchor alone. If that fails it is unknown which of the two it holds, until the next open."""
        self._anchor.make_way(Reserve.NONE)
        self._dead = True
        self._anchor.write(record)
        self._adopt(record)
        self._dead = False

    def _adopt(self, record: AnchorRecord) -> None:
        """Go on from this record: its state of the store, its key generations."""
        self._record = record
        salts = {record.generation: record.salt}
        if record.next_salt is not None:
            salts[record.generation + 1] = record.next_salt
        self._sealer.use_generations(salts)

    _record: AnchorRecord
