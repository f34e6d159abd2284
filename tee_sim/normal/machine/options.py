"""Say how a machine runs, and what starts its secure world: a locked process, unless a test says otherwise."""

from collections.abc import Callable
from dataclasses import field
from typing import Protocol, runtime_checkable

from tee_sim.normal.captured import Captured
from tee_sim.normal.machine.errors import MachineError
from tee_sim.normal.machine.fuses import RootSecret
from tee_sim.normal.machine.locked_start import start_locked
from tee_sim.normal.operation import CancellableOperation
from tee_sim.normal.sandbox_verdict.level import Level
from tee_sim.normal.sandbox_verdict.verdict import Verdict
from tee_sim.normal.secure_process import StorageHandler
from tee_sim.normal.supplicant import RequestNote
from tee_sim.normal.supplicant.service import DiskFaults
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.native_run import TOOL_VARIABLES, NativeRun, NativeTool
from tee_sim.shared.wire import Boot, LockProfile, Message, Provision, Ready, Return


class PowerCut(BaseException):
    """The power goes in the middle of whatever is done; raised by who holds the disk, handled by nobody on the way.

    Args:
        where: in words.
    """

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


class Process(Protocol):
    """A secure world to talk to and to end."""

    @property
    def alive(self) -> bool: ...
    def exchange(self, message: Message, *, timeout_ms: int = ...) -> Return: ...
    def exchange_cancellable(
        self, message: Message, operation: CancellableOperation, *, timeout_ms: int = ...
    ) -> Return: ...
    def capture(self, sensor: str, picture: bytes, *, timeout_ms: int = ...) -> Captured: ...
    def kill(self) -> int | None: ...
    def close(self) -> int | None: ...
    def how_it_ended(self) -> str: ...


@runtime_checkable
class PassingProcess(Protocol):
    """One that also passes a frame on as it is, as of `SecureProcess`."""

    @property
    def alive(self) -> bool: ...
    @property
    def pipes(self) -> tuple[int, int]: ...
    @property
    def passes(self) -> bool: ...
    def pass_on_from(self, heard: bytes, operation: CancellableOperation, deadline: float) -> bytes: ...
    def pass_on(self, body: bytes, operation: CancellableOperation, *, timeout_ms: int = ...) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningWorld:
    """A started secure world. `level`: how far it is locked, in words; the measurements: as of `Started`."""

    process: Process
    ready: Ready
    level: str
    measurements: dict[str, str]
    sensor_measurements: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineOptions:
    """How to run a machine.

    Attributes:
        profile: how the secure world locks itself.
        level: the lowest lock that is accepted.
        namespaces: whether it also enters namespaces of its own.
        secret: of a new machine; None for a random one.
        stepped_wall_ms: of a new machine: where its stepped clock begins; None for the host's clocks.
        seed: of a new machine: 32 bytes that make keys and ids repeatable; None for the kernel's randomness.
        faults: makes disk and RPMB go wrong by plan.
        native: what watches native applications, and what goes wrong in them.
        tap: sees every frame after the root secret was sent.
        storage_log: gets a note of every request to the disk.
        note: gets what no answer says: that the secure world was started again, which system call ended a process.
        begin: starts the secure world; None for a locked process.
    """

    profile: LockProfile = LockProfile.STRICT
    level: Level = Level.ENFORCED
    namespaces: bool = True
    secret: RootSecret | None = None
    stepped_wall_ms: int | None = None
    seed: bytes | None = None
    faults: DiskFaults | None = None
    native: NativeRun = NativeRun()
    tap: Callable[[str, bytes], None] | None = None
    storage_log: Callable[[RequestNote], None] | None = None
    note: Callable[[str], None] = lambda _text: None
    begin: "Begin | None" = None


Begin = Callable[[Boot, StorageHandler, Provision, MachineOptions], RunningWorld]
"""Starts a secure world over a disk."""


def begin_locked(boot: Boot, storage: StorageHandler, provision: Provision, options: MachineOptions) -> RunningWorld:
    """Start a locked process.

    Raises:
        MachineError: its lock is not enough.
        TeeError: as `start_locked`.
    """

    def accept(verdict: Verdict) -> None:
        if not verdict.level.meets(options.level):
            why = f" ({verdict.reasons[0]})" if verdict.reasons else ""
            raise MachineError(
                "machine.level",
                f"the lock of the secure world is {verdict.level.value}, below {options.level.value}{why}",
                hint=f"to accept it here: --allow-level '{verdict.level.value}'",
            )

    started = start_locked(
        boot,
        storage,
        provision,
        accept=accept,
        tap=options.tap,
        keep_variables=() if options.native.tool is NativeTool.NONE else TOOL_VARIABLES,
        on_forbidden=options.note,
    )
    return RunningWorld(
        process=started.process,
        ready=started.ready,
        level=started.inspected.verdict.level.value,
        measurements=started.measurements,
        sensor_measurements=started.sensor_measurements,
    )
