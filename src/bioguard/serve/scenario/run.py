"""Runs the inputs of a scenario on a device that is made for it and destroyed after it, and keeps what was told.

Where `[device]` has a seed and a clock the same file gives the same frames: nothing else is random, and nothing waits.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from bioguard.device import Device, DeviceOptions
from bioguard.errors import InputRefused
from bioguard.serve.scenario.fields import PENDING, Sources, refused, table_of
from bioguard.serve.scenario.references import Heard, parsed
from bioguard.serve.v2 import wire
from bioguard.serve.v2.conversation import Conversation
from bioguard.serve.v2.events import EVENTS, EventKind
from bioguard.serve.v2.table import BY_NAME, MethodEntry
from bioguard.simulate.faults.live import LiveFaults
from bioguard.simulate.faults.scenario import Scenario
from bioguard.simulate.faults.session_sensor import session_script
from bioguard.simulate.scenario.document import ScenarioFile
from bioguard.simulate.scenario.new_device import options_of, settings_of
from bioguard.simulate.scenario.steps import Input, Told
from tee_sim.shared import codec
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.manifest_file import line_of
from tee_sim.shared.manifest_values import ManifestError, Misfit, shown


@dataclass(frozen=True, slots=True)
class Source:
    """A scenario and where it stands: errors name its lines, files stand beside it."""

    scenario: ScenarioFile
    text: bytes
    path: Path

    def recorded(self, told: Sequence[Told]) -> ScenarioFile:
        """The scenario with these events."""
        return replace(self.scenario, events=tuple(told))

    def wrong(self, error: ManifestError) -> InputRefused:
        """The same with its place."""
        return refused(error, self.path.name, line_of(self.text.decode(), error.key))


@dataclass(slots=True)
class Outcome:
    """What came of a run.

    Attributes:
        frames: to the device (True) and from it, as on the pipe, without hello.
        told: events and refusals.
        unused: what was to go wrong and did not, a sentence each.
    """

    frames: list[tuple[bool, bytes]] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    unused: tuple[str, ...] = ()


def check(source: Source) -> None:
    """Look at what the device is made as, and at every input, without a device.

    Raises:
        InputRefused: no such device can be made; or `scenario.*`, an input is none.
    """
    settings_of(source.scenario).configuration(())

    def known(value: Any) -> object:
        parsed(value)
        return PENDING

    sources = Sources(known, source.path.parent)
    for place, one in enumerate(source.scenario.inputs):
        _fields(source, sources, place, one)


def require_repeatable(source: Source) -> None:
    """Raises InputRefused for a scenario whose device is another each time."""
    for name, value in (("seed", source.scenario.device.seed), ("clock", source.scenario.device.clock_ms)):
        if value is None:
            raise InputRefused(
                f"{source.path.name}: device.{name}: missing, so no run is like another",
                hint='write under [device] seed = "seven" and clock = "fixed:2026-01-31T12:00:00Z"',
                code=f"scenario.{Misfit.MISSING_KEY}",
            )


def _method(place: int, one: Input) -> MethodEntry:
    method = BY_NAME.get(one.call)
    if method is None or method.number == 0:
        hint = "docs/formats/serve-2.md has the methods; hello comes by itself"
        raise ManifestError(Misfit.WRONG_VALUE, f"{shown(one.call)} is no method", key=f"input.{place}.call", hint=hint)
    return method


def _fields(source: Source, sources: Sources, place: int, one: Input) -> tuple[MethodEntry, list[Any]]:
    try:
        method = _method(place, one)
        return method, sources.fields(method.request, one.fields, f"input.{place}")
    except ManifestError as error:
        raise source.wrong(error) from None


@contextmanager
def _device(scenario: ScenarioFile, options: DeviceOptions) -> Iterator[tuple[Device, LiveFaults]]:
    with tempfile.TemporaryDirectory(prefix="bioguard-scenario-") as folder:
        directory = Path(folder) / "device"
        Device.init(directory, options_of(scenario, options), settings_of(scenario)).close()
        Scenario.of(scenario).save(directory)
        faults = LiveFaults(directory)
        with Device.open(directory, replace(options, seed=None, clock=None, hooks=faults)) as device:
            yield device, faults


def run(source: Source, options: DeviceOptions, progress: Callable[[int], None] = lambda _number: None) -> Outcome:
    """Run all inputs.

    Args:
        options: how to start the device.
        progress: told the number of each input when it was carried out.

    Raises:
        InputRefused: `scenario.*`, an input is none, or takes what has not come.
        BioguardError: the device cannot be made or started.
    """
    check(source)
    quiet = replace(options, note=lambda _text: None)
    with _device(source.scenario, quiet) as (device, faults):
        going = _Running(device, faults, source)
        for place, one in enumerate(source.scenario.inputs):
            going.carry_out(place, one)
            progress(place + 1)
        going.outcome.unused = faults.report()
        return going.outcome


class _Running:
    """One connection to the device of a run."""

    def __init__(self, device: Device, faults: LiveFaults, source: Source) -> None:
        self.outcome = Outcome()
        self._source = source
        self._heard = Heard()
        self._sources = Sources(self._heard.resolve, source.path.parent)
        self._came: list[bytes] = []
        self._conversation = Conversation(device, self._came.append, faults=faults, script=session_script(faults))
        self._conversation.begin()

    def carry_out(self, place: int, one: Input) -> None:
        """Send a request; keep what comes."""
        method, fields = _fields(self._source, self._sources, place, one)
        number = place + 1
        request = wire.request(number, method, fields)
        self._came.clear()
        self._conversation.take(request[wire.LENGTH_BYTES :])
        self.outcome.frames.append((True, request))
        for frame in self._came:
            self.outcome.frames.append((False, frame))
            self._hear(number, method, frame)

    def _hear(self, number: int, method: MethodEntry, frame: bytes) -> None:
        decoded: Any = codec.decode(frame[wire.LENGTH_BYTES :])
        _, about, kind, payload = decoded
        if kind == wire.EVENT:
            self._hear_event(number, about, payload)
        elif kind == wire.REFUSAL:
            self.outcome.told.append(Told(number, {"refused": payload[0]}))
        else:
            self._heard.add(method.name, payload)

    def _hear_event(self, number: int, session: int, payload: list[Any]) -> None:
        _, time_ms, event, fields = payload
        kind = EventKind(event)
        self._heard.add(kind.name, fields)
        head = {"event": kind.name, "session": session, "time_ms": time_ms}
        self.outcome.told.append(Told(number, head | table_of(EVENTS[kind], fields)))
