"""Values of knobs: set by name and checked, read by what plays them, and remembered as read."""

from collections.abc import Mapping

from bioguard.errors import InputRefused
from bioguard.simulate.knobs import grammar
from bioguard.simulate.knobs.table import KNOBS, Knob
from bioguard.simulate.knobs.values import checked

_PREFIXES = ("persist.vendor.fingerprint.virtual.", "vendor.fingerprint.virtual.", "persist.vendor.face.virtual.",
             "vendor.face.virtual.")  # fmt: skip


def knob(name: str) -> Knob:
    """Find a knob by its name, with or without Android's prefix.

    Raises:
        InputRefused: there is none.
    """
    for prefix in _PREFIXES:
        short = name.removeprefix(prefix)
        if short != name:
            name = "face_type" if short == "type" and "face" in prefix else short
            break
    name = {"strength": "sensor_strength"}.get(name, name)
    if name not in KNOBS:
        raise InputRefused(f"there is no knob {name[:60]!r}", hint="run: bioguard fault list", code="fault.unknown")
    return KNOBS[name]


_COUNTED = ("storage", "pipe", "pipe_after", "ta_panic", "clock_step_ms", "quality_sequence")
"""Knobs that are read at every message or capture, whether or not they do anything then."""


class SensorProperties:
    """Values of all knobs of one sensor. Unset ones have their defaults.

    Attributes:
        captures: how many captures have asked for their quality.
    """

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values: dict[str, str] = {}
        self._read: set[str] = set()
        self.captures = 0
        for name, value in (values or {}).items():
            self.set(name, value)

    def set(self, name: str, value: str) -> None:
        """Check and set one knob; setting the default clears it.

        Raises:
            InputRefused: unknown name or unusable value; the old value stays.
        """
        entry = knob(name)
        kept = checked(entry, value)
        self._values[entry.name] = kept
        self._read.discard(entry.name)
        if kept == entry.default:
            del self._values[entry.name]

    def clear(self, name: str | None = None) -> None:
        """Back to the default: one knob, or all (the virtual HAL's resetconfig)."""
        if name is None:
            self._values.clear()
        else:
            self._values.pop(knob(name).name, None)

    def changed(self) -> dict[str, str]:
        """What is not at its default, in table order."""
        return {name: self._values[name] for name in KNOBS if name in self._values}

    def unused(self, captures: int) -> tuple[str, ...]:
        """What was set and has changed nothing since, a sentence each: knobs that nothing has asked for, and what is
        left of a sequence after so many captures."""
        left = len(self.numbers("quality_sequence")) - captures
        silent = [f"quality_sequence: its last {left} codes were not played"] if left > 0 else []
        if self.number("clock_step_ms"):
            silent.append("clock_step_ms: nothing was asked of the secure world")
        asked = self._read.union(_COUNTED)
        return (*silent, *(f"{name}: nothing has asked for it" for name in self.changed() if name not in asked))

    def text(self, name: str) -> str:
        """The value as written."""
        self._read.add(name)
        return self._values.get(name, KNOBS[name].default)

    def flag(self, name: str) -> bool:
        """A FLAG."""
        return self.text(name) == "true"

    def number(self, name: str) -> int:
        """A NUMBER."""
        return int(self.text(name))

    def numbers(self, name: str) -> tuple[int, ...]:
        """A NUMBERS or LATENCY list."""
        return grammar.int_sequence(self.text(name))

    def rate(self, name: str) -> float:
        """A RATE."""
        return float(self.text(name))
