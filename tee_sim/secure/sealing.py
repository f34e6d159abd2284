"""One object, sealed: an AES-256-GCM body, bound to its header (`tee_sim.shared.object_header`), which stays inside.

The associated data of the body are a label, the device id and the header, so a blob moved to
another application, slot, owner, version or device does not open. The key is random, used for one body only, and
wrapped by the directory with the same associated data.

Does not promise: that a blob is the newest version; that is the directory's business. Nor to hide the length of what it
is given, which is padded before (`tee_sim.secure.storage.size_classes`).
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.object_header import NONCE_BYTES

KEY_BYTES = 32

_BODY_LABEL = b"tee_sim object v2"
_WRAP_LABEL = b"tee_sim wrap v2"


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
