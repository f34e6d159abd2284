"""Objects of any kind, and transient ones (sections 5.5 and 5.6)."""

from collections.abc import Callable, Container, Sequence
from typing import cast

from tee_sim.gp_api.instance import Instance
from tee_sim.gp_api.words import Handler, attributes, fitted, handle, room, u32
from tee_sim.gp_objects.attributes import KeyAttribute
from tee_sim.gp_objects.constants import ObjectInfo
from tee_sim.gp_objects.key_types import Attribute
from tee_sim.gp_objects.panics import BreachError
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.gp_functions import Function

TYPE_CORRUPTED = 0xA00000BE
"""TEE_TYPE_CORRUPTED_OBJECT: what the functions of 1.0, which return no result, say of an object that is damaged."""

_DAMAGE = frozenset({TeeResult.CORRUPT_OBJECT, TeeResult.STORAGE_NOT_AVAILABLE})


def info_words(info: ObjectInfo) -> list[object]:
    """TEE_ObjectInfo in the order of its members."""
    return [
        int(info.object_type),
        info.object_size,
        info.max_object_size,
        info.object_usage,
        info.data_size,
        info.data_position,
        info.handle_flags,
    ]


def key_attributes(words: Sequence[object]) -> list[KeyAttribute]:
    """TEE_Attributes of a key. Raises BreachError for one that no key has, or of the other kind."""
    return [_key_attribute(cast("list[object]", word)) for word in words]


def _key_attribute(word: list[object]) -> KeyAttribute:
    number = cast("int", word[0])
    if number not in Attribute.__members__.values():
        raise BreachError("an attribute that no key has")
    attribute = Attribute(number)
    if attribute.is_value is not (len(word) == 3):
        raise BreachError("an attribute of the other kind")
    if attribute.is_value:
        return KeyAttribute(attribute=attribute, a=cast("int", word[1]), b=cast("int", word[2]))
    return KeyAttribute(attribute=attribute, data=cast("bytes", word[1]))


def handlers(instance: Instance) -> dict[Function, Handler]:
    """Of these sections."""
    objects = instance.objects

    def info(number: int) -> list[object]:
        return info_words(objects.info(number))

    def info_of_1_0(number: int) -> list[object]:
        try:
            return info(number)
        except TeeError as error:
            if error.result not in _DAMAGE:
                raise
            return [TYPE_CORRUPTED, 0, 0, 0, 0, 0, 0]

    def restrict(number: int, usage: int) -> list[object]:
        objects.restrict_usage(number, usage)
        return []

    def close(number: int) -> list[object]:
        objects.close(number)
        return []

    def buffer_attribute(number: int, attribute: int, room_bytes: int | None) -> list[object]:
        return [fitted(objects.buffer_attribute(number, attribute), room_bytes)]

    def value_attribute(number: int, attribute: int) -> list[object]:
        return list(objects.value_attribute(number, attribute))

    def allocate(object_type: int, max_bits: int) -> list[object]:
        return [objects.allocate_transient(object_type, max_bits)]

    def free(number: int) -> list[object]:
        objects.free_transient(number)
        return []

    def reset(number: int) -> list[object]:
        if number:
            objects.reset_transient(number)
        return []

    def populate(number: int, given: list[object]) -> list[object]:
        objects.populate(number, *key_attributes(given))
        return []

    def copy(destination: int, source: int) -> list[object]:
        objects.copy_attributes(destination, source)
        return []

    def generate(number: int, size_bits: int, parameters: list[object]) -> list[object]:
        objects.generate_key(number, size_bits, *key_attributes(parameters))
        return []

    return {
        Function.GET_OBJECT_INFO1: Handler(info, (handle,)),
        Function.GET_OBJECT_INFO: Handler(info_of_1_0, (handle,)),
        Function.RESTRICT_OBJECT_USAGE1: Handler(restrict, (handle, u32)),
        # Not if the store is away: the application would take for restricted what is not.
        Function.RESTRICT_OBJECT_USAGE: Handler(_unless(restrict, {TeeResult.CORRUPT_OBJECT}), (handle, u32)),
        Function.GET_OBJECT_BUFFER_ATTRIBUTE: Handler(buffer_attribute, (handle, u32, room)),
        Function.GET_OBJECT_VALUE_ATTRIBUTE: Handler(value_attribute, (handle, u32)),
        Function.CLOSE_OBJECT: Handler(close, (handle,)),
        Function.ALLOCATE_TRANSIENT_OBJECT: Handler(allocate, (u32, u32)),
        Function.FREE_TRANSIENT_OBJECT: Handler(free, (handle,)),
        Function.RESET_TRANSIENT_OBJECT: Handler(reset, (handle,)),
        Function.POPULATE_TRANSIENT_OBJECT: Handler(populate, (handle, attributes)),
        Function.COPY_OBJECT_ATTRIBUTES1: Handler(copy, (handle, handle)),
        Function.COPY_OBJECT_ATTRIBUTES: Handler(_unless(copy, _DAMAGE), (handle, handle)),
        Function.GENERATE_KEY: Handler(generate, (handle, u32, attributes)),
    }


def _unless(
    run: Callable[[int, int], list[object]], damage: Container[TeeResult]
) -> Callable[[int, int], list[object]]:
    """As 1.0 has it: a function without a result does nothing about an object that is damaged."""

    def run_of_1_0(first: int, second: int) -> list[object]:
        try:
            return run(first, second)
        except TeeError as error:
            if error.result not in damage:
                raise
            return []

    return run_of_1_0
