"""A scenario: knob values, a seed, and a name, as one small text file that is saved with a device and replayed.

    bioguard-scenario 1
    seed = 7
    played = 0
    quality_sequence = 4,1
    storage = commit@3: die-before

`played` counts the captures so far, so that a sequence goes on from command to command; set it to 0 to replay. Same
file, same inputs: the same result. Files are written and read strictly: known knobs, table order, no
duplicates, nothing left over.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from bioguard.device.hooks import SCENARIO_FILE
from bioguard.errors import InputRefused
from bioguard.private_files import read_file, remove_file, write_file
from bioguard.simulate.faults.grammar import MAX_DIGITS
from bioguard.simulate.faults.properties import SensorProperties

HEADER = "bioguard-scenario 1"
MAX_FILE_BYTES = 65_536


def _bad(why: str) -> InputRefused:
    return InputRefused(f"not a scenario file: {why}", hint="write it with: bioguard fault set", code="fault.scenario")


def _count(line: str, name: str) -> int:
    digits = line.removeprefix(f"{name} = ")
    if (
        digits == line
        or not (digits.isascii() and digits.isdecimal())
        or len(digits) > MAX_DIGITS
        or int(digits) >= 1 << 64
    ):
        raise _bad(f"{name} is not a number below 2^64")
    return int(digits)


@dataclass(slots=True)
class Scenario:
    """Property values, the seed of everything random in them, and how many captures were played."""

    knobs: SensorProperties = field(default_factory=SensorProperties)
    seed: int = 0
    played: int = 0

    def forget(self) -> None:
        """No faults, and nothing played."""
        self.knobs.clear()
        self.seed = self.played = 0

    def to_text(self) -> str:
        """The file's text."""
        lines = [HEADER, f"seed = {self.seed}", f"played = {self.played}"]
        lines += [f"{name} = {value}" for name, value in self.knobs.changed().items()]
        return "\n".join(lines) + "\n"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Parse a file.

        Raises:
            InputRefused: anything `to_text` would not have written.
        """
        lines = text.split("\n")
        if lines[0] != HEADER or len(lines) < 4:
            raise _bad("the header is missing")
        scenario = cls(seed=_count(lines[1], "seed"), played=_count(lines[2], "played"))
        for line in lines[3:-1]:
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
        raw = read_file(directory, SCENARIO_FILE, most_bytes=MAX_FILE_BYTES)
        if raw is None:
            return cls()
        try:
            return cls.from_text(raw.decode("ascii"))
        except UnicodeDecodeError:
            raise _bad("it is not ASCII text") from None

    def save(self, directory: Path) -> None:
        """Write it next to the device; an empty one removes the file."""
        if self.knobs.changed():
            write_file(directory, SCENARIO_FILE, self.to_text())
        else:
            remove_file(directory, SCENARIO_FILE)
