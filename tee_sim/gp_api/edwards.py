"""EdDSA (RFC 8032): Ed25519 alone, with a context, or of a hashed message; Ed448 alone.

`cryptography` has the two alone. The variants of Ed25519 are put together from libsodium's arithmetic of points and
scalars, which PyNaCl hands through.
"""

from contextlib import suppress
from hashlib import sha512
from hmac import compare_digest
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519
from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from tee_sim.gp_api.key_material import Parameters, data_of
from tee_sim.gp_api.words import breach_unless
from tee_sim.gp_objects.key_types import Attribute
from tee_sim.gp_objects.keys import Key

CONTEXT: Final = 0xD0000643
"""TEE_ATTR_EDDSA_CTX, up to 255 bytes."""
PREHASH: Final = (0xF0000004, 0xF0000543)
"""TEE_ATTR_EDDSA_PREHASH, and TEE_ATTR_ED25519_PH of version 1.2: a number other than 0 for Ed25519ph."""

_ORDER: Final = (1 << 252) + 27742317777372353535851937790883648493
"""Of the base point (RFC 8032, section 5.1)."""


def sign_25519(key: Key, parameters: Parameters, message: bytes) -> bytes:
    """64 bytes."""
    seed = data_of(key, Attribute.ED25519_PRIVATE_VALUE)
    domain, hashed = _domain(parameters, message)
    if not domain:
        return ed25519.Ed25519PrivateKey.from_private_bytes(seed).sign(message)
    expanded = sha512(seed).digest()
    scalar = _clamped(expanded[:32])
    public = sodium.crypto_scalarmult_ed25519_base_noclamp(_reduced(scalar))
    nonce = sodium.crypto_core_ed25519_scalar_reduce(sha512(domain + expanded[32:] + hashed).digest())
    point = sodium.crypto_scalarmult_ed25519_base_noclamp(nonce)
    challenge = sodium.crypto_core_ed25519_scalar_reduce(sha512(domain + point + public + hashed).digest())
    product = sodium.crypto_core_ed25519_scalar_mul(challenge, _reduced(scalar))
    return point + sodium.crypto_core_ed25519_scalar_add(nonce, product)


def verify_25519(key: Key, parameters: Parameters, message: bytes, signature: bytes) -> bool:
    """Whether it is one."""
    public = data_of(key, Attribute.ED25519_PUBLIC_VALUE)
    domain, hashed = _domain(parameters, message)
    if not domain:
        with suppress(InvalidSignature):
            ed25519.Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
            return True
        return False
    point, scalar = signature[:32], signature[32:]
    if len(signature) != 64 or int.from_bytes(scalar, "little") >= _ORDER:
        return False
    challenge = sodium.crypto_core_ed25519_scalar_reduce(sha512(domain + point + public + hashed).digest())
    with suppress(CryptoError):  # a key, or a product, that is no point of the prime order
        product = sodium.crypto_scalarmult_ed25519_noclamp(challenge, public)
        expected = sodium.crypto_core_ed25519_sub(sodium.crypto_scalarmult_ed25519_base_noclamp(scalar), product)
        return compare_digest(point, expected)
    return False


def sign_448(key: Key, parameters: Parameters, message: bytes) -> bytes:
    """114 bytes."""
    _alone(parameters)
    return ed448.Ed448PrivateKey.from_private_bytes(data_of(key, Attribute.ED448_PRIVATE_VALUE)).sign(message)


def verify_448(key: Key, parameters: Parameters, message: bytes, signature: bytes) -> bool:
    """Whether it is one."""
    _alone(parameters)
    public = ed448.Ed448PublicKey.from_public_bytes(data_of(key, Attribute.ED448_PUBLIC_VALUE))
    with suppress(InvalidSignature):
        public.verify(signature, message)
        return True
    return False


def _alone(parameters: Parameters) -> None:
    breach_unless(not any(_asked(parameters)), "Ed448 with a context or of a hash, which is not here")


def _asked(parameters: Parameters) -> tuple[bool, bytes]:
    """Whether the message is hashed, and its context."""
    return any(parameters.value(one) for one in PREHASH), parameters.data(CONTEXT) or b""


def _domain(parameters: Parameters, message: bytes) -> tuple[bytes, bytes]:
    """dom2 of RFC 8032, section 2, empty for Ed25519 alone; and what is signed after it."""
    prehash, context = _asked(parameters)
    breach_unless(len(context) <= 255, "a context of more than 255 bytes")
    if not prehash and not context:
        return b"", message
    domain = b"SigEd25519 no Ed25519 collisions" + bytes([prehash, len(context)]) + context
    return domain, sha512(message).digest() if prehash else message


def _clamped(scalar: bytes) -> bytes:
    return bytes([scalar[0] & 0xF8]) + scalar[1:31] + bytes([scalar[31] & 0x7F | 0x40])


def _reduced(scalar: bytes) -> bytes:
    return sodium.crypto_core_ed25519_scalar_reduce(scalar + bytes(32))
