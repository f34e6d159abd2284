"""Messages between the two worlds, and how they are framed on a pipe. Sans-IO: bytes in, messages out.

Frame: length u32 little-endian, then that many bytes of canonical CBOR `[tag, field, ...]`, decoded once and whole: a
storage request stands in its frame as it is.

Direction is part of the type. After LOCKED the secure world may send only `FROM_SECURE_WORLD`; anything else is a
protocol violation and the normal world kills it. No message of the secure world holds free text, but for DebugReport,
which may come only where the normal world itself asked for a profile that is no lock (`may_send`).
"""

import struct
from collections.abc import Collection, Iterable
from enum import IntEnum, unique
from typing import Annotated, Generic, TypeVar, get_args

from tee_sim.shared import codec
from tee_sim.shared.clock import MAX_STEP_MS, MAX_WALL_MS, ClockKind
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.debug_report import DebugReport
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.limits import (
    MAX_FRAME_BYTES,
    MAX_HOSTS,
    MAX_LISTING_BYTES,
    MAX_PACKAGES,
    MAX_PICTURE_BYTES,
    MAX_SENSORS,
    MAX_TAS,
    MAX_WAIT_MS,
)
from tee_sim.shared.login import PUBLIC, ClientIdentity
from tee_sim.shared.manifest import Manifest, refuse_twins
from tee_sim.shared.manifest_values import ManifestError, Misfit
from tee_sim.shared.native_run import NativeRun
from tee_sim.shared.params import Param
from tee_sim.shared.reserve import Condition
from tee_sim.shared.rng import RandomnessKind
from tee_sim.shared.schema import AnyItems, AtMost, Fixed, Items, Record, Text, UpTo
from tee_sim.shared.sensor_manifest import SensorManifest

M = TypeVar("M", bound=Record)


class NoFrameError(TeeError):
    """Bytes that are no message which may come now: after them nothing that follows on the pipe can be trusted."""

    def __init__(self, message: str) -> None:
        super().__init__(TeeResult.BAD_FORMAT, message)


_LENGTH = struct.Struct("<I")
PICTURE_HEAD = struct.Struct("<II")
"""Before each picture on the pipe of a sensor's process: number of the capture, size in bytes."""
EXIT_PROTOCOL = 70
"""What the secure world exits with when it was sent no message, or failed inside (sysexits EX_SOFTWARE)."""
HEAD_BYTES = _LENGTH.size
"""Before the body of a frame."""
_U32 = 0xFFFF_FFFF
COMPILED_PART_BYTES = 512 << 10
MAX_COUNTED_BITS = _U32
"""Far above eight bits a byte of the largest answer."""


@unique
class LockProfile(IntEnum):
    """How the secure world locks itself before any secret or trusted application is in it."""

    STRICT = 1
    PERMISSIVE_DEBUG = 2
    OFF = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot(Record):
    """To the secure world, first: what to load and how to lock. Holds no secret.

    Attributes:
        folders: where the code of each manifest lies, absolute, empty for installed code; none for all of them.
        packages: installed packages to be measured whole, whatever of them is named in a manifest.
        kept_code: path of a file with code that an earlier start has compiled; empty for none.
        kept_sha256: of what stands in it behind its MAC, which the normal world has checked.
        keep_code: whether code that is compiled now is sent back (`Compiled`).
        soon: applications of which a session is wanted at once: their modules are executed while the store is opened.
        native: how native applications are run.
        sensors, sensor_folders: what reads pictures, and where the code of each lies, as `manifests` and `folders`.
    """

    manifests: Annotated[tuple[Manifest, ...], Items(MAX_TAS)]
    profile: LockProfile
    namespaces: bool = True
    folders: Annotated[tuple[bytes, ...], Items(MAX_TAS, AtMost(4096))] = ()
    packages: Annotated[tuple[str, ...], Items(MAX_PACKAGES, Text(64))] = ()
    kept_code: Annotated[bytes, AtMost(4096)] = b""
    kept_sha256: Annotated[bytes, AtMost(32)] = b""
    keep_code: bool = False
    soon: Annotated[tuple[bytes, ...], Items(MAX_TAS, Fixed(16))] = ()
    sensors: Annotated[tuple[SensorManifest, ...], Items(MAX_SENSORS)] = ()
    sensor_folders: Annotated[tuple[bytes, ...], Items(MAX_SENSORS, AtMost(4096))] = ()
    native: NativeRun = NativeRun()

    def __post_init__(self) -> None:
        refuse_twins(self.manifests)
        if len({sensor.name for sensor in self.sensors}) < len(self.sensors):
            raise ManifestError(Misfit.TWICE, "two sensors of one name", key="sensor.name")
        spares = (*(m.spares for m in self.manifests), *(sensor.spares for sensor in self.sensors))
        hosted = 0 if self.profile is LockProfile.OFF else len(spares) + sum(spares)
        if hosted > MAX_HOSTS:
            why = f"{hosted} processes together, at most {MAX_HOSTS}"
            raise ManifestError(Misfit.OUT_OF_RANGE, why, key="spares", hint="lower spares, or host fewer applications")


@dataclass(frozen=True, slots=True, kw_only=True)
class BootFailed(Record):
    """From the secure world, only before the lock: why it cannot start. The process ends after it."""

    stage: Annotated[str, Text(40)]
    detail: Annotated[str, Text(400)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked(Record):
    """From the secure world: what each layer of the lock did (`tee_sim.shared.lock_report`), and code measurements.

    Attributes:
        report: of the core.
        measurements: of the applications, in the order of BOOT.
        hosts: a report for each of the processes that run them: in that order, each with its spares; then those of the
            sensors.
        listing: the files of the packages that BOOT asked for (`tee_sim.shared.package_files`).
        sensors: measurements of the sensors, made before anything of theirs was loaded.
    """

    report: Annotated[bytes, AtMost(16_384)]
    measurements: Annotated[tuple[bytes, ...], Items(MAX_TAS, Fixed(32))]
    hosts: Annotated[tuple[bytes, ...], Items(MAX_HOSTS, AtMost(8_192))] = ()
    listing: Annotated[bytes, AtMost(MAX_LISTING_BYTES)] = b""
    sensors: Annotated[tuple[bytes, ...], Items(MAX_SENSORS, Fixed(32))] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled(Record):
    """From the secure world, before LOCKED and only if BOOT asks for it: a part of the code that it has compiled."""

    part: Annotated[bytes, AtMost(COMPILED_PART_BYTES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision(Record):
    """To the secure world, after the normal world has looked at the lock: the only message with a root secret in it.

    Attributes:
        huk: the hardware unique key out of the fuse file.
        create: make an empty store if none exists; otherwise a missing store is an error.
        stepped_wall_ms: where the stepped clock of a new device starts; None for the host's clocks. On a device that
            exists, a claim: None says nothing, anything but what was fixed is refused (tee_sim.secure.settings).
        seed: the same for seeded randomness; None for the kernel's.
        boot_id: name of the current boot (tee_sim.secure.boot_keys); None makes this start a boot of its own.
        verdict: how far the secure world is locked, as `Inspect` judged it; goes into attestation.
    """

    huk: Annotated[bytes, Fixed(32)]
    device_id: Annotated[bytes, Fixed(16)]
    create: bool
    stepped_wall_ms: Annotated[int, UpTo(MAX_WALL_MS)] | None = None
    seed: Annotated[bytes, Fixed(32)] | None = None
    boot_id: Annotated[bytes, Fixed(16)] | None = None
    verdict: Annotated[str, Text(64)] = "NOT ENFORCED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready(Record):
    """From the secure world: the store is open.

    Attributes:
        anti_rollback_level: gpd.tee.trustedStorage.antiRollback.protectionLevel: 0, 100 or 1000.
        epoch: number of the last committed change of the store.
        clock: whose time the device lives in; fixed when it was made.
        randomness: where its keys come from; likewise.
        condition: whether and for what it can be written.
    """

    anti_rollback_level: Annotated[int, UpTo(1000)]
    epoch: Annotated[int, UpTo(1 << 62)]
    clock: ClockKind
    randomness: RandomnessKind
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession(Record):
    """To the secure world: TEEC_OpenSession.

    Attributes:
        client: who asks, in the normal world's words.
        cancellable: whether the normal world answers `Wait` meanwhile; otherwise it kills for one.
    """

    uuid: Annotated[bytes, Fixed(16)]
    params: Annotated[tuple[Param, ...], Items(4)]
    client: ClientIdentity = PUBLIC
    cancellable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoke(Record):
    """To the secure world: TEEC_InvokeCommand. `cancellable`: as of `OpenSession`."""

    session: Annotated[int, UpTo(_U32)]
    command: Annotated[int, UpTo(_U32)]
    params: Annotated[tuple[Param, ...], Items(4)]
    cancellable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseSession(Record):
    """To the secure world: TEEC_CloseSession."""

    session: Annotated[int, UpTo(_U32)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Return(Record):
    """From the secure world: the answer to open, invoke or close.

    Attributes:
        result: any number: an application has codes of its own.
        params: four, or none if nothing was left in any; with a refusal too.
        host_end: how a process of an application ended while this was worked on.
        bits: what this request has let out at most, as the core has counted it (docs/formats/budget.md), rounded up.
    """

    result: Annotated[TeeResult, UpTo(_U32)]
    origin: Origin
    session: Annotated[int, UpTo(_U32)] = 0
    params: Annotated[tuple[Param, ...], Items(4)] = ()
    host_end: HostEnd = HostEnd.NONE
    bits: Annotated[int, UpTo(MAX_COUNTED_BITS)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageCall(Record):
    """From the secure world, while it works on a request: one operation for the supplicant, sealed bytes only.

    Attributes:
        operation, request: of `tee_sim.shared.storage_requests`, which the supplicant checks.
    """

    operation: Annotated[int, UpTo(0xFF)]
    request: Annotated[list[object], AnyItems()]


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageReply(Record):
    """To the secure world: the supplicant's answer. Hostile by assumption: an array here, checked where it is used."""

    result: TeeResult
    reply: Annotated[list[object], AnyItems()]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceClock(Record):
    """To the secure world: move the stepped clock, for good. Answered like ReadClock; the host's is not moved."""

    ms: Annotated[int, UpTo(MAX_STEP_MS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadClock(Record):
    """To the secure world: what time it is. Wall and boot time come back as two output numbers, in milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewKeys(Record):
    """To the secure world: give every stored object a new key and destroy the old key generation. Resumable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Record):
    """From the secure world, while it works on a cancellable request: wait, and say whether that was cancelled."""

    timeout_ms: Annotated[int, UpTo(MAX_WAIT_MS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited(Record):
    """To the secure world: the answer to `Wait`, when the time is over or the client has cancelled."""

    cancelled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureRequest(Record):
    """To the secure world: a sensor shall read a picture. Answered with two outputs: an id of 16 bytes, or none if
    nothing was acquired, and the acquired code as a number.

    Attributes:
        sensor: its place in BOOT.
        size_bytes: of the picture, which goes to the sensor's process and to no other (`Feed`).
    """

    sensor: Annotated[int, UpTo(MAX_SENSORS - 1)]
    size_bytes: Annotated[int, UpTo(MAX_PICTURE_BYTES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed(Record):
    """From the secure world, while it works on a `CaptureRequest`: send the picture now, behind a PICTURE_HEAD.

    Attributes:
        process: which pipe, counted over the processes of all sensors: how those before it ended was said.
        number: of the capture.
    """

    process: Annotated[int, UpTo(MAX_HOSTS)]
    number: Annotated[int, UpTo(_U32)]


Message = (
    Boot
    | BootFailed
    | Locked
    | Provision
    | Ready
    | OpenSession
    | Invoke
    | CloseSession
    | Return
    | StorageCall
    | StorageReply
    | AdvanceClock
    | RenewKeys
    | ReadClock
    | Wait
    | Waited
    | DebugReport
    | Compiled
    | CaptureRequest
    | Feed
)

FROM_SECURE_WORLD: frozenset[type[Message]] = frozenset({Ready, Return, StorageCall, Wait, Feed})
"""All a locked secure world may send; `Wait` only for a request that is cancellable, `Feed` only for a capture."""
BEFORE_THE_LOCK: frozenset[type[Message]] = frozenset({Locked, BootFailed, Compiled})
"""All it may send before: it holds no secret yet."""
REQUESTS: frozenset[type[Message]] = frozenset(
    {OpenSession, Invoke, CloseSession, AdvanceClock, ReadClock, RenewKeys, CaptureRequest}
)
"""All a provisioned secure world may be sent, besides the answer to a storage call or a wait."""


def may_send(profile: LockProfile) -> frozenset[type[Message]]:
    """All a secure world may send that was started with this profile, once it has said that it is locked."""
    return FROM_SECURE_WORLD if profile is LockProfile.STRICT else FROM_SECURE_WORLD | {DebugReport}


def framed(body: bytes) -> bytes:
    """Put the length before a body.

    Raises:
        TeeError: EXCESS_DATA when it is larger than a frame may be.
    """
    if len(body) > MAX_FRAME_BYTES:
        raise TeeError(TeeResult.EXCESS_DATA, f"message of {len(body)} bytes is larger than a frame")
    return _LENGTH.pack(len(body)) + body


class TaggedMessages(Generic[M]):
    """Packs and unpacks the messages of one protocol.

    Args:
        kinds: all of them; the tag of each is its place, from 1.
    """

    def __init__(self, kinds: Iterable[type[M]]) -> None:
        self._kinds = dict(enumerate(kinds, start=1))
        self._tags = {kind: tag for tag, kind in self._kinds.items()}

    def pack(self, message: M) -> bytes:
        """Frame one message. Raises TeeError EXCESS_DATA when it is larger than a frame may be."""
        return framed(codec.encode([self._tags[type(message)], *message.to_plain()]))

    def unpack(self, body: bytes, kinds: Collection[type[M]] | None = None) -> M:
        """Decode the body of one frame.

        Args:
            kinds: what may come now; None for any of them.

        Raises:
            NoFrameError: not canonical, or no message of these kinds.
            TeeError: BAD_FORMAT or BAD_PARAMETERS for one of them that does not fit its type; OUT_OF_MEMORY.
        """
        try:
            plain = codec.decode(body)
        except TeeError as error:
            if error.result is not TeeResult.BAD_FORMAT:
                raise
            raise NoFrameError(error.message) from None
        tag = plain[0] if isinstance(plain, list) and plain else None
        kind = self._kinds.get(tag) if type(tag) is int else None
        if kind is None or (kinds is not None and kind not in kinds):
            raise NoFrameError("frame is not a message of this protocol, or not one that may come now")
        return kind.from_plain(plain[1:])  # type: ignore[index]  # a list, or there is no kind


_MESSAGES: TaggedMessages[Message] = TaggedMessages(get_args(Message))
pack, unpack = _MESSAGES.pack, _MESSAGES.unpack


class FrameReader:
    """Cut a byte stream into frame bodies. Feed bytes as they come, whole or one by one."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def wanted(self) -> int:
        """Bytes still missing to complete the current frame (at least 1)."""
        if len(self._buffer) < _LENGTH.size:
            return _LENGTH.size - len(self._buffer)
        return max(1, _LENGTH.size + self._length() - len(self._buffer))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left of what was fed, after the bodies that were returned."""
        return not self._buffer

    def feed(self, data: bytes = b"") -> bytes | None:
        """Add bytes; return the body once the frame is complete, else None. What follows it is kept for the next.

        Raises:
            NoFrameError: a length above the limit, before anything of it is read.
        """
        size = len(data) - _LENGTH.size
        if not self._buffer and 0 <= size <= MAX_FRAME_BYTES and data.startswith(_LENGTH.pack(size)):  # as most come
            return data[_LENGTH.size :]
        self._buffer += data
        if len(self._buffer) < _LENGTH.size:
            return None
        end = _LENGTH.size + self._length()
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        return body

    def _length(self) -> int:
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > MAX_FRAME_BYTES:
            raise NoFrameError(f"frame of {length} bytes is larger than {MAX_FRAME_BYTES}")
        return int(length)
