"""Keys as their attributes: made of given ones, generated, stored. Pure, but for the generator of RSA's primes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Self

from tee_sim.gp_objects.attributes import KeyAttribute
from tee_sim.gp_objects.key_families import Given, Numbers, make_key, read_key
from tee_sim.gp_objects.key_types import CRT, RULES, Attribute, ObjectType
from tee_sim.gp_objects.panics import BreachError
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.rng import Rng
from tee_sim.shared.schema import Items, MisfitError, Record, UpTo


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

    def get(self, attribute: int) -> KeyAttribute | None:
        """One of its attributes."""
        return next((one for one in self.attributes if one.attribute == attribute), None)

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
    try:
        size_bits, numbers = read_key(object_type, given)
    except (ValueError, ArithmeticError):
        raise _wrong(f"no key of type {object_type.name.lower()}") from None
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
    try:
        return _key(object_type, size_bits, make_key(object_type, size_bits, given, rng))
    except (ValueError, ArithmeticError):
        raise _wrong(f"parameters of no key of type {object_type.name.lower()}") from None


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


def _allow(given: Given, required: frozenset[Attribute], optional: frozenset[Attribute]) -> None:
    if required - given.keys():
        raise BreachError("a mandatory attribute is missing")
    if given.keys() - required - optional:
        raise BreachError("an attribute that this type does not have")


def _wrong(why: str) -> TeeError:
    return TeeError(TeeResult.BAD_PARAMETERS, why)


def _key(object_type: ObjectType, size_bits: int, numbers: Numbers) -> Key:
    attributes = tuple(
        KeyAttribute(attribute=one, data=held) if isinstance(held, bytes) else KeyAttribute(attribute=one, a=held)
        for one, held in sorted(numbers.items())
    )
    return Key(object_type=object_type, size_bits=size_bits, attributes=attributes)
