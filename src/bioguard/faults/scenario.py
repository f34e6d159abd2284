"""A scenario: knob values, a seed, and a name, as one small text file that is saved with a device and replayed.

    bioguard-scenario 1
    seed = 7
    operation_authenticate_acquired = 4,1
    power_cut = 3

Same file, same seed, same inputs: the same result. Files are written and read strictly: known knobs, table order, no
duplicates, nothing left over.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from bioguard.errors import InputRefused
from bioguard.faults.knobs import Knobs

__all__ = ["SCENARIO_FILE", "Scenario"]

SCENARIO_FILE = "faults.scenario"
"""Name of the file in a device directory. No file means no faults."""
HEADER = "bioguard-scenario 1"
MAX_FILE_BYTES = 65_536


def _bad(why: str) -> InputRefused:
    return InputRefused(f"not a scenario file: {why}", hint="write it with: bioguard fault set", code="fault.scenario")


@dataclass(slots=True)
class Scenario:
    """Knobs and the seed of everything random in them."""

    knobs: Knobs = field(default_factory=Knobs)
    seed: int = 0

    def to_text(self) -> str:
        """The file's text."""
        lines = [HEADER, f"seed = {self.seed}"]
        lines += [f"{name} = {value}" for name, value in self.knobs.changed().items()]
        return "\n".join(lines) + "\n"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Parse a file.

        Raises:
            InputRefused: anything `to_text` would not have written.
        """
        lines = text.split("\n")
        if lines[0] != HEADER or len(lines) < 3 or not lines[1].startswith("seed = "):
            raise _bad("header or seed is missing")
        digits = lines[1].removeprefix("seed = ")
        if not (digits.isascii() and digits.isdecimal()) or int(digits) >= 1 << 64:
            raise _bad("the seed is not a number below 2^64")
        scenario = cls(seed=int(digits))
        for line in lines[2:-1]:
            name, equals, value = line.partition(" = ")
            if not equals:
                raise _bad("a line is not name = value")
            scenario.knobs.set(name, value)
        if scenario.to_text() != text:
            raise _bad("it is not in canonical form")
        return scenario

    @classmethod
    def load(cls, directory: Path) -> Self:
        """The scenario saved with a device; an empty one if there is none."""
        path = directory / SCENARIO_FILE
        if not path.exists():
            return cls()
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _bad("it is too large")
        try:
            return cls.from_text(path.read_text("ascii"))
        except UnicodeDecodeError:
            raise _bad("it is not ASCII text") from None

    def save(self, directory: Path) -> None:
        """Write it next to the device; an empty one removes the file."""
        path = directory / SCENARIO_FILE
        if not self.knobs.changed():
            path.unlink(missing_ok=True)
            return
        path.write_text(self.to_text(), "ascii")
