"""Directory pages: what is in one, as bytes, and sealed. Pure.

A page is a node of a B+-tree over the keys `TA UUID || object id`. A leaf holds entries, an inner page references to
its children. Every time a page is written it gets a fresh random key, and only its parent knows key and hash; the
root's are in the anchor. So one anchor authenticates every page, an old page never fits a new reference, and
overwriting the anchor makes every older version of the path to an erased entry unreadable, for whoever copied the
disk, even with the device's keys (a key tree, as in the secure-deletion literature).

A page is padded as if each of its entries were of the longest there can be: its size tells how many there are, and
nothing of the ids, owners and kinds that an application has chosen.

Layout: docs/formats/storage.md section 2.
"""

import hashlib
import hmac
import struct
from dataclasses import field
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tee_sim.secure.sealing import KEY_BYTES
from tee_sim.secure.storage.size_classes import padded_size
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.object_header import MAX_HEADER_BYTES, MAX_OBJECT_ID_BYTES, NONCE_BYTES
from tee_sim.shared.rng import Rng

HASH_BYTES = 32
_PAGE_LABEL = b"tee_sim page v2"
_NONCE = bytes(NONCE_BYTES)
"""Constant: each page key encrypts exactly one message."""

NEW = -1
"""Number of a page that has none yet."""

_HEAD = struct.Struct(">BH")  # level, number of entries
_ROOT = struct.Struct(">QB")  # next page number, number of applications
_COUNT = struct.Struct(">16sQ")  # TA UUID, objects
_CHILD = struct.Struct(">Q32s32s")  # page number, key, hash
_ENTRY = struct.Struct(">IIH60s")  # generation, body size, header size, wrapped key; then the header

_LONGEST_KEY_BYTES = 1 + 16 + MAX_OBJECT_ID_BYTES
_LONGEST_BYTES = (_LONGEST_KEY_BYTES + _ENTRY.size + MAX_HEADER_BYTES, _LONGEST_KEY_BYTES + _CHILD.size)
"""Of one entry with its key, in a leaf and in an inner page."""


class PageRef(NamedTuple):
    """Where a page is, and all it takes to open it and to know that it is the newest."""

    number: int
    key: bytes
    hash: bytes


class DirectoryEntry(NamedTuple):
    """What the directory knows of one object. `header` is canonical CBOR (tee_sim.shared.object_header.Header)."""

    generation: int
    body_size: int
    wrapped: bytes
    header: bytes

    def to_bytes(self) -> bytes:
        """70 bytes and the header."""
        return _ENTRY.pack(self.generation, self.body_size, len(self.header), self.wrapped) + self.header

    @classmethod
    def from_bytes(cls, raw: bytes) -> "DirectoryEntry":
        """Inverse of `to_bytes`, for bytes out of an authenticated page."""
        generation, body_size, _, wrapped = _ENTRY.unpack_from(raw)
        return cls(generation, body_size, wrapped, raw[_ENTRY.size :])


ENTRY_BYTES = _ENTRY.size
"""What stands before the header in a `DirectoryEntry` as bytes."""


@dataclass(slots=True)
class RootInfo:
    """Kept in the root page only: the next unused page number, and how many objects each application has."""

    next_page: int = 1
    counts: dict[UUID, int] = field(default_factory=dict)

    def copy(self) -> "RootInfo":
        return RootInfo(self.next_page, dict(self.counts))


@dataclass(slots=True)
class Node:
    """A page in memory. `items` are entry bytes (level 0), or references and, before sealing, child nodes.

    `keys` are sorted; in an inner page `keys[i]` is the lowest key child i was given, and everything below `keys[0]`
    belongs to child 0 too.
    """

    level: int
    keys: list[bytes]
    items: list[Any]
    number: int = NEW


def _page_bytes(node: Node, info: RootInfo) -> int:
    """Size of a page with as many entries as this one, whatever is in them."""
    root_bytes = _ROOT.size + len(info.counts) * _COUNT.size if node.number == 0 else 0
    return padded_size(_HEAD.size + root_bytes + len(node.keys) * _LONGEST_BYTES[node.level > 0])


def _encode(node: Node, info: RootInfo) -> bytes:
    parts = [_HEAD.pack(node.level, len(node.keys))]
    if node.number == 0:
        parts.append(_ROOT.pack(info.next_page, len(info.counts)))
        parts += [_COUNT.pack(ta.bytes, count) for ta, count in info.counts.items()]
    for key, item in zip(node.keys, node.items, strict=True):
        parts += [bytes((len(key),)), key, item if isinstance(item, bytes) else _CHILD.pack(*item)]
    return b"".join(parts).ljust(_page_bytes(node, info), b"\0")


def _decode(raw: bytes, number: int) -> tuple[Node, RootInfo]:
    level, count = _HEAD.unpack_from(raw)
    position, info = _HEAD.size, RootInfo()
    if number == 0:
        next_page, applications = _ROOT.unpack_from(raw, position)
        position += _ROOT.size
        info.next_page = next_page
        for _ in range(applications):
            ta, objects = _COUNT.unpack_from(raw, position)
            info.counts[UUID(bytes=ta)] = objects
            position += _COUNT.size
    keys: list[bytes] = []
    items: list[Any] = []
    for _ in range(count):
        start = position + 1
        position = start + raw[position]
        keys.append(raw[start:position])
        if level:
            items.append(PageRef(*_CHILD.unpack_from(raw, position)))
            position += _CHILD.size
        else:
            end = position + _ENTRY.size + int.from_bytes(raw[position + 8 : position + 10], "big")
            items.append(raw[position:end])
            position = end
    node = Node(level, keys, items, number)
    if len(raw) != _page_bytes(node, info) or raw[position:] != bytes(len(raw) - position):
        raise TeeError(TeeResult.CORRUPT_OBJECT, "directory page has a wrong size")
    return node, info


def _associated(device_id: bytes, number: int) -> bytes:
    return _PAGE_LABEL + device_id + number.to_bytes(8, "big")


def seal_page(node: Node, info: RootInfo, device_id: bytes, rng: Rng) -> tuple[PageRef, bytes]:
    """Seal a node whose children are references under a fresh key. Return its reference and the blob for the disk.

    `info` goes into the root page, number 0, only.
    """
    key = rng.bytes(KEY_BYTES)
    sealed = AESGCM(key).encrypt(_NONCE, _encode(node, info), _associated(device_id, node.number))
    digest = hashlib.sha256(sealed).digest()
    return PageRef(node.number, key, digest), digest + sealed


def open_page(ref: PageRef, blob: bytes | None, device_id: bytes) -> tuple[Node, RootInfo]:
    """Open the one page that `ref` means.

    Raises:
        TeeError: CORRUPT_OBJECT if the blob is missing, older, another page or damaged.
    """
    if blob is None:
        raise TeeError(TeeResult.CORRUPT_OBJECT, "directory page is missing")
    sealed = blob[HASH_BYTES:]
    if not hmac.compare_digest(blob[:HASH_BYTES], ref.hash) or hashlib.sha256(sealed).digest() != ref.hash:
        raise TeeError(TeeResult.CORRUPT_OBJECT, "directory page does not match its hash")
    try:
        raw = AESGCM(ref.key).decrypt(_NONCE, sealed, _associated(device_id, ref.number))
    except InvalidTag:
        raise TeeError(TeeResult.CORRUPT_OBJECT, "directory page does not open") from None
    return _decode(raw, ref.number)
