"""GlobalPlatform object ids (0 to 64 bytes) as store ids (1 to 64), and the stored body.

    0..63 bytes   00 || id
    64 bytes      01 || SHA-256(id)

Both are injective (the second for want of SHA-256 collisions).
Body: objectUsage u32 big-endian || id length u8 || id || data.
"""

import hashlib
import struct

from tee_sim.gp_objects.constants import MAX_ID_BYTES
from tee_sim.shared.errors import TeeError, TeeResult

KIND = "gp"
"""Kind of all objects made here; a TA that also uses the store itself keeps clear of this kind and these ids."""

_HEAD = struct.Struct(">IB")  # usage, id length
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


def join(object_id: bytes, usage: int, data: bytes) -> bytes:
    """The stored body."""
    return _HEAD.pack(usage, len(object_id)) + object_id + data


def split(name: bytes, body: bytes) -> tuple[bytes, int, bytes]:
    """Id, usage and data of the object the store calls `name`. Raises TeeError CORRUPT_OBJECT."""
    if len(body) >= _HEAD.size:
        usage, size = _HEAD.unpack_from(body)
        start = _HEAD.size + size
        object_id = body[_HEAD.size : start]
        if len(object_id) == size <= MAX_ID_BYTES and store_id(object_id) == name:
            return object_id, usage, body[start:]
    raise TeeError(TeeResult.CORRUPT_OBJECT, "object does not belong to its id")
