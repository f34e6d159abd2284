"""Signed proof of an erasure, for anyone with the device's public key.

A receipt is an untagged COSE_Sign1 (RFC 9052 section 4.2) with algorithm EdDSA (-8): canonical CBOR
[protected, {}, payload, signature], payload [label, device id, TA UUID, object id, version, commitment, epoch, root
hash, time]. Layout: docs/formats/storage.md section 6.

It says that this device, in this epoch, dropped the key of this object. It cannot say that nobody kept a copy of the
object from before it was stored.
"""

from dataclasses import dataclass
from typing import cast
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tee_sim.codec import decode, encode
from tee_sim.errors import TeeError, TeeResult
from tee_sim.sealing import COMMITMENT_SIZES_BYTES, MAX_OBJECT_ID_BYTES
from tee_sim.storage.ta_store import Erasure

__all__ = ["ErasureReceipt", "sign_erasure", "verify_receipt"]

MAX_RECEIPT_BYTES = 512
_LABEL = "tee_sim erasure v1"
_PROTECTED = encode({1: -8})


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureReceipt:
    """What a verified receipt says. `issued_wall_ms` is the normal world's clock: information, not proof."""

    device_id: bytes
    erasure: Erasure
    issued_wall_ms: int


def _to_be_signed(payload: bytes) -> bytes:
    return encode(["Signature1", _PROTECTED, b"", payload])


def sign_erasure(erasure: Erasure, *, device_id: bytes, issued_wall_ms: int, key: Ed25519PrivateKey) -> bytes:
    """Return the receipt, at most 512 bytes."""
    payload = encode(
        [
            _LABEL, device_id, erasure.ta.bytes, erasure.object_id, erasure.version, erasure.commitment,
            erasure.epoch, erasure.root_hash, issued_wall_ms,
        ]
    )  # fmt: skip
    return encode([_PROTECTED, {}, payload, key.sign(_to_be_signed(payload))])


def _is_bytes(value: object, *sizes: int) -> bool:
    return type(value) is bytes and len(value) in sizes


def _is_u64(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 64


def verify_receipt(receipt: bytes, public_key: Ed25519PublicKey) -> ErasureReceipt:
    """Return what the receipt says.

    Raises:
        TeeError: BAD_FORMAT if it is not a receipt, SIGNATURE_INVALID if this device did not sign it.
    """
    plain = decode(receipt, max_bytes=MAX_RECEIPT_BYTES, max_depth=2)
    match plain:
        case [protected, dict(unprotected), bytes(payload), bytes(signature)]:
            well_formed = protected == _PROTECTED and not unprotected and len(signature) == 64
        case _:
            well_formed = False
    if not well_formed:
        raise TeeError(TeeResult.BAD_FORMAT, "receipt is not a signed message of this kind")
    try:
        public_key.verify(signature, _to_be_signed(payload))
    except InvalidSignature:
        raise TeeError(TeeResult.SIGNATURE_INVALID, "receipt was not signed by this device") from None
    return _parse_payload(payload)


def _parse_payload(payload: bytes) -> ErasureReceipt:
    plain = decode(payload, max_bytes=MAX_RECEIPT_BYTES, max_depth=1)
    if not isinstance(plain, list) or len(plain) != 9 or plain[0] != _LABEL:
        raise TeeError(TeeResult.BAD_FORMAT, "receipt is of another kind")
    _, device_id, ta, object_id, version, commitment, epoch, root_hash, issued = plain
    if not (
        _is_bytes(device_id, 16)
        and _is_bytes(ta, 16)
        and _is_bytes(object_id, *range(MAX_OBJECT_ID_BYTES + 1))
        and _is_bytes(commitment, *COMMITMENT_SIZES_BYTES)
        and _is_bytes(root_hash, 32)
        and all(_is_u64(value) for value in (version, epoch, issued))
    ):
        raise TeeError(TeeResult.BAD_FORMAT, "receipt has a field that is out of bounds")
    erasure = Erasure(
        ta=UUID(bytes=cast("bytes", ta)), object_id=object_id, version=version, commitment=commitment,
        epoch=epoch, root_hash=root_hash,
    )  # fmt: skip
    return ErasureReceipt(device_id=device_id, erasure=erasure, issued_wall_ms=issued)
