"""Writes a scenario in its one form: keys in table order, what is at its default left out."""

from collections.abc import Callable, Mapping
from typing import Any

import tomli_w

from bioguard.simulate.knobs.grammar import Latency
from bioguard.simulate.knobs.properties import SensorProperties
from bioguard.simulate.scenario.device_tables import DeviceTable, SensorTable
from bioguard.simulate.scenario.document import FORMAT, ScenarioFile
from bioguard.simulate.scenario.fault_table import to_toml
from bioguard.simulate.scenario.latency import AT_ONCE
from bioguard.text import iso, word


def _latencies(**given: Latency) -> dict[str, Any]:
    return {
        name: one.low_ms if one.low_ms == one.high_ms else [one.low_ms, one.high_ms]
        for name, one in given.items()
        if one != AT_ONCE
    }


def _changed(of: object, default: object, how: Mapping[str, tuple[str, Callable[[Any], Any]]]) -> dict[str, Any]:
    """By the name of each field: its name in the file, and how it is written there."""
    return {
        key: write(getattr(of, name))
        for name, (key, write) in how.items()
        if getattr(of, name) != getattr(default, name)
    }


def _same(value: Any) -> Any:
    return value


MAX_LINE_CHARS = 100
_DEVICE: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "seed": ("seed", _same),
    "clock_ms": ("clock", lambda ms: f"fixed:{iso(ms)}"),
    "profile": ("profile", word),
    "lockout": ("lockout", word),
    "lockout_cascade": ("lockout_cascade", _same),
    "require_pin": ("require_pin", _same),
    "for_testing": ("for_testing", _same),
    "uncalibrated": ("uncalibrated", _same),
    "fmr_inverse": ("fmr", "1/{}".format),
    "fpir_inverse": ("fpir", "1/{}".format),
}
_FLAGS = ("detect_interaction", "navigation_gestures", "handles_display_touches", "controls_illumination")


def _sensor(table: SensorTable) -> dict[str, Any]:
    """Every property is written, so that a file says what the sensor is without this program's defaults."""
    props = table.props
    of_fingers = props.kind.word == "fingerprint"
    rows: dict[str, Any] = {
        "kind": props.kind.word,
        "strength": word(props.strength),
        "type": props.type_word,
        "max_enrollments": props.max_enrollments,
        **{name: getattr(props, name) for name in (_FLAGS if of_fingers else _FLAGS[:1])},
    }
    if props.location is not None:
        place = {name: getattr(props.location, name) for name in ("x", "y", "radius", "display")}
        rows["location"] = {name: value for name, value in place.items() if value != ""}
    latency = _latencies(capture=table.latency.capture, match=table.latency.match)
    return rows | ({"latency_ms": latency} if latency else {})


def scenario_text(scenario: ScenarioFile) -> str:
    """The file's text."""
    tables: dict[str, Any] = {
        "device": _changed(scenario.device, DeviceTable(), _DEVICE),
        "sensor": [_sensor(table) for table in scenario.sensors],
        "latency_ms": _latencies(storage=scenario.storage, rpmb=scenario.rpmb),
        "faults": to_toml(SensorProperties(scenario.faults)),
        "input": [{"call": one.call} | dict(one.fields) for one in scenario.inputs],
        "event": [{"after": one.after} | dict(one.what) for one in scenario.events],
    }
    head = {"format": FORMAT, "seed": scenario.seed} | ({"played": scenario.played} if scenario.played else {})
    lines = [*table_lines(head)]
    for name, table in tables.items():
        for one in table if isinstance(table, list) else [table] if table else []:
            lines += ["", f"[[{name}]]" if isinstance(table, list) else f"[{name}]", *table_lines(one)]
    return "\n".join(lines) + "\n"


def table_lines(table: Mapping[str, Any]) -> list[str]:
    """The lines of one table, as a file has them."""
    return [f"{_key(key)} = {_value(value)}" for key, value in table.items()]


def _key(key: str) -> str:
    return tomli_w.dumps({key: 0}).removesuffix(" = 0\n")


def _value(value: Any) -> str:
    """On one line, but for lists that are longer than one."""
    if isinstance(value, dict):
        return "{ " + ", ".join(table_lines(value)) + " }"
    if not isinstance(value, list):
        return tomli_w.dumps({"x": value}).removeprefix("x = ").removesuffix("\n")
    items = [_value(one) for one in value]
    flat = f"[{', '.join(items)}]"
    return flat if len(flat) <= MAX_LINE_CHARS else "[\n" + "".join(f"    {item},\n" for item in items) + "]"
