"""Holds what a replay was told against what the scenario has, byte for byte as the file writes it."""

from itertools import zip_longest

from bioguard.simulate.scenario.steps import Told
from bioguard.simulate.scenario.writer import table_lines
from tee_sim.shared.dataclass import dataclass

NOTHING = "nothing more"


@dataclass(frozen=True, slots=True)
class Difference:
    """The first. number: of the event, from 1; after: of the input that it came over; expected, came: as written."""

    number: int
    after: int
    expected: str
    came: str


def text_of(told: Told) -> str:
    """One event as a file has it, on one line."""
    return "; ".join(table_lines({"after": told.after} | dict(told.what)))


def first_difference(expected: tuple[Told, ...], came: tuple[Told, ...]) -> Difference | None:
    """Where the two part; None where they are the same bytes."""
    for number, (was, now) in enumerate(zip_longest(expected, came), 1):
        texts = [NOTHING if told is None else text_of(told) for told in (was, now)]
        if texts[0] != texts[1]:
            after = min(told.after for told in (was, now) if told is not None)
            return Difference(number, after, *texts)
    return None
