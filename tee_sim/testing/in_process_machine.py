"""Start a machine's secure world in this process: no child, no pipe, no lock, and otherwise alike.

Machine.open(path, applications, replace(options, begin=begin_in_process))

What an application may rely on in the locked world, and no more, is what it has here: modules made anew at each start,
warnings that end nothing, floating point errors as Python begins with them, no file, socket, process or thread.

Does not promise: deadlines, limits of memory, a lock; an endless loop hangs the test. Nor that code in C is stopped.
"""

import contextvars
import sys
import warnings
from collections.abc import Callable
from typing import TypeVar

from tee_sim.normal.captured import Captured
from tee_sim.normal.debug_text import print_report
from tee_sim.normal.machine.fuses import RootSecret
from tee_sim.normal.machine.options import MachineOptions, RunningWorld
from tee_sim.normal.native_lines import NativeLines
from tee_sim.normal.operation import CancellableOperation
from tee_sim.normal.secure_process import StorageHandler
from tee_sim.secure.hosting import LocalHosting
from tee_sim.secure.ledger import Meter
from tee_sim.secure.native.unlocked import UnlockedCode, UnlockedHosting
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.ta_api import TrustedApp
from tee_sim.shared.wire import Boot, Message, Provision, Return
from tee_sim.testing.forbidden_calls import allowed_calls, refusals
from tee_sim.testing.guarded_app import GuardedEntries
from tee_sim.testing.in_process import TEST_DEVICE_ID, TEST_HUK, InProcessTee, SensorHere
from tee_sim.testing.own_modules import OwnModules

TEST_SECRET = RootSecret(huk=TEST_HUK, device_id=TEST_DEVICE_ID)
T = TypeVar("T")


class _Outside:
    """A disk that works while the application's process is looked at."""

    def __init__(self, storage: StorageHandler) -> None:
        self._storage = storage

    def handle(self, operation: int, request: object) -> list[object]:
        with allowed_calls():
            return self._storage.handle(operation, request)


class _Beside(UnlockedHosting):
    """Native applications, each in a process of its own that nothing locks, while the others' are looked at."""

    def __init__(self, here: LocalHosting, native: UnlockedCode, boot: Boot) -> None:
        lines = NativeLines(boot)
        super().__init__(here, native, boot.manifests, lambda said: print_report(lines.resolved(said)))

    def make(self, manifest: Manifest, meter: Meter) -> TrustedApp:
        with allowed_calls():
            return super().make(manifest, meter)


class _World:
    """`tee_sim.normal.machine.options.Process` without a process."""

    def __init__(self, boot: Boot, storage: StorageHandler, provision: Provision, modules: OwnModules) -> None:
        self._modules = modules
        self._context = contextvars.Context()  # floating point and decimal settings as a new process has them
        self._alive = True
        self._entries = GuardedEntries()
        here = LocalHosting(self._entries)
        self._native = None if modules.native is None else _Beside(here, modules.native, boot)
        folders = boot.sensor_folders or (b"",) * len(boot.sensors)
        # Not inside: an application has modules of its own, and a sensor is none of it.
        sensors = [SensorHere.of(sensor, folder) for sensor, folder in zip(boot.sensors, folders, strict=True)]
        self.tee = self._inside(
            lambda: InProcessTee(
                boot.manifests,
                _Outside(storage),
                create=provision.create,
                seed=provision.seed,
                stepped_wall_ms=provision.stepped_wall_ms or 0,
                boot_id=provision.boot_id,
                hosting=self._native or here,
                sensors=sensors,
            )
        )

    def _inside(self, work: Callable[[], T]) -> T:
        with warnings.catch_warnings(), self._modules.inside():
            warnings.simplefilter("default")  # what a test's settings make an error is none in the locked world
            return self._context.run(work)

    @property
    def alive(self) -> bool:
        return self._alive

    def exchange(self, message: Message, *, timeout_ms: int = 0) -> Return:
        return self._asked(lambda: self.tee.exchange(message))

    def exchange_cancellable(self, message: Message, operation: CancellableOperation, *, timeout_ms: int = 0) -> Return:
        return self._asked(lambda: self.tee.exchange_cancellable(message, operation))

    def _asked(self, ask: Callable[[], Return]) -> Return:
        try:
            before = refusals()
            answer = self._inside(ask)
            if refusals() > before:  # the lock would have ended the application's process, with all that was in it
                self._modules.forget()
                self._entries.forget()
            return answer
        except BaseException as error:
            self._alive = isinstance(error, TeeError)
            raise

    def capture(self, sensor: str, picture: bytes, *, timeout_ms: int = 0) -> Captured:
        return self.tee.capture(sensor, picture)

    def kill(self) -> int | None:
        self._alive = False
        if self._native is not None:
            self._native.end_all()
        return None

    def close(self) -> int | None:
        return self.kill()

    def how_it_ended(self) -> str:
        return "" if self._alive else "killed by signal 9"


def begin_in_process(
    boot: Boot, storage: StorageHandler, provision: Provision, _options: MachineOptions
) -> RunningWorld:
    """`tee_sim.normal.machine.options.Begin` in this process.

    Raises:
        TeeError: the code does not load, with the words of a secure world that cannot start; the store does not open.
        ValueError: the machine was not made for tests (`TEST_SECRET`, a stepped clock).
    """
    if (provision.huk, provision.device_id) != (TEST_HUK, TEST_DEVICE_ID) or provision.stepped_wall_ms is None:
        raise ValueError("a machine in one process has the secret of tests and a stepped clock")
    try:
        modules = OwnModules(boot)
    except Exception as error:
        raise TeeError(
            TeeResult.TARGET_DEAD,
            f"the secure world could not start: load code: {type(error).__name__}: {error}",
            origin=Origin.COMMS,
        ) from error
    sys.stdout.flush()
    world = _World(boot, storage, provision, modules)
    return RunningWorld(
        process=world,
        ready=world.tee.ready(),
        level="NOT ENFORCED",
        measurements=modules.measurements,
        sensor_measurements={n: d.hex() for n, d in world.tee.sensor_measurements.items()},
    )
