"""The messages of the private pipes between core and host, framed as those of the normal world.

Closed in both directions: a host may send `FROM_HOST`, a core `TO_HOST`. Framing and strictness: `tee_sim.shared.wire`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Self, get_args

from tee_sim.shared import codec
from tee_sim.shared.clock import MAX_BOOT_MS, ClockKind
from tee_sim.shared.debug_report import DebugReport
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.limits import MAX_HOSTS, MAX_TAS
from tee_sim.shared.params import Param
from tee_sim.shared.rng import RandomnessKind
from tee_sim.shared.schema import AtMost, Fixed, Items, MisfitError, Record, Text, UpTo
from tee_sim.shared.task import Task
from tee_sim.shared.wire import NoFrameError, framed

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
        verdict, filter_sha256, names, measurements, processes, clock, randomness: `tee_sim.shared.ta_api.Platform`.
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
    clock: ClockKind
    randomness: RandomnessKind


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
class CoreAnswer:
    """To a host: the answer to its ASK, or the result that it ended with, its origin and the parameters that came."""

    result: TeeResult
    value: list[object]

    def to_plain(self) -> list[object]:
        """As `Record.to_plain`."""
        return [int(self.result), self.value]

    @classmethod
    def from_plain(cls, raw: object) -> Self:
        """As `Record.from_plain`. What is in it is the core's, which the host trusts."""
        match raw:
            case [int(result), list(value)]:
                return cls(result=TeeResult(result), value=value)
        raise MisfitError("an answer is a result and an array")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """From a host, while it works: one question to the core (`tee_sim.secure.hosts.questions`).

    Attributes:
        question, words: a u8 and an array here; checked where they are answered.
    """

    question: int
    words: list[object]

    def to_plain(self) -> list[object]:
        """As `Record.to_plain`."""
        return [int(self.question), self.words]

    @classmethod
    def from_plain(cls, raw: object) -> Self:
        """As `Record.from_plain`."""
        match raw:
            case [int(question), list(words)] if type(question) is int and 0 <= question <= 0xFF:
                return cls(question=question, words=words)
        raise MisfitError("a question is a number and an array")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyBound(Record):
    """The longest reply of one command that an application with closed replies has declared."""

    command: Number
    size_bytes: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReturn(Record):
    """From a host: the entry point returned. `context` is that of a session which was opened.

    Attributes:
        params: four, or none if a session was opened and its outputs left as they were.
        bounds: after CREATE of an application with closed replies.
    """

    context: Number = 0
    params: Annotated[tuple[Param, ...], Items(4)] = ()
    bounds: Annotated[tuple[ReplyBound, ...], Items(MAX_COMMANDS)] = ()


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
)
_TAGS: dict[int, type[HostMessage]] = dict(enumerate(get_args(HostMessage), start=1))
_TAG_OF = {record: tag for tag, record in _TAGS.items()}
TO_HOST: frozenset[type[HostMessage]] = frozenset({Create, Open, Run, Close, Destroy})
FROM_HOST: frozenset[type[HostMessage]] = frozenset({Ask, HostReturn, HostRefusal, Panicked})
FROM_HOST_IN_DEBUG = FROM_HOST | {DebugReport}
"""Where the normal world asked for a profile that is no lock: the core passes reports on."""


def pack(message: HostMessage) -> bytes:
    """Frame one message. Raises TeeError EXCESS_DATA when it is larger than a frame may be."""
    return framed(codec.encode([_TAG_OF[type(message)], *message.to_plain()]))


def unpack(body: bytes, kinds: Collection[type[HostMessage]]) -> HostMessage:
    """Decode the body of one frame.

    Raises:
        NoFrameError: not canonical, no message of these kinds, or one that does not fit its type.
    """
    try:
        plain = codec.decode(body)
        tag = plain[0] if isinstance(plain, list) and plain else None
        kind = _TAGS.get(tag) if type(tag) is int else None
        if kind is None or kind not in kinds:
            raise NoFrameError("no message that may come now")
        return kind.from_plain(plain[1:])  # type: ignore[index]  # a list, or there is no kind
    except TeeError as error:
        raise NoFrameError(error.message) from None
