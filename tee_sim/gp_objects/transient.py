"""TEE_AllocateTransientObject and the rest of section 5.6 of the Internal Core API, and reading of attributes (5.5).

A transient object is memory of its instance: it ends with it, and costs the disk nothing.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tee_sim.gp_objects.attributes import KeyAttribute
from tee_sim.gp_objects.constants import ALL_USAGES, HANDLE_FLAG_INITIALIZED, MAX_TRANSIENT_OBJECTS, ObjectInfo
from tee_sim.gp_objects.handles import HandleTable
from tee_sim.gp_objects.key_types import RULES, ObjectType, Usage, is_public, is_value, with_parity
from tee_sim.gp_objects.keys import Key, generated, populated
from tee_sim.gp_objects.panics import BreachError, guard
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.gp_functions import Function
from tee_sim.shared.rng import Rng


@dataclass(slots=True)
class TransientObject:
    """One of them; without a key it is uninitialized."""

    object_type: ObjectType
    max_bits: int
    key: Key | None = None
    usage: int = ALL_USAGES

    def info(self) -> ObjectInfo:
        """TEE_ObjectInfo."""
        return ObjectInfo(
            object_type=self.object_type,
            object_size=0 if self.key is None else self.key.size_bits,
            max_object_size=self.max_bits,
            object_usage=self.usage,
            data_size=0,
            data_position=0,
            handle_flags=0 if self.key is None else HANDLE_FLAG_INITIALIZED,
        )


class TransientObjects(ABC):
    """The transient objects of one instance, and what they have in common with persistent ones.

    Args:
        handles: of the instance; the numbers of both kinds of objects come from there.
        rng: what secrets are made of. Primes of RSA come from the kernel, on a seeded device too.
    """

    def __init__(self, handles: HandleTable, rng: Rng) -> None:
        self._handles = handles
        self._rng = rng
        self._transients: dict[int, TransientObject] = {}

    @abstractmethod
    def _stored_key(self, handle: int) -> tuple[Key | None, int]:
        """Key and usage of a persistent object; no key for one of pure data."""

    def allocate_transient(self, object_type: int, max_bits: int) -> int:
        """An uninitialized object. Raises TeeError NOT_SUPPORTED for a type or size, OUT_OF_MEMORY."""
        with guard(Function.ALLOCATE_TRANSIENT_OBJECT):
            if object_type not in ObjectType.__members__.values():
                raise TeeError(TeeResult.NOT_SUPPORTED, "a type of object that is not here")
            known = ObjectType(object_type)
            max_bits = with_parity(known, max_bits)
            if max_bits not in RULES[known].sizes_bits:
                raise TeeError(TeeResult.NOT_SUPPORTED, "a size that this type does not have")
            if len(self._transients) >= MAX_TRANSIENT_OBJECTS:
                raise TeeError(TeeResult.OUT_OF_MEMORY, f"{MAX_TRANSIENT_OBJECTS} transient objects are allocated")
            number = self._handles.number()
            self._transients[number] = TransientObject(known, max_bits)
            return number

    def free_transient(self, handle: int) -> None:
        """Give it back. Handle 0 is left alone."""
        with guard(Function.FREE_TRANSIENT_OBJECT):
            if handle:
                self._transient(handle)
                del self._transients[handle]

    def reset_transient(self, handle: int) -> None:
        """As freshly allocated."""
        with guard(Function.RESET_TRANSIENT_OBJECT):
            old = self._transient(handle)
            self._transients[handle] = TransientObject(old.object_type, old.max_bits)

    def populate(self, handle: int, *attributes: KeyAttribute) -> None:
        """Make it of attributes. Raises TeeError BAD_PARAMETERS for values that are wrong; it stays as it was."""
        with guard(Function.POPULATE_TRANSIENT_OBJECT), self._empty(handle) as state:
            state.key = populated(state.object_type, state.max_bits, attributes)

    def generate_key(self, handle: int, size_bits: int, *parameters: KeyAttribute) -> None:
        """Make it at random. Raises TeeError BAD_PARAMETERS for parameters that are wrong."""
        with guard(Function.GENERATE_KEY), self._empty(handle) as state:
            size_bits = with_parity(state.object_type, size_bits)
            state.key = generated(state.object_type, state.max_bits, size_bits, parameters, self._rng)

    def copy_attributes(self, destination: int, source: int) -> None:
        """Make it of another object's attributes, or of the public ones of a pair; its usage is what both allow."""
        with guard(Function.COPY_OBJECT_ATTRIBUTES1), self._empty(destination) as state:
            key, usage = self.initialized(source)
            if key is None or key.size_bits > state.max_bits:
                raise BreachError("the source has no attributes, or is too large")
            state.key = key.of_type(state.object_type)
            state.usage &= usage

    def buffer_attribute(self, handle: int, attribute: int) -> bytes:
        """Bytes of an attribute. Raises TeeError ITEM_NOT_FOUND; panics for one that its usage protects."""
        with guard(Function.GET_OBJECT_BUFFER_ATTRIBUTE):
            return self._read(handle, attribute, of_numbers=False).data

    def value_attribute(self, handle: int, attribute: int) -> tuple[int, int]:
        """Numbers of an attribute. Raises as `buffer_attribute`."""
        with guard(Function.GET_OBJECT_VALUE_ATTRIBUTE):
            found = self._read(handle, attribute, of_numbers=True)
            return found.a, found.b

    def _read(self, handle: int, attribute: int, *, of_numbers: bool) -> KeyAttribute:
        key, usage = self.initialized(handle)
        if is_value(attribute) is not of_numbers:
            raise BreachError("the attribute is of the other kind")
        if not is_public(attribute) and not usage & Usage.EXTRACTABLE:
            raise BreachError("the attribute is protected")
        found = None if key is None else key.get(attribute)
        if found is None:
            raise TeeError(TeeResult.ITEM_NOT_FOUND, "no such attribute")
        return found

    def _transient(self, handle: int) -> TransientObject:
        found = self._transients.get(handle)
        if found is None:
            raise BreachError("no such transient object")
        return found

    @contextmanager
    def _empty(self, handle: int) -> Iterator[TransientObject]:
        """One that is not initialized."""
        state = self._transient(handle)
        if state.key is not None:
            raise BreachError("the object is initialized")
        yield state

    def initialized(self, handle: int) -> tuple[Key | None, int]:
        """Key and usage of either kind of object."""
        if handle not in self._transients:
            return self._stored_key(handle)
        state = self._transients[handle]
        if state.key is None:
            raise BreachError("the object is not initialized")
        return state.key, state.usage
