"""The one record that makes everything else fresh: 256 bytes, sealed, in the first RPMB block.

States: *settled* (one root) and *pending* (the root before and the root after one transaction). The two writes of a
commit and the disk's own transaction leave at every moment a disk that fits one of the roots in the anchor.

Without an RPMB the record lies on the disk itself: still sealed, but a copy of the whole disk is as good as new
(anti-rollback level 0).

Does not promise: freshness against whoever can turn back the RPMB too: a copy of the chip's image together with the
disk is a copy of the device.
"""

import struct
from collections.abc import Callable, Sequence
from math import inf
from typing import ClassVar, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tee_sim.secure.rpmb_client import RpmbClient
from tee_sim.secure.storage.directory_pages import PageRef
from tee_sim.shared.blobs import ANCHOR_NAME, BlobStore, Changes, commit_around
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.object_header import NONCE_BYTES, TAG_BYTES
from tee_sim.shared.rng import Rng
from tee_sim.shared.rpmb_frames import BLOCK_BYTES, MAX_COUNTER

SALT_BYTES = 32
_MAGIC = b"TSA1"
_LABEL = b"tee_sim anchor v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorRecord:
    """What the anchor says.

    epoch       number of the last finished transaction, u64
    current     key and hash of the root page before or without a pending transaction
    pending     the same after it, or None
    generation  number of the key generation in use, u32
    salt        of that generation, 32 bytes
    next_salt   of the next generation while keys are being rotated, else None
    """

    epoch: int
    current: PageRef
    pending: PageRef | None = None
    generation: int
    salt: bytes
    next_salt: bytes | None = None

    LAYOUT: ClassVar[struct.Struct] = struct.Struct(">QIBB32s32s32s32s32s32s")

    def to_bytes(self) -> bytes:
        """206 bytes."""
        pending = self.pending or PageRef(0, bytes(32), bytes(32))
        return self.LAYOUT.pack(
            self.epoch, self.generation, self.pending is not None, self.next_salt is not None,
            self.current.key, self.current.hash, pending.key, pending.hash, self.salt, self.next_salt or bytes(32),
        )  # fmt: skip

    @classmethod
    def from_bytes(cls, raw: bytes) -> "AnchorRecord":
        """Inverse of `to_bytes`, for authenticated bytes."""
        (epoch, generation, has_pending, has_next, key, digest, pending_key, pending_digest, salt, next_salt) = (
            cls.LAYOUT.unpack(raw)
        )
        return cls(
            epoch=epoch, generation=generation, current=PageRef(0, key, digest),
            pending=PageRef(0, pending_key, pending_digest) if has_pending else None,
            salt=salt, next_salt=next_salt if has_next else None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class DiskTransaction:
    """One transaction of the disk.

    names   to be read back
    kept    raises TeeError for what was found under them, unless it is what was put
    """

    blobs: BlobStore
    changes: Changes
    names: Sequence[bytes]
    kept: Callable[[list[bytes | None]], None]


class AnchorSlot(Protocol):
    """Where the sealed 256 bytes are kept."""

    level: int

    def read(self) -> bytes | None:
        """Return them, or None if it was never written."""
        ...

    def write(self, block: bytes) -> None: ...

    def write_around(self, before: bytes, after: bytes, transaction: DiskTransaction) -> None:
        """Write one block, carry out a transaction of the disk, write the other. Raises TeeError where it ends."""
        ...

    def writes_left(self) -> float:
        """How many more writes there can ever be."""
        ...

    def make(self) -> None:
        """Prepare the place of a new store."""
        ...


class RpmbAnchorSlot:
    """Block 0 of a replay-protected device."""

    def __init__(self, client: RpmbClient, level: int) -> None:
        self._client = client
        self.level = level

    def read(self) -> bytes | None:
        try:
            (block,) = self._client.read(0, 1)
        except TeeError as error:
            if error.result == TeeResult.ITEM_NOT_FOUND:
                return None
            raise
        return block if any(block) else None

    def write(self, block: bytes) -> None:
        self._client.write(0, [block])

    def write_around(self, before: bytes, after: bytes, transaction: DiskTransaction) -> None:
        # One message: the answers are authenticated here, in their order, and what the disk holds is compared between
        # them, as if each step had been asked for by itself. Who carries it out can leave out a step, which is found,
        # and cannot exchange them: each write is good for one value of the counter.
        around = self._client.writes(0, [before], [after])
        answers, found = commit_around(
            transaction.blobs, self._client.transport, transaction.changes, transaction.names, around
        )
        self._client.confirm(answers[0])
        transaction.kept(found)
        if len(answers) < len(around):
            raise TeeError(TeeResult.STORAGE_NOT_AVAILABLE, "the anchor was not written after the transaction")
        self._client.confirm(answers[1])

    def writes_left(self) -> float:
        return MAX_COUNTER - self._client.counter()

    def make(self) -> None:
        try:
            self._client.read_counter()
        except TeeError as error:
            if error.result != TeeResult.ITEM_NOT_FOUND:
                raise
            self._client.program_key()


class DiskAnchorSlot:
    """A row of the untrusted disk."""

    level = 0

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def read(self) -> bytes | None:
        return self._blobs.read([ANCHOR_NAME])[0]

    def write(self, block: bytes) -> None:
        self._blobs.commit(Changes({ANCHOR_NAME: block}, reserved=True))

    def write_around(self, before: bytes, after: bytes, transaction: DiskTransaction) -> None:
        self.write(before)
        transaction.kept(commit_around(transaction.blobs, None, transaction.changes, transaction.names, ()).found)
        self.write(after)

    def writes_left(self) -> float:
        return inf

    def make(self) -> None:
        """Nothing to prepare."""


class Anchor:
    """The sealed record in its slot.

    Raises TeeError SECURITY for a record that is not of this device, and what the slot raises.
    """

    def __init__(self, slot: AnchorSlot, key: bytes, device_id: bytes, rng: Rng) -> None:
        self._slot = slot
        self._aead = AESGCM(key)
        self._associated = _LABEL + device_id
        self._rng = rng
        self.level = slot.level

    def make(self) -> None:
        """Prepare the place of a new store."""
        self._slot.make()

    def writes_left(self) -> float:
        """How many more times the record can be replaced."""
        return self._slot.writes_left()

    def read(self) -> AnchorRecord | None:
        """Return the record, or None if there never was one."""
        block = self._slot.read()
        if block is None:
            return None
        start, end = len(_MAGIC) + NONCE_BYTES, len(_MAGIC) + NONCE_BYTES + AnchorRecord.LAYOUT.size + TAG_BYTES
        if len(block) != BLOCK_BYTES or block[:4] != _MAGIC or any(block[end:]):
            raise TeeError(TeeResult.SECURITY, "anchor is not a record of this store")
        try:
            raw = self._aead.decrypt(block[4:start], block[start:end], self._associated)
        except InvalidTag:
            raise TeeError(TeeResult.SECURITY, "anchor does not open: another device or damage") from None
        return AnchorRecord.from_bytes(raw)

    def write(self, record: AnchorRecord) -> None:
        """Replace the record."""
        self._slot.write(self._sealed(record))

    def write_around(self, before: AnchorRecord, after: AnchorRecord, transaction: DiskTransaction) -> None:
        """Replace the record by one, carry out a transaction of the disk, replace it by the other."""
        self._slot.write_around(self._sealed(before), self._sealed(after), transaction)

    def _sealed(self, record: AnchorRecord) -> bytes:
        nonce = self._rng.bytes(NONCE_BYTES)
        block = _MAGIC + nonce + self._aead.encrypt(nonce, record.to_bytes(), self._associated)
        return block + bytes(BLOCK_BYTES - len(block))
