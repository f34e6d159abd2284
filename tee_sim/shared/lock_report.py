"""Plan and report of the lock: frozen, validated once, plain ints, text and bytes on the wire."""

import errno
from enum import IntEnum, unique
from typing import Literal, Self, cast

from tee_sim.shared import codec
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.limits import MAX_HOSTS

Profile = Literal["strict", "permissive-debug", "off"]
PROFILES: tuple[Profile, ...] = ("strict", "permissive-debug", "off")
_MAX_FD = 1 << 20
_MAX_REPORT_BYTES = 8192
_HASH_BYTES = 32


class LockError(Exception):
    """The lock met something it does not understand. The process must end; it may be half locked."""


@unique
class LayerState(IntEnum):
    """What became of one layer."""

    APPLIED = 1
    REFUSED = 2
    """The kernel refused; the errno says why."""
    UNAVAILABLE = 3
    """This kernel or platform does not have it."""
    SKIPPED = 4
    """The plan did not ask for it."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer as the child saw it.

    Attributes:
        name: stable name, see docs/sandbox.md.
        state: what became of it.
        error: errno when refused or unavailable, else 0.
        detail: a few words, ASCII, for people.
    """

    name: str
    state: LayerState
    error: int = 0
    detail: str = ""

    def __str__(self) -> str:
        reason = f" ({errno.errorcode.get(self.error, str(self.error))})" if self.error else ""
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.name} {self.state.name.lower()}{reason}{detail}"


@dataclass(frozen=True, slots=True)
class HostLink:
    """The core's three descriptors of one host: the process of a trusted application.

    Attributes:
        process_id: of the host, as the core's PID namespace counts.
        read_fd, write_fd: the core's ends of the two private pipes.
        kill_fd: a process descriptor; SIGKILL is all that the core's filter lets through it.
    """

    process_id: int
    read_fd: int
    write_fd: int
    kill_fd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LockPlan:
    """What to enforce.

    Attributes:
        request_fd, reply_fd: the two pipe ends that stay; above 2 and different.
        profile: "strict" kills on a foreign system call, "permissive-debug" answers EPERM, "off" locks nothing.
        namespaces: whether to enter namespaces of its own with an empty root, where the host allows it.
        arena_bytes: size of the secret-memory arena reserved just before the filter (tee_sim.secure.secret_memory).
        heaps_bytes: one host process is forked for each; how far its data may grow beyond what it starts with, 0 for
            no limit of its own.
    """

    request_fd: int
    reply_fd: int
    profile: str = "strict"
    namespaces: bool = True
    arena_bytes: int = 1 << 20
    heaps_bytes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise ValueError(f"unknown lock profile {self.profile!r}")
        for fd in (self.request_fd, self.reply_fd):
            if not 2 < fd < _MAX_FD:
                raise ValueError("pipe descriptors must lie above standard error")
        if self.request_fd == self.reply_fd:
            raise ValueError("request and reply must be two descriptors")
        if not 0 <= self.arena_bytes <= 1 << 30:
            raise ValueError("arena size is out of range")
        if len(self.heaps_bytes) > MAX_HOSTS or any(not 0 <= size < 1 << 40 for size in self.heaps_bytes):
            raise ValueError("more hosts than a core can watch, or a heap out of range")


@dataclass(frozen=True, slots=True, kw_only=True)
class LockReport:
    """What each layer did, said by the child. Evidence only together with what is seen from outside.

    Attributes:
        profile: as planned.
        machine: kernel's name of the architecture.
        request_fd, reply_fd: the descriptors the filter is bound to.
        layers: in the order they were applied.
        filter_sha256: over the program's bytes (8 per instruction, native order); empty without a filter.
        filter_instructions: its length; 0 without a filter.
        landlock_abi: 0 without Landlock.
        costs_us: step name and microseconds, in order.
        host: 0 for the core, which the normal world talks to; n for the n-th host.
        links: the core's descriptors of its hosts, in order; none in a host.
        picture_fd: of a sensor's process, where its pictures come; 0 for any other, and then not in the record.
    """

    profile: str
    machine: str
    request_fd: int
    reply_fd: int
    layers: tuple[Layer, ...]
    filter_sha256: bytes
    filter_instructions: int
    landlock_abi: int
    costs_us: tuple[tuple[str, int], ...]
    host: int = 0
    links: tuple[HostLink, ...] = ()
    picture_fd: int = 0

    def layer(self, name: str) -> Layer:
        """The layer of that name; SKIPPED when the report does not have it."""
        return next((x for x in self.layers if x.name == name), Layer(name, LayerState.SKIPPED))

    def applied(self, name: str) -> bool:
        """Whether the child says that layer is in force."""
        return self.layer(name).state is LayerState.APPLIED

    def to_record(self) -> dict[str, object]:
        """Plain ints, text, bytes and lists."""
        return {
            "profile": self.profile,
            "machine": self.machine,
            "request_fd": self.request_fd,
            "reply_fd": self.reply_fd,
            "layers": [[x.name, int(x.state), x.error, x.detail] for x in self.layers],
            "filter_sha256": self.filter_sha256,
            "filter_instructions": self.filter_instructions,
            "landlock_abi": self.landlock_abi,
            "costs_us": [[name, us] for name, us in self.costs_us],
            "host": self.host,
            "links": [[x.process_id, x.read_fd, x.write_fd, x.kill_fd] for x in self.links],
            **({"picture_fd": self.picture_fd} if self.picture_fd else {}),
        }

    @classmethod
    def from_record(cls, record: object) -> Self:
        """Inverse of `to_record`. Raises TeeError BAD_FORMAT for anything else."""
        try:
            fields = cast("dict[str, object]", record)
            report = cls(
                profile=_text(fields["profile"]),
                machine=_text(fields["machine"]),
                request_fd=_count(fields["request_fd"]),
                reply_fd=_count(fields["reply_fd"]),
                layers=tuple(
                    Layer(_text(name), LayerState(_count(state)), _count(error), _text(detail))
                    for name, state, error, detail in cast("list[list[object]]", fields["layers"])
                ),
                filter_sha256=_digest(fields["filter_sha256"]),
                filter_instructions=_count(fields["filter_instructions"]),
                landlock_abi=_count(fields["landlock_abi"]),
                costs_us=tuple(
                    (_text(name), _count(us)) for name, us in cast("list[list[object]]", fields["costs_us"])
                ),
                host=_count(fields["host"]),
                links=tuple(
                    HostLink(*(_count(number) for number in link))
                    for link in cast("list[list[object]]", fields["links"])
                ),
                picture_fd=_count(fields.get("picture_fd", 0)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise TeeError(TeeResult.BAD_FORMAT, "lock report is malformed") from error
        if report.profile not in PROFILES or report.to_record() != fields:
            raise TeeError(TeeResult.BAD_FORMAT, "lock report is malformed")
        return report

    def to_bytes(self) -> bytes:
        """Canonical CBOR of `to_record`."""
        return codec.encode(self.to_record())

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Strict inverse of `to_bytes`. Raises TeeError BAD_FORMAT."""
        return cls.from_record(codec.decode(data, max_bytes=_MAX_REPORT_BYTES))


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > 200 or not (value.isascii() and (value.isprintable())):
        raise ValueError("not short printable text")
    return value


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value < 1 << 31:
        raise ValueError("not a small count")
    return value


def _digest(value: object) -> bytes:
    if not isinstance(value, bytes) or len(value) not in (0, _HASH_BYTES):
        raise ValueError("not a digest")
    return value
