"""The tables `[[input]]` and `[[event]]` of a scenario: what a client asks, and what it was told.

Their other keys are the fields of the method or event; who speaks the protocol checks them (`bioguard.serve.scenario`).
"""

from collections.abc import Mapping
from typing import Any

from bioguard.simulate.scenario.values import wrong_type
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.manifest_file import Key
from tee_sim.shared.manifest_values import MAX_I64, ManifestError, Misfit, number, text

MAX_STEPS = 10_000
_NAME = text(64)
_INPUT = number(0, MAX_STEPS)
_UP_TO_I64 = number(0, MAX_I64)


@dataclass(frozen=True, slots=True)
class Input:
    """A request: the method's name, and its fields as TOML has them."""

    call: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What was told over an input.

    Attributes:
        after: number of the input, from 1.
        what: `event`, `session`, `time_ms` and the event's fields; or `refused`, the code.
    """

    after: int
    what: Mapping[str, Any]


def _tables(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise wrong_type("a list of tables", value)
    if len(value) > MAX_STEPS:
        raise ManifestError(Misfit.OUT_OF_RANGE, f"{len(value)} tables, expected at most {MAX_STEPS}")
    for one in value:
        if not isinstance(one, dict):
            raise wrong_type("a list of tables", one)
    return value


def _taken(place: str, table: dict[str, Any], name: str, read: Any, example: str) -> Any:
    """The value of a key that must be there."""
    if name not in table:
        raise ManifestError(Misfit.MISSING_KEY, "missing", key=f"{place}.{name}", hint=f"write {name} = {example}")
    try:
        return read(table[name])
    except ManifestError as error:
        raise ManifestError(error.misfit, error.why, key=f"{place}.{name}", hint=f"write {name} = {example}") from None


def read_inputs(value: object) -> tuple[Input, ...]:
    """The tables `[[input]]`."""
    return tuple(
        Input(_taken(str(place), table, "call", _NAME, '"add_user"'), {k: v for k, v in table.items() if k != "call"})
        for place, table in enumerate(_tables(value))
    )


def read_events(value: object) -> tuple[Told, ...]:
    """The tables `[[event]]`."""
    return tuple(_told(str(place), table) for place, table in enumerate(_tables(value)))


def _told(place: str, table: dict[str, Any]) -> Told:
    after = _taken(place, table, "after", _INPUT, "1")
    if "refused" in table:
        _taken(place, table, "refused", _NAME, '"token.refused"')
    else:
        _taken(place, table, "event", _NAME, '"ACQUIRED"')
        _taken(place, table, "session", _UP_TO_I64, "1")
        _taken(place, table, "time_ms", _UP_TO_I64, "0")
    return Told(after, {key: one for key, one in table.items() if key != "after"})


STEP_KEYS = (
    Key(("input",), "inputs", read_inputs, '[[input]] call = "add_user"'),
    Key(("event",), "events", read_events, "[[event]] after = 1"),
)
