"""How keys of each family are read from attributes, and made at random.

Numbers are big-endian. Those of an elliptic curve are kept at the width of its field, other numbers without zeros in
front, whatever width they came in; keys that are strings of bytes stay as they are.

Keys of Diffie-Hellman are Python's integers: `cryptography` is about to drop them.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x448, x25519

from tee_sim.gp_objects.attributes import KeyAttribute
from tee_sim.gp_objects.key_types import RULES, Attribute, Curve, KeyFamily, ObjectType
from tee_sim.shared.rng import Rng

_A = Attribute
_PUBLIC_EXPONENTS = (65537, 3)
"""Of new pairs: what `cryptography` makes. The first is that of a pair for which none is asked."""
EC_CURVES: dict[Curve, ec.EllipticCurve] = {
    Curve.NIST_P192: ec.SECP192R1(),
    Curve.NIST_P224: ec.SECP224R1(),
    Curve.NIST_P256: ec.SECP256R1(),
    Curve.NIST_P384: ec.SECP384R1(),
    Curve.NIST_P521: ec.SECP521R1(),
    Curve.BSI_P256R1: ec.BrainpoolP256R1(),
    Curve.BSI_P384R1: ec.BrainpoolP384R1(),
    Curve.BSI_P512R1: ec.BrainpoolP512R1(),
}

Given = Mapping[Attribute, KeyAttribute]
Numbers = dict[Attribute, bytes | int]
"""What a key is made of: bytes of a reference, the first number of a value."""


def read_key(object_type: ObjectType, given: Given) -> tuple[int, Numbers]:
    """Size in bits and values of a key that is given whole.

    Raises:
        ValueError, ArithmeticError: it is none.
    """
    return _READERS[RULES[object_type].family](object_type, given)


def make_key(object_type: ObjectType, size_bits: int, given: Given, rng: Rng) -> Numbers:
    """Values of a new key. Raises as `read_key`, for parameters that are wrong."""
    return _MAKERS[RULES[object_type].family](object_type, size_bits, given, rng)


def _natural(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _below(limit: int, rng: Rng) -> int:
    """From 1 to limit - 1, each equally likely: one that is too large is drawn again, not reduced."""
    bits = limit.bit_length()
    while True:
        drawn = int.from_bytes(rng.bytes((bits + 7) // 8), "big") >> -bits % 8
        if 0 < drawn < limit:
            return drawn


def _hold(holds: bool, why: str) -> None:
    if not holds:
        raise ValueError(why)


# Secrets


def _read_secret(_type: ObjectType, given: Given) -> tuple[int, Numbers]:
    ((attribute, held),) = given.items()
    return 8 * len(held.data), {attribute: held.data}


def _make_secret(object_type: ObjectType, size_bits: int, _given: Given, rng: Rng) -> Numbers:
    (attribute,) = RULES[object_type].required
    return {attribute: rng.bytes(size_bits // 8)}


# RSA


def _read_rsa(_type: ObjectType, given: Given) -> tuple[int, Numbers]:
    number = {one: held.number for one, held in given.items()}
    public = rsa.RSAPublicNumbers(number[_A.RSA_PUBLIC_EXPONENT], number[_A.RSA_MODULUS])
    d = number.get(_A.RSA_PRIVATE_EXPONENT)
    if d is None:
        public.public_key()
    else:
        # Without them they are recovered: numbers that do not go together have none.
        p, q = (
            (number[_A.RSA_PRIME1], number[_A.RSA_PRIME2])
            if _A.RSA_PRIME1 in number
            else rsa.rsa_recover_prime_factors(public.n, public.e, d)
        )
        rsa.RSAPrivateNumbers(
            p=p,
            q=q,
            d=d,
            dmp1=number.get(_A.RSA_EXPONENT1, rsa.rsa_crt_dmp1(d, p)),
            dmq1=number.get(_A.RSA_EXPONENT2, rsa.rsa_crt_dmq1(d, q)),
            iqmp=number.get(_A.RSA_COEFFICIENT, rsa.rsa_crt_iqmp(p, q)),
            public_numbers=public,
        ).private_key()
    return public.n.bit_length(), {one: _natural(held) for one, held in number.items()}


def _make_rsa(_type: ObjectType, size_bits: int, given: Given, _rng: Rng) -> Numbers:
    """The primes come from the kernel, on a seeded device too."""
    exponent = given[_A.RSA_PUBLIC_EXPONENT].number if _A.RSA_PUBLIC_EXPONENT in given else _PUBLIC_EXPONENTS[0]
    _hold(exponent in _PUBLIC_EXPONENTS, "a public exponent of which no pair is made")
    made = rsa.generate_private_key(exponent, size_bits).private_numbers()
    numbers = {
        _A.RSA_MODULUS: made.public_numbers.n,
        _A.RSA_PUBLIC_EXPONENT: made.public_numbers.e,
        _A.RSA_PRIVATE_EXPONENT: made.d,
        _A.RSA_PRIME1: made.p,
        _A.RSA_PRIME2: made.q,
        _A.RSA_EXPONENT1: made.dmp1,
        _A.RSA_EXPONENT2: made.dmq1,
        _A.RSA_COEFFICIENT: made.iqmp,
    }
    return {one: _natural(held) for one, held in numbers.items()}


# DSA


def _dsa_domain(given: Given) -> tuple[int, int, int]:
    p, q, g = (given[one].number for one in (_A.DSA_PRIME, _A.DSA_SUBPRIME, _A.DSA_BASE))
    dsa.DSAParameterNumbers(p, q, g).parameters()  # sizes that go together
    _hold((p - 1) % q == 0 and 1 < g < p and pow(g, q, p) == 1, "no base of this subprime")
    return p, q, g


def _read_dsa(_type: ObjectType, given: Given) -> tuple[int, Numbers]:
    p, q, g = _dsa_domain(given)
    y = given[_A.DSA_PUBLIC_VALUE].number
    _hold(1 < y < p, "no public value")
    if _A.DSA_PRIVATE_VALUE in given:
        x = given[_A.DSA_PRIVATE_VALUE].number
        _hold(0 < x < q and pow(g, x, p) == y, "not its public value")
    return p.bit_length(), {one: _natural(held.number) for one, held in given.items()}


def _make_dsa(_type: ObjectType, size_bits: int, given: Given, rng: Rng) -> Numbers:
    p, q, g = _dsa_domain(given)
    _hold(p.bit_length() == size_bits, "a size that is not the prime's")
    x = _below(q, rng)
    numbers = {
        _A.DSA_PRIME: p,
        _A.DSA_SUBPRIME: q,
        _A.DSA_BASE: g,
        _A.DSA_PUBLIC_VALUE: pow(g, x, p),
        _A.DSA_PRIVATE_VALUE: x,
    }
    return {one: _natural(held) for one, held in numbers.items()}


# Diffie-Hellman


def _dh_domain(given: Given) -> tuple[int, int, int]:
    """Prime, base, and the bound of a secret."""
    p, g = given[_A.DH_PRIME].number, given[_A.DH_BASE].number
    _hold(p % 2 == 1 and 1 < g < p - 1, "no base of this prime")
    bound = p - 1
    if _A.DH_SUBPRIME in given:
        q = given[_A.DH_SUBPRIME].number
        _hold(1 < q < p and pow(g, q, p) == 1, "no base of this subprime")
        bound = q
    if _A.DH_X_BITS in given:
        bits = given[_A.DH_X_BITS].a
        _hold(1 < bits <= bound.bit_length(), "a size that a secret cannot have")
        bound = min(bound, 1 << bits)
    return p, g, bound


def _dh_numbers(given: Given, y: int, x: int) -> Numbers:
    numbers: Numbers = {one: held.a if one.is_value else _natural(held.number) for one, held in given.items()}
    return numbers | {_A.DH_PUBLIC_VALUE: _natural(y), _A.DH_PRIVATE_VALUE: _natural(x)}


def _read_dh(_type: ObjectType, given: Given) -> tuple[int, Numbers]:
    p, g, bound = _dh_domain(given)
    y, x = given[_A.DH_PUBLIC_VALUE].number, given[_A.DH_PRIVATE_VALUE].number
    _hold(0 < x < bound and 1 < y < p - 1 and pow(g, x, p) == y, "not its public value")
    return p.bit_length(), _dh_numbers(given, y, x)


def _make_dh(_type: ObjectType, size_bits: int, given: Given, rng: Rng) -> Numbers:
    p, g, bound = _dh_domain(given)
    _hold(p.bit_length() == size_bits, "a size that is not the prime's")
    while True:
        x = _below(bound, rng)
        y = pow(g, x, p)
        if 1 < y < p - 1:
            return _dh_numbers(given, y, x)


# Curves of short Weierstrass form


def _curve(given: Given) -> Curve:
    """Raises ValueError for one that is not here."""
    return Curve(given[_A.ECC_CURVE].a)


def _read_ecc(_type: ObjectType, given: Given) -> tuple[int, Numbers]:
    curve = _curve(given)
    point = ec.EllipticCurvePublicNumbers(
        given[_A.ECC_PUBLIC_VALUE_X].number, given[_A.ECC_PUBLIC_VALUE_Y].number, EC_CURVES[curve]
    )
    point.public_key()
    secret = given.get(_A.ECC_PRIVATE_VALUE)
    if secret is not None:
        own = ec.derive_private_key(secret.number, EC_CURVES[curve]).public_key().public_numbers()
        _hold(own == point, "not its public key")
    return curve.size_bits, _ecc_numbers(curve, point, None if secret is None else secret.number)


def _ecc_numbers(curve: Curve, point: ec.EllipticCurvePublicNumbers, secret: int | None) -> Numbers:
    width = (curve.size_bits + 7) // 8
    numbers: Numbers = {
        _A.ECC_PUBLIC_VALUE_X: point.x.to_bytes(width, "big"),
        _A.ECC_PUBLIC_VALUE_Y: point.y.to_bytes(width, "big"),
        _A.ECC_CURVE: int(curve),
    }
    return numbers if secret is None else numbers | {_A.ECC_PRIVATE_VALUE: secret.to_bytes(width, "big")}


def _make_ecc(_type: ObjectType, size_bits: int, given: Given, rng: Rng) -> Numbers:
    curve = _curve(given)
    _hold(curve.size_bits == size_bits, "a size that is not the curve's")
    while True:  # every secret equally likely: one that is no number below the order is drawn again, not reduced
        secret = int.from_bytes(rng.bytes((size_bits + 7) // 8), "big") >> -size_bits % 8
        with suppress(ValueError):
            point = ec.derive_private_key(secret, EC_CURVES[curve]).public_key().public_numbers()
            return _ecc_numbers(curve, point, secret)


# Keys that are strings of bytes


class _BytesKey(Protocol):
    def public_bytes_raw(self) -> bytes: ...


class _BytesPair(Protocol):
    def public_key(self) -> _BytesKey: ...


_BYTES: dict[Attribute, tuple[Attribute, int, int, Callable[[bytes], _BytesPair], Callable[[bytes], _BytesKey]]] = {
    _A.ED25519_PUBLIC_VALUE: (
        _A.ED25519_PRIVATE_VALUE,
        256,
        32,
        ed25519.Ed25519PrivateKey.from_private_bytes,
        ed25519.Ed25519PublicKey.from_public_bytes,
    ),
    _A.X25519_PUBLIC_VALUE: (
        _A.X25519_PRIVATE_VALUE,
        256,
        32,
        x25519.X25519PrivateKey.from_private_bytes,
        x25519.X25519PublicKey.from_public_bytes,
    ),
    _A.ED448_PUBLIC_VALUE: (
        _A.ED448_PRIVATE_VALUE,
        448,
        57,
        ed448.Ed448PrivateKey.from_private_bytes,
        ed448.Ed448PublicKey.from_public_bytes,
    ),
    _A.X448_PUBLIC_VALUE: (
        _A.X448_PRIVATE_VALUE,
        448,
        56,
        x448.X448PrivateKey.from_private_bytes,
        x448.X448PublicKey.from_public_bytes,
    ),
}
"""By the public attribute: the private one, size in bits, bytes of either, how both are read."""


def _read_bytes(_type: ObjectType, given: Given) -> tuple[int, Numbers]:
    public = next(one for one in given if one in _BYTES)
    private, size_bits, _, read_pair, read_public = _BYTES[public]
    read_public(given[public].data)
    if private in given:
        own = read_pair(given[private].data).public_key().public_bytes_raw()
        _hold(own == given[public].data, "not its public key")
    return size_bits, {one: held.data for one, held in given.items()}


def _make_bytes(object_type: ObjectType, _size_bits: int, _given: Given, rng: Rng) -> Numbers:
    public = next(one for one in RULES[object_type].required if one in _BYTES)
    private, _, size_bytes, read_pair, _ = _BYTES[public]
    secret = rng.bytes(size_bytes)
    return {public: read_pair(secret).public_key().public_bytes_raw(), private: secret}


_READERS = {
    KeyFamily.SECRET: _read_secret,
    KeyFamily.RSA: _read_rsa,
    KeyFamily.DSA: _read_dsa,
    KeyFamily.DH: _read_dh,
    KeyFamily.ECC: _read_ecc,
    KeyFamily.EDWARDS: _read_bytes,
}
_MAKERS = {
    KeyFamily.SECRET: _make_secret,
    KeyFamily.RSA: _make_rsa,
    KeyFamily.DSA: _make_dsa,
    KeyFamily.DH: _make_dh,
    KeyFamily.ECC: _make_ecc,
    KeyFamily.EDWARDS: _make_bytes,
}
