"""The scenario that is saved with a device, `scenario.toml`: its faults, their seed, and how long things take.

It is a file of the one format (docs/formats/scenario.md) without inputs and events, and without `[device]`: what a
device is made as is sealed. `played` counts the captures so far, so that a sequence goes on from command to command;
without it a sequence begins anew. Same file, same inputs: the same result.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from bioguard.device.hooks import OLD_SCENARIO_FILE, SCENARIO_FILE
from bioguard.errors import InputRefused
from bioguard.private_files import read_file, remove_file, write_file
from bioguard.simulate.knobs.properties import SensorProperties
from bioguard.simulate.scenario.document import ScenarioFile, parse_scenario
from bioguard.simulate.scenario.latency import LatencyModel
from bioguard.simulate.scenario.writer import scenario_text

MAX_FILE_BYTES = 262_144
"""Every knob at its longest value fits (`bioguard.simulate.knobs.table.MAX_VALUE_CHARS`)."""


@dataclass(slots=True)
class Scenario:
    """Values of knobs, the seed of everything random in them, how many captures were played, and latencies.

    Attributes:
        timing: the tables that say how long things take, as they were read.
    """

    knobs: SensorProperties = field(default_factory=SensorProperties)
    seed: int = 0
    played: int = 0
    timing: ScenarioFile = field(default_factory=ScenarioFile)

    @property
    def latencies(self) -> LatencyModel:
        """How long things take."""
        return self.timing.latencies

    def set(self, name: str, value: str) -> None:
        """Turn a knob; a sequence begins with the next capture. Raises InputRefused as `SensorProperties.set`."""
        self.knobs.set(name, value)
        if "quality_sequence" in name:  # also with Android's prefix
            self.played = 0

    def forget(self) -> None:
        """No faults, and nothing played. Latencies are of the device, and stay."""
        self.knobs.clear()
        self.seed = self.played = 0

    def to_text(self) -> str:
        """The file's text."""
        timing = self.timing
        return scenario_text(
            ScenarioFile(
                seed=self.seed,
                played=self.played,
                sensors=timing.sensors,
                storage=timing.storage,
                rpmb=timing.rpmb,
                faults=self.knobs.changed(),
            )
        )

    @classmethod
    def of(cls, file: ScenarioFile) -> Self:
        """What a device plays of a scenario."""
        return cls(SensorProperties(file.faults), file.seed, file.played, file)

    @classmethod
    def from_bytes(cls, data: bytes, file: str = SCENARIO_FILE) -> Self:
        """Parse a device's own file.

        Raises:
            InputRefused: as `parse_scenario`; or it says more than a device plays.
        """
        scenario = parse_scenario(data, file)
        for there, table in (
            (scenario.device != ScenarioFile().device, "[device]"),
            (scenario.inputs, "[[input]]"),
            (scenario.events, "[[event]]"),
        ):
            if there:
                raise InputRefused(
                    f"{file}: a device that is made takes no {table}",
                    hint="it is for: bioguard device init --scenario, bioguard scenario replay",
                    code="scenario.made",
                )
        return cls.of(scenario)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """The scenario saved with a device; an empty one if there is none.

        Raises:
            InputRefused: what is saved is not one, or is of 0.1.
        """
        refuse_old(directory)
        raw = read_file(directory, SCENARIO_FILE, most_bytes=MAX_FILE_BYTES)
        return cls() if raw is None else cls.from_bytes(raw)

    def save(self, directory: Path) -> None:
        """Write it next to the device; one that says nothing removes the file."""
        if self.knobs.changed() or self.latencies.takes_time:
            write_file(directory, SCENARIO_FILE, self.to_text())
        else:
            remove_file(directory, SCENARIO_FILE)


def refuse_old(directory: Path) -> None:
    """Raises InputRefused for faults that an older version has saved: nobody plays them."""
    if os.path.lexists(directory / OLD_SCENARIO_FILE):
        raise InputRefused(
            f"{OLD_SCENARIO_FILE} is a scenario of 0.1",
            hint=f"set its knobs with: bioguard fault set, and remove it; they are in {SCENARIO_FILE} then",
            code="scenario.old",
        )
