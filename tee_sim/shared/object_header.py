"""The header of a stored object. The secure world seals it: no part of it stands in clear on the disk.

It is canonical CBOR, [uuid, object id, version, kind, owner, commitment, ids], in the leaves of the directory and in
the associated data of the object. Of two fields the disk has a copy: the version and the commitment.
"""

from functools import lru_cache
from typing import cast
from uuid import UUID

import cbor2

from tee_sim.shared.codec import encode
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult

NONCE_BYTES = 12
TAG_BYTES = 16
"""AES-256-GCM."""
MAX_OBJECT_ID_BYTES = 64
"""TEE_OBJECT_ID_MAX_LEN. A zero-length id is legal, as in GlobalPlatform."""
MAX_KIND_CHARS = 16
MAX_OWNER_BYTES = 32
COMMITMENT_BYTES = 32
ID_BYTES = 8
MAX_IDS = 4
"""A statement of the core takes its ids from one object: the two of a HardwareAuthToken, and as many again."""

HEADERS_KEPT = 512
"""Read last, half a megabyte: a transaction reads each of its headers four times, before and after."""

MAX_HEADER_BYTES = (
    1 + (1 + 16) + (2 + MAX_OBJECT_ID_BYTES) + 9 + (1 + MAX_KIND_CHARS) + (2 + MAX_OWNER_BYTES)
    + (2 + COMMITMENT_BYTES) + (2 + MAX_IDS * ID_BYTES)
)  # fmt: skip
"""Of the CBOR, with the heads of its items."""

_BYTES, _TEXT, _SHORT = 0x40, 0x60, 23
"""First bytes of byte and text strings that are empty; the longest whose size is in that byte (RFC 8949, section 3)."""
_INTEGER_BYTES = (*[1] * 24, 2, 3, 5, 9)
"""Of an integer, head included, by its first byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the secure world knows about an object without opening it.

    ta          UUID of the trusted application
    object_id   0..64 bytes
    version     u64, the store's epoch at which this version was written: never used twice
    kind        0..16 printable ASCII characters
    owner       0..32 bytes
    commitment  0 or 32 bytes, a digest; the only field but the version that the disk sees too
    ids         0..4 ids of 8 bytes that statements of the core may name, one after the other
    """

    ta: UUID
    object_id: bytes
    version: int
    kind: str
    owner: bytes
    commitment: bytes
    ids: bytes = b""

    def __post_init__(self) -> None:
        wrong = (
            "object id" if len(self.object_id) > MAX_OBJECT_ID_BYTES
            else "version" if not 0 <= self.version < 1 << 64
            else "kind" if len(self.kind) > MAX_KIND_CHARS or not (self.kind.isascii() and self.kind.isprintable())
            else "owner" if len(self.owner) > MAX_OWNER_BYTES
            else "commitment" if len(self.commitment) not in (0, COMMITMENT_BYTES)
            else "ids" if len(self.ids) % ID_BYTES or len(self.ids) > MAX_IDS * ID_BYTES
            else ""
        )  # fmt: skip
        if wrong:
            raise TeeError(TeeResult.BAD_PARAMETERS, f"object header: {wrong} is out of bounds")

    def to_bytes(self) -> bytes:
        """Canonical CBOR."""
        return encode([self.ta.bytes, self.object_id, self.version, self.kind, self.owner, self.commitment, self.ids])


def owner_and_kind(raw: bytes, at: int, id_bytes: int) -> tuple[bytes, str]:
    """Two fields of a header whose bytes are already authenticated: a tenth of the time of `parse_header`.

    Args:
        at: where it begins.
        id_bytes: size of the object id in it.
    """
    at += 1 + 17 + 1 + (id_bytes > _SHORT) + id_bytes  # of a list of seven; UUID; id
    at += _INTEGER_BYTES[raw[at]]
    owner_at = at + 1 + raw[at] - _TEXT
    kind = raw[at + 1 : owner_at].decode("ascii")
    size = raw[owner_at] - _BYTES
    if size > _SHORT:
        owner_at += 1
        size = raw[owner_at]
    return raw[owner_at + 1 : owner_at + 1 + size], kind


@lru_cache(maxsize=HEADERS_KEPT)
def parse_header(raw: bytes) -> Header:
    """Inverse of `Header.to_bytes` for bytes that are already authenticated: no canonical check."""
    uuid, object_id, version, kind, owner, commitment, ids = cast(
        "tuple[bytes, bytes, int, str, bytes, bytes, bytes]", cbor2.loads(raw)
    )
    return Header(
        ta=UUID(bytes=uuid), object_id=object_id, version=version, kind=kind, owner=owner, commitment=commitment,
        ids=ids,
    )  # fmt: skip
