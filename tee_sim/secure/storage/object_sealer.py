"""Sealing an object's row with its directory entry, and opening a row against the entry. Used by store and views.

A row is written under a fresh key, which the directory keeps wrapped by a key of the application and the key
generation. The generations are those of the anchor: once the salt of one is gone, nothing of it opens any more.

Not promised: that a row is the newest. The entry says so, and the directory authenticates the entry.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tee_sim.secure.keys import KeyLadder
from tee_sim.secure.sealing import KEY_BYTES, open_body, seal_body, unwrap_key, wrap_key
from tee_sim.secure.storage.directory_pages import DirectoryEntry
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.object_header import NONCE_BYTES, TAG_BYTES, Header, ObjectRow, parse_header
from tee_sim.shared.rng import Rng


@dataclass(frozen=True, slots=True)
class OpenedObject:
    """An opened object."""

    header: Header
    body: bytes


@dataclass(frozen=True, slots=True)
class SealedObject:
    """What is stored of an object, in bytes: its directory entry and its row. Nothing in here is in the clear but the
    header."""

    entry: bytes
    row: ObjectRow


class ObjectSealer:
    """Object keys and their wrapping, for every application of one device."""

    def __init__(self, ladder: KeyLadder, rng: Rng) -> None:
        self._ladder = ladder
        self._rng = rng
        self._salts: dict[int, bytes] = {}
        self._wrappers: dict[tuple[UUID, int], AESGCM] = {}

    def use_generations(self, salts: Mapping[int, bytes]) -> None:
        """Seal and open with these key generations alone. Ciphers of others are dropped, so that they open nothing."""
        self._salts = dict(salts)
        self._wrappers = {known: cipher for known, cipher in self._wrappers.items() if known[1] in self._salts}

    @property
    def newest_generation(self) -> int:
        """The key generation that new objects use."""
        return max(self._salts)

    def _wrapper(self, ta: UUID, generation: int) -> AESGCM:
        """The cipher that wraps object keys. Raises TeeError CORRUPT_OBJECT for a generation whose salt is gone."""
        known = self._wrappers.get((ta, generation))
        if known is None:
            salt = self._salts.get(generation)
            if salt is None:
                raise TeeError(TeeResult.CORRUPT_OBJECT, "object has a key generation that was destroyed")
            known = self._wrappers[ta, generation] = AESGCM(self._ladder.wrap_key(ta, salt))
        return known

    def seal(self, header: Header, body: bytes) -> SealedObject:
        """Seal one version of an object under a fresh key."""
        raw, device_id = header.to_bytes(), self._ladder.device_id
        key, nonce, wrap_nonce = (self._rng.bytes(n) for n in (KEY_BYTES, NONCE_BYTES, NONCE_BYTES))
        generation = self.newest_generation
        wrapped = wrap_key(self._wrapper(header.ta, generation), wrap_nonce, device_id, raw, key)
        row = ObjectRow(_head(raw) + nonce + seal_body(key, nonce, device_id, raw, body), header)
        return SealedObject(DirectoryEntry(generation, len(body), wrapped, raw).to_bytes(), row)

    def open(self, ta: UUID, entry: DirectoryEntry, row: bytes | None) -> OpenedObject:
        """Open a row against its entry.

        Raises:
            TeeError: CORRUPT_OBJECT if it is missing, not of this entry, or damaged.
        """
        if row is None:
            raise TeeError(TeeResult.CORRUPT_OBJECT, "object row is missing")
        # 1. The clear columns are the authentic header: an auditor reads them, and they must not say anything else.
        head = _head(entry.header)
        start, end = len(head), len(head) + NONCE_BYTES
        # 2. The size is the one recorded, so that what is decrypted is no longer than what was stored.
        if row[:start] != head or len(row) != end + entry.body_size + TAG_BYTES:
            raise TeeError(TeeResult.CORRUPT_OBJECT, "object row does not fit the directory")
        # 3. Key, then body, each bound to this device and header: a row moved here from elsewhere does not open.
        device_id = self._ladder.device_id
        key = unwrap_key(self._wrapper(ta, entry.generation), device_id, entry.header, entry.wrapped)
        body = open_body(key, row[start:end], device_id, entry.header, row[end:])
        return OpenedObject(parse_header(entry.header), body)


def _head(header: bytes) -> bytes:
    return len(header).to_bytes(2, "big") + header
