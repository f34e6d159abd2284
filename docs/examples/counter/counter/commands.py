"""Commands of the counter, shared by client and TA."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from tee_sim.shared.schema import Record, UpTo
from tee_sim.shared.ta_api import Command

COUNTER_UUID = UUID("0b2c8f64-6c39-5a56-9a0f-3d5d6a1a7c10")
MAXIMUM = (1 << 32) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing(Record):
    """No argument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Add(Record):
    """Add `step`."""

    step: Annotated[int, UpTo(1000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value(Record):
    """The value after the command, and how many commands this session has sent."""

    value: Annotated[int, UpTo(MAXIMUM)]
    calls: Annotated[int, UpTo(MAXIMUM)]


ADD = Command(1, Add, Value)
READ = Command(2, Nothing, Value)
CRASH = Command(3, Nothing, Value)
