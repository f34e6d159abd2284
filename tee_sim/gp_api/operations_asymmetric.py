"""Asymmetric functions: TEE Internal Core API 1.3.1, section 6.7. A signature of DSA or ECDSA is r and s in a row."""

from contextlib import suppress

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils

from tee_sim.gp_api import edwards, operations_rsa
from tee_sim.gp_api.algorithm import Algorithm
from tee_sim.gp_api.digests import DIGESTS
from tee_sim.gp_api.key_material import Parameters, curve_of, dsa_private, dsa_public, ec_private, ec_public, number_of
from tee_sim.gp_api.operation import Operation
from tee_sim.gp_api.operations import Operations
from tee_sim.gp_api.words import ShortBufferError, breach_unless, fitted
from tee_sim.gp_objects.key_types import Attribute
from tee_sim.gp_objects.keys import Key
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.gp_functions import Function

_EDWARDS_BYTES = {"ED25519": 64, "ED448": 114}
_HASHES = {digest.digest_bytes: digest.make for digest in DIGESTS.values() if digest.digest_bytes}
"""A hash of each length: all that the library wants to know of a digest that was computed."""


class AsymmetricCalls:
    """The four functions; `operations` keeps what they work on."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def encrypt(
        self, handle: int, words: list[list[object]], data: bytes | None, room_bytes: int | None
    ) -> list[object]:
        """6.7.1. Raises ShortBufferError, or TeeError as `operations_rsa.encrypt`."""
        operation = self._operations.enter(Function.ASYMMETRIC_ENCRYPT, handle)
        key = operation.keys[0]
        _need(operations_rsa.signature_bytes(key), room_bytes)
        return [operations_rsa.encrypt(operation.algorithm, key, Parameters(words), data or b"")]

    def decrypt(
        self, handle: int, words: list[list[object]], data: bytes | None, room_bytes: int | None
    ) -> list[object]:
        """6.7.1. Raises ShortBufferError, or TeeError as `operations_rsa.decrypt`."""
        operation = self._operations.enter(Function.ASYMMETRIC_DECRYPT, handle)
        output = operations_rsa.decrypt(operation.algorithm, operation.keys[0], Parameters(words), data or b"")
        return [fitted(output, room_bytes)]

    def sign(
        self, handle: int, words: list[list[object]], digest: bytes | None, room_bytes: int | None
    ) -> list[object]:
        """6.7.2. Raises ShortBufferError. EdDSA signs a message, not a digest."""
        operation = self._operations.enter(Function.ASYMMETRIC_SIGN_DIGEST, handle)
        given, parameters = digest or b"", Parameters(words)
        _expect(operation, given)
        key = operation.keys[0]
        _need(_signature_bytes(operation.algorithm, key), room_bytes)
        match operation.algorithm.scheme:
            case "DSA":
                signed = dsa_private(key).sign(given, _prehashed(given))
                return [_raw(signed, _signature_bytes(operation.algorithm, key))]
            case "ECDSA":
                signed = ec_private(key).sign(given, ec.ECDSA(_prehashed(given)))
                return [_raw(signed, _signature_bytes(operation.algorithm, key))]
            case "ED25519":
                return [edwards.sign_25519(key, parameters, given)]
            case "ED448":
                return [edwards.sign_448(key, parameters, given)]
        return [operations_rsa.sign(operation.algorithm, key, parameters, given)]

    def verify(
        self, handle: int, words: list[list[object]], digest: bytes | None, signature: bytes | None
    ) -> list[object]:
        """6.7.3. Raises TeeError SIGNATURE_INVALID."""
        operation = self._operations.enter(Function.ASYMMETRIC_VERIFY_DIGEST, handle)
        given = digest or b""
        _expect(operation, given)
        if not _holds(operation, Parameters(words), given, signature or b""):
            raise TeeError(TeeResult.SIGNATURE_INVALID, "no signature of this")
        return []


def _holds(operation: Operation, parameters: Parameters, digest: bytes, signature: bytes) -> bool:
    algorithm, key = operation.algorithm, operation.keys[0]
    if len(signature) != _signature_bytes(algorithm, key):
        return False
    match algorithm.scheme:
        case "ED25519":
            return edwards.verify_25519(key, parameters, digest, signature)
        case "ED448":
            return edwards.verify_448(key, parameters, digest, signature)
        case "DSA" | "ECDSA":
            half = len(signature) // 2
            r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
            encoded = utils.encode_dss_signature(r, s)
            with suppress(InvalidSignature):
                if algorithm.scheme == "DSA":
                    dsa_public(key).public_key().verify(encoded, digest, _prehashed(digest))
                else:
                    x, y = (number_of(key, one) for one in (Attribute.ECC_PUBLIC_VALUE_X, Attribute.ECC_PUBLIC_VALUE_Y))
                    ec_public(curve_of(key), x, y).verify(encoded, digest, ec.ECDSA(_prehashed(digest)))
                return True
            return False
    return operations_rsa.verify(algorithm, key, parameters, digest, signature)


def _expect(operation: Operation, digest: bytes) -> None:
    """A digest has the length of its hash. Version 1.1 names ECDSA by curve: there, any hash goes with any."""
    algorithm = operation.algorithm
    if algorithm.scheme in _EDWARDS_BYTES:
        return
    curve = algorithm.first_curve
    by_curve = not algorithm.digest_bytes or (curve is not None and curve.size_bits == operation.max_bits)
    if algorithm.scheme == "ECDSA" and by_curve:
        breach_unless(len(digest) in _HASHES, "a digest of no hash")
    elif algorithm.digest_bytes:
        breach_unless(
            len(digest) == algorithm.digest_bytes, f"a digest that is not {algorithm.digest_bytes} bytes long"
        )
    else:
        most = operations_rsa.signature_bytes(operation.keys[0]) - 11
        breach_unless(len(digest) <= most, "more than fits into one block")


def _prehashed(digest: bytes) -> utils.Prehashed:
    return utils.Prehashed(_HASHES[len(digest)]())


def _signature_bytes(algorithm: Algorithm, key: Key) -> int:
    """Of a signature of this key."""
    match algorithm.scheme:
        case "DSA":
            return 2 * ((number_of(key, Attribute.DSA_SUBPRIME).bit_length() + 7) // 8)
        case "ECDSA":
            return 2 * ((key.size_bits + 7) // 8)
        case "ED25519" | "ED448":
            return _EDWARDS_BYTES[algorithm.scheme]
    return operations_rsa.signature_bytes(key)


def _raw(encoded: bytes, size_bytes: int) -> bytes:
    """Both numbers at one width, r first."""
    return b"".join(number.to_bytes(size_bytes // 2, "big") for number in utils.decode_dss_signature(encoded))


def _need(needed_bytes: int, room_bytes: int | None) -> None:
    if needed_bytes > (room_bytes or 0):
        raise ShortBufferError(needed_bytes)
