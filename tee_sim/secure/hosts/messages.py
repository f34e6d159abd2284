"""The messages of the private pipes between core and host, framed as those of the normal world.

Closed in both directions: a host may send `FROM_HOST`, a core `TO_HOST`. Framing and strictness: `tee_sim.shared.wire`.
"""

from collections.abc import Collection
from typing import Annotated, get_args

from tee_sim.shared.clock import MAX_BOOT_MS, ClockKind
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.debug_report import DebugReport
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.limits import (
    MAX_HOSTS,
    MAX_MEASURED,
    MAX_PICTURE_BYTES,
    MAX_SAMPLE_BYTES,
    MAX_SENSORS,
    MAX_TAS,
)
from tee_sim.shared.params import Param
from tee_sim.shared.rng import RandomnessKind
from tee_sim.shared.schema import AnyItems, AtMost, Fixed, Items, Record, Text, UpTo
from tee_sim.shared.sensor_api import MAX_ACQUIRED, MAX_EXTRACTOR_BYTES, MAX_QUALITY
from tee_sim.shared.task import Task
from tee_sim.shared.wire import NoFrameError, TaggedMessages

_U32 = 0xFFFF_FFFF
MAX_COMMANDS = 4096
"""Of one application with closed replies; the largest of ours has 50."""
Number = Annotated[int, UpTo(_U32)]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLocked(Record):
    """From a host, first: what each layer of its lock did. After it, it waits."""

    report: Annotated[bytes, AtMost(8192)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Create(Record):
    """To a host: make an instance of its application (TA_CreateEntryPoint).

    Attributes:
        instance: the core's number for it.
        began_ms: where boot time is counted from on the host's clock; None if the application has to ask for the time.
        verdict, filter_sha256, names, measurements, processes, file_names, file_digests, clock, randomness,
            sensor_names, sensor_measurements, sensor_extractors: `tee_sim.shared.ta_api.Platform`.
    """

    instance: Number
    device_id: Annotated[bytes, Fixed(16)]
    began_ms: Annotated[int, UpTo(MAX_BOOT_MS)] | None
    verdict: Annotated[str, Text(64)]
    filter_sha256: Annotated[bytes, Fixed(32)]
    host_filter_sha256: Annotated[bytes, Fixed(32)]
    names: Annotated[tuple[str, ...], Items(MAX_TAS, Text(32))]
    measurements: Annotated[tuple[bytes, ...], Items(MAX_TAS, Fixed(32))]
    processes: Annotated[tuple[int, ...], Items(MAX_TAS, UpTo(MAX_HOSTS))]
    file_names: Annotated[tuple[str, ...], Items(MAX_MEASURED, Text(96))]
    file_digests: Annotated[tuple[bytes, ...], Items(MAX_MEASURED, Fixed(32))]
    clock: ClockKind
    randomness: RandomnessKind
    sensor_names: Annotated[tuple[str, ...], Items(MAX_SENSORS, Text(32))] = ()
    sensor_measurements: Annotated[tuple[bytes, ...], Items(MAX_SENSORS, Fixed(32))] = ()
    sensor_extractors: Annotated[tuple[bytes, ...], Items(MAX_SENSORS, AtMost(MAX_EXTRACTOR_BYTES))] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Load(Record):
    """To a host: an instance will be wanted soon. It executes its application's modules, and answers nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Open(Record):
    """To a host: TA_OpenSessionEntryPoint."""

    instance: Number
    task: Task
    params: Annotated[tuple[Param, ...], Items(4)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Record):
    """To a host: TA_InvokeCommandEntryPoint."""

    instance: Number
    context: Number
    task: Task
    command: Number
    params: Annotated[tuple[Param, ...], Items(4)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Close(Record):
    """To a host: TA_CloseSessionEntryPoint."""

    instance: Number
    context: Number
    task: Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroy(Record):
    """To a host: TA_DestroyEntryPoint, or, after a panic, forget the instance."""

    instance: Number
    panicked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreAnswer(Record):
    """To a host: the answer to its ASK, or the result that it ended with, its origin and the parameters that came."""

    result: Annotated[TeeResult, UpTo(_U32)]
    value: Annotated[list[object], AnyItems()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Record):
    """From a host, while it works: one question to the core.

    Attributes:
        question, words: of `tee_sim.secure.hosts.questions`, which checks them.
    """

    question: Annotated[int, UpTo(0xFF)]
    words: Annotated[list[object], AnyItems()]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyLayout(Record):
    """What the reply of one command looks like that an application with closed replies has declared.

    Attributes:
        layout: of `tee_sim.shared.layouts`, where it is checked.
    """

    command: Number
    layout: Annotated[bytes, AtMost(1 << 16)]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReturn(Record):
    """From a host: the entry point returned. `context` is that of a session which was opened.

    Attributes:
        params: four, or none if a session was opened and its outputs left as they were.
        layouts: after CREATE of an application with closed replies.
    """

    context: Number = 0
    params: Annotated[tuple[Param, ...], Items(4)] = ()
    layouts: Annotated[tuple[ReplyLayout, ...], Items(MAX_COMMANDS)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRefusal(Record):
    """From a host: the entry point returned another result than success.

    Attributes:
        params: as it left them; none if it did not change them.
    """

    result: Annotated[TeeResult, UpTo(_U32)]
    origin: Origin
    params: Annotated[tuple[Param, ...], Items(4)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Panicked(Record):
    """From a host: the entry point did what is outside its contract. The instance is gone, the host is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorLocked(Record):
    """From a sensor's process, first: what each layer of its lock did, and what its code says of itself."""

    report: Annotated[bytes, AtMost(8192)]
    extractor: Annotated[bytes, AtMost(MAX_EXTRACTOR_BYTES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Record):
    """To a sensor's process: read the picture that comes on its other pipe."""

    number: Number
    size_bytes: Annotated[int, UpTo(MAX_PICTURE_BYTES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled(Record):
    """From a sensor's process: what `tee_sim.shared.sensor_api.Reading` it has made. `number`: of the capture."""

    number: Number
    acquired: Annotated[int, UpTo(MAX_ACQUIRED)]
    quality: Annotated[int, UpTo(MAX_QUALITY)]
    payload: Annotated[bytes, AtMost(MAX_SAMPLE_BYTES)]


HostMessage = (
    HostLocked
    | Create
    | Open
    | Run
    | Close
    | Destroy
    | CoreAnswer
    | Ask
    | HostReturn
    | HostRefusal
    | Panicked
    | DebugReport
    | Load
    | SensorLocked
    | Read
    | Sampled
)
_MESSAGES: TaggedMessages[HostMessage] = TaggedMessages(get_args(HostMessage))
pack = _MESSAGES.pack
TO_HOST: frozenset[type[HostMessage]] = frozenset({Load, Create, Open, Run, Close, Destroy})
FROM_HOST: frozenset[type[HostMessage]] = frozenset({Ask, HostReturn, HostRefusal, Panicked})
FROM_HOST_IN_DEBUG = FROM_HOST | {DebugReport}
"""Where the normal world asked for a profile that is no lock: the core passes reports on."""


def unpack(body: bytes, kinds: Collection[type[HostMessage]]) -> HostMessage:
    """Decode the body of one frame. Raises NoFrameError for whatever is no message of these kinds, whole and right."""
    try:
        return _MESSAGES.unpack(body, kinds)
    except TeeError as error:
        raise NoFrameError(error.message) from None
