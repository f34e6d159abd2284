"""TEE_DeriveKey: TEE Internal Core API 1.3.1, section 6.8, and the three functions that OP-TEE has beside it."""

from collections.abc import Callable, Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, x448, x25519
from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from tee_sim.gp_api.algorithm import Algorithm
from tee_sim.gp_api.block_ciphers import secret_of
from tee_sim.gp_api.digests import BY_NUMBER, DIGESTS, hash_of
from tee_sim.gp_api.key_material import Parameters, curve_of, data_of, ec_private, ec_public, number_of
from tee_sim.gp_api.operations import Operations
from tee_sim.gp_api.words import breach_unless
from tee_sim.gp_objects.attributes import reference
from tee_sim.gp_objects.key_types import Attribute, ObjectType
from tee_sim.gp_objects.keys import Key
from tee_sim.gp_objects.objects import GpObjects
from tee_sim.gp_objects.panics import BreachError
from tee_sim.shared.gp_functions import Function

MAX_SECRET_BYTES: Final = 512
"""Of what is derived: the largest TEE_TYPE_GENERIC_SECRET."""
MAX_ITERATIONS: Final = 1 << 20
"""Of PBKDF2, for all blocks together: below a second on the machines that we know. The core works on nothing else."""

HKDF_SALT: Final = (0xD0000946, 0xD00002C0)
"""TEE_ATTR_HKDF_SALT and, here and below, the number that OP-TEE had before version 1.3."""
HKDF_INFO: Final = (0xD0000A46, 0xD00003C0)
HKDF_HASH: Final = 0xF0000B46
HKDF_SIZE: Final = (0xF0000C46, 0xF00004C0)
CONCAT_INFO: Final = 0xD00002C1
CONCAT_SIZE: Final = 0xF00003C1
PBKDF2_SALT: Final = 0xD00002C2
PBKDF2_ITERATIONS: Final = 0xF00003C2
PBKDF2_SIZE: Final = 0xF00004C2


class DeriveCalls:
    """The one function; `operations` and `objects` keep what it works on."""

    def __init__(self, operations: Operations, objects: GpObjects) -> None:
        self._operations, self._objects = operations, objects

    def derive(self, handle: int, words: list[list[object]], derived: int) -> list[object]:
        """6.8.1: into an empty object for a secret, which is large enough. Every other case is a panic."""
        operation = self._operations.enter(Function.DERIVE_KEY, handle)
        room = self._objects.info(derived)
        breach_unless(room.object_type == ObjectType.GENERIC_SECRET, "an object that is not for a secret")
        secret = _SCHEMES[operation.algorithm.scheme](
            operation.algorithm, operation.keys[0], Parameters(words), room.max_object_size // 8
        )
        self._objects.populate(derived, reference(Attribute.SECRET_VALUE, secret))
        return []


def _dh(_: Algorithm, key: Key, parameters: Parameters, _most_bytes: int) -> bytes:
    """At the width of the prime. The other's number is one of the group, but none of its two trivial subgroups."""
    prime = number_of(key, Attribute.DH_PRIME)
    other = int.from_bytes(_given(parameters, Attribute.DH_PUBLIC_VALUE), "big")
    breach_unless(1 < other < prime - 1, "no public value of this group")
    return pow(other, number_of(key, Attribute.DH_PRIVATE_VALUE), prime).to_bytes((prime.bit_length() + 7) // 8, "big")


def _ecdh(_: Algorithm, key: Key, parameters: Parameters, _most_bytes: int) -> bytes:
    x, y = (
        int.from_bytes(_given(parameters, one), "big")
        for one in (Attribute.ECC_PUBLIC_VALUE_X, Attribute.ECC_PUBLIC_VALUE_Y)
    )
    return ec_private(key).exchange(ec.ECDH(), ec_public(curve_of(key), x, y))


def _x25519(_: Algorithm, key: Key, parameters: Parameters, _most_bytes: int) -> bytes:
    other = x25519.X25519PublicKey.from_public_bytes(_given(parameters, Attribute.X25519_PUBLIC_VALUE))
    return x25519.X25519PrivateKey.from_private_bytes(data_of(key, Attribute.X25519_PRIVATE_VALUE)).exchange(other)


def _x448(_: Algorithm, key: Key, parameters: Parameters, _most_bytes: int) -> bytes:
    other = x448.X448PublicKey.from_public_bytes(_given(parameters, Attribute.X448_PUBLIC_VALUE))
    return x448.X448PrivateKey.from_private_bytes(data_of(key, Attribute.X448_PRIVATE_VALUE)).exchange(other)


def _hkdf(algorithm: Algorithm, key: Key, parameters: Parameters, most_bytes: int) -> bytes:
    salt, info = (next(filter(None, map(parameters.data, ids)), None) for ids in (HKDF_SALT, HKDF_INFO))
    said = next((found for one in HKDF_SIZE if (found := parameters.value(one)) is not None), None)
    return HKDF(_hash(algorithm, parameters), _size(said, most_bytes), salt, info).derive(secret_of(key))


def _concat(algorithm: Algorithm, key: Key, parameters: Parameters, most_bytes: int) -> bytes:
    size = _size(parameters.value(CONCAT_SIZE), most_bytes)
    return ConcatKDFHash(hash_of(algorithm.digest), size, parameters.data(CONCAT_INFO) or b"").derive(secret_of(key))


def _pbkdf2(algorithm: Algorithm, key: Key, parameters: Parameters, most_bytes: int) -> bytes:
    size, count = _size(parameters.value(PBKDF2_SIZE), most_bytes), parameters.value(PBKDF2_ITERATIONS) or 0
    blocks = -(-size // DIGESTS[algorithm.digest].digest_bytes)
    breach_unless(count > 0 and count * blocks <= MAX_ITERATIONS, "a number of iterations that is not offered")
    salt = parameters.data(PBKDF2_SALT) or b""
    return PBKDF2HMAC(hash_of(algorithm.digest), size, salt, count).derive(secret_of(key))


def _hash(algorithm: Algorithm, parameters: Parameters) -> HashAlgorithm:
    """That of the algorithm, or the one that is named."""
    name = algorithm.digest or BY_NUMBER.get(parameters.value(HKDF_HASH) or 0, "")
    breach_unless(name and DIGESTS[name].digest_bytes, "no hash")
    return hash_of(name)


def _size(said: int | None, most_bytes: int) -> int:
    """How many bytes are derived: as many as the object takes, unless it is said."""
    size = most_bytes if said is None else said
    breach_unless(0 < size <= min(most_bytes, MAX_SECRET_BYTES), "a size that the object does not take")
    return size


def _given(parameters: Parameters, attribute: Attribute) -> bytes:
    found = parameters.data(attribute)
    if found is None:
        raise BreachError("a mandatory parameter is missing")
    return found


_SCHEMES: Final[Mapping[str, Callable[[Algorithm, Key, Parameters, int], bytes]]] = {
    "DH": _dh,
    "ECDH": _ecdh,
    "X25519": _x25519,
    "X448": _x448,
    "HKDF": _hkdf,
    "CONCAT_KDF": _concat,
    "PBKDF2": _pbkdf2,
}
