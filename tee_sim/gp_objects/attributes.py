"""TEE_Attribute of a key (Internal Core API 1.3.1, sections 5.3.1 and 5.6.5)."""

from dataclasses import dataclass
from typing import Annotated

from tee_sim.gp_objects.key_types import Attribute
from tee_sim.gp_objects.panics import BreachError, guard
from tee_sim.shared.gp_functions import Function
from tee_sim.shared.schema import AtMost, Record, UpTo

_U32 = UpTo(0xFFFF_FFFF)


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
