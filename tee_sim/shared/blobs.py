"""The untrusted disk, as the secure world sees it: names, bytes, and one atomic transaction at a time.

Nothing here is believed. What comes back may be old, another blob, cut short or missing; `storage` finds out.

    blobs.commit(Changes(puts={page_name(0): sealed}, deletes=[object_name(keyed_hash)]))
    blobs.read([page_name(0)])        # -> [b"..."] or [None]
    blobs.scan(after=b"", limit=100)  # names in bytewise order

A name is one letter and a key: `a` (the anchor of a store without RPMB), `p` || page number u64 BE, `o` || 32 bytes
that the secure world makes of application and object id, under a key of the device. Nothing that an application has
chosen is in a name. Blob layouts: docs/formats/storage.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import NamedTuple, Protocol, runtime_checkable

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.rpmb_frames import FRAME_BYTES, Frame, RpmbResult, RpmbTransport

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


class Committed(NamedTuple):
    """What came of a transaction, as far as it came.

    Attributes:
        answers: of the RPMB: to the write before it, and, once it was kept, to the one after it.
        found: what the disk then holds; nothing if the first write was refused.
    """

    answers: list[bytes]
    found: list[bytes | None]


Around = tuple[bytes, ...]
"""The RPMB's writes before and after a transaction, each with the request for its result; or none."""


@runtime_checkable
class CommitsAround(Protocol):
    """A `BlobStore` that carries out a transaction between two writes of the RPMB, in one message."""

    def commit_around(
        self, rpmb: RpmbTransport | None, changes: Changes, names: Sequence[bytes], around: Around
    ) -> Committed:
        """As the function of this name. An error says nothing of how far it came."""
        ...


def commit_around(
    blobs: BlobStore, rpmb: RpmbTransport | None, changes: Changes, names: Sequence[bytes], around: Around
) -> Committed:
    """Apply a transaction between two writes of an RPMB, and return what the disk then holds under these names.

    Whoever is at the disk stops where a step fails: it sees the chip's result, which it cannot authenticate, and
    whether the disk holds what was put. So a disk that loses a write leaves the anchor of before, and is found.

    Raises:
        TeeError: as `BlobStore.commit` and `RpmbTransport.transfer`.
    """
    if isinstance(blobs, CommitsAround):
        return blobs.commit_around(rpmb, changes, names, around)

    def apply() -> list[bytes | None]:
        blobs.commit(changes)
        return blobs.read(names)

    return carry_out(rpmb, around, apply, [changes.puts.get(name) for name in names])


def carry_out(
    rpmb: RpmbTransport | None,
    around: Around,
    apply: Callable[[], list[bytes | None]],
    expected: list[bytes | None],
) -> Committed:
    """The steps of `commit_around`, at the disk.

    Args:
        apply: carries out the transaction, and reads back.
        expected: what should be read.
    """
    if rpmb is None or not around:
        return Committed([], apply())
    before, after = around
    first = rpmb.transfer(before, 1)
    if len(first) != FRAME_BYTES or Frame.from_bytes(first).result != RpmbResult.OK:
        return Committed([first], [])
    found = apply()
    return Committed([first, rpmb.transfer(after, 1)] if found == expected else [first], found)
