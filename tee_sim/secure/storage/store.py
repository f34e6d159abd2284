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
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tee_sim.secure.keys import RPMB_TEST_KEY, KeyLadder
from tee_sim.secure.rpmb_client import RpmbClient
from tee_sim.secure.storage.anchor import SALT_BYTES, Anchor, AnchorRecord, DiskAnchorSlot, RpmbAnchorSlot
from tee_sim.secure.storage.anchorage import Anchorage
from tee_sim.secure.storage.directory import Tree, Update
from tee_sim.secure.storage.directory_pages import HASH_BYTES, RootInfo
from tee_sim.secure.storage.ta_store import TaStore
from tee_sim.shared.blobs import BlobStore, Changes, page_name
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.reserve import Condition, Reserve
from tee_sim.shared.rng import Rng
from tee_sim.shared.rpmb_frames import RpmbTransport

READ_BACK_NAMES = 16
"""Rows read back after a transaction: the root page and the newest others. More would double the cost of bulk writes;
what is not read back is still found when it is used."""

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
        self.rng = rng
        self.device_id = ladder.device_id
        self.tree = Tree(blobs, ladder.device_id, rng)
        self._anchor = anchor
        self._ladder = ladder
        self._wrappers: dict[tuple[UUID, int], AESGCM] = {}
        self._dead = False
        self.writer: TaStore | None = None

    @classmethod
    def open(
        cls,
        blobs: BlobStore,
        rpmb: RpmbTransport | None,
        huk: bytes,
        device_id: bytes,
        rng: Rng,
        *,
        create: bool = False,
        rpmb_key: bytes | None = None,
    ) -> "ObjectStore":
        """Open the store of a device, finishing or undoing what a power cut interrupted.

        Args:
            rpmb: None for a store without anchor, whose rollback as a whole is not noticed (level 0).
            create: make an empty store if the device never had one.
            rpmb_key: for tests; `RPMB_TEST_KEY` lowers the level to 100.

        Raises:
            TeeError: ITEM_NOT_FOUND if there is no store and `create` is not set; SECURITY for a rolled back, replaced
                or foreign disk or RPMB; what disk and RPMB raise.
        """
        ladder = KeyLadder(huk, device_id)
        if rpmb is None:
            cell: DiskAnchorSlot | RpmbAnchorSlot = DiskAnchorSlot(blobs)
        else:
            key = rpmb_key or ladder.rpmb_key()
            cell = RpmbAnchorSlot(RpmbClient(rpmb, key, rng), 100 if key == RPMB_TEST_KEY else 1000)
        anchor = Anchorage(
            Anchor(cell, ladder.derive("store anchor"), device_id, rng),
            lambda: Anchor(DiskAnchorSlot(blobs), ladder.derive("store anchor on disk"), device_id, rng),
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

    def namespace(self, ta: UUID, *, max_objects: int | None = None, max_object_bytes: int | None = None) -> TaStore:
        """The objects of one trusted application, with its quotas."""
        return TaStore(self, ta, max_objects=max_objects, max_object_bytes=max_object_bytes)

    def wrapper(self, ta: UUID, generation: int) -> AESGCM:
        """The cipher that wraps object keys of one application and key generation.

        Raises:
            TeeError: CORRUPT_OBJECT for a generation whose salt is gone.
        """
        known = self._wrappers.get((ta, generation))
        if known is None:
            salt = self._salts().get(generation)
            if salt is None:
                raise TeeError(TeeResult.CORRUPT_OBJECT, "object has a key generation that was destroyed")
            known = self._wrappers[ta, generation] = AESGCM(self._ladder.wrap_key(ta, salt))
        return known

    @property
    def newest_generation(self) -> int:
        """The key generation new objects use."""
        return max(self._salts())

    def _salts(self) -> dict[int, bytes]:
        record = self._record
        salts = {record.generation: record.salt}
        if record.next_salt is not None:
            salts[record.generation + 1] = record.next_salt
        return salts

    def check_usable(self) -> None:
        """Raises TeeError STORAGE_NOT_AVAILABLE once a transaction has ended in an unknown state."""
        if self._dead:
            raise TeeError(TeeResult.STORAGE_NOT_AVAILABLE, _UNKNOWN, hint="restart the device")

    def abandon(self) -> None:
        """End the open transaction, if there is one, without its changes."""
        if self.writer is not None:
            self.writer.give_up()

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
        self.check_usable()
        self._anchor.make_way(reserve)
        info = RootInfo(self.tree.info.next_page, self.tree.info.counts | counts)
        update = self.tree.update(entries, info)
        before = self._record
        after = replace(before, epoch=before.epoch + 1, current=update.root)
        deletes = (*rows.deletes, *(page_name(n) for n in sorted(update.freed)))
        changes = replace(rows, puts=update.puts | rows.puts, deletes=deletes)
        self._dead = True
        try:
            self._anchor.write(replace(before, pending=update.root))
            self.blobs.commit(changes)
            self._read_back(update, changes)
            self._anchor.write(after)
        except TeeError as error:
            # Did it happen? The anchor and the root page say so, as after a power cut.
            self._record = self._settled(self._anchor.read())
            self._anchor.write(self._record)
            happened = self._record.epoch == after.epoch
            self._dead = happened and isinstance(error, _NotKeptError)
            if self._dead or not happened:
                raise
        self._record = after
        self._dead = False
        self.tree.adopt(update)

    def _read_back(self, update: Update, changes: Changes) -> None:
        names = [page_name(0), *list(changes.puts)[-READ_BACK_NAMES:], *changes.deletes[-READ_BACK_NAMES:]]
        for name, blob in zip(names, self.blobs.read(names), strict=True):
            if blob != changes.puts.get(name):
                raise _NotKeptError(TeeResult.STORAGE_NOT_AVAILABLE, "the disk did not keep what it accepted")

    def _make(self) -> None:
        self._anchor.make()
        update = self.tree.make_empty()
        self.blobs.commit(Changes(update.puts))
        self._record = AnchorRecord(epoch=0, current=update.root, generation=1, salt=self.rng.bytes(SALT_BYTES))
        self._anchor.write(self._settled(self._record))
        self.tree.open(update.root)

    def _recover(self, record: AnchorRecord) -> None:
        self._record = self._settled(record)
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

    def rekey(self, *, batch: int = 256) -> Iterator[int]:
        """Give every object a new key under a new key generation, then destroy the old generation.

        A generator: each step is one transaction of up to `batch` objects and yields how many are done. It may be
        abandoned or cut off at any step; both generations open until a later `rekey` has finished.
        """
        self.check_usable()
        if self._record.next_salt is None:
            self._write_record(replace(self._record, next_salt=self.rng.bytes(SALT_BYTES)))
        done = 0
        for ta in list(self.tree.info.counts):
            for count in self.namespace(ta).renew(self.newest_generation, batch):
                done += count
                yield done
        record = self._record
        salt = self._salts()[record.generation + 1]
        self._write_record(replace(record, generation=record.generation + 1, salt=salt, next_salt=None))
        self._wrappers.clear()

    @property
    def rekey_in_progress(self) -> bool:
        """Whether a `rekey` was started and not finished."""
        return self._record.next_salt is not None

    def _write_record(self, record: AnchorRecord) -> None:
        """Change the anchor alone. If that fails it is unknown which of the two it holds, until the next open."""
        self._anchor.make_way(Reserve.NONE)
        self._dead = True
        self._anchor.write(record)
        self._record = record
        self._dead = False

    def verify(self) -> int:
        """Open every page and every object and account for every row. Return the number of objects.

        Raises:
            TeeError: CORRUPT_OBJECT for the first that does not fit, or for rows the directory does not know.
        """
        known = {page_name(number) for number in self.tree.page_numbers()}
        objects = 0
        for ta in self.tree.info.counts:
            for stored in self.namespace(ta).load():
                objects += 1
                known.add(b"o" + ta.bytes + stored.header.object_id)
        after = b"b"
        while names := self.blobs.scan(after, 1024):
            if not known.issuperset(names):
                raise TeeError(TeeResult.CORRUPT_OBJECT, "the disk holds rows the directory does not know")
            after = names[-1]
        return objects

    _record: AnchorRecord
