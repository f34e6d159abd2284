"""Keys as their attributes: made of given ones, generated, stored. Pure, but for the generator of RSA's primes.

Numbers are big-endian. Those of an elliptic curve are kept at the width of its field, those of RSA without zeros in
front; whatever width they came in.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated, Self

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tee_sim.gp_objects.key_types import CRT, RULES, Attribute, Curve, ObjectType
from tee_sim.gp_objects.panics import BreachError, guard
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.gp_functions import Function
from tee_sim.shared.rng import Rng
from tee_sim.shared.schema import AtMost, Items, MisfitError, Record, UpTo

_U32 = UpTo(0xFFFF_FFFF)
_A = Attribute
_PUBLIC_EXPONENT = 65537
_CURVES: dict[Curve, ec.EllipticCurve] = {
    Curve.NIST_P256: ec.SECP256R1(),
    Curve.NIST_P384: ec.SECP384R1(),
    Curve.NIST_P521: ec.SECP521R1(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAttribute(Record):
    """TEE_Attribute: bytes, or two numbers, as its id says."""

    attribute: Attribute
    data: Annotated[bytes, AtMost(512)] = b""
    a: Annotated[int, _U32] = 0
    b: Annotated[int, _U32] = 0

    @property
    def number(self) -> int:
        """The bytes as a number."""
        return int.from_bytes(self.data, "big")


def reference(attribute: Attribute, data: bytes) -> KeyAttribute:
    """TEE_InitRefAttribute. Panics for the id of a value."""
    with guard(Function.INIT_REF_ATTRIBUTE):
        if attribute.is_value:
            raise BreachError("the attribute is a value")
        return KeyAttribute(attribute=attribute, data=bytes(data))


def value(attribute: Attribute, a: int, b: int = 0) -> KeyAttribute:
    """TEE_InitValueAttribute. Panics for the id of a reference."""
    with guard(Function.INIT_VALUE_ATTRIBUTE):
        if not attribute.is_value:
            raise BreachError("the attribute is no value")
        return KeyAttribute(attribute=attribute, a=a, b=b)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key(Record):
    """An initialized object of a key type.

    Attributes:
        size_bits: objectSize.
        attributes: in ascending order of their ids, each once.
    """

    object_type: ObjectType
    size_bits: Annotated[int, UpTo(4096)]
    attributes: Annotated[tuple[KeyAttribute, ...], Items(8)]

    def __post_init__(self) -> None:
        ids = [one.attribute for one in self.attributes]
        if ids != sorted(set(ids)):
            raise MisfitError("attributes are out of order")

    def get(self, attribute: Attribute) -> KeyAttribute | None:
        """One of its attributes."""
        return next((one for one in self.attributes if one.attribute is attribute), None)

    def of_type(self, object_type: ObjectType) -> Self:
        """The same key, or the public half of a pair. Panics (BreachError) for any other type."""
        if object_type is self.object_type:
            return self
        if object_type is not RULES[self.object_type].public:
            raise BreachError("the types do not fit")
        public = RULES[object_type].required
        return replace(
            self, object_type=object_type, attributes=tuple(x for x in self.attributes if x.attribute in public)
        )


_Given = Mapping[Attribute, KeyAttribute]


def populated(object_type: ObjectType, max_bits: int, attributes: Sequence[KeyAttribute]) -> Key:
    """TEE_PopulateTransientObject.

    Raises:
        TeeError: BAD_PARAMETERS for values that are wrong, or do not go together.
        BreachError: attributes that are missing, of another type, there twice, or too large for the object.
    """
    rules, given = RULES[object_type], _each_once(attributes)
    _allow(given, rules.required, rules.optional)
    if given.keys() & CRT and not given.keys() >= CRT:
        raise BreachError("some numbers of the remainder theorem are missing")
    size_bits, numbers = _of(object_type, given)
    if size_bits > max_bits:
        raise BreachError("the key is larger than the object")
    if size_bits not in rules.sizes_bits:
        raise _wrong("a size that this type does not have")
    return _key(object_type, size_bits, numbers)


def generated(
    object_type: ObjectType, max_bits: int, size_bits: int, parameters: Sequence[KeyAttribute], rng: Rng
) -> Key:
    """TEE_GenerateKey. Raises as `populated`."""
    rules, given = RULES[object_type], _each_once(parameters)
    if rules.parameters is None:
        raise BreachError("a public key is not generated")
    if size_bits > max_bits or size_bits not in rules.sizes_bits:
        raise BreachError("a size that the object, or its type, does not have")
    _allow(given, rules.parameters, rules.optional_parameters)
    if _A.SECRET_VALUE in rules.required:
        return _key(object_type, size_bits, {_A.SECRET_VALUE: rng.bytes(size_bits // 8)})
    if object_type is ObjectType.RSA_KEYPAIR:
        return _key(object_type, size_bits, _new_rsa(size_bits, given))
    return _key(object_type, size_bits, _new_ecc(size_bits, given, rng))


def _each_once(attributes: Sequence[KeyAttribute]) -> dict[Attribute, KeyAttribute]:
    given = {one.attribute: one for one in attributes}
    if len(given) != len(attributes):
        raise BreachError("an attribute is there twice")
    for one in attributes:
        try:
            one.check()
        except MisfitError as error:
            raise BreachError(error.why) from None
    return given


def _allow(given: _Given, required: frozenset[Attribute], optional: frozenset[Attribute]) -> None:
    if required - given.keys():
        raise BreachError("a mandatory attribute is missing")
    if given.keys() - required - optional:
        raise BreachError("an attribute that this type does not have")


def _wrong(why: str) -> TeeError:
    return TeeError(TeeResult.BAD_PARAMETERS, why)


_Numbers = dict[Attribute, bytes | int]
"""What a key is made of: bytes of a reference, the first number of a value."""


def _key(object_type: ObjectType, size_bits: int, numbers: _Numbers) -> Key:
    attributes = tuple(
        KeyAttribute(attribute=one, data=held) if isinstance(held, bytes) else KeyAttribute(attribute=one, a=held)
        for one, held in sorted(numbers.items())
    )
    return Key(object_type=object_type, size_bits=size_bits, attributes=attributes)


def _of(object_type: ObjectType, given: _Given) -> tuple[int, _Numbers]:
    """Size and values of a key that is given. Raises TeeError BAD_PARAMETERS."""
    read: Callable[[_Given], tuple[int, _Numbers]]
    read = next(how for mark, how in _READERS.items() if mark in given)
    try:
        return read(given)
    except (ValueError, ArithmeticError):
        raise _wrong(f"no key of type {object_type.name.lower()}") from None


def _read_secret(given: _Given) -> tuple[int, _Numbers]:
    secret = given[_A.SECRET_VALUE].data
    return 8 * len(secret), {_A.SECRET_VALUE: secret}


def _read_rsa(given: _Given) -> tuple[int, _Numbers]:
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


def _natural(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _curve(given: _Given) -> Curve:
    """Raises ValueError for one that is not here."""
    return Curve(given[_A.ECC_CURVE].a)


def _read_ecc(given: _Given) -> tuple[int, _Numbers]:
    curve = _curve(given)
    point = ec.EllipticCurvePublicNumbers(
        given[_A.ECC_PUBLIC_VALUE_X].number, given[_A.ECC_PUBLIC_VALUE_Y].number, _CURVES[curve]
    )
    point.public_key()
    secret = given.get(_A.ECC_PRIVATE_VALUE)
    if (
        secret is not None
        and ec.derive_private_key(secret.number, _CURVES[curve]).public_key().public_numbers() != point
    ):
        raise ValueError("not its public key")
    return curve.size_bits, _ecc_numbers(curve, point, None if secret is None else secret.number)


def _ecc_numbers(curve: Curve, point: ec.EllipticCurvePublicNumbers, secret: int | None) -> _Numbers:
    width = (curve.size_bits + 7) // 8
    numbers: _Numbers = {
        _A.ECC_PUBLIC_VALUE_X: point.x.to_bytes(width, "big"),
        _A.ECC_PUBLIC_VALUE_Y: point.y.to_bytes(width, "big"),
        _A.ECC_CURVE: int(curve),
    }
    return numbers if secret is None else numbers | {_A.ECC_PRIVATE_VALUE: secret.to_bytes(width, "big")}


def _new_rsa(size_bits: int, given: _Given) -> _Numbers:
    exponent = given.get(_A.RSA_PUBLIC_EXPONENT)
    if exponent is not None and exponent.number != _PUBLIC_EXPONENT:
        raise _wrong(f"a public exponent other than {_PUBLIC_EXPONENT}")
    made = rsa.generate_private_key(_PUBLIC_EXPONENT, size_bits).private_numbers()
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


def _new_ecc(size_bits: int, given: _Given, rng: Rng) -> _Numbers:
    try:
        curve = _curve(given)
    except ValueError:
        raise _wrong("no such curve") from None
    if curve.size_bits != size_bits:
        raise _wrong("a size that is not the curve's")
    while True:  # every secret equally likely: one that is no number below the order is drawn again, not reduced
        secret = int.from_bytes(rng.bytes((size_bits + 7) // 8), "big") >> -size_bits % 8
        with suppress(ValueError):
            point = ec.derive_private_key(secret, _CURVES[curve]).public_key().public_numbers()
            return _ecc_numbers(curve, point, secret)


_READERS = {_A.SECRET_VALUE: _read_secret, _A.RSA_MODULUS: _read_rsa, _A.ECC_CURVE: _read_ecc}
"""By an attribute that every key of a family has."""
