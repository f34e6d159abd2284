"""What the application can be asked."""

from typing import Annotated
from uuid import UUID

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import Fixed, Record
from tee_sim.shared.ta_api import Command

LIGHT_UUID = UUID("5d0a8a57-6b9c-5d7b-8f4e-0e4a3c5d2b11")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge(Record):
    """Take a capture and judge it."""

    capture_id: Annotated[bytes, Fixed(16)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement(Record):
    """Whether it is day: one bit of what the sensor has read."""

    is_day: bool


JUDGE = Command(1, Judge, Judgement)
