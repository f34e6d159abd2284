"""RFC 6962 Merkle trees: roots, inclusion and consistency proofs, and a frontier that grows in O(log n).

Leaf = SHA-256(00 || data), node = SHA-256(01 || left || right), empty = SHA-256(""); a tree of n leaves splits at the
largest power of two below n (RFC 6962 section 2.1). All functions take and give 32-byte hashes.
"""

import hashlib
from collections.abc import Sequence
from typing import Self

from bioguard.proofs.encoding import ProofInvalid
from tee_sim.shared.dataclass import dataclass

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
MAX_TREE_SIZE = 1 << 40
"""A device that logs a thousand events a second needs 34 years to reach it; it bounds every loop below."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of one entry."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(n: int) -> int:
    return 1 << ((n - 1).bit_length() - 1)


def root_hash(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes."""
    return Frontier.of(leaves).root()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The roots of the complete subtrees of a tree, largest first: all a log must keep to grow and to be signed."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_TREE_SIZE or len(self.peaks) != self.size.bit_count():
            raise ValueError("a tree of n leaves has one peak for each bit set in n")
        if any(len(p) != HASH_BYTES for p in self.peaks):
            raise ValueError("a peak is a 32-byte hash")

    @classmethod
    def of(cls, leaves: Sequence[bytes]) -> Self:
        """The frontier after `leaves`."""
        peaks: list[bytes] = []
        for index, leaf in enumerate(leaves):
            peaks.append(leaf)
            _merge(peaks, index)
        return cls(len(leaves), tuple(peaks))

    def append(self, leaf: bytes) -> "Frontier":
        """The frontier with one leaf more."""
        peaks = [*self.peaks, leaf]
        _merge(peaks, self.size)
        return Frontier(self.size + 1, tuple(peaks))

    def root(self) -> bytes:
        """Root of the whole tree."""
        if not self.peaks:
            return EMPTY_ROOT
        accumulated = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            accumulated = node_hash(peak, accumulated)
        return accumulated


def _merge(peaks: list[bytes], index: int) -> None:
    while index & 1:
        right = peaks.pop()
        peaks.append(node_hash(peaks.pop(), right))
        index >>= 1


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Audit path of leaf `index` in the tree of all `leaves`, leaf sibling first.

    Raises:
        ValueError: no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise ValueError("no such leaf")
    path: list[bytes] = []
    low, high = 0, len(leaves)
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(root_hash(leaves[middle:high]))
            high = middle
        else:
            path.append(root_hash(leaves[low:middle]))
            low = middle
    return tuple(reversed(path))


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> tuple[bytes, ...]:
    """Proof that the tree of the first `old_size` leaves is a prefix of the tree of all (RFC 6962 section 2.1.2).

    Raises:
        ValueError: `old_size` is outside 0..n. The proof from 0 and to itself is empty.
    """
    if not 0 <= old_size <= len(leaves):
        raise ValueError("no such older tree")
    if old_size in (0, len(leaves)):
        return ()
    return tuple(_subproof(leaves, old_size, whole=True))


def _subproof(leaves: Sequence[bytes], old_size: int, *, whole: bool) -> list[bytes]:
    n = len(leaves)
    if old_size == n:
        return [] if whole else [root_hash(leaves)]
    k = _split(n)
    if old_size <= k:
        return [*_subproof(leaves[:k], old_size, whole=whole), root_hash(leaves[k:])]
    return [*_subproof(leaves[k:], old_size - k, whole=False), root_hash(leaves[:k])]


def _refuse(what: str) -> ProofInvalid:
    return ProofInvalid(f"{what} proof does not verify", hint="compare with the log's own checkpoint of that size")


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that `leaf` is number `index` of the tree with this size and root.

    Raises:
        ProofInvalid: it is not, or the path has the wrong length.
    """
    if not 0 <= index < size <= MAX_TREE_SIZE or any(len(h) != HASH_BYTES for h in (leaf, root, *path)):
        raise _refuse("inclusion")
    node, last, accumulated = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise _refuse("inclusion")
        if node & 1 or node == last:
            accumulated = node_hash(sibling, accumulated)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            accumulated = node_hash(accumulated, sibling)
        node, last = node >> 1, last >> 1
    if last != 0 or accumulated != root:
        raise _refuse("inclusion")


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]) -> None:
    """Check that the old tree is a prefix of the new one (RFC 9162 section 2.1.4.2).

    Raises:
        ProofInvalid: it is not, or the path has the wrong length.
    """
    if not 0 <= old_size <= new_size <= MAX_TREE_SIZE or any(len(h) != HASH_BYTES for h in (old_root, new_root, *path)):
        raise _refuse("consistency")
    if old_size in (0, new_size):
        empty_is_empty = old_size != 0 or old_root == EMPTY_ROOT
        if path or not empty_is_empty or (old_size == new_size and old_root != new_root):
            raise _refuse("consistency")
        return
    hashes = list(path)
    if old_size & (old_size - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        raise _refuse("consistency")
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise _refuse("consistency")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    if last != 0 or old != old_root or new != new_root:
        raise _refuse("consistency")
