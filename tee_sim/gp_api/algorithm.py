"""What there is to say of an algorithm of TEE_AllocateOperation: TEE Internal Core API 1.3.1, tables 6-1 to 6-6."""

from collections.abc import Mapping
from enum import IntEnum, unique
from typing import Final

from tee_sim.gp_objects.key_types import RULES, Curve, ObjectType, Usage, with_parity
from tee_sim.shared.dataclass import dataclass

_ELEMENTS: Final = {"ED25519": 0x300, "X25519": 0x300, "ED448": 0x301, "X448": 0x301}
"""TEE_ECC_CURVE_25519 and _448: no object has them as an attribute."""


@unique
class Mode(IntEnum):
    """TEE_MODE_*."""

    ENCRYPT = 0
    DECRYPT = 1
    SIGN = 2
    VERIFY = 3
    MAC = 4
    DIGEST = 5
    DERIVE = 6


@unique
class Kind(IntEnum):
    """TEE_OPERATION_*: the class of an operation."""

    CIPHER = 1
    MAC = 3
    AE = 4
    DIGEST = 5
    ASYMMETRIC_CIPHER = 6
    ASYMMETRIC_SIGNATURE = 7
    KEY_DERIVATION = 8


@dataclass(frozen=True, slots=True)
class KeyRules:
    """The key of an operation in one mode.

    Attributes:
        types: that it may have; the sizes of the first are those of the operation.
        usage: bits of which it needs each.
    """

    types: tuple[ObjectType, ...]
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """One row.

    Attributes:
        name: in C, without TEE_ALG_.
        scheme: which one of its kind it is, in the words of the modules that compute it.
        keys: by mode; empty for a digest, which has its one mode and no key.
        block_bytes: of the cipher within, 0 where there is none.
        digest_bytes: of a hash or MAC; of the digest that is signed, 0 for any.
        digest: name of the hash within.
        curves: that its keys lie on.
        first_curve: of ECDSA with a hash: whose number this was in version 1.1, where the hash was anybody's choice.
        two_keys: it is TEE_SetOperationKey2 that sets them.
    """

    number: int
    name: str
    kind: Kind
    scheme: str
    keys: Mapping[Mode, KeyRules]
    block_bytes: int = 0
    digest_bytes: int = 0
    digest: str = ""
    curves: tuple[Curve, ...] = ()
    first_curve: Curve | None = None
    two_keys: bool = False

    def has_mode(self, mode: int) -> bool:
        """Whether an operation may have this mode (table 6-4)."""
        return mode in self.keys if self.keys else mode == Mode.DIGEST

    def takes_size(self, mode: Mode, max_bits: int) -> bool:
        """Whether maxKeySize is the size of a key, or of two keys together; a digest does not look at it."""
        if not self.keys:
            return True
        if self.curves:
            return max_bits in {curve.size_bits for curve in self.curves}
        key = self.keys[mode].types[0]
        sizes = RULES[key].sizes_bits
        return with_parity(key, max_bits) in sizes or (self.two_keys and max_bits % 2 == 0 and max_bits // 2 in sizes)

    def room_bits(self, mode: Mode, max_bits: int) -> int:
        """The largest key that an operation of this maxKeySize takes; of two keys, each."""
        return with_parity(self.keys[mode].types[0], max_bits) if self.keys else 0

    @property
    def elements(self) -> frozenset[int]:
        """What TEE_IsAlgorithmSupported may be asked of it: its curves, or TEE_CRYPTO_ELEMENT_NONE."""
        return frozenset(map(int, self.curves)) or frozenset({_ELEMENTS.get(self.name, 0)})
