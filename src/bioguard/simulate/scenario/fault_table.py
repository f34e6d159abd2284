"""The table `[faults]` of a scenario: knobs in TOML's own types, and as `bioguard fault set` takes them."""

from collections.abc import Callable

from bioguard.errors import InputRefused
from bioguard.simulate.knobs.properties import SensorProperties
from bioguard.simulate.knobs.table import KNOBS, Form, Knob
from bioguard.simulate.knobs.values import checked
from bioguard.simulate.scenario.values import wrong_type
from tee_sim.shared.manifest_file import Key
from tee_sim.shared.manifest_values import ManifestError, Misfit, Read

Value = bool | int | float | str | list[int] | list[str]


def _flag(value: object) -> str:
    if not isinstance(value, bool):
        raise wrong_type("true or false", value)
    return "true" if value else "false"


def _integer(value: object) -> str:
    if type(value) is not int:
        raise wrong_type("an integer", value)
    return str(value)


def _rate(value: object) -> str:
    if type(value) not in (int, float):
        raise wrong_type("a number from 0 to 1", value)
    return f"{value:.12f}"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise wrong_type("a string", value)
    return value


def _integers(value: object) -> str:
    if not isinstance(value, list):
        raise wrong_type("a list of integers", value)
    return ",".join(map(_integer, value))


def _one_or_two(value: object) -> str:
    return _integers(value) if isinstance(value, list) else _integer(value)


def _rules(value: object) -> str:
    return "; ".join(map(_text, value)) if isinstance(value, list) else _text(value)


def _number_or_word(value: object) -> str:
    return value if isinstance(value, str) else _integer(value)


def _split(text: str, separator: str = ",") -> list[str]:
    return [part.strip() for part in text.split(separator) if part.strip()]


def _ints(text: str) -> list[int]:
    return [int(part) for part in _split(text)]


def _one_or_list(text: str) -> Value:
    found = _ints(text)
    return found[0] if len(found) == 1 else found


_FORMS: dict[Form, tuple[Callable[[object], str], Callable[[str], Value], str]] = {
    Form.FLAG: (_flag, lambda text: text == "true", "true"),
    Form.NUMBER: (_integer, int, "1"),
    Form.NUMBERS: (_integers, _ints, "[2, 5, 1]"),
    Form.LATENCY: (_one_or_two, _one_or_list, "[300, 500]"),
    Form.ENROLLMENT: (_text, str, '"2:1000-[5,1],500:true"'),
    Form.TEXT: (_text, str, '"word"'),
    Form.LOCATION: (_text, str, '"400:1600:150"'),
    Form.COMMAND: (_number_or_word, str, '"authenticate"'),
    Form.RATE: (_rate, float, "0.5"),
    Form.PLAN: (_rules, lambda text: _split(text, ";"), '["commit@3: die-before"]'),
}
"""From TOML to a knob's text, from there to TOML, and an example."""


def _reader(knob: Knob) -> Read:
    convert = _FORMS[knob.form][0]

    def read(value: object) -> str:
        try:
            return checked(knob, convert(value))
        except InputRefused as refused:
            raise ManifestError(Misfit.WRONG_VALUE, f"{refused.message}; {refused.hint}") from None

    return read


FAULT_KEYS = tuple(
    Key(("faults", knob.name), f"fault.{knob.name}", _reader(knob), _FORMS[knob.form][2]) for knob in KNOBS.values()
)


def to_toml(knobs: SensorProperties) -> dict[str, Value]:
    """The table: what is not at its default, in table order."""
    return {name: _FORMS[KNOBS[name].form][1](text) for name, text in knobs.changed().items()}
