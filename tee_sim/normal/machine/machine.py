"""Run a machine: a directory with fuses, boot and store, and a secure world over it for applications of one's own.

    with Machine.open(Path("phone"), [Application.read(Path("vault"))]) as machine:
        with machine.context.open_session(uuid) as session:
            session.invoke(1, params)

A secure world that dies is started again by the next call, in the same boot, with a note; sessions of before answer
TARGET_DEAD. A power cut (called for, or by a fault plan in the middle of a write) ends the boot too.

One process at a time has a machine. Does not promise: anything for several threads of it.
"""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from tee_sim.normal.captured import Captured
from tee_sim.normal.client import Context
from tee_sim.normal.machine import directory as files
from tee_sim.normal.machine.applications import Application, SensorSource, acquainted
from tee_sim.normal.machine.errors import MachineError
from tee_sim.normal.machine.file_lock import FileLock
from tee_sim.normal.machine.fuses import RootSecret
from tee_sim.normal.machine.native_run import native_run_of
from tee_sim.normal.machine.options import (
    MachineOptions,
    PassingProcess,
    PowerCut,
    Process,
    RunningWorld,
    begin_locked,
)
from tee_sim.normal.machine.sessions import SessionNumbers
from tee_sim.normal.operation import CancellableOperation
from tee_sim.normal.supplicant import Supplicant
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.limits import INVOKE_TIMEOUT_MS
from tee_sim.shared.wire import Boot, Message, Provision, Return


class Machine:
    """One machine that runs. Made by `open`; a `tee_sim.normal.client.Transport`."""

    def __init__(
        self,
        path: Path,
        applications: Sequence[Application],
        options: MachineOptions,
        lock: FileLock,
        secret: RootSecret,
        sensors: Sequence[SensorSource] = (),
    ) -> None:
        self.path = path
        self.applications = acquainted(applications)
        self.sensors = tuple(sensors)
        self.context = Context(self)
        self._options = options
        self._lock = lock
        self._secret = secret
        self._numbers = SessionNumbers()
        self._supplicant: Supplicant | None = None
        self._running: RunningWorld | None = None
        self._passing: PassingProcess | None = None
        self._ended = ""
        self._closed = False

    @classmethod
    def open(
        cls,
        path: Path,
        applications: Sequence[Application],
        options: MachineOptions = MachineOptions(),  # noqa: B008  # frozen
        *,
        create: bool = True,
        sensors: Sequence[SensorSource] = (),
    ) -> Self:
        """Start the machine in a directory; make one if there is none.

        Raises:
            MachineError: there is none and none shall be made; it is something else, or in use; its lock is too weak.
            TeeError: the secure world does not start, or the store does not open. A machine that was to be made is not.
        """
        secret = files.read_fuses(path)
        if secret is not None:
            lock = files.hold(path)
            machine = cls(path, applications, options, lock, secret, sensors)
            try:
                machine._start(create=False)
            except BaseException:
                lock.release()
                raise
            return machine
        if not create:
            raise MachineError(
                "machine.missing", f"there is no machine in {path}", hint="run a command that makes one: tee-sim run"
            )
        return cls._made(path, applications, options, sensors)

    @classmethod
    def _made(
        cls,
        path: Path,
        applications: Sequence[Application],
        options: MachineOptions,
        sensors: Sequence[SensorSource],
    ) -> Self:
        made = not path.exists()
        secret = options.secret or RootSecret(huk=secrets.token_bytes(32), device_id=secrets.token_bytes(16))
        lock = files.begin(path, secret)
        machine = cls(path, applications, options, lock, secret, sensors)
        try:
            machine._start(create=True)
            files.burn(path)
        except BaseException:
            machine._end(kill=True)
            files.take_back(path, made=made)
            lock.release()
            raise
        return machine

    # --- the secure world's life ---------------------------------------------------------------------------------

    def _start(self, *, create: bool) -> RunningWorld:
        options = self._options
        boot = Boot(
            manifests=tuple(a.manifest for a in self.applications),
            profile=options.profile,
            namespaces=options.namespaces,
            folders=tuple(a.folder_bytes for a in self.applications),
            sensors=tuple(s.manifest for s in self.sensors),
            sensor_folders=tuple(s.folder_bytes for s in self.sensors),
            native=native_run_of(self.applications, options),
        )
        provision = Provision(
            huk=self._secret.huk,
            device_id=self._secret.device_id,
            create=create,
            stepped_wall_ms=options.stepped_wall_ms,
            seed=options.seed,
            boot_id=files.current_boot(self.path),
        )
        self._supplicant = Supplicant(self.path, create=create, log=options.storage_log, faults=options.faults)
        try:
            running = (options.begin or begin_locked)(boot, self._supplicant, provision, options)
        except BaseException as error:
            self._end(kill=True)
            if isinstance(error, PowerCut):
                files.reboot(self.path)
                raise _cut(error.where) from None
            if isinstance(error, TeeError) and error.result is TeeResult.ACCESS_CONFLICT:
                raise MachineError(
                    "machine.options",
                    "clock or seed are not what this machine was made with",
                    hint="leave them out: they are chosen when a machine is made",
                ) from error
            raise
        self._running = running
        self._passing = running.process if isinstance(running.process, PassingProcess) else None
        return running

    def _end(self, *, kill: bool) -> None:
        """End the secure world, then the supplicant. What is not running ends at once."""
        self._numbers.end_all()
        running, self._running, self._passing = self._running, None, None
        supplicant, self._supplicant = self._supplicant, None
        try:
            if running is not None:
                running.process.kill() if kill else running.process.close()
        finally:
            if supplicant is not None:
                supplicant.close()

    def _awake(self) -> RunningWorld:
        """The secure world, started again if it has ended."""
        if self._closed:
            raise MachineError("machine.closed", "the machine was closed", hint="open it again")
        if self._running is not None and not self._running.process.alive:
            self._ended = self._running.process.how_it_ended() or "it ended"
            self._end(kill=True)
        if self._running is not None:
            return self._running
        running = self._start(create=False)
        why, self._ended = self._ended, ""
        if why:
            self._options.note(f"the secure world was started again: {why}")
        return running

    @property
    def running(self) -> RunningWorld:
        """The secure world as it runs now; started again if it has ended."""
        return self._awake()

    # --- Transport -----------------------------------------------------------------------------------------------

    def exchange(self, message: Message, *, timeout_ms: int = INVOKE_TIMEOUT_MS) -> Return:
        """Send one request, to a secure world that is started first if need be.

        Raises:
            TeeError: as of `SecureProcess.exchange`; MachineError for a session of a secure world that is gone.
        """
        return self._exchange(message, lambda process, inner: process.exchange(inner, timeout_ms=timeout_ms))

    def exchange_cancellable(
        self, message: Message, operation: CancellableOperation, *, timeout_ms: int = INVOKE_TIMEOUT_MS
    ) -> Return:
        """`exchange`, and the application may ask meanwhile whether the operation was cancelled."""
        return self._exchange(
            message, lambda process, inner: process.exchange_cancellable(inner, operation, timeout_ms=timeout_ms)
        )

    def pass_on(
        self, body: bytes, operation: CancellableOperation, *, timeout_ms: int = INVOKE_TIMEOUT_MS
    ) -> bytes | None:
        """The body of an answer to that of an Invoke, neither of them read further than need be.

        None, and nothing was done, for any other message, and where somebody here wants to know what they say. The
        session's number in the answer is the secure world's own.

        Raises:
            TeeError: as `exchange_cancellable`.
        """
        self._awake()
        process = self._passing
        if process is None or not process.passes:
            return None
        inner = self._numbers.inward_invoke(body)
        if inner is None:
            return None
        try:
            return process.pass_on(inner, operation, timeout_ms=timeout_ms)
        except PowerCut as cut:
            self._lose_power(cut.where)
            raise _cut(cut.where) from None

    def passing(self) -> tuple[PassingProcess, bytes] | None:
        """Who passes on, and its numbers of sessions, as `SessionNumbers.small`; None if nobody does now."""
        process = self._passing
        return (process, self._numbers.small()) if process is not None and process.passes and process.alive else None

    def pass_on_from(
        self, process: PassingProcess, heard: bytes, operation: CancellableOperation, deadline: float
    ) -> bytes:
        """As `SecureProcess.pass_on_from`, of who was `passing`. Raises as `pass_on`."""
        try:
            return process.pass_on_from(heard, operation, deadline)
        except PowerCut as cut:
            self._lose_power(cut.where)
            raise _cut(cut.where) from None

    def _exchange(self, message: Message, ask: Callable[[Process, Message], Return]) -> Return:
        running = self._awake()
        inner = self._numbers.inward(message)
        try:
            answer = ask(running.process, inner)
        except PowerCut as cut:
            self._lose_power(cut.where)
            raise _cut(cut.where) from None
        return self._numbers.outward(message, answer)

    def capture(self, sensor: str, picture: bytes, *, timeout_ms: int = INVOKE_TIMEOUT_MS) -> Captured:
        """Have a sensor read a picture. Raises as `SecureProcess.capture`."""
        return self._awake().process.capture(sensor, picture, timeout_ms=timeout_ms)

    def kill(self) -> int | None:
        """End the secure world at once, within the boot; the next call starts it again."""
        if self._running is None:
            return None
        self._ended = "it was killed"
        status = self._running.process.kill()
        self._end(kill=True)
        return status

    # --- what a user does to a machine -----------------------------------------------------------------------------

    def restart(self) -> None:
        """Shut down in order and boot again: sessions, keys of the boot and what was in memory are gone."""
        self._awake()
        self._end(kill=False)
        files.reboot(self.path)
        self._start(create=False)

    def power_cut(self) -> None:
        """Cut the power now, and boot again."""
        self._awake()
        self._lose_power("")
        self._start(create=False)

    def _lose_power(self, where: str) -> None:
        self._ended = f"the power was cut {where}".rstrip()
        self._end(kill=True)
        files.reboot(self.path)

    def status(self) -> dict[str, object]:
        """Facts for people and JSON."""
        running = self._awake()
        measured = running.sensor_measurements
        sensors = [
            {"name": s.manifest.name, "manifest": str(s.path), "measurement": measured.get(s.manifest.name, "")}
            for s in self.sensors
        ]
        return {
            **({"sensors": sensors} if sensors else {}),
            "simulated": True,
            "sandbox_level": running.level,
            "epoch": running.ready.epoch,
            "anti_rollback_level": running.ready.anti_rollback_level,
            "clock": running.ready.clock.word,
            "randomness": running.ready.randomness.word,
            "storage": running.ready.condition.name.lower(),
            "sessions": self._numbers.open,
            "applications": [
                {
                    "name": a.manifest.name,
                    "uuid": str(a.manifest.ta_uuid),
                    "manifest": str(a.path),
                    "measurement": running.measurements.get(a.manifest.name, ""),
                    "replies": a.manifest.replies.name.lower(),
                    **({"native": True} if a.manifest.native else {}),
                }
                for a in self.applications
            ],
        }

    def close(self) -> None:
        """Shut down for good. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        try:
            self._end(kill=False)
        finally:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _cut(where: str) -> MachineError:
    return MachineError(
        "machine.power",
        f"the power was cut {where}".rstrip(),
        hint="the next call boots the machine again; what was not committed is gone",
        origin=Origin.COMMS,
    )
