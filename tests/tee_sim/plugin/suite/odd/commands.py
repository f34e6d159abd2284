"""One command; its number says what to try."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from tee_sim.shared.schema import Record, UpTo
from tee_sim.shared.ta_api import Command

UUID_OF_ODD = UUID("5d1c7a52-2f0e-4a37-9a7e-0b9f6f3a1c55")


@dataclass(frozen=True, slots=True, kw_only=True)
class Try(Record):
    number: Annotated[int, UpTo(1000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Record):
    value: Annotated[int, UpTo(1000)]


TRY = Command(1, Try, Done)
