"""The hash functions of the TEE Internal Core API 1.3.1 (table 6-11): names, sizes, and who computes them."""

from collections.abc import Callable, Mapping
from typing import Final

from cryptography.hazmat.primitives import hashes

from tee_sim.shared.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Digest:
    """One hash function.

    Attributes:
        low: how the numbers of algorithms name it: their lowest bits where it is the algorithm, others where it is a
            part of one.
        digest_bytes: 0 for one whose output is as long as one likes.
    """

    low: int
    digest_bytes: int
    make: Callable[[], hashes.HashAlgorithm]


_ENDLESS = (1 << 63) - 1
"""Bytes that `cryptography` is told an extendable output has; more than one operation can extract in its life."""

DIGESTS: Final[Mapping[str, Digest]] = {
    "MD5": Digest(0x001, 16, hashes.MD5),
    "SHA1": Digest(0x002, 20, hashes.SHA1),
    "SHA224": Digest(0x003, 28, hashes.SHA224),
    "SHA256": Digest(0x004, 32, hashes.SHA256),
    "SHA384": Digest(0x005, 48, hashes.SHA384),
    "SHA512": Digest(0x006, 64, hashes.SHA512),
    "SM3": Digest(0x007, 32, hashes.SM3),
    "SHA3_224": Digest(0x008, 28, hashes.SHA3_224),
    "SHA3_256": Digest(0x009, 32, hashes.SHA3_256),
    "SHA3_384": Digest(0x00A, 48, hashes.SHA3_384),
    "SHA3_512": Digest(0x00B, 64, hashes.SHA3_512),
    "SHAKE128": Digest(0x101, 0, lambda: hashes.SHAKE128(_ENDLESS)),
    "SHAKE256": Digest(0x102, 0, lambda: hashes.SHAKE256(_ENDLESS)),
}

BY_NUMBER: Final[Mapping[int, str]] = {0x50000000 | digest.low: name for name, digest in DIGESTS.items()}
"""TEE_ALG_* of a hash function, as an attribute names it (TEE_ATTR_HKDF_HASH_ALGORITHM, _RSA_OAEP_MGF_HASH)."""


def hash_of(name: str) -> hashes.HashAlgorithm:
    """What `cryptography` calls it."""
    return DIGESTS[name].make()
