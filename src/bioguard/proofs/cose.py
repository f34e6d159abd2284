"""COSE_Sign1 with ES256 (RFC 9052 section 4.2, RFC 9053 section 2.1), nothing else.

Tag 18, protected header {1: -7}, empty unprotected header, attached payload, signature raw r || s (64 bytes).
Signing and assembling are separate, so that the key can stay in another world.
"""

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bioguard.proofs.encoding import ProofInvalid

__all__ = [
    "PUBLIC_KEY_BYTES",
    "assemble",
    "payload_of",
    "private_key",
    "public_key_bytes",
    "sign",
    "signing_input",
    "verify",
]

TAG_SIGN1 = 18
PROTECTED = bytes.fromhex("a10126")
"""{1 (alg): -7 (ES256)}."""
SIGNATURE_BYTES = 64
PUBLIC_KEY_BYTES = 65
"""SEC 1 section 2.3.3, uncompressed point."""
MAX_TOKEN_BYTES = 16 * 1024
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order of P-256 (FIPS 186-5, SP 800-186)."""


def private_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """A P-256 key from 40 or more secret bytes (FIPS 186-5 A.2.1: 64 bits above the order, so the bias vanishes)."""
    if len(secret) < 40:
        raise ValueError("a P-256 key needs at least 40 secret bytes")
    return ec.derive_private_key(int.from_bytes(secret, "big") % (_ORDER - 1) + 1, ec.SECP256R1())


def public_key_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The 65 bytes a verifier needs."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def signing_input(payload: bytes) -> bytes:
    """The Sig_structure of RFC 9052 section 4.4."""
    return cbor2.dumps(["Signature1", PROTECTED, b"", payload], canonical=True)


def sign(payload: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """The bare 64-byte signature over `payload`."""
    r, s = decode_dss_signature(key.sign(signing_input(payload), ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def assemble(payload: bytes, signature: bytes) -> bytes:
    """The tagged token."""
    if len(signature) != SIGNATURE_BYTES:
        raise ValueError("an ES256 signature has 64 bytes")
    return cbor2.dumps(cbor2.CBORTag(TAG_SIGN1, [PROTECTED, {}, payload, signature]), canonical=True)


def _parts(token: bytes) -> tuple[bytes, bytes]:
    malformed = ProofInvalid("not a COSE_Sign1 ES256 message", hint="fetch the token again: it was altered on the way")
    if len(token) > MAX_TOKEN_BYTES:
        raise malformed
    try:
        message = cbor2.loads(token)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError, MemoryError):
        raise malformed from None
    body = getattr(message, "value", None)
    if not isinstance(message, cbor2.CBORTag) or not isinstance(body, list | tuple) or len(body) != 4:
        raise malformed
    payload, signature = body[2], body[3]
    if not isinstance(payload, bytes) or not isinstance(signature, bytes) or len(signature) != SIGNATURE_BYTES:
        raise malformed
    if assemble(payload, signature) != token:
        raise malformed
    return payload, signature


def payload_of(token: bytes) -> bytes:
    """The payload of a well-formed token. NOT verified: for inspection only."""
    return _parts(token)[0]


def verify(token: bytes, public_key: bytes) -> bytes:
    """Return the payload of a token that `public_key` (65 bytes) signed.

    Raises:
        ProofInvalid: malformed, another algorithm, or a bad signature.
    """
    payload, signature = _parts(token)
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key)
        point.verify(der, signing_input(payload), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        raise ProofInvalid(
            "the attestation signature does not verify", hint="check that the key belongs to this device"
        ) from None
    return payload
