"""`TaEnv` in a host: every object of it asks the core (`tee_sim.secure.hosts.questions`).

What needs no secret and no state of the core stays here: the host's clocks of a device that runs on them. Randomness
comes from the core on every device: it knows what an application may put as an id (`tee_sim.secure.made`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from tee_sim.secure.hosts.asked_store import AskedStore, Asking
from tee_sim.secure.hosts.messages import Create
from tee_sim.secure.hosts.questions import MAX_RANDOM_BYTES, Question
from tee_sim.secure.peers import ManifestPeers
from tee_sim.shared.clock import Clock, SinceBoot, SystemClock
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.login import ClientIdentity
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.params import Param, Params
from tee_sim.shared.sensor_api import CAPTURE_ID_BYTES, TakenCapture
from tee_sim.shared.ta_api import Platform, TaEnv
from tee_sim.shared.task import Looking, Task, identity_of


@dataclass(frozen=True, slots=True)
class AskedKeys:
    """`tee_sim.shared.ta_api.Keys`."""

    ask: Asking
    store: AskedStore

    def derive(self, label: str, context: bytes = b"", size_bytes: int = 32) -> bytes:
        """As `Keys.derive`."""
        return cast("bytes", self.ask(Question.DERIVE, [label, context, size_bytes])[0])

    def state(self, name: str, *, object_id: bytes, echo: bytes = bytes(8)) -> bytes:
        """As `Keys.state`."""
        self.store.settle()
        return cast("bytes", self.ask(Question.MAKE_STATEMENT, [name, object_id, echo])[0])

    def check(self, name: str, data: bytes) -> bool:
        """As `Keys.check`."""
        return cast("bool", self.ask(Question.CHECK_STATEMENT, [name, data])[0])


@dataclass(frozen=True, slots=True)
class AskedDigests:
    """`tee_sim.shared.ta_api.Digests`."""

    ask: Asking

    def make(self, message: bytes) -> tuple[bytes, bytes]:
        """As `Digests.make`."""
        salt, digest = self.ask(Question.MAKE_DIGEST, [message])
        return salt, digest

    def check(self, salt: bytes, message: bytes, digest: bytes) -> bool:
        """As `Digests.check`."""
        return cast("bool", self.ask(Question.CHECK_DIGEST, [salt, message, digest])[0])


@dataclass(frozen=True, slots=True)
class AskedCaptures:
    """`tee_sim.shared.sensor_api.Captures`."""

    ask: Asking

    def take(self, capture_id: bytes, *, keep: bool = False) -> TakenCapture:
        """As `Captures.take`."""
        if len(capture_id) != CAPTURE_ID_BYTES:
            raise TeeError(TeeResult.ITEM_NOT_FOUND, "no such capture")
        sensor, extractor, quality, payload = self.ask(Question.TAKE_CAPTURE, [capture_id, keep])
        return TakenCapture(sensor=sensor, extractor=extractor, quality=quality, payload=payload)


@dataclass(frozen=True, slots=True)
class AskedClock:
    """`tee_sim.shared.clock.Clock` of a device whose clock is stepped."""

    ask: Asking

    def wall_ms(self) -> int:
        """As `Clock.wall_ms`."""
        return cast("int", self.ask(Question.TIME, [])[0])

    def boot_ms(self) -> int:
        """As `Clock.boot_ms`."""
        return cast("int", self.ask(Question.TIME, [])[1])


@dataclass(frozen=True, slots=True)
class AskedRng:
    """`tee_sim.shared.rng.Rng`, one for all applications. of_system: the system's on a seeded device too."""

    ask: Asking
    of_system: bool

    def bytes(self, n: int) -> bytes:
        """As `Rng.bytes`, in as many questions as it takes."""
        if n < 0:
            raise ValueError("a negative number of bytes")
        sizes = [min(MAX_RANDOM_BYTES, n - at) for at in range(0, n, MAX_RANDOM_BYTES)]
        return b"".join(self.ask(Question.RANDOM, [size, self.of_system])[0] for size in sizes)


@dataclass(frozen=True, slots=True)
class AskedPeers:
    """`tee_sim.secure.peers.Route`: the core decides, as it would for an application of its own process."""

    ask: Asking
    store: AskedStore

    def open(self, uuid: bytes, params: Params) -> tuple[int, Params]:
        """Open a session."""
        self.store.settle()
        number, left = self.ask(Question.OPEN_PEER, [uuid, _plain(params)])
        return number, _params(left)

    def invoke(self, number: int, command: int, params: Params) -> Params:
        """Invoke a command in it."""
        self.store.settle()
        return _params(self.ask(Question.INVOKE_PEER, [number, command, _plain(params)]))

    def close(self, number: int) -> None:
        """Close it."""
        self.store.settle()
        self.ask(Question.CLOSE_PEER, [number])


def _plain(params: Params) -> list[object]:
    return [param.to_plain() for param in params]


def _params(plain: list[Any]) -> Params:
    first, second, third, fourth = map(Param.from_plain, plain)
    return first, second, third, fourth


class AskedTask(Looking):
    """`tee_sim.shared.ta_api.Client` and `Cancellation`: the identity came with the entry, the rest the core knows."""

    def __init__(self, ask: Asking) -> None:
        self._ask = ask
        self._task: Task | None = None

    @contextmanager
    def entered(self, task: Task) -> Iterator[None]:
        """Surrounds one entry."""
        self._task = task
        try:
            yield
        finally:
            self._task = None

    @property
    def identity(self) -> ClientIdentity:
        """As `Client.identity`."""
        return identity_of(self._task)

    def look(self, timeout_ms: int) -> bool | None:
        """As `Looking.look`."""
        if self._task is None or not self._task.cancellable:
            return None
        return cast("bool | None", self._ask(Question.LOOK, [timeout_ms])[0])

    def mask(self) -> bool:
        """As `Cancellation.mask`."""
        return cast("bool", self._ask(Question.MASK, [True])[0])

    def unmask(self) -> bool:
        """As `Cancellation.unmask`."""
        return cast("bool", self._ask(Question.MASK, [False])[0])


def environment(asked: Create, manifest: Manifest, ask: Asking, store: AskedStore, task: AskedTask) -> TaEnv:
    """What the application of this host is given.

    Args:
        store: of this instance; whoever ends a call ends what it keeps.
    """
    clock: Clock = AskedClock(ask) if asked.began_ms is None else SinceBoot(SystemClock(), asked.began_ms)
    return TaEnv(
        store=store,
        keys=AskedKeys(ask, store),
        clock=clock,
        rng=AskedRng(ask, of_system=False),
        system_rng=AskedRng(ask, of_system=True),
        device_id=asked.device_id,
        platform=Platform(
            verdict=asked.verdict,
            filter_sha256=asked.filter_sha256,
            host_filter_sha256=asked.host_filter_sha256,
            measurements=tuple(zip(asked.names, asked.measurements, strict=True)),
            processes=asked.processes,
            files=tuple(zip(asked.file_names, asked.file_digests, strict=True)),
            clock=asked.clock,
            randomness=asked.randomness,
            sensors=tuple(zip(asked.sensor_names, asked.sensor_measurements, strict=True)),
            extractors=tuple(zip(asked.sensor_names, asked.sensor_extractors, strict=True)),
        ),
        peers=ManifestPeers(manifest.calls, AskedPeers(ask, store)),
        client=task,
        cancellation=task,
        digests=AskedDigests(ask),
        captures=AskedCaptures(ask),
    )
