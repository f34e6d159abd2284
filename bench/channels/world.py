"""A locked secure world that hosts the sender, and what somebody outside of it sees."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.channels.sender import Send, Way
from tee_sim.normal.client import Context, Session
from tee_sim.normal.machine.locked_start import Started, start_locked
from tee_sim.normal.operation import CancellableOperation
from tee_sim.normal.supplicant import Supplicant
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.manifest import CommandBudget, Manifest
from tee_sim.shared.params import Param, Params
from tee_sim.shared.wire import Boot, Invoke, LockProfile, Message, Provision, Return

ROOT = Path(__file__).resolve().parents[2]
SENDER = Manifest(
    uuid=b"sender of bench!",
    name="sender",
    entry="bench.channels.sender:Sender",
    code=("bench", "bench.channels", "bench.channels.sender"),
    preload=("tee_sim",),
    flags=("single_instance", "multi_session", "keep_alive"),
    spares=8,
    time_ms=5000,
    max_object_bytes=1 << 19,
    budget_bits=1 << 20,
)


@dataclass(slots=True)
class Seen:
    """What one request showed.

    Attributes:
        storage: operation, what was asked, and when since the request, in seconds, of each message to the disk.
        waits_ms: of the questions about a cancellation.
    """

    answer: Return
    elapsed_s: float
    storage: list[tuple[int, object, float]]
    waits_ms: list[int]
    resident_pages: int
    processor_ticks: int


@dataclass(slots=True)
class _Disk:
    inner: Supplicant
    seen: list[tuple[int, object, float]] = field(default_factory=list)
    since_s: float = 0.0

    def handle(self, operation: int, request: object) -> list[object]:
        self.seen.append((operation, request, time.monotonic() - self.since_s))
        return self.inner.handle(operation, request)


class _Watched(CancellableOperation):
    def __init__(self) -> None:
        super().__init__()
        self.waits_ms: list[int] = []

    def wait(self, timeout_ms: float) -> bool:
        self.waits_ms.append(round(timeout_ms))
        return False


@dataclass(slots=True)
class Outside:
    """The receiver's place: everything that leaves the secure world, and `/proc`."""

    started: Started
    context: Context
    disk: _Disk
    folder: Path
    session: Session | None = None

    def ask(self, way: Way, number: int, secret: bytes = b"") -> Seen:
        """Have the sender put a number into one way out, and see what comes."""
        if self.session is None:
            self.session = self.context.open_session(SENDER.ta_uuid)
        request = Send(way=way, number=number, secret=secret).to_bytes()
        room: Params = (Param.memref(request), Param.output(1024), Param.none(), Param.none())
        if way is Way.PARAMETERS and number:  # the request before has prepared it
            room = (room[0], room[1], Param.output(4096), Param.none())
        operation = _Watched() if way is Way.CANCELLATION else None
        message = Invoke(session=self.session._number, command=int(way), params=room, cancellable=operation is not None)
        self.disk.seen.clear()
        began = self.disk.since_s = time.monotonic()
        answer = self._exchange(message, operation)
        elapsed_s = time.monotonic() - began
        if answer.result is TeeResult.TARGET_DEAD:
            self.session = None
        pages, ticks = self._process()
        waits = operation.waits_ms if operation is not None else []
        return Seen(answer, elapsed_s, list(self.disk.seen), waits, pages, ticks)

    def _exchange(self, message: Message, operation: CancellableOperation | None) -> Return:
        process = self.started.process
        if operation is None:
            return process.exchange(message)
        return process.exchange_cancellable(message, operation)

    def _process(self) -> tuple[int, int]:
        """Resident pages, and ticks of processor time, of all processes of the sender together."""
        pages = ticks = 0
        for host in self.started.inspected.hosts:
            try:
                folder = Path(f"/proc/{host.seen.process_id}")
                pages += int((folder / "statm").read_text().split()[1])
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
            except OSError:
                continue
        return pages, ticks


@contextmanager
def outside(folder: Path, budgets: dict[Way, int] | None = None) -> Iterator[Outside]:
    """Such a world, on the store in `folder`.

    Args:
        budgets: of the requests of some ways out, in bits; others have a million.
    """
    named = tuple(CommandBudget(command=int(way), bits=bits) for way, bits in (budgets or {}).items())
    boot = Boot(
        manifests=(replace(SENDER, budgets=named),),
        profile=LockProfile.STRICT,
        folders=(os.fsencode(ROOT),),
    )
    secret = folder / "huk"
    create = not secret.exists()
    if create:
        secret.write_bytes(secrets.token_bytes(32))
    provision = Provision(huk=secret.read_bytes(), device_id=bytes(16), create=create)
    with ExitStack() as stack:
        disk = _Disk(Supplicant(folder))
        stack.callback(disk.inner.close)
        started = start_locked(boot, disk, provision, accept=lambda _verdict: None)
        stack.callback(started.process.kill)
        yield Outside(started, Context(started.process), disk, folder)
