"""Types of keys and what belongs to each: TEE Internal Core API 1.3.1, tables 5-9, 5-11, 6-13 and 6-15.

Attribute numbers are the specification's; their two flags say what may be read and how (section 6.11.1). The last three
types, with their attributes, are of no specification: existing applications use them for key derivation.
"""

from collections.abc import Container
from dataclasses import dataclass
from enum import Enum, IntEnum, IntFlag, unique

_VALUE_FLAG = 1 << 29
"""TEE_ATTR_FLAG_VALUE: two numbers, not bytes."""
_PUBLIC_FLAG = 1 << 28
"""TEE_ATTR_FLAG_PUBLIC: readable whatever the usage says."""


def is_value(attribute: int) -> bool:
    """Two numbers; otherwise bytes. Of any attribute, also one that no key has."""
    return bool(attribute & _VALUE_FLAG)


def is_public(attribute: int) -> bool:
    """Readable without Usage.EXTRACTABLE."""
    return bool(attribute & _PUBLIC_FLAG)


@unique
class Attribute(IntEnum):
    """TEE_ATTR_* of keys."""

    SECRET_VALUE = 0xC0000000
    RSA_MODULUS = 0xD0000130
    RSA_PUBLIC_EXPONENT = 0xD0000230
    RSA_PRIVATE_EXPONENT = 0xC0000330
    RSA_PRIME1 = 0xC0000430
    RSA_PRIME2 = 0xC0000530
    RSA_EXPONENT1 = 0xC0000630
    RSA_EXPONENT2 = 0xC0000730
    RSA_COEFFICIENT = 0xC0000830
    DSA_PRIME = 0xD0001031
    DSA_SUBPRIME = 0xD0001131
    DSA_BASE = 0xD0001231
    DSA_PUBLIC_VALUE = 0xD0000131
    DSA_PRIVATE_VALUE = 0xC0000231
    DH_PRIME = 0xD0001032
    DH_SUBPRIME = 0xD0001132
    DH_BASE = 0xD0001232
    DH_X_BITS = 0xF0001332
    DH_PUBLIC_VALUE = 0xD0000132
    DH_PRIVATE_VALUE = 0xC0000232
    ECC_PUBLIC_VALUE_X = 0xD0000141
    ECC_PUBLIC_VALUE_Y = 0xD0000241
    ECC_PRIVATE_VALUE = 0xC0000341
    ECC_CURVE = 0xF0000441
    ED25519_PUBLIC_VALUE = 0xD0000743
    ED25519_PRIVATE_VALUE = 0xC0000843
    X25519_PUBLIC_VALUE = 0xD0000944
    X25519_PRIVATE_VALUE = 0xC0000A44
    ED448_PUBLIC_VALUE = 0xD0000002
    ED448_PRIVATE_VALUE = 0xC0000003
    X448_PUBLIC_VALUE = 0xD0000A45
    X448_PRIVATE_VALUE = 0xC0000A46
    HKDF_IKM = 0xC00001C0
    CONCAT_KDF_Z = 0xC00001C1
    PBKDF2_PASSWORD = 0xC00001C2

    @property
    def is_value(self) -> bool:
        """As the function."""
        return is_value(self)

    @property
    def is_public(self) -> bool:
        """As the function."""
        return is_public(self)


@unique
class ObjectType(IntEnum):
    """TEE_TYPE_* of keys."""

    GENERIC_SECRET = 0xA0000000
    HMAC_MD5 = 0xA0000001
    HMAC_SHA1 = 0xA0000002
    HMAC_SHA224 = 0xA0000003
    HMAC_SHA256 = 0xA0000004
    HMAC_SHA384 = 0xA0000005
    HMAC_SHA512 = 0xA0000006
    HMAC_SM3 = 0xA0000007
    HMAC_SHA3_224 = 0xA0000008
    HMAC_SHA3_256 = 0xA0000009
    HMAC_SHA3_384 = 0xA000000A
    HMAC_SHA3_512 = 0xA000000B
    AES = 0xA0000010
    DES = 0xA0000011
    DES3 = 0xA0000013
    SM4 = 0xA0000014
    RSA_PUBLIC_KEY = 0xA0000030
    RSA_KEYPAIR = 0xA1000030
    DSA_PUBLIC_KEY = 0xA0000031
    DSA_KEYPAIR = 0xA1000031
    DH_KEYPAIR = 0xA1000032
    ECDSA_PUBLIC_KEY = 0xA0000041
    ECDSA_KEYPAIR = 0xA1000041
    ECDH_PUBLIC_KEY = 0xA0000042
    ECDH_KEYPAIR = 0xA1000042
    ED25519_PUBLIC_KEY = 0xA0000043
    ED25519_KEYPAIR = 0xA1000043
    X25519_PUBLIC_KEY = 0xA0000044
    X25519_KEYPAIR = 0xA1000044
    ED448_PUBLIC_KEY = 0xA0000048
    ED448_KEYPAIR = 0xA1000048
    X448_PUBLIC_KEY = 0xA0000049
    X448_KEYPAIR = 0xA1000049
    HKDF = 0xA000004A
    HKDF_IKM = 0xA10000C0
    CONCAT_KDF_Z = 0xA10000C1
    PBKDF2_PASSWORD = 0xA10000C2


class Usage(IntFlag):
    """TEE_USAGE_*."""

    EXTRACTABLE = 0x1
    ENCRYPT = 0x2
    DECRYPT = 0x4
    MAC = 0x8
    SIGN = 0x10
    VERIFY = 0x20
    DERIVE = 0x40


@unique
class Curve(IntEnum):
    """TEE_ECC_CURVE_*, the number in ECC_CURVE, of the curves of short Weierstrass form that are here."""

    NIST_P192 = 1
    NIST_P224 = 2
    NIST_P256 = 3
    NIST_P384 = 4
    NIST_P521 = 5
    BSI_P256R1 = 0x104
    BSI_P384R1 = 0x106
    BSI_P512R1 = 0x107

    @property
    def size_bits(self) -> int:
        """Of the field, which is the size of a key."""
        return _CURVE_BITS[self]


_CURVE_BITS = {
    Curve.NIST_P192: 192,
    Curve.NIST_P224: 224,
    Curve.NIST_P256: 256,
    Curve.NIST_P384: 384,
    Curve.NIST_P521: 521,
    Curve.BSI_P256R1: 256,
    Curve.BSI_P384R1: 384,
    Curve.BSI_P512R1: 512,
}


@unique
class KeyFamily(Enum):
    """Types whose keys are read and made in one way."""

    SECRET = 1
    RSA = 2
    DSA = 3
    DH = 4
    ECC = 5
    EDWARDS = 6
    """Keys that are a string of bytes on either side: Ed25519, X25519, Ed448, X448."""


_A = Attribute
_T = ObjectType
CRT = frozenset({_A.RSA_PRIME1, _A.RSA_PRIME2, _A.RSA_EXPONENT1, _A.RSA_EXPONENT2, _A.RSA_COEFFICIENT})
"""All of them or none."""
_NONE = frozenset[Attribute]()
_RSA = frozenset({_A.RSA_MODULUS, _A.RSA_PUBLIC_EXPONENT})
_DSA_DOMAIN = frozenset({_A.DSA_PRIME, _A.DSA_SUBPRIME, _A.DSA_BASE})
_DSA = _DSA_DOMAIN | {_A.DSA_PUBLIC_VALUE}
_DH_DOMAIN = frozenset({_A.DH_PRIME, _A.DH_BASE})
_DH_OPTIONAL = frozenset({_A.DH_SUBPRIME, _A.DH_X_BITS})
_ECC = frozenset({_A.ECC_PUBLIC_VALUE_X, _A.ECC_PUBLIC_VALUE_Y, _A.ECC_CURVE})
_CURVES = frozenset(_CURVE_BITS.values())
_MODULI = range(1024, 4096 + 1)
"""From 1024, below which `cryptography` makes and takes no key; the specification begins at 256."""
_DSA_PRIMES = (1024, 2048, 3072)
"""What `cryptography` takes of the specification's sizes; those below 1024 are in no standard any more."""
_DH_PRIMES = range(256, 4096 + 1, 8)
_WITHOUT_PARITY = {(_T.DES, 56): 64, (_T.DES3, 112): 128, (_T.DES3, 168): 192}


def with_parity(object_type: ObjectType, size_bits: int) -> int:
    """Size of a key as its bytes have it: that of DES may be given without its parity bits, as in early versions."""
    return _WITHOUT_PARITY.get((object_type, size_bits), size_bits)


@dataclass(frozen=True, slots=True)
class TypeRules:
    """What one type takes.

    Attributes:
        sizes_bits: sizes of a key.
        required, optional: attributes of populate.
        parameters, optional_parameters: of generate; None where nothing is generated.
        public: the type of the public half of a pair.
    """

    family: KeyFamily
    sizes_bits: Container[int]
    required: frozenset[Attribute]
    optional: frozenset[Attribute] = _NONE
    parameters: frozenset[Attribute] | None = None
    optional_parameters: frozenset[Attribute] = _NONE
    public: ObjectType | None = None


def _secret(sizes_bits: Container[int], attribute: Attribute = _A.SECRET_VALUE) -> TypeRules:
    return TypeRules(KeyFamily.SECRET, sizes_bits, frozenset({attribute}), parameters=_NONE)


def _ecc_pair(public: ObjectType) -> TypeRules:
    curve = frozenset({_A.ECC_CURVE})
    return TypeRules(KeyFamily.ECC, _CURVES, _ECC | {_A.ECC_PRIVATE_VALUE}, parameters=curve, public=public)


def _bytes_pair(size_bits: int, public: Attribute, private: Attribute, public_type: ObjectType) -> TypeRules:
    both = frozenset({public, private})
    return TypeRules(KeyFamily.EDWARDS, (size_bits,), both, parameters=_NONE, public=public_type)


def _bytes_public(size_bits: int, public: Attribute) -> TypeRules:
    return TypeRules(KeyFamily.EDWARDS, (size_bits,), frozenset({public}))


_ANY_SECRET = range(8, 4096 + 1, 8)

RULES: dict[ObjectType, TypeRules] = {
    _T.GENERIC_SECRET: _secret(_ANY_SECRET),
    _T.HMAC_MD5: _secret(range(64, 512 + 1, 8)),
    _T.HMAC_SHA1: _secret(range(80, 512 + 1, 8)),
    _T.HMAC_SHA224: _secret(range(112, 512 + 1, 8)),
    _T.HMAC_SHA256: _secret(range(192, 1024 + 1, 8)),
    _T.HMAC_SHA384: _secret(range(256, 1024 + 1, 8)),
    _T.HMAC_SHA512: _secret(range(256, 1024 + 1, 8)),
    _T.HMAC_SM3: _secret(range(80, 1024 + 1, 8)),
    _T.HMAC_SHA3_224: _secret(range(192, 1024 + 1, 8)),
    _T.HMAC_SHA3_256: _secret(range(256, 1024 + 1, 8)),
    _T.HMAC_SHA3_384: _secret(range(256, 1024 + 1, 8)),
    _T.HMAC_SHA3_512: _secret(range(256, 1024 + 1, 8)),
    _T.AES: _secret((128, 192, 256)),
    _T.DES: _secret((64,)),
    _T.DES3: _secret((128, 192)),
    _T.SM4: _secret((128,)),
    _T.RSA_PUBLIC_KEY: TypeRules(KeyFamily.RSA, _MODULI, _RSA),
    _T.RSA_KEYPAIR: TypeRules(
        KeyFamily.RSA,
        _MODULI,
        _RSA | {_A.RSA_PRIVATE_EXPONENT},
        optional=CRT,
        parameters=_NONE,
        optional_parameters=frozenset({_A.RSA_PUBLIC_EXPONENT}),
        public=_T.RSA_PUBLIC_KEY,
    ),
    _T.DSA_PUBLIC_KEY: TypeRules(KeyFamily.DSA, _DSA_PRIMES, _DSA),
    _T.DSA_KEYPAIR: TypeRules(
        KeyFamily.DSA,
        _DSA_PRIMES,
        _DSA | {_A.DSA_PRIVATE_VALUE},
        parameters=_DSA_DOMAIN,
        public=_T.DSA_PUBLIC_KEY,
    ),
    _T.DH_KEYPAIR: TypeRules(
        KeyFamily.DH,
        _DH_PRIMES,
        _DH_DOMAIN | {_A.DH_PUBLIC_VALUE, _A.DH_PRIVATE_VALUE},
        optional=_DH_OPTIONAL,
        parameters=_DH_DOMAIN,
        optional_parameters=_DH_OPTIONAL,
    ),
    _T.ECDSA_PUBLIC_KEY: TypeRules(KeyFamily.ECC, _CURVES, _ECC),
    _T.ECDSA_KEYPAIR: _ecc_pair(_T.ECDSA_PUBLIC_KEY),
    _T.ECDH_PUBLIC_KEY: TypeRules(KeyFamily.ECC, _CURVES, _ECC),
    _T.ECDH_KEYPAIR: _ecc_pair(_T.ECDH_PUBLIC_KEY),
    _T.ED25519_PUBLIC_KEY: _bytes_public(256, _A.ED25519_PUBLIC_VALUE),
    _T.ED25519_KEYPAIR: _bytes_pair(256, _A.ED25519_PUBLIC_VALUE, _A.ED25519_PRIVATE_VALUE, _T.ED25519_PUBLIC_KEY),
    _T.X25519_PUBLIC_KEY: _bytes_public(256, _A.X25519_PUBLIC_VALUE),
    _T.X25519_KEYPAIR: _bytes_pair(256, _A.X25519_PUBLIC_VALUE, _A.X25519_PRIVATE_VALUE, _T.X25519_PUBLIC_KEY),
    _T.ED448_PUBLIC_KEY: _bytes_public(448, _A.ED448_PUBLIC_VALUE),
    _T.ED448_KEYPAIR: _bytes_pair(448, _A.ED448_PUBLIC_VALUE, _A.ED448_PRIVATE_VALUE, _T.ED448_PUBLIC_KEY),
    _T.X448_PUBLIC_KEY: _bytes_public(448, _A.X448_PUBLIC_VALUE),
    _T.X448_KEYPAIR: _bytes_pair(448, _A.X448_PUBLIC_VALUE, _A.X448_PRIVATE_VALUE, _T.X448_PUBLIC_KEY),
    _T.HKDF: _secret(_ANY_SECRET),
    _T.HKDF_IKM: _secret(_ANY_SECRET, _A.HKDF_IKM),
    _T.CONCAT_KDF_Z: _secret(_ANY_SECRET, _A.CONCAT_KDF_Z),
    _T.PBKDF2_PASSWORD: _secret(_ANY_SECRET, _A.PBKDF2_PASSWORD),
}
