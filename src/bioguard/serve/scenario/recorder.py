"""A live conversation as a scenario: what the client asked, and what it was told.

A replay is another run: its keys, ids and tokens are others unless the device has the same seed. So a value that came
in an answer or event and is sent back stands as a reference to it, and a sample of a simulated person as that person.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from bioguard.device import Device
from bioguard.errors import InputRefused
from bioguard.serve.scenario.fields import TEXTS, table_of
from bioguard.serve.v2 import wire
from bioguard.serve.v2.conversation import Conversation
from bioguard.serve.v2.events import EVENTS, EventKind
from bioguard.serve.v2.table import MethodEntry
from bioguard.simulate.faults.live import LiveFaults
from bioguard.simulate.scenario.device_tables import DeviceTable, SensorTable
from bioguard.simulate.scenario.document import MAX_BYTES, ScenarioFile
from bioguard.simulate.scenario.steps import MAX_STEPS, Input, Told
from bioguard.simulate.scenario.writer import scenario_text, table_lines
from tee_sim.shared import codec
from tee_sim.shared.clock import ClockKind

_TABLE_CHARS = 256
"""Of a table beside its keys: its name, its call or number, line ends."""
_MAX_CHARS = MAX_BYTES - (1 << 20)
"""Beside what the device is made as and its faults."""
K = TypeVar("K", Input, Told)
_MANY_BITS = 1 << 16
"""A smaller number is a count or a choice, and means what it says."""
_MANY_DIGITS = 32
"""Of a byte string in hexadecimal: from here on it is an id, a token or a sample."""


class RecordedConversation(Conversation):
    """Keeps what goes over it.

    Args:
        seed: of the device, if the caller knows it: without it a replay has other keys, ids and tokens.
        send, options: as of `Conversation`.
    """

    def __init__(
        self,
        device: Device,
        send: Callable[[bytes], None],
        *,
        faults: LiveFaults,
        seed: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(device, self._came, faults=faults, **options)
        self._forward = send
        self._made = _made_as(device, faults, seed)
        self._asked: MethodEntry | None = None
        self._inputs: list[Input] = []
        self._told: list[Told] = []
        self._known = _Known()
        self.left_out = 0
        """Requests that are none, or came when a scenario had no room for them."""
        self._chars = 0
        self._full = False

    def take(self, body: bytes) -> None:
        """As `Conversation.take`."""
        self._asked = None
        frame = wire.parse_frame(body)
        try:
            method, request = wire.read_request(frame)
        except InputRefused:
            method = None
        if method is None or method.number == 0 or self._full:
            self.left_out += method is None or method.number != 0
        else:
            self._asked = method
            fields = self._known.referring(table_of(method.request, request.to_plain()))
            self._keep(self._inputs, Input(method.name, fields), fields)
        super().take(body)

    @property
    def scenario(self) -> ScenarioFile:
        """What was heard so far."""
        return ScenarioFile(**self._made, inputs=tuple(self._inputs), events=tuple(self._told))

    def text(self) -> str:
        """The scenario's file."""
        return scenario_text(self.scenario)

    def _came(self, frame: bytes) -> None:
        self._hear(codec.decode(frame[wire.LENGTH_BYTES :]))
        self._forward(frame)

    def _hear(self, frame: Any) -> None:
        _, about, kind, payload = frame
        if kind == wire.EVENT:
            _, time_ms, number, fields = payload
            event = EventKind(number)
            told = table_of(EVENTS[event], fields)
            self._known.learn(event.name, told)
            if self._inputs and not self._full:
                what = {"event": event.name, "session": about, "time_ms": time_ms} | told
                self._keep(self._told, Told(len(self._inputs), what), what)
        elif self._asked is not None and kind == wire.REFUSAL:
            what = {"refused": payload[0]}
            self._keep(self._told, Told(len(self._inputs), what), what)
        elif self._asked is not None:
            self._answered(self._asked, payload)

    def _keep(self, kept: list[K], one: K, table: dict[str, Any]) -> None:
        """Where it is one too many the recording ends before the request that brought it: what is kept can be run."""
        kept.append(one)
        self._chars += _TABLE_CHARS + sum(map(len, table_lines(table)))
        if len(kept) > MAX_STEPS or self._chars > _MAX_CHARS:
            self._full, self._asked = True, None
            self.left_out += 1
            self._told = [told for told in self._told if told.after < len(self._inputs)]
            self._inputs.pop()

    def _answered(self, method: MethodEntry, fields: list[Any]) -> None:
        told = table_of(method.reply, fields)
        if method.name == "simulated_sample":
            self._known.person(told["sample"], self._inputs[-1].fields)
        else:
            self._known.learn(method.name, told)


class _Known:
    """Values that came, as a scenario writes them, and where they came from."""

    def __init__(self) -> None:
        self._places: dict[Any, dict[str, Any]] = {}
        self._count: Counter[str] = Counter()

    def learn(self, source: str, told: dict[str, Any]) -> None:
        """An answer or event; of equal values the last is meant."""
        self._count[source] += 1
        for way, value in _scalars(told, source):
            if _telling(value):
                self._places[value] = {"from": way, "nth": self._count[source]}

    def person(self, sample: str, asked: Any) -> None:
        """A sample that was made for the client."""
        self._places[sample] = {name: asked.get(name, 0) for name in ("person", "position", "impression")}

    def referring(self, fields: Any) -> Any:
        """The same fields with references in place of what came before."""
        if isinstance(fields, dict):
            return {name: value if name in TEXTS else self.referring(value) for name, value in fields.items()}
        if isinstance(fields, list):
            return [self.referring(one) for one in fields]
        return self._places.get(fields, fields) if _telling(fields) else fields


def _scalars(told: Any, way: str) -> "list[tuple[str, Any]]":
    if isinstance(told, dict):
        return [found for name, value in told.items() for found in _scalars(value, f"{way}.{name}")]
    if isinstance(told, list):
        return [found for place, value in enumerate(told) for found in _scalars(value, f"{way}.{place}")]
    return [(way, told)]


def _telling(value: Any) -> bool:
    """Whether a value is one of so many that equal ones are the same."""
    if type(value) is int:
        return value >= _MANY_BITS
    return isinstance(value, str) and (len(value) >= _MANY_DIGITS or value.startswith("0x"))


def _made_as(device: Device, faults: LiveFaults, seed: str | None) -> dict[str, Any]:
    """What the device was made as, as far as it can be seen, and what is played on it when the recording begins."""
    configuration, timing = device.configuration, faults.scenario.timing
    stepped = device.running.ready.clock is ClockKind.STEPPED
    table = DeviceTable(
        seed=seed,
        clock_ms=device.running.context.time().wall_ms if stepped else None,
        profile=configuration.profile,
        lockout=configuration.lockout,
        lockout_cascade=configuration.lockout_cascade,
        require_pin=configuration.require_pin,
        for_testing=configuration.for_testing,
        uncalibrated=bool(configuration.uncalibrated),
        fmr_inverse=configuration.fmr_inverse,
        fpir_inverse=configuration.fpir_inverse,
    )
    latencies = faults.scenario.latencies
    return {
        "seed": faults.seed,
        "device": table,
        "sensors": tuple(
            SensorTable(props=props, latency=latencies.of(props.sensor_id)) for props in configuration.sensor_table
        ),
        "storage": timing.storage,
        "rpmb": timing.rpmb,
        "faults": faults.values(),
    }
