"""The clear header of a sealed object, and the bounds of what the disk keeps of it.

The header is canonical CBOR, [uuid, object id, version, kind, owner, commitment]. The secure world authenticates it;
the supplicant keeps its fields as columns and puts it together again.
"""

from dataclasses import dataclass
from typing import Self, cast
from uuid import UUID

import cbor2

from tee_sim.shared.codec import encode
from tee_sim.shared.errors import TeeError, TeeResult

NONCE_BYTES = 12
TAG_BYTES = 16
"""AES-256-GCM."""
MAX_OBJECT_ID_BYTES = 64
"""TEE_OBJECT_ID_MAX_LEN. A zero-length id is legal, as in GlobalPlatform."""
MAX_KIND_CHARS = 16
MAX_OWNER_BYTES = 32
COMMITMENT_SIZES_BYTES = (0, 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What anyone may read about an object, and nobody may change.

    ta          UUID of the trusted application
    object_id   0..64 bytes
    version     u64, the store's epoch at which this version was written: never used twice
    kind        0..16 printable ASCII characters
    owner       0..32 bytes
    commitment  0 or 32 bytes, a digest the application chose
    """

    ta: UUID
    object_id: bytes
    version: int
    kind: str
    owner: bytes
    commitment: bytes

    def __post_init__(self) -> None:
        wrong = (
            "object id" if len(self.object_id) > MAX_OBJECT_ID_BYTES
            else "version" if not 0 <= self.version < 1 << 64
            else "kind" if len(self.kind) > MAX_KIND_CHARS or not (self.kind.isascii() and self.kind.isprintable())
            else "owner" if len(self.owner) > MAX_OWNER_BYTES
            else "commitment" if len(self.commitment) not in COMMITMENT_SIZES_BYTES
            else ""
        )  # fmt: skip
        if wrong:
            raise TeeError(TeeResult.BAD_PARAMETERS, f"object header: {wrong} is out of bounds")

    def to_bytes(self) -> bytes:
        """Canonical CBOR."""
        return encode([self.ta.bytes, self.object_id, self.version, self.kind, self.owner, self.commitment])


class ObjectRow(bytes):
    """The row of an object, which is bytes to whoever stores it, with the header that it begins with.

    A disk that keeps the header's fields as columns has them from here and need not decode them.
    """

    header: Header

    def __new__(cls, row: bytes, header: Header) -> Self:
        """Wrap a row. That `header` is the one in it is the caller's word; reading back shows it."""
        made = super().__new__(cls, row)
        made.header = header
        return made


def header_fields(header: Header) -> list[object]:
    """Return what the name of a row does not say of its header."""
    return [header.version, header.kind, header.owner, header.commitment]


def header_of(name: bytes, fields: object) -> Header:
    """Inverse of `header_fields` for the row of this name. Raises TeeError BAD_FORMAT, BAD_PARAMETERS."""
    match fields:
        case [int(version), str(kind), bytes(owner), bytes(commitment)] if type(version) is int and _is_object(name):
            return Header(
                ta=UUID(bytes=name[1:17]),
                object_id=name[17:],
                version=version,
                kind=kind,
                owner=owner,
                commitment=commitment,
            )
    raise TeeError(TeeResult.BAD_FORMAT, "storage message: bad header")


def _is_object(name: bytes) -> bool:
    return name[:1] == b"o" and len(name) >= len(b"o") + 16


def parse_header(raw: bytes) -> Header:
    """Inverse of `Header.to_bytes` for bytes that are already authenticated: no canonical check."""
    uuid, object_id, version, kind, owner, commitment = cast(
        "tuple[bytes, bytes, int, str, bytes, bytes]", cbor2.loads(raw)
    )
    return Header(
        ta=UUID(bytes=uuid), object_id=object_id, version=version, kind=kind, owner=owner, commitment=commitment
    )
