"""One object, sealed: a clear authenticated header and an AES-256-GCM body.

The header is canonical CBOR, [uuid, object id, version, kind, owner, commitment]. The associated data of the body are
a label, the device id and the header, so a blob moved to another application, slot, owner, version or device does
not open. The key is random, used for one body only, and wrapped by the directory with the same associated data.

This module does not know which version is the newest: freshness is the directory's business.
"""

from dataclasses import dataclass
from typing import cast
from uuid import UUID

import cbor2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tee_sim.shared.codec import encode
from tee_sim.shared.errors import TeeError, TeeResult

__all__ = ["Header", "open_body", "parse_header", "seal_body", "unwrap_key", "wrap_key"]

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
WRAPPED_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES

MAX_OBJECT_ID_BYTES = 64
"""TEE_OBJECT_ID_MAX_LEN. A zero-length id is legal, as in GlobalPlatform."""
MAX_KIND_CHARS = 16
MAX_OWNER_BYTES = 32
COMMITMENT_SIZES_BYTES = (0, 32)

_BODY_LABEL = b"tee_sim object v1"
_WRAP_LABEL = b"tee_sim wrap v1"


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


def parse_header(raw: bytes) -> Header:
    """Inverse of `Header.to_bytes` for bytes that are already authenticated: no canonical check."""
    uuid, object_id, version, kind, owner, commitment = cast(
        "tuple[bytes, bytes, int, str, bytes, bytes]", cbor2.loads(raw)
    )
    return Header(
        ta=UUID(bytes=uuid), object_id=object_id, version=version, kind=kind, owner=owner, commitment=commitment
    )


def seal_body(key: bytes, nonce: bytes, device_id: bytes, header: bytes, body: bytes) -> bytes:
    """Return ciphertext || tag, len(body) + 16 bytes. `key` must be fresh."""
    return AESGCM(key).encrypt(nonce, body, _BODY_LABEL + device_id + header)


def open_body(key: bytes, nonce: bytes, device_id: bytes, header: bytes, ciphertext: bytes) -> bytes:
    """Return the body.

    Raises:
        TeeError: CORRUPT_OBJECT if key, nonce, device, header or ciphertext is not the one sealed.
    """
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, _BODY_LABEL + device_id + header)
    except InvalidTag:
        raise TeeError(TeeResult.CORRUPT_OBJECT, "sealed object does not open") from None


def wrap_key(wrapper: AESGCM, nonce: bytes, device_id: bytes, header: bytes, key: bytes) -> bytes:
    """Return nonce || wrapped key || tag, 60 bytes."""
    return nonce + wrapper.encrypt(nonce, key, _WRAP_LABEL + device_id + header)


def unwrap_key(wrapper: AESGCM, device_id: bytes, header: bytes, wrapped: bytes) -> bytes:
    """Inverse of `wrap_key`. Raises TeeError CORRUPT_OBJECT."""
    try:
        return wrapper.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _WRAP_LABEL + device_id + header)
    except InvalidTag:
        raise TeeError(TeeResult.CORRUPT_OBJECT, "wrapped key does not open") from None
