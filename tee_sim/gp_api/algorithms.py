"""The algorithms of TEE_AllocateOperation: TEE Internal Core API 1.3.1, tables 6-11 and 6-12, and extensions.

One row an algorithm: its number and name, what may be done with it, which keys it takes. What has no row answers
NOT_SUPPORTED; docs/gp-api.md lists both.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from tee_sim.gp_api.algorithm import Algorithm, KeyRules, Kind, Mode
from tee_sim.gp_api.digests import DIGESTS
from tee_sim.gp_objects.key_types import Curve, ObjectType, Usage

_T, _K, _M, _U = ObjectType, Kind, Mode, Usage
_CURVES: Final = tuple(Curve)


def _for_both(key: ObjectType) -> dict[Mode, KeyRules]:
    return {_M.ENCRYPT: KeyRules((key,), _U.ENCRYPT), _M.DECRYPT: KeyRules((key,), _U.DECRYPT)}


def _for_mac(key: ObjectType) -> dict[Mode, KeyRules]:
    return {_M.MAC: KeyRules((key,), _U.MAC)}


def _for_signatures(pair: ObjectType, public: ObjectType) -> dict[Mode, KeyRules]:
    return {_M.SIGN: KeyRules((pair,), _U.SIGN), _M.VERIFY: KeyRules((public, pair), _U.VERIFY)}


def _for_derivation(key: ObjectType) -> dict[Mode, KeyRules]:
    return {_M.DERIVE: KeyRules((key,), _U.DERIVE)}


_PAIR, _PUBLIC = _T.RSA_KEYPAIR, _T.RSA_PUBLIC_KEY
_RSA_CIPHER = {_M.ENCRYPT: KeyRules((_PUBLIC, _PAIR), _U.ENCRYPT), _M.DECRYPT: KeyRules((_PAIR,), _U.DECRYPT)}
_RSA_RAW = {
    _M.ENCRYPT: KeyRules((_PUBLIC, _PAIR), _U.ENCRYPT | _U.VERIFY),
    _M.DECRYPT: KeyRules((_PAIR,), _U.DECRYPT | _U.SIGN),
}
"""Both usages, as it is the one half of either (section 6.2.6)."""
_RSA_SIGN = _for_signatures(_PAIR, _PUBLIC)
_DSA_SIGN = _for_signatures(_T.DSA_KEYPAIR, _T.DSA_PUBLIC_KEY)
_ECDSA_SIGN = _for_signatures(_T.ECDSA_KEYPAIR, _T.ECDSA_PUBLIC_KEY)

_BLOCK_CIPHERS = (
    (0x10, "AES", _T.AES, 16),
    (0x11, "DES", _T.DES, 8),
    (0x13, "DES3", _T.DES3, 8),
    (0x14, "SM4", _T.SM4, 16),
)
_BLOCK_SCHEMES = (
    (0x10000000, "ECB_NOPAD", _K.CIPHER, ("AES", "DES", "DES3", "SM4")),
    (0x10000100, "CBC_NOPAD", _K.CIPHER, ("AES", "DES", "DES3", "SM4")),
    (0x10000200, "CTR", _K.CIPHER, ("AES", "SM4")),
    (0x10000300, "CTS", _K.CIPHER, ("AES",)),
    (0x10000400, "XTS", _K.CIPHER, ("AES",)),
    (0x30000100, "CBC_MAC_NOPAD", _K.MAC, ("AES", "DES", "DES3")),
    (0x30000500, "CBC_MAC_PKCS5", _K.MAC, ("AES", "DES", "DES3")),
    (0x30000600, "CMAC", _K.MAC, ("AES",)),
    (0xF0000600, "CMAC", _K.MAC, ("DES3",)),
    (0x40000700, "CCM", _K.AE, ("AES",)),
    (0x40000800, "GCM", _K.AE, ("AES",)),
)
"""The lowest byte of a number is the cipher (table 6-12). CMAC of DES3 is an extension of OP-TEE."""


def _of_block_ciphers() -> Iterator[Algorithm]:
    for low, cipher, key, block_bytes in _BLOCK_CIPHERS:
        for high, scheme, kind, ciphers in _BLOCK_SCHEMES:
            if cipher in ciphers:
                yield Algorithm(
                    number=high | low,
                    name=f"{cipher}_{scheme}",
                    kind=kind,
                    scheme=scheme,
                    keys=_for_mac(key) if kind is _K.MAC else _for_both(key),
                    block_bytes=block_bytes,
                    digest_bytes=block_bytes if kind is _K.MAC else 0,
                    two_keys=scheme == "XTS",
                )


def _of_digests() -> Iterator[Algorithm]:
    for name, digest in DIGESTS.items():
        size = digest.digest_bytes
        number = 0x50000000 | digest.low
        yield Algorithm(
            number=number, name=name, kind=_K.DIGEST, scheme="DIGEST", keys={}, digest_bytes=size, digest=name
        )
        if size:
            yield Algorithm(
                number=0x30000000 | digest.low,
                name=f"HMAC_{name}",
                kind=_K.MAC,
                scheme="HMAC",
                keys=_for_mac(_T[f"HMAC_{name}"]),
                digest_bytes=size,
                digest=name,
            )


OAEP_HASHES: Final = ("SHA1", "SHA224", "SHA256", "SHA384", "SHA512")
"""What `cryptography` has for OAEP."""
_SIGNED = ("MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SHA3_224", "SHA3_256", "SHA3_384", "SHA3_512")


def _of_rsa() -> Iterator[Algorithm]:
    """The hash stands in bits 12 to 15; that of MGF1 in bits 20 to 23. PSS of MD5 is an extension of OP-TEE."""
    cipher, signature = _K.ASYMMETRIC_CIPHER, _K.ASYMMETRIC_SIGNATURE
    yield Algorithm(number=0x60000030, name="RSA_NOPAD", kind=cipher, scheme="NOPAD", keys=_RSA_RAW)
    yield Algorithm(number=0x60000130, name="RSAES_PKCS1_V1_5", kind=cipher, scheme="PKCS1", keys=_RSA_CIPHER)
    yield Algorithm(number=0xF0000830, name="RSASSA_PKCS1_V1_5", kind=signature, scheme="PKCS1", keys=_RSA_SIGN)
    yield Algorithm(
        number=0x7000F830,
        name="RSASSA_PKCS1_V1_5_MD5SHA1",
        kind=signature,
        scheme="PKCS1",
        keys=_RSA_SIGN,
        digest_bytes=16 + 20,
    )
    for name in _SIGNED:
        low, extension = DIGESTS[name].low, 0x80000000 if name == "MD5" else 0
        for number, prefix, scheme in (
            (0x70000830 | low << 12, "RSASSA_PKCS1_V1_5", "PKCS1"),
            (0x70010930 | low << 20 | low << 12 | extension, "RSASSA_PKCS1_PSS_MGF1", "PSS"),
        ):
            yield Algorithm(
                number=number,
                name=f"{prefix}_{name}",
                kind=signature,
                scheme=scheme,
                keys=_RSA_SIGN,
                digest_bytes=DIGESTS[name].digest_bytes,
                digest=name,
            )
    for name in OAEP_HASHES:
        yield Algorithm(
            number=0x60010230 | DIGESTS[name].low << 20,
            name=f"RSAES_PKCS1_OAEP_MGF1_{name}",
            kind=cipher,
            scheme="OAEP",
            keys=_RSA_CIPHER,
            digest=name,
        )


_DSA = ("SHA1", "SHA224", "SHA256", "SHA3_224", "SHA3_256", "SHA3_384", "SHA3_512")
_ECDSA = ("SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SHA3_224", "SHA3_256", "SHA3_384", "SHA3_512")
"""In the order of the numbers, which begin at 1."""
_BY_CURVE = ("P192", "P224", "P256", "P384", "P521")
"""Likewise. Version 1.1 names ECDSA and ECDH by curve. For ECDSA its tables 6-11 and 6-12 disagree: the numbers of the
second are these, as in OP-TEE; those of the first are what later versions call ECDSA with a hash."""


def _of_discrete_logarithms() -> Iterator[Algorithm]:
    signature, derivation = _K.ASYMMETRIC_SIGNATURE, _K.KEY_DERIVATION
    for name in _DSA:
        number, size = 0x70000131 | DIGESTS[name].low << 12, DIGESTS[name].digest_bytes
        yield Algorithm(
            number=number, name=f"DSA_{name}", kind=signature, scheme="DSA", keys=_DSA_SIGN, digest_bytes=size
        )
    for place, name in enumerate(_ECDSA, 1):
        yield Algorithm(
            number=0x70000042 | place << 12,
            name=f"ECDSA_{name}",
            kind=signature,
            scheme="ECDSA",
            keys=_ECDSA_SIGN,
            digest_bytes=DIGESTS[name].digest_bytes,
            curves=_CURVES,
            first_curve=_CURVES[place - 1] if place <= len(_BY_CURVE) else None,
        )
    ecdh = _for_derivation(_T.ECDH_KEYPAIR)
    for place, (name, curve) in enumerate(zip(_BY_CURVE, _CURVES, strict=False), 1):
        one = (curve,)
        yield Algorithm(
            number=0x70000041 | place << 12,
            name=f"ECDSA_{name}",
            kind=signature,
            scheme="ECDSA",
            keys=_ECDSA_SIGN,
            curves=one,
        )
        yield Algorithm(
            number=0x80000042 | place << 12, name=f"ECDH_{name}", kind=derivation, scheme="ECDH", keys=ecdh, curves=one
        )
    yield Algorithm(
        number=0x80000042, name="ECDH_DERIVE_SHARED_SECRET", kind=derivation, scheme="ECDH", keys=ecdh, curves=_CURVES
    )
    for number, name, pair, public in (
        (0x70006043, "ED25519", _T.ED25519_KEYPAIR, _T.ED25519_PUBLIC_KEY),
        (0x70006044, "ED448", _T.ED448_KEYPAIR, _T.ED448_PUBLIC_KEY),
    ):
        yield Algorithm(number=number, name=name, kind=signature, scheme=name, keys=_for_signatures(pair, public))
    for number, name, pair in ((0x80000044, "X25519", _T.X25519_KEYPAIR), (0x80000045, "X448", _T.X448_KEYPAIR)):
        yield Algorithm(number=number, name=name, kind=derivation, scheme=name, keys=_for_derivation(pair))
    dh = _for_derivation(_T.DH_KEYPAIR)
    yield Algorithm(number=0x80000032, name="DH_DERIVE_SHARED_SECRET", kind=derivation, scheme="DH", keys=dh)


def _of_derivation() -> Iterator[Algorithm]:
    """HKDF of version 1.3.1, and what OP-TEE has beside the specification."""
    kind, sha = _K.KEY_DERIVATION, ("SHA1", "SHA224", "SHA256", "SHA384", "SHA512")
    yield Algorithm(number=0x80000047, name="HKDF", kind=kind, scheme="HKDF", keys=_for_derivation(_T.HKDF))
    for low, prefix, scheme, key, digests in (
        (0xC0, "HKDF", "HKDF", _T.HKDF_IKM, ("MD5", *sha)),
        (0xC1, "CONCAT_KDF", "CONCAT_KDF", _T.CONCAT_KDF_Z, sha),
        (0xC2, "PBKDF2_HMAC", "PBKDF2", _T.PBKDF2_PASSWORD, ("SHA1",)),
    ):
        for name in digests:
            yield Algorithm(
                number=0x80000000 | DIGESTS[name].low << 12 | low,
                name=f"{prefix}_{name}_DERIVE_KEY",
                kind=kind,
                scheme=scheme,
                keys=_for_derivation(key),
                digest=name,
            )


ALGORITHMS: Final[Mapping[int, Algorithm]] = {
    row.number: row
    for rows in (_of_block_ciphers(), _of_digests(), _of_rsa(), _of_discrete_logarithms(), _of_derivation())
    for row in rows
}
"""By number."""
