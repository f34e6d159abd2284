"""Types of keys and what belongs to each: TEE Internal Core API 1.3.1, tables 5-9, 5-11, 6-13 and 6-15.

Attribute numbers are the specification's; their two flags say what may be read and how (section 6.11.1).
"""

from collections.abc import Container
from dataclasses import dataclass
from enum import IntEnum, IntFlag, unique

_VALUE_FLAG = 1 << 29
"""TEE_ATTR_FLAG_VALUE: two numbers, not bytes."""
_PUBLIC_FLAG = 1 << 28
"""TEE_ATTR_FLAG_PUBLIC: readable whatever the usage says."""


@unique
class Attribute(IntEnum):
    """TEE_ATTR_*."""

    SECRET_VALUE = 0xC0000000
    RSA_MODULUS = 0xD0000130
    RSA_PUBLIC_EXPONENT = 0xD0000230
    RSA_PRIVATE_EXPONENT = 0xC0000330
    RSA_PRIME1 = 0xC0000430
    RSA_PRIME2 = 0xC0000530
    RSA_EXPONENT1 = 0xC0000630
    RSA_EXPONENT2 = 0xC0000730
    RSA_COEFFICIENT = 0xC0000830
    ECC_PUBLIC_VALUE_X = 0xD0000141
    ECC_PUBLIC_VALUE_Y = 0xD0000241
    ECC_PRIVATE_VALUE = 0xC0000341
    ECC_CURVE = 0xF0000441

    @property
    def is_value(self) -> bool:
        """Two numbers; otherwise bytes."""
        return bool(self & _VALUE_FLAG)

    @property
    def is_public(self) -> bool:
        """Readable without Usage.EXTRACTABLE."""
        return bool(self & _PUBLIC_FLAG)


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
    AES = 0xA0000010
    RSA_PUBLIC_KEY = 0xA0000030
    RSA_KEYPAIR = 0xA1000030
    ECDSA_PUBLIC_KEY = 0xA0000041
    ECDSA_KEYPAIR = 0xA1000041
    ECDH_PUBLIC_KEY = 0xA0000042
    ECDH_KEYPAIR = 0xA1000042


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
    """TEE_ECC_CURVE_*, the number in ECC_CURVE."""

    NIST_P256 = 3
    NIST_P384 = 4
    NIST_P521 = 5

    @property
    def size_bits(self) -> int:
        """Of the field, which is the size of a key."""
        return {Curve.NIST_P256: 256, Curve.NIST_P384: 384, Curve.NIST_P521: 521}[self]


_A = Attribute
CRT = frozenset({_A.RSA_PRIME1, _A.RSA_PRIME2, _A.RSA_EXPONENT1, _A.RSA_EXPONENT2, _A.RSA_COEFFICIENT})
"""All of them or none."""
_NONE = frozenset[Attribute]()
_SECRET = frozenset({_A.SECRET_VALUE})
_RSA = frozenset({_A.RSA_MODULUS, _A.RSA_PUBLIC_EXPONENT})
_ECC = frozenset({_A.ECC_PUBLIC_VALUE_X, _A.ECC_PUBLIC_VALUE_Y, _A.ECC_CURVE})
_CURVES = tuple(curve.size_bits for curve in Curve)
_MODULI = range(1024, 4096 + 1, 8)
"""From 1024, below which `cryptography` makes and takes no key; the specification begins at 256."""


@dataclass(frozen=True, slots=True)
class TypeRules:
    """What one type takes.

    Attributes:
        sizes_bits: sizes of a key.
        required, optional: attributes of populate.
        parameters, optional_parameters: of generate; None where nothing is generated.
        public: the type of the public half of a pair.
    """

    sizes_bits: Container[int]
    required: frozenset[Attribute]
    optional: frozenset[Attribute] = _NONE
    parameters: frozenset[Attribute] | None = None
    optional_parameters: frozenset[Attribute] = _NONE
    public: ObjectType | None = None


def _secret(sizes_bits: Container[int]) -> TypeRules:
    return TypeRules(sizes_bits, _SECRET, parameters=_NONE)


def _ecc_pair(public: ObjectType) -> TypeRules:
    curve = frozenset({_A.ECC_CURVE})
    return TypeRules(_CURVES, _ECC | {_A.ECC_PRIVATE_VALUE}, parameters=curve, public=public)


RULES: dict[ObjectType, TypeRules] = {
    ObjectType.GENERIC_SECRET: _secret(range(8, 4096 + 1, 8)),
    ObjectType.HMAC_MD5: _secret(range(64, 512 + 1, 8)),
    ObjectType.HMAC_SHA1: _secret(range(80, 512 + 1, 8)),
    ObjectType.HMAC_SHA224: _secret(range(112, 512 + 1, 8)),
    ObjectType.HMAC_SHA256: _secret(range(192, 1024 + 1, 8)),
    ObjectType.HMAC_SHA384: _secret(range(256, 1024 + 1, 8)),
    ObjectType.HMAC_SHA512: _secret(range(256, 1024 + 1, 8)),
    ObjectType.AES: _secret((128, 192, 256)),
    ObjectType.RSA_PUBLIC_KEY: TypeRules(_MODULI, _RSA),
    ObjectType.RSA_KEYPAIR: TypeRules(
        _MODULI,
        _RSA | {_A.RSA_PRIVATE_EXPONENT},
        optional=CRT,
        parameters=_NONE,
        optional_parameters=frozenset({_A.RSA_PUBLIC_EXPONENT}),
        public=ObjectType.RSA_PUBLIC_KEY,
    ),
    ObjectType.ECDSA_PUBLIC_KEY: TypeRules(_CURVES, _ECC),
    ObjectType.ECDSA_KEYPAIR: _ecc_pair(ObjectType.ECDSA_PUBLIC_KEY),
    ObjectType.ECDH_PUBLIC_KEY: TypeRules(_CURVES, _ECC),
    ObjectType.ECDH_KEYPAIR: _ecc_pair(ObjectType.ECDH_PUBLIC_KEY),
}
