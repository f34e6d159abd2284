"""A scenario file: read strictly, and written in one form.

    format = "bioguard-scenario 2"
    seed = 7

    [device]
    seed = "seven"
    clock = "fixed:2026-01-31T12:00:00Z"

    [[sensor]]
    kind = "fingerprint"
    latency_ms = { capture = [200, 300], match = 40 }

    [faults]
    quality_sequence = [2, 5, 1]

Every table may be left out. docs/formats/scenario.md has all keys.
"""

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from bioguard.errors import InputRefused
from bioguard.records.sensor_props import SensorProps
from bioguard.simulate.knobs.grammar import Latency
from bioguard.simulate.knobs.properties import SensorProperties
from bioguard.simulate.scenario import values
from bioguard.simulate.scenario.device_tables import DEVICE_KEYS, SENSOR_KEY, DeviceTable, SensorTable
from bioguard.simulate.scenario.fault_table import FAULT_KEYS
from bioguard.simulate.scenario.latency import AT_ONCE, LatencyModel
from bioguard.simulate.scenario.steps import STEP_KEYS, Input, Told
from bioguard.user_files import open_input
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.manifest_file import Key, read_record
from tee_sim.shared.manifest_values import ManifestError, Misfit, number, one_of

FORMAT = "bioguard-scenario 2"
MAX_BYTES = 16 << 20
"""Some thousand inputs with a face of 512 numbers each."""
MAX_PLAYED = (1 << 63) - 1
"""TOML 1.0 promises integers up to here."""
_HINT = "docs/formats/scenario.md has every key, docs/examples/scenarios has examples"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioFile:
    """All that a scenario says.

    Attributes:
        seed: of everything random in faults and latencies.
        played: captures that were played before, in a device's own file.
        faults: knobs that are not at their defaults.
        storage, rpmb: latency of a request, in milliseconds.
        inputs: what a client asks, in order.
        events: what it was told when they were recorded.
    """

    seed: int = 0
    played: int = 0
    device: DeviceTable = field(default_factory=DeviceTable)
    sensors: tuple[SensorTable, ...] = ()
    storage: Latency = AT_ONCE
    rpmb: Latency = AT_ONCE
    faults: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    events: tuple[Told, ...] = ()

    @property
    def latencies(self) -> LatencyModel:
        """Of the sensors, the disk and the RPMB."""
        sensors = tuple(sensor.latency for sensor in self.sensors)
        return LatencyModel(sensors=sensors, storage=self.storage, rpmb=self.rpmb)

    @property
    def sensor_table(self) -> tuple[SensorProps, ...]:
        """Properties of the sensors by id; empty for the default table."""
        return tuple(sensor.props for sensor in self.sensors)


def _make(**fields: object) -> ScenarioFile:
    del fields["format"]
    device = DeviceTable(**_under("device.", fields))
    faults = SensorProperties(_under("fault.", fields)).changed()
    return ScenarioFile(device=device, faults=faults, **fields)  # type: ignore[arg-type]


def _under(prefix: str, fields: dict[str, object]) -> dict[str, Any]:
    """Take out the fields of one table."""
    return {name.removeprefix(prefix): fields.pop(name) for name in tuple(fields) if name.startswith(prefix)}


_KEYS = (
    Key(("format",), "format", one_of({FORMAT: FORMAT}), f'"{FORMAT}"', required=True),
    Key(("seed",), "seed", number(0, MAX_PLAYED), "7"),
    Key(("played",), "played", number(0, MAX_PLAYED), "0"),
    *DEVICE_KEYS,
    SENSOR_KEY,
    Key(("latency_ms", "storage"), "storage", values.latency, "2"),
    Key(("latency_ms", "rpmb"), "rpmb", values.latency, "[5, 9]"),
    *FAULT_KEYS,
    *STEP_KEYS,
)


def parse_scenario(data: bytes, file: str) -> ScenarioFile:
    """Read the text of a scenario.

    Args:
        file: its name, for errors.

    Raises:
        InputRefused: `scenario.*`, with file, line and key.
    """
    try:
        text = data.decode("utf-8")
        return read_record(_make, text, file, _KEYS, most_chars=MAX_BYTES)
    except UnicodeDecodeError:
        raise InputRefused(f"{file}: not UTF-8", hint=_HINT, code=f"scenario.{Misfit.SYNTAX}") from None
    except ManifestError as error:
        hint = error.hint if error.key else _HINT
        raise InputRefused(error.message, hint=hint, code=f"scenario.{error.misfit}") from None


def scenario_bytes(path: Path) -> bytes:
    """The text of a scenario that a caller named. Raises InputRefused: it cannot be read."""
    try:
        with open_input(path) as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        why = error.strerror or "cannot be read"
        raise InputRefused(f"{path}: {why}", hint="check the path", code="input.unreadable") from error


def read_scenario(path: Path) -> ScenarioFile:
    """Read a scenario that a caller named.

    Raises:
        InputRefused: it cannot be read; and as `parse_scenario`.
    """
    return parse_scenario(scenario_bytes(path), path.name)
