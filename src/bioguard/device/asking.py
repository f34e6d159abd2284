"""The type of `Device.ask`, for the parts of a device that speak to its secure world through it."""

from collections.abc import Callable, Collection
from enum import IntEnum
from typing import Protocol, TypeVar

from tee_sim.shared.schema import Record
from tee_sim.shared.ta_api import Command

Q = TypeVar("Q", bound=Record)
A = TypeVar("A", bound=Record)


class Asker(Protocol):
    """`Device.ask` of the biometric trusted application."""

    def __call__(
        self,
        command: Command[Q, A],
        request: Q,
        *,
        about: str | Callable[[A], str] = "",
        quantize_timing: bool = False,
        expected: Collection[IntEnum] = (),
    ) -> A: ...
