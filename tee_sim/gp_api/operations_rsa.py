"""RSA of TEE_AsymmetricEncrypt and its family (TEE Internal Core API 1.3.1, section 6.7), by RFC 8017.

The library refuses, by design, to tell a wrong PKCS #1 v1.5 padding from a right one, and has no RSA without padding.
The specification wants both (TEE_ERROR_CIPHERTEXT_INVALID, TEE_ALG_RSA_NOPAD), so these are computed here, in a time
that depends on the data.
"""

from contextlib import suppress
from hmac import compare_digest
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, utils
from cryptography.hazmat.primitives.hashes import HashAlgorithm

from tee_sim.gp_api.algorithm import Algorithm
from tee_sim.gp_api.algorithms import OAEP_HASHES
from tee_sim.gp_api.digests import BY_NUMBER, hash_of
from tee_sim.gp_api.key_material import Parameters, RsaKey, RsaPair
from tee_sim.gp_api.words import breach_unless
from tee_sim.gp_objects.keys import Key
from tee_sim.shared.errors import TeeError, TeeResult

OAEP_LABEL: Final = 0xD0000930
"""TEE_ATTR_RSA_OAEP_LABEL, and those that follow."""
OAEP_MGF_HASH: Final = 0xD0000931
PSS_SALT_LENGTH: Final = 0xF0000A30

_PKCS1_LEAST_BYTES = 11
"""Of padding (RFC 8017, section 7.2.1)."""


def encrypt(algorithm: Algorithm, key: Key, parameters: Parameters, data: bytes) -> bytes:
    """Raises TeeError BAD_PARAMETERS for data that is too long, NOT_SUPPORTED for a hash of MGF1."""
    known = RsaKey.of(key)
    if algorithm.scheme == "NOPAD":
        return known.raised(_number(known, data)).to_bytes(known.size_bytes, "big")
    scheme: padding.AsymmetricPadding = padding.PKCS1v15()
    most = known.size_bytes - _PKCS1_LEAST_BYTES
    if algorithm.scheme == "OAEP":
        scheme, most = _oaep(algorithm, parameters), known.size_bytes - 2 * hash_of(algorithm.digest).digest_size - 2
    if len(data) > most:
        raise TeeError(TeeResult.BAD_PARAMETERS, "more than fits into one block")
    return known.public.public_key().encrypt(data, scheme)


def decrypt(algorithm: Algorithm, key: Key, parameters: Parameters, data: bytes) -> bytes:
    """Raises TeeError BAD_PARAMETERS for a length that is not the modulus's, CIPHERTEXT_INVALID for a wrong padding."""
    known = RsaPair.of(key)
    if algorithm.scheme == "NOPAD":
        # An integer, as section 6.7.1 has it from PKCS #1: without zeros in front, but not without a byte.
        return known.lowered(_number(known, data)).to_bytes(known.size_bytes, "big").lstrip(b"\0") or b"\0"
    if len(data) != known.size_bytes:
        raise TeeError(TeeResult.BAD_PARAMETERS, "another length than that of the modulus")
    cipher = _number(known, data)
    if algorithm.scheme == "PKCS1":
        return _unpadded(known.lowered(cipher).to_bytes(known.size_bytes, "big"))
    try:
        return known.private_key().decrypt(data, _oaep(algorithm, parameters))
    except ValueError:
        raise _invalid() from None


def sign(algorithm: Algorithm, key: Key, parameters: Parameters, digest: bytes) -> bytes:
    """Raises ValueError for a key that is too short for the hash."""
    scheme, hashed = _signing(algorithm, parameters)
    private = RsaPair.of(key).private_key()
    if hashed is None:
        return private.sign(digest, scheme, utils.NoDigestInfo())
    return private.sign(digest, scheme, utils.Prehashed(hashed))


def verify(algorithm: Algorithm, key: Key, parameters: Parameters, digest: bytes, signature: bytes) -> bool:
    """Whether it is one."""
    scheme, hashed = _signing(algorithm, parameters)
    known = RsaKey.of(key)
    if hashed is None:
        given = known.raised(int.from_bytes(signature, "big") % known.public.n)
        block = b"\0\1" + b"\0".join((b"\xff" * (known.size_bytes - len(digest) - 3), digest))
        return compare_digest(given.to_bytes(known.size_bytes, "big"), block)
    with suppress(InvalidSignature):
        known.public.public_key().verify(signature, digest, scheme, utils.Prehashed(hashed))
        return True
    return False


def _number(known: RsaKey, data: bytes) -> int:
    number = int.from_bytes(data, "big")
    if len(data) > known.size_bytes or number >= known.public.n:
        raise TeeError(TeeResult.BAD_PARAMETERS, "not below the modulus")
    return number


def _unpadded(block: bytes) -> bytes:
    """EME-PKCS1-v1_5 (RFC 8017, section 7.2.2)."""
    end = block.find(b"\0", 2)
    if block[:2] != b"\0\2" or end < _PKCS1_LEAST_BYTES - 1:
        raise _invalid()
    return block[end + 1 :]


def _oaep(algorithm: Algorithm, parameters: Parameters) -> padding.OAEP:
    """The label is empty unless given; MGF1 has the hash of the algorithm unless another is given."""
    masks = hash_of(algorithm.digest)
    named = parameters.data(OAEP_MGF_HASH)
    if named is not None:
        name = BY_NUMBER.get(int.from_bytes(named, "little")) if len(named) == 4 else None
        if name not in OAEP_HASHES:
            raise TeeError(TeeResult.NOT_SUPPORTED, "a hash that MGF1 does not have here")
        masks = hash_of(name)
    return padding.OAEP(padding.MGF1(masks), hash_of(algorithm.digest), parameters.data(OAEP_LABEL) or None)


def _signing(algorithm: Algorithm, parameters: Parameters) -> tuple[padding.AsymmetricPadding, HashAlgorithm | None]:
    if algorithm.scheme == "PKCS1":
        return padding.PKCS1v15(), hash_of(algorithm.digest) if algorithm.digest else None
    hashed, salt_bytes = hash_of(algorithm.digest), parameters.value(PSS_SALT_LENGTH)
    breach_unless(salt_bytes is None or salt_bytes <= 512, "a salt that is longer than any key")
    salt = hashed.digest_size if salt_bytes is None else salt_bytes
    return padding.PSS(padding.MGF1(hashed), salt), hashed


def _invalid() -> TeeError:
    return TeeError(TeeResult.CIPHERTEXT_INVALID, "no padding of this algorithm")


def signature_bytes(key: Key) -> int:
    """Of a signature."""
    return (key.size_bits + 7) // 8
