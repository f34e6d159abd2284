"""The set of records a device holds, as one signed root, and the proof that a record is not among them.

Each record has a key: SHA-256("bioguard live record v1" || 00 || salted digest). The keys of all records, and a lowest
and a highest one that no record has, are sorted and put into an RFC 6962 tree. A key is absent if two neighbors in that
tree are below and above it. The head is a signed note:

    bioguard.simulated/<id>/records
    <leaves> <root, base64>
    log <entries>
    store <epoch> <SHA-256 of the root page, base64>

Neighbors show as keys: only who knows the salted digest of another record can tell that it is next to this one.
"""

import hashlib
import re
from bisect import bisect_left
from collections.abc import Iterable
from typing import Self

from bioguard.proofs.encoding import ProofInvalid, b64decode, b64encode
from bioguard.proofs.merkle import HASH_BYTES, MAX_TREE_SIZE, inclusion_proof, leaf_hash, root_hash, verify_inclusion
from bioguard.proofs.notes import NoteKey, NoteSigner, open_note
from tee_sim.shared.dataclass import dataclass

LOWEST, HIGHEST = bytes(HASH_BYTES), b"\xff" * HASH_BYTES
_PREFIX = b"bioguard live record v1\x00"
_TEXT = re.compile(
    r"(?P<origin>[^\n]+)\n(?P<size>[0-9]{1,13}) (?P<root>\S+)\nlog (?P<log>[0-9]{1,13})\n"
    r"store (?P<epoch>[0-9]{1,19}) (?P<store>\S+)\n"
)


def record_key(digest: bytes) -> bytes:
    """What stands for the record with this salted digest (32 bytes)."""
    return hashlib.sha256(_PREFIX + digest).digest()


def sorted_keys(digests: Iterable[bytes]) -> list[bytes]:
    """The keys of all records in order, between the two that no record has."""
    return [LOWEST, *sorted(record_key(digest) for digest in digests), HIGHEST]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsHead:
    """All records of a device at one moment.

    Attributes:
        origin: name of the key that signs it.
        size: leaves of the tree: records and two more.
        root: of the tree, 32 bytes.
        log_size: entries of the log at that moment.
        epoch, store_root: number of the store's last commit, and SHA-256 of its root page as it lies on the disk.
    """

    origin: str
    size: int
    root: bytes
    log_size: int
    epoch: int
    store_root: bytes

    @classmethod
    def of(cls, origin: str, digests: Iterable[bytes], *, log_size: int, epoch: int, store_root: bytes) -> Self:
        """The head over these salted digests."""
        keys = sorted_keys(digests)
        root = root_hash([leaf_hash(key) for key in keys])
        return cls(origin=origin, size=len(keys), root=root, log_size=log_size, epoch=epoch, store_root=store_root)

    def text(self) -> str:
        """The note text that is signed."""
        tree = f"{self.origin}\n{self.size} {b64encode(self.root)}\n"
        return f"{tree}log {self.log_size}\nstore {self.epoch} {b64encode(self.store_root)}\n"

    def sign_bytes(self, signer: NoteSigner) -> bytes:
        """The bare signature. The key's name must be the origin."""
        if signer.name != self.origin:
            raise ValueError("a head is signed under its origin's name")
        return signer.sign_bytes(self.text().encode())

    @classmethod
    def open(cls, note: str, key: NoteKey) -> Self:
        """Verify and parse a signed head.

        Raises:
            ProofInvalid: not signed by `key`, another origin, or not canonical.
        """
        text, _ = open_note(note, [key])
        found = _TEXT.fullmatch(text)
        if found is None or found["origin"] != key.name:
            raise ProofInvalid("not a statement about the records of this device", hint="fetch the file again")
        head = cls(
            origin=key.name,
            size=int(found["size"]),
            root=b64decode(found["root"], "records root"),
            log_size=int(found["log"]),
            epoch=int(found["epoch"]),
            store_root=b64decode(found["store"], "store root"),
        )
        sized = len(head.root) == len(head.store_root) == HASH_BYTES and 2 <= head.size <= MAX_TREE_SIZE
        if not sized or head.text() != text:
            raise ProofInvalid("the statement about the records is malformed", hint="fetch the file again")
        return head


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Two neighbors in the tree, between which a key would have to be.

    Attributes:
        position: leaf number of the lower one; the higher one is the next.
        lower, higher: their keys.
        lower_path, higher_path: inclusion proofs, leaf sibling first.
    """

    position: int
    lower: bytes
    higher: bytes
    lower_path: tuple[bytes, ...]
    higher_path: tuple[bytes, ...]

    @classmethod
    def of(cls, keys: list[bytes], digest: bytes) -> Self:
        """The proof that no record has this digest, from `sorted_keys`.

        Raises:
            ValueError: one has.
        """
        wanted = record_key(digest)
        above = bisect_left(keys, wanted)
        if keys[above] == wanted:
            raise ValueError("the record is there")
        leaves = [leaf_hash(key) for key in keys]
        return cls(
            position=above - 1,
            lower=keys[above - 1],
            higher=keys[above],
            lower_path=inclusion_proof(leaves, above - 1),
            higher_path=inclusion_proof(leaves, above),
        )

    def verify(self, digest: bytes, head: RecordsHead) -> None:
        """Check that no record of `head` has this digest.

        Raises:
            ProofInvalid: it is not shown.
        """
        if not self.lower < record_key(digest) < self.higher:
            raise ProofInvalid("the neighbors do not enclose the record", hint="fetch the receipt again")
        for offset, (key, path) in enumerate(((self.lower, self.lower_path), (self.higher, self.higher_path))):
            verify_inclusion(leaf_hash(key), self.position + offset, head.size, path, head.root)
