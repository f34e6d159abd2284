"""The untrusted disk, as the secure world sees it: names, bytes, and one atomic transaction at a time.

Nothing here is believed. What comes back may be old, another blob, cut short or missing; `storage` finds out.

    blobs.commit(Changes(puts={page_name(0): sealed}, deletes=[object_name(keyed_hash)]))
    blobs.read([page_name(0)])        # -> [b"..."] or [None]
    blobs.scan(after=b"", limit=100)  # names in bytewise order

A name is one letter and a key: `a` (the anchor of a store without RPMB), `p` || page number u64 BE, `o` || 32 bytes
that the secure world makes of application and object id, under a key of the device. Nothing that an application has
chosen is in a name. Blob layouts: docs/formats/storage.md.
"""

from collections.abc import Sequence
from dataclasses import field
from typing import Protocol, runtime_checkable

from tee_sim.shared.dataclass import dataclass

ANCHOR_NAME = b"a"
OBJECT_HASH_BYTES = 32
NAME_BYTES = {b"a": 1, b"p": 1 + 8, b"o": 1 + OBJECT_HASH_BYTES}
"""By the first letter. There are no other names."""
MAX_NAME_BYTES = max(NAME_BYTES.values())


def is_name(name: bytes) -> bool:
    """Whether this is the name of a row there can be."""
    return len(name) == NAME_BYTES.get(name[:1])


def page_name(number: int) -> bytes:
    """Name of a directory page."""
    return b"p" + number.to_bytes(8, "big")


def object_name(keyed_hash: bytes) -> bytes:
    """Name of an object row."""
    return b"o" + keyed_hash


@dataclass(frozen=True, slots=True)
class Changes:
    """One transaction: all of it or nothing. A name occurs in `puts` or in `deletes`, not in both.

    The store gives both in the order of their names: whose row was put first is nobody's business.

    reserved    it may use the space that is kept for erasures
    """

    puts: dict[bytes, bytes] = field(default_factory=dict)
    deletes: tuple[bytes, ...] = ()
    reserved: bool = False


class BlobStore(Protocol):
    """Untrusted storage of named blobs.

    Every method may raise TeeError: STORAGE_NO_SPACE, STORAGE_NOT_AVAILABLE, or COMMUNICATION for an answer that
    cannot be parsed. After a failed `commit` it is unknown whether the transaction happened.
    """

    def read(self, names: Sequence[bytes]) -> list[bytes | None]:
        """Return one blob, or None, for each name, in order."""
        ...

    def scan(self, after: bytes, limit: int) -> list[bytes]:
        """Return up to `limit` names greater than `after`, in bytewise order."""
        ...

    def commit(self, changes: Changes) -> None:
        """Apply one transaction durably. Overwrites what it replaces or deletes."""
        ...


@runtime_checkable
class ReadsBack(Protocol):
    """A `BlobStore` that applies a transaction and returns what it then holds, in one message."""

    def commit_and_read(self, changes: Changes, names: Sequence[bytes]) -> list[bytes | None]:
        """As `commit`, then `read`. An error says nothing of whether the transaction happened."""
        ...


def commit_and_read(blobs: BlobStore, changes: Changes, names: Sequence[bytes]) -> list[bytes | None]:
    """Apply a transaction and return what the disk then holds under these names. Raises as `BlobStore.commit`."""
    if isinstance(blobs, ReadsBack):
        return blobs.commit_and_read(changes, names)
    blobs.commit(changes)
    return blobs.read(names)
