"""Sealing an object's row with its directory entry, and opening a row against the entry. Used by store and views.

A row is written under a fresh key, which the directory keeps wrapped by a key of the application and the key
generation. The generations are those of the anchor: once the salt of one is gone, nothing of it opens any more.

The disk sees of an object its name, which is a keyed hash, its version, its digest and the class of its size. An object
without a digest has 32 bytes in its place that look like one.

Not promised: that a row is the newest. The entry says so, and the directory authenticates the entry.
"""

import hmac
from collections.abc import Mapping
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tee_sim.secure.keys import KeyLadder
from tee_sim.secure.sealing import KEY_BYTES, open_body, seal_body, unwrap_key, wrap_key
from tee_sim.secure.storage.directory_pages import DirectoryEntry
from tee_sim.secure.storage.size_classes import pad, padded_size
from tee_sim.shared.blobs import object_name
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.object_header import COMMITMENT_BYTES, NONCE_BYTES, TAG_BYTES, Header, parse_header
from tee_sim.shared.rng import Rng

_VERSION_BYTES = 8
_NAMES_KEPT = 4096
"""Names of rows by what they are of, half a megabyte: a request asks for those of one person again and again."""
_HEAD_BYTES = _VERSION_BYTES + COMMITMENT_BYTES
_CLEAR_BYTES = _HEAD_BYTES + NONCE_BYTES
"""Of a row: what precedes the ciphertext."""


@dataclass(frozen=True, slots=True)
class OpenedObject:
    """An opened object."""

    header: Header
    body: bytes


@dataclass(frozen=True, slots=True)
class SealedObject:
    """What is stored of an object, in bytes: its directory entry, and its row on the disk."""

    entry: bytes
    row: bytes


class ObjectSealer:
    """Object keys and their wrapping, for every application of one device."""

    def __init__(self, ladder: KeyLadder, rng: Rng) -> None:
        self._ladder = ladder
        self._rng = rng
        self._names = hmac.new(ladder.derive("object names"), digestmod="sha256")
        self._known_names: dict[bytes, bytes] = {}
        self._filler_key = ladder.derive("absent digests")
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

    def name(self, ta: UUID, object_id: bytes) -> bytes:
        """The name of an object's row. It tells nothing to whoever has not the keys of the device."""
        key = ta.bytes + object_id
        known = self._known_names.get(key)
        if known is None:
            keyed = self._names.copy()  # two fifths of the time of a new one
            keyed.update(key)
            known = object_name(keyed.digest())
            if len(self._known_names) >= _NAMES_KEPT:
                self._known_names.clear()
            self._known_names[key] = known
        return known

    def _head(self, header: Header, raw: bytes) -> bytes:
        """What the disk sees of a header: version and digest.

        Whether there is a digest is the application's choice, so a row without one has something in its place, another
        thing for each version.
        """
        digest = header.commitment or hmac.digest(self._filler_key, raw, "sha256")
        return header.version.to_bytes(_VERSION_BYTES, "big") + digest

    def seal(self, header: Header, body: bytes) -> SealedObject:
        """Seal one version of an object under a fresh key."""
        raw, device_id = header.to_bytes(), self._ladder.device_id
        drawn = self._rng.bytes(KEY_BYTES + 2 * NONCE_BYTES)
        key, nonce, wrap_nonce = drawn[:KEY_BYTES], drawn[KEY_BYTES:-NONCE_BYTES], drawn[-NONCE_BYTES:]
        generation = self.newest_generation
        wrapped = wrap_key(self._wrapper(header.ta, generation), wrap_nonce, device_id, raw, key)
        row = self._head(header, raw) + nonce + seal_body(key, nonce, device_id, raw, pad(body))
        return SealedObject(DirectoryEntry(generation, len(body), wrapped, raw).to_bytes(), row)

    def open(self, ta: UUID, entry: DirectoryEntry, row: bytes | None) -> OpenedObject:
        """Open a row against its entry.

        Raises:
            TeeError: CORRUPT_OBJECT if it is missing, not of this entry, or damaged.
        """
        if row is None:
            raise TeeError(TeeResult.CORRUPT_OBJECT, "object row is missing")
        # 1. The size is the class of the one recorded: what is decrypted is no longer than what was stored.
        if len(row) != _CLEAR_BYTES + padded_size(entry.body_size) + TAG_BYTES:
            raise _misfit()
        # 2. The clear columns are those of the authentic header: an auditor reads them, and they say nothing else.
        header = parse_header(entry.header)
        if not hmac.compare_digest(row[:_HEAD_BYTES], self._head(header, entry.header)):
            raise _misfit()
        # 3. Key, then body, each bound to this device and header: a row moved here from elsewhere does not open.
        device_id = self._ladder.device_id
        key = unwrap_key(self._wrapper(ta, entry.generation), device_id, entry.header, entry.wrapped)
        padded = open_body(key, row[_HEAD_BYTES:_CLEAR_BYTES], device_id, entry.header, row[_CLEAR_BYTES:])
        # 4. Only zeros follow: we write nothing else there.
        body = padded[: entry.body_size]
        if pad(body) != padded:
            raise _misfit()
        return OpenedObject(header, body)


def _misfit() -> TeeError:
    return TeeError(TeeResult.CORRUPT_OBJECT, "object row does not fit the directory")
