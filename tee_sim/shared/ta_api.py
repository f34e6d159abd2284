"""All a trusted application may see.

A TA is a class with five entry points. It raises `TeeError` to return a result of its own: any 32-bit number but 0, and
with `params` the parameters as it leaves them. Any other exception is a panic: the instance is gone and its sessions
answer TARGET_DEAD.

`CommandApp` is the usual base: one closed request and one closed reply record per command.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Generic, Protocol, Self, TypeVar
from uuid import UUID

from tee_sim.shared.clock import Clock, ClockKind
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.params import NO_PARAMS, Params, ParamType, fill, short_buffer
from tee_sim.shared.reserve import Reserve
from tee_sim.shared.rng import OsRng, RandomnessKind, Rng
from tee_sim.shared.schema import Record, max_bytes
from tee_sim.shared.sensor_api import Captures, NoCaptures
from tee_sim.shared.task import NOBODY, Cancellation, Client

Q = TypeVar("Q", bound=Record)
A = TypeVar("A", bound=Record)


class ObjectInfo(Protocol):
    """The clear, authenticated header of a stored object."""

    @property
    def object_id(self) -> bytes: ...
    @property
    def version(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def owner(self) -> bytes: ...
    @property
    def commitment(self) -> bytes: ...
    @property
    def ids(self) -> bytes: ...


class StoredObject(Protocol):
    """A header and its opened body."""

    @property
    def header(self) -> ObjectInfo: ...
    @property
    def body(self) -> bytes: ...


class Transaction(Protocol):
    """Changes that happen together or not at all, when the `with` block ends without an exception."""

    def put(
        self,
        object_id: bytes,
        body: bytes,
        *,
        kind: str,
        owner: bytes = b"",
        commitment: bytes = b"",
        ids: bytes = b"",
    ) -> object:
        """Create or replace an object.

        Args:
            commitment: a digest that `Digests.make` has made in this call, or the one that the object has; another one
                is a panic.
            ids: up to four of 8 bytes each, one after the other, of which statements are made (`Keys.state`). Each is
                zeros, one that the object has, random bytes of this call, a number or an id in what a peer answered,
                or an id in a statement that `Keys.check` found right in this call; if the object id ends with them,
                a number or an id of the request, too. Another one is a panic.

        Raises TeeError STORAGE_NO_SPACE over the quota, for the number of objects not before the transaction ends.
        """
        ...

    def erase(self, object_id: bytes) -> None:
        """Destroy the object's key and row. Raises TeeError ITEM_NOT_FOUND."""
        ...


class Store(Protocol):
    """The TA's own objects. Others' do not exist for it."""

    def transaction(self, reserve: Reserve = Reserve.NONE) -> AbstractContextManager[Transaction]:
        """Changes of the block, at its end. One that erases an object may use all that is reserved, whatever is said.

        Raises TeeError STORAGE_NO_SPACE, STORAGE_READ_ONLY or STORAGE_COUNTER_SPENT if it cannot be written.
        """
        ...

    def get(self, object_id: bytes) -> StoredObject:
        """Open one object. Raises TeeError ITEM_NOT_FOUND, CORRUPT_OBJECT."""
        ...

    def fetch(self, object_ids: Sequence[bytes]) -> None:
        """Read up to 16 objects at once: asked for in this call, they cost no further read.

        What is absent, damaged or too much for one read is found out when it is asked for.
        """
        ...

    def find(self, object_id: bytes) -> StoredObject | None:
        """Open one object, or answer None if there is none. Raises TeeError CORRUPT_OBJECT: damage is no absence."""
        ...

    def headers(self) -> Iterator[ObjectInfo]:
        """All headers in id order."""
        ...

    def load(self, *, kind: str | None = None) -> Iterator[StoredObject]:
        """Open all objects (of one kind), in batches. A walk ends with the call that it was begun in."""
        ...

    def state(self) -> tuple[int, bytes]:
        """Epoch and root hash (32 bytes) of the last commit: name this exact state of the device's store."""
        ...


class Keys(Protocol):
    """Keys of this TA on this device, never stored, derived each time; and what the core makes with others."""

    def derive(self, label: str, context: bytes = b"", size_bytes: int = 32) -> bytes:
        """A key of this TA, separated by label and context; the same after every boot.

        Raises:
            TeeError: ACCESS_DENIED for the label "salted digest", of the key that only the core uses (`Digests`).
        """
        ...

    def state(self, name: str, *, object_id: bytes, echo: bytes = bytes(8)) -> bytes:
        """A statement of the manifest under a key of this boot, which the core makes (`tee_sim.shared.statement`).

        Its ids are those of an object of this TA, its time is that of the request. An object whose ids do not fill it,
        or are the end of its object id, and an echo that is not in the request, are panics.

        Args:
            name: of the key.
            object_id: whose ids it states.
            echo: 8 bytes: a number of the request, little-endian, or an id in it; or zeros.

        Raises:
            TeeError: ACCESS_DENIED if the manifest has no statement under this key; ITEM_NOT_FOUND.
        """
        ...

    def check(self, name: str, data: bytes) -> bool:
        """Whether the core has made this statement in this boot, for whomever.

        Raises:
            TeeError: ACCESS_DENIED if the manifest does not name the key under `shared_keys`.
        """
        ...


class Digests(Protocol):
    """Salted digests of this TA, which only the core makes (docs/formats/digest.md). At most 64 in a call."""

    def make(self, message: bytes) -> tuple[bytes, bytes]:
        """A new salt, 16 bytes, and the digest, 32 bytes.

        Raises:
            TeeError: ACCESS_DENIED if the manifest has no `digest`.
        """
        ...

    def check(self, salt: bytes, message: bytes, digest: bytes) -> bool:
        """Whether this is the digest of the message under this salt. Raises as `make`."""
        ...


@dataclass(frozen=True, slots=True)
class NoDigests:
    """`Digests` of a TA that runs without a core."""

    def make(self, message: bytes) -> tuple[bytes, bytes]:
        """Raises TeeError ACCESS_DENIED."""
        raise TeeError(TeeResult.ACCESS_DENIED, "the manifest names no digest")

    def check(self, salt: bytes, message: bytes, digest: bytes) -> bool:
        """Raises TeeError ACCESS_DENIED."""
        raise TeeError(TeeResult.ACCESS_DENIED, "the manifest names no digest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What a TA runs in, for attestation. No client of a TA has a say in it.

    Attributes:
        verdict: how far the secure world is locked, judged from outside before it was given the root secret.
        filter_sha256: of the system call filter that the core's process has loaded; zeros for none.
        host_filter_sha256: of the one that the process of each TA has loaded; zeros for none, or no such process.
        measurements: name and SHA-256 of each TA, over its manifest and the code that was compiled, in manifest order.
        processes: how many each of them has, its spares among them, in the same order; none where all live in one.
        files: name and SHA-256 of each package that was measured whole and of each compiled file in one
            (`tee_sim.shared.package_files`); none where the normal world asked for none.
        clock: whose time the device lives in, as sealed when it was made.
        randomness: where its keys come from, likewise.
        sensors: name and SHA-256 of each sensor, over its manifest, its code and the packages and files it names.
        extractors: name of each sensor, and what its code has said of itself before the lock.
    """

    verdict: str = "NOT ENFORCED"
    filter_sha256: bytes = bytes(32)
    host_filter_sha256: bytes = bytes(32)
    measurements: tuple[tuple[str, bytes], ...] = ()
    processes: tuple[int, ...] = ()
    files: tuple[tuple[str, bytes], ...] = ()
    clock: ClockKind = ClockKind.HOST
    randomness: RandomnessKind = RandomnessKind.SYSTEM
    sensors: tuple[tuple[str, bytes], ...] = ()
    extractors: tuple[tuple[str, bytes], ...] = ()


class PeerSession(Protocol):
    """An open session with another TA. Use it as a context manager: leaving the block closes it, whatever happened."""

    @property
    def outputs(self) -> Params:
        """The parameters as the other TA left them when it opened the session."""
        ...

    def invoke(self, command: int, params: Params) -> Params:
        """TEE_InvokeTACommand. Returns the output parameters.

        Raises:
            TeeError: the other TA's result, with the parameters as it left them in `params`; BUSY if its call led to
                this one; TARGET_DEAD if it panicked, then or before. None of them harms the caller.
        """
        ...

    def call(self, command: "Command[Q, A]", request: Q) -> A:
        """Send a command's request record, return its reply record.

        Raises:
            TeeError: as `invoke`; BAD_FORMAT for a reply of another type.
        """
        ...

    def close(self) -> None:
        """TEE_CloseTASession."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


class Peers(Protocol):
    """The other TAs of this secure world, as far as the manifest's `calls` names them."""

    def open_session(self, uuid: UUID, params: Params = NO_PARAMS) -> PeerSession:
        """TEE_OpenTASession. Not while a transaction is open: the other TA could then store nothing.

        Raises:
            TeeError: ACCESS_DENIED if the manifest does not name it, ITEM_NOT_FOUND if nobody is hosted under this
                identity, BUSY if its call led to this one or it takes one session at a time, OUT_OF_MEMORY, the other
                TA's own refusal.
        """
        ...


@dataclass(frozen=True, slots=True)
class NoPeers:
    """`Peers` of a TA that runs alone."""

    def open_session(self, uuid: UUID, params: Params = NO_PARAMS) -> PeerSession:
        """Raises TeeError ACCESS_DENIED."""
        raise TeeError(TeeResult.ACCESS_DENIED, "the manifest does not name this application in `calls`")


@dataclass(frozen=True, slots=True)
class TaEnv:
    """What the core gives a TA."""

    store: Store
    keys: Keys
    clock: Clock
    rng: Rng
    """For keys, ids and challenges: seeded on a seeded device."""
    device_id: bytes
    """16 random bytes made when the device was initialized."""
    platform: Platform = Platform()
    peers: Peers = NoPeers()
    system_rng: Rng = OsRng()  # without state
    """For salts and nonces: the kernel's on every device."""
    client: Client = NOBODY
    """Who called: of the session that the current entry point was entered for."""
    cancellation: Cancellation = NOBODY
    digests: Digests = NoDigests()
    captures: Captures = NoCaptures()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What `open_session` returns to fill output parameters; a context alone fills none."""

    context: object
    params: Params


class TrustedApp(Protocol):
    """The five entry points (GlobalPlatform TEE Internal Core API, section 4.3)."""

    def create(self, env: TaEnv) -> None: ...

    def open_session(self, params: Params) -> object:
        """Return the session context, or `Opened` to fill outputs. Raises TeeError to refuse the session."""
        ...

    def invoke(self, session: Any, command: int, params: Params) -> Params:
        """Return the four parameters with the outputs filled (`tee_sim.shared.params.fill`)."""
        ...

    def close_session(self, session: Any) -> None: ...

    def destroy(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Command(Generic[Q, A]):
    """One command of a TA, shared by client and TA.

    Attributes:
        number: command id.
        request: what goes in (parameter 0, input memref).
        reply: what comes out (parameter 1, output memref). Must be closed: no free bytes, no free text.
    """

    number: int
    request: type[Q]
    reply: type[A]


def find_record(store: Store, object_id: bytes, kind: type[Q]) -> Q | None:
    """Open one object and read its body as a record of this type; None if there is no such object."""
    stored = store.find(object_id)
    return None if stored is None else kind.from_bytes(stored.body)


REQUEST_TYPES = (ParamType.MEMREF_INPUT, ParamType.MEMREF_OUTPUT, ParamType.NONE, ParamType.NONE)


class CommandApp:
    """A TA made of commands. Subclasses fill `handlers` in `create`."""

    def __init__(self) -> None:
        self.handlers: dict[int, tuple[Command[Any, Any], Callable[[Any, Any], Record]]] = {}
        self._rooms: dict[type[Record], int] = {}
        """Of the replies that were asked for, the longest form of each."""

    def handle(self, command: Command[Q, A], handler: Callable[[Any, Q], A]) -> None:
        """Bind a command to `handler(session, request) -> reply`."""
        self.handlers[command.number] = (command, handler)

    def open_session(self, params: Params) -> object:
        """Accept any caller, without parameters."""
        if any(p.kind is not ParamType.NONE for p in params):
            raise TeeError(TeeResult.BAD_PARAMETERS, "this session takes no parameters", origin=Origin.TRUSTED_APP)
        return object()

    def at_leisure(self) -> None:
        """Get ready for what is asked most, after the first answer, while nobody waits; may ask the core nothing.

        In a process of its own only. What it raises is not heard of: whatever is wrong, a request meets as well.
        """

    def close_session(self, session: Any) -> None:
        """Nothing to release."""

    def destroy(self) -> None:
        """Nothing to release."""

    def invoke(self, session: Any, command: int, params: Params) -> Params:
        """Compare the parameter types, decode the request strictly, answer with the declared reply type.

        Room for the longest reply is asked for first, and how much comes back in `size_bytes` of the output: a command
        that was carried out must not end in SHORT_BUFFER.

        Raises:
            TeeError: NOT_SUPPORTED, BAD_PARAMETERS, SHORT_BUFFER or BAD_FORMAT for the caller's mistake, nothing done.
            TypeError, ValueError: a reply that is not the declared one, which is a panic and no result of the caller's.
        """
        entry = self.handlers.get(command)
        if entry is None:
            raise TeeError(TeeResult.NOT_SUPPORTED, "no such command", origin=Origin.TRUSTED_APP)
        if tuple(p.kind for p in params) != REQUEST_TYPES:
            raise TeeError(TeeResult.BAD_PARAMETERS, "wrong parameter types", origin=Origin.TRUSTED_APP)
        spec, handler = entry
        room = self._rooms.get(spec.reply)
        if room is None:
            room = self._rooms[spec.reply] = max_bytes(spec.reply)
        if params[1].size_bytes < room:
            raise short_buffer(params, 1, room)
        reply = handler(session, spec.request.from_bytes(params[0].buffer))
        if type(reply) is not spec.reply:
            raise TypeError("handler returned a reply of another type")
        try:
            data = reply.to_bytes()
        except TeeError as error:
            raise ValueError("handler returned a reply outside its bounds") from error
        return fill(params, 1, data)
