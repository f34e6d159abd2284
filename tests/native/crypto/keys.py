"""Keys of every family, as objects of an application."""

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x448, x25519

from tee_sim.gp_objects.attributes import KeyAttribute, reference, value
from tee_sim.gp_objects.key_families import EC_CURVES
from tee_sim.gp_objects.key_types import Attribute, Curve, ObjectType
from tests.native.crypto.ta import Ta
from tests.tee_sim.gp.curves import KNOWN

A, T = Attribute, ObjectType
RSA_1024 = rsa.generate_private_key(65537, 1024).private_numbers()


def natural(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def rsa_pair(ta: Ta, *, crt: bool = True) -> int:
    numbers = {
        A.RSA_MODULUS: RSA_1024.public_numbers.n,
        A.RSA_PUBLIC_EXPONENT: RSA_1024.public_numbers.e,
        A.RSA_PRIVATE_EXPONENT: RSA_1024.d,
    }
    if crt:
        numbers |= {
            A.RSA_PRIME1: RSA_1024.p,
            A.RSA_PRIME2: RSA_1024.q,
            A.RSA_EXPONENT1: RSA_1024.dmp1,
            A.RSA_EXPONENT2: RSA_1024.dmq1,
            A.RSA_COEFFICIENT: RSA_1024.iqmp,
        }
    return ta.key(T.RSA_KEYPAIR, *(reference(one, natural(number)) for one, number in numbers.items()))


def rsa_public(ta: Ta) -> int:
    public = RSA_1024.public_numbers
    modulus, exponent = reference(A.RSA_MODULUS, natural(public.n)), reference(A.RSA_PUBLIC_EXPONENT, natural(public.e))
    return ta.key(T.RSA_PUBLIC_KEY, modulus, exponent)


def _point(curve: Curve, x: bytes, y: bytes) -> list[KeyAttribute]:
    return [
        reference(A.ECC_PUBLIC_VALUE_X, x),
        reference(A.ECC_PUBLIC_VALUE_Y, y),
        value(A.ECC_CURVE, curve),
    ]


def ec_pair(ta: Ta, kind: ObjectType, curve: Curve, secret: bytes | None = None) -> int:
    if secret is None:
        secret, x, y = (bytes.fromhex(text) for text in KNOWN[curve])
    else:
        made = ec.derive_private_key(int.from_bytes(secret, "big"), EC_CURVES[curve]).public_key().public_numbers()
        x, y = natural(made.x), natural(made.y)
    return ta.key(kind, reference(A.ECC_PRIVATE_VALUE, secret), *_point(curve, x, y))


def ec_public(ta: Ta, kind: ObjectType, curve: Curve) -> int:
    _, x, y = (bytes.fromhex(text) for text in KNOWN[curve])
    return ta.key(kind, *_point(curve, x, y))


def dsa_key(ta: Ta, numbers: dict[str, str], *, private: bool) -> int:
    names = {"p": A.DSA_PRIME, "q": A.DSA_SUBPRIME, "g": A.DSA_BASE, "y": A.DSA_PUBLIC_VALUE}
    if private:
        names["x"] = A.DSA_PRIVATE_VALUE
    attributes = [reference(one, bytes.fromhex(numbers[name])) for name, one in names.items()]
    return ta.key(T.DSA_KEYPAIR if private else T.DSA_PUBLIC_KEY, *attributes)


_BYTES = {
    "ED25519": (ed25519.Ed25519PrivateKey, T.ED25519_KEYPAIR, A.ED25519_PRIVATE_VALUE, A.ED25519_PUBLIC_VALUE),
    "ED448": (ed448.Ed448PrivateKey, T.ED448_KEYPAIR, A.ED448_PRIVATE_VALUE, A.ED448_PUBLIC_VALUE),
    "X25519": (x25519.X25519PrivateKey, T.X25519_KEYPAIR, A.X25519_PRIVATE_VALUE, A.X25519_PUBLIC_VALUE),
    "X448": (x448.X448PrivateKey, T.X448_KEYPAIR, A.X448_PRIVATE_VALUE, A.X448_PUBLIC_VALUE),
}


def bytes_pair(ta: Ta, name: str, secret: bytes) -> int:
    """Of a curve whose keys are strings of bytes."""
    maker, kind, private, public = _BYTES[name]
    return ta.key(
        kind,
        reference(private, secret),
        reference(public, maker.from_private_bytes(secret).public_key().public_bytes_raw()),
    )
