"""GlobalPlatform object ids (0 to 64 bytes) as store ids (1 to 64), and the stored body.

    0..63 bytes   00 || id
    64 bytes      01 || SHA-256(id)

Both are injective (the second for want of SHA-256 collisions).
Body: objectUsage u32 big-endian || id length u8 || id || data. Of a key (kind `gp-key`), between id and data:
length u16 big-endian || canonical CBOR of `tee_sim.gp_objects.keys.Key`.
"""

import hashlib
import struct
from dataclasses import dataclass
from typing import Self

from tee_sim.gp_objects.constants import MAX_ID_BYTES
from tee_sim.gp_objects.keys import Key
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.ta_api import StoredObject

KIND, KEY_KIND = "gp", "gp-key"
"""Kinds of all objects made here; a TA that also uses the store itself keeps clear of these kinds and these ids."""

_HEAD = struct.Struct(">IB")  # usage, id length
_KEY_LENGTH = struct.Struct(">H")
_SHORT, _HASHED = b"\0", b"\1"


def check_id(object_id: object) -> bytes:
    """Return the id. Raises TeeError BAD_PARAMETERS if it is too long, or not immutable.

    The specification demands an id in memory that no one else can write. Here that is `bytes`; a `bytearray` or a
    `memoryview` may be shared.
    """
    if type(object_id) is not bytes or len(object_id) > MAX_ID_BYTES:
        raise TeeError(TeeResult.BAD_PARAMETERS, "object id is too long or not private to the application")
    return object_id


def store_id(object_id: bytes) -> bytes:
    """The store's name for an object."""
    if len(object_id) < MAX_ID_BYTES:
        return _SHORT + object_id
    return _HASHED + hashlib.sha256(object_id).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBody:
    """What is stored of one object. `key` is None for an object of pure data."""

    object_id: bytes
    usage: int
    data: bytes
    key: Key | None = None

    @property
    def kind(self) -> str:
        """Of the store's object; its header is authenticated with the body."""
        return KIND if self.key is None else KEY_KIND

    def to_bytes(self) -> bytes:
        """The stored body."""
        key = b"" if self.key is None else self.key.to_bytes()
        length = b"" if self.key is None else _KEY_LENGTH.pack(len(key))
        return _HEAD.pack(self.usage, len(self.object_id)) + self.object_id + length + key + self.data

    @classmethod
    def of(cls, name: bytes, stored: StoredObject) -> Self:
        """The object that the store calls `name`. Raises TeeError CORRUPT_OBJECT."""
        body = stored.body
        if len(body) >= _HEAD.size:
            usage, size = _HEAD.unpack_from(body)
            start = _HEAD.size + size
            object_id = body[_HEAD.size : start]
            if len(object_id) == size <= MAX_ID_BYTES and store_id(object_id) == name:
                key, data = _split_key(body[start:]) if stored.header.kind == KEY_KIND else (None, body[start:])
                return cls(object_id=object_id, usage=usage, data=data, key=key)
        raise TeeError(TeeResult.CORRUPT_OBJECT, "object does not belong to its id")


def _split_key(rest: bytes) -> tuple[Key, bytes]:
    end = _KEY_LENGTH.size + (_KEY_LENGTH.unpack_from(rest)[0] if len(rest) >= _KEY_LENGTH.size else len(rest))
    try:
        return Key.from_bytes(rest[_KEY_LENGTH.size : end]), rest[end:]
    except TeeError:
        raise TeeError(TeeResult.CORRUPT_OBJECT, "object does not hold the key that it should") from None
