"""Keys of objects as what `cryptography` computes with. They were checked when their object was made."""

from collections.abc import Mapping
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

from tee_sim.gp_objects.attributes import KeyAttribute
from tee_sim.gp_objects.key_families import EC_CURVES
from tee_sim.gp_objects.key_types import Attribute, Curve
from tee_sim.gp_objects.keys import Key
from tee_sim.gp_objects.panics import BreachError
from tee_sim.shared.dataclass import dataclass

_A: Final = Attribute


def number_of(key: Key, attribute: Attribute) -> int:
    """An attribute that the key has, as a number."""
    return _held(key, attribute).number


def data_of(key: Key, attribute: Attribute) -> bytes:
    """An attribute that the key has, as bytes."""
    return _held(key, attribute).data


def _held(key: Key, attribute: Attribute) -> KeyAttribute:
    found = key.get(attribute)
    if found is None:
        raise BreachError(f"a key without {attribute.name}")
    return found


@dataclass(frozen=True, slots=True)
class RsaKey:
    """The public numbers of an RSA key."""

    public: rsa.RSAPublicNumbers

    @classmethod
    def of(cls, key: Key) -> Self:
        """Of either half."""
        return cls(rsa.RSAPublicNumbers(number_of(key, _A.RSA_PUBLIC_EXPONENT), number_of(key, _A.RSA_MODULUS)))

    @property
    def size_bytes(self) -> int:
        """Of the modulus, and of what is encrypted or signed."""
        return (self.public.n.bit_length() + 7) // 8

    def raised(self, message: int) -> int:
        """RSAEP of RFC 8017, section 5.1.1."""
        return pow(message, self.public.e, self.public.n)


@dataclass(frozen=True, slots=True)
class RsaPair(RsaKey):
    """A whole RSA key."""

    private: rsa.RSAPrivateNumbers

    @classmethod
    def of(cls, key: Key) -> Self:
        """Of a pair."""
        public = RsaKey.of(key).public
        d = number_of(key, _A.RSA_PRIVATE_EXPONENT)
        if key.get(_A.RSA_PRIME1) is None:
            p, q = rsa.rsa_recover_prime_factors(public.n, public.e, d)
        else:
            p, q = number_of(key, _A.RSA_PRIME1), number_of(key, _A.RSA_PRIME2)
        numbers = rsa.RSAPrivateNumbers(
            p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
        )
        return cls(public, numbers)

    def private_key(self) -> rsa.RSAPrivateKey:
        """For the library."""
        return self.private.private_key(unsafe_skip_rsa_key_validation=True)

    def lowered(self, cipher: int) -> int:
        """RSADP of RFC 8017, section 5.1.2, by the remainder theorem; its time depends on the key."""
        p, q = self.private.p, self.private.q
        one, two = pow(cipher, self.private.dmp1, p), pow(cipher, self.private.dmq1, q)
        return two + (one - two) * self.private.iqmp % p * q


def dsa_public(key: Key) -> dsa.DSAPublicNumbers:
    """Of either half."""
    domain = dsa.DSAParameterNumbers(*(number_of(key, one) for one in (_A.DSA_PRIME, _A.DSA_SUBPRIME, _A.DSA_BASE)))
    return dsa.DSAPublicNumbers(number_of(key, _A.DSA_PUBLIC_VALUE), domain)


def dsa_private(key: Key) -> dsa.DSAPrivateKey:
    """Of a pair."""
    return dsa.DSAPrivateNumbers(number_of(key, _A.DSA_PRIVATE_VALUE), dsa_public(key)).private_key()


def curve_of(key: Key) -> Curve:
    """Of a key on a curve."""
    return Curve(_held(key, _A.ECC_CURVE).a)


def ec_public(curve: Curve, x: int, y: int) -> ec.EllipticCurvePublicKey:
    """A point. Raises ValueError for one that is not on the curve."""
    return ec.EllipticCurvePublicNumbers(x, y, EC_CURVES[curve]).public_key()


def ec_private(key: Key) -> ec.EllipticCurvePrivateKey:
    """Of a pair."""
    return ec.derive_private_key(number_of(key, _A.ECC_PRIVATE_VALUE), EC_CURVES[curve_of(key)])


class Parameters:
    """The TEE_Attribute array of one call, by id. An id that the call does not know is not looked at.

    Args:
        words: `[id, bytes]` or `[id, a, b]` each. The first of an id counts.
    """

    def __init__(self, words: list[list[object]]) -> None:
        self._held: Mapping[object, list[object]] = {word[0]: word[1:] for word in reversed(words)}

    def data(self, number: int) -> bytes | None:
        """Of an attribute that is bytes; None where there is none."""
        match self._held.get(number):
            case [bytes() as data]:
                return data
        return None

    def value(self, number: int) -> int | None:
        """The first number of an attribute that is a value; None where there is none."""
        match self._held.get(number):
            case [int() as a, int()]:
                return a
        return None
