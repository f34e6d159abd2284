"""Forking the processes of sensors: each loads what nobody else shall have in memory, and is locked after that.

A sensor's code is third-party code in C as a rule. So one process a sensor, its *loader*, is forked as soon as there
are namespaces and while files can still be opened; it reads, measures and makes the sensor. Then it forks a copy for
each process that will be needed, and ends: the copies become children of the core, which is the first process of the
namespace (or a subreaper). They wait until the core has emptied the root of them all, and then lock themselves.

While it loads, a loader has no capability, no network, no end of a pipe but its own, and no way into the core's memory,
which is not dumpable by then. It has the files that the user has: as everything that is imported before the lock.
"""

import fcntl
import gc
import os
import select
import signal
import struct
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from tee_sim.secure import quiet
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.limits import SENSORS_TIMEOUT_MS
from tee_sim.shared.lock_report import HostLink, Layer, LayerState, LockError
from tee_sim.shared.sandbox import hygiene, kernel

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_SURPRISE: Final = 70
_GO: Final = struct.Struct("<BH")
_SAID: Final = struct.Struct("<BH")
_MEASURED, _COPIES, _FAILED = 1, 2, 3
_MAX_WHY: Final = 300


class SensorError(Exception):
    """A sensor could not be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorToFork:
    """One sensor.

    Attributes:
        picture_fds: one for each of its processes.
        heap_bytes: how far the data of each may grow beyond what it has when the sensor is made.
        measure: reads everything and returns 32 bytes; runs nothing of it.
        make: makes the sensor, and leaves it where the copies will find it.
    """

    name: str
    picture_fds: tuple[int, ...]
    heap_bytes: int
    measure: Callable[[], bytes]
    make: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Pipes:
    """Of one copy: its own ends, and the core's."""

    own_read: int
    own_write: int
    core_read: int
    core_write: int


@dataclass(frozen=True, slots=True)
class Copy:
    """What a copy is.

    Attributes:
        number: of the host, counted on after those of applications.
        base_bytes: its data when the sensor was made.
        root: device and inode of the root of then.
        core: a process descriptor.
    """

    number: int
    picture_fd: int
    heap_bytes: int
    base_bytes: int
    root: tuple[int, int]
    core: int


class SensorForks:
    """All sensors of one secure world.

    Attributes:
        measurements: in the core, of each sensor.
        copy: in a copy, what it is; None in the core.
        deadline: of all of it, on the monotonic clock, in seconds.
    """

    def __init__(self, sensors: Sequence[SensorToFork] = ()) -> None:
        self._sensors = tuple(sensors)
        self._links: list[HostLink] = []
        self.measurements: list[bytes] = []
        self.copy: Copy | None = None
        self.deadline = 0.0

    def __bool__(self) -> bool:
        return bool(self._sensors)

    @property
    def picture_fd(self) -> int:
        """Under which number each copy has its pipe for pictures, so that all of them have one filter."""
        return self._sensors[0].picture_fds[0]

    def fork(self, request_fd: int, reply_fd: int, first: int) -> None:
        """Fork the loaders, and have them fork the copies. Returns in the core and, with `copy` set, in each copy.

        Args:
            request_fd, reply_fd: the client's pipes, whose numbers the copies' own take.
            first: how many hosts there are before.

        Raises:
            SensorError: one could not be made, or not in time.
            LockError, OSError: a surprise; the caller ends.
        """
        kernel.prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self.deadline = time.monotonic() + SENSORS_TIMEOUT_MS / 1000
        core = os.pidfd_open(os.getpid())
        loaders: list[tuple[SensorToFork, int, int, list[_Pipes]]] = []
        for sensor in self._sensors:
            pipes = [_pipes() for _ in sensor.picture_fds]
            said, say = os.pipe()
            process_id = os.fork()
            if not process_id:
                copy = _load(sensor, pipes, say, core, first)
                own = pipes[copy.number - first - 1]
                _become(copy, own, (request_fd, reply_fd, self.picture_fd))
                self.copy = copy
                return
            first += len(pipes)
            os.close(say)
            for pipe in pipes:
                os.close(pipe.own_read)
                os.close(pipe.own_write)
            loaders.append((sensor, process_id, said, pipes))
        for sensor, process_id, said, pipes in loaders:
            self.measurements.append(self._heard(sensor, said, _MEASURED, 32))
            numbers = struct.unpack(f"<{len(pipes)}I", self._heard(sensor, said, _COPIES, 4 * len(pipes)))
            os.kill(process_id, signal.SIGKILL)  # it has nothing more to do, and its code could keep it from ending
            os.waitpid(process_id, 0)  # now the copies are children of this process
            for pipe, number in zip(pipes, numbers, strict=True):
                os.set_blocking(pipe.core_read, False)
                os.set_blocking(pipe.core_write, False)
                self._links.append(HostLink(number, pipe.core_read, pipe.core_write, os.pidfd_open(number)))
            os.close(said)
        os.close(core)

    def go(self, root: Layer) -> tuple[HostLink, ...]:
        """In the core: the root is empty, or what became of that. Returns the links of all copies."""
        for link in self._links:
            with suppress(BrokenPipeError):  # one that has ended is noticed when it does not say how it is locked
                os.write(link.write_fd, _GO.pack(root.state, root.error))
        return tuple(self._links)

    def _heard(self, sensor: SensorToFork, fd: int, kind: int, size: int) -> bytes:
        """One message of a loader."""
        found, length = _SAID.unpack(self._exactly(sensor, fd, _SAID.size))
        body = self._exactly(sensor, fd, length)
        if found == _FAILED:
            raise SensorError(f"sensor {sensor.name}: {body.decode('ascii', 'replace')}")
        if found != kind or length != size:
            raise SensorError(f"sensor {sensor.name}: its loader said what it may not say")
        return body

    def _exactly(self, sensor: SensorToFork, fd: int, size: int) -> bytes:
        data = b""
        while len(data) < size:
            left_ms = int((self.deadline - time.monotonic()) * 1000)
            if left_ms <= 0 or not kernel.wait_for(fd, select.POLLIN, left_ms):
                raise SensorError(f"sensor {sensor.name}: it was not made within {SENSORS_TIMEOUT_MS} ms")
            part = os.read(fd, size - len(data))
            if not part:
                raise SensorError(f"sensor {sensor.name}: its process ended while it was made")
            data += part
        return data


def wait_for_root(copy: Copy, request_fd: int) -> Layer:
    """In a copy: wait until the core has emptied the root. Returns what became of that.

    Raises:
        LockError: it says so, and the root is the old one.
    """
    said = os.read(request_fd, _GO.size)
    if len(said) != _GO.size:
        os._exit(_SURPRISE)
    state, error = _GO.unpack(said)
    # The loader has ended: from here on this process dies with the core, also where no PID namespace sees to it.
    _tie(copy.core)
    if LayerState(state) is LayerState.APPLIED and _root() == copy.root:  # to list it takes a capability
        raise LockError("the root is the old one")
    return Layer("empty-root", LayerState(state), error)


def _root() -> tuple[int, int]:
    found = Path("/").stat()
    return found.st_dev, found.st_ino


def _pipes() -> _Pipes:
    own_read, core_write = os.pipe()
    core_read, own_write = os.pipe()
    return _Pipes(own_read, own_write, core_read, core_write)


def _tie(core: int) -> None:
    """Dead with the core: asked for, then looked whether it was still alive."""
    kernel.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    ended = select.poll()
    ended.register(core, select.POLLIN)
    if ended.poll(0):
        os._exit(_SURPRISE)


def _load(sensor: SensorToFork, pipes: Sequence[_Pipes], say: int, core: int, first: int) -> Copy:
    """The loader's life. Returns in the copies alone."""
    try:
        _tie(core)
        # Nobody else's: with the client's pipes, or another's, what is loaded here could speak for the core.
        own = [fd for pipe in pipes for fd in (pipe.own_read, pipe.own_write)]
        hygiene.close_all_but(say, core, *own, *sensor.picture_fds)
        hygiene.drop_capabilities()
        _say(say, _MEASURED, sensor.measure())
        quiet.install_for_c()  # before its libraries are loaded: C++ looks at the stream once
        sensor.make()
        threads = hygiene.count_threads()
        if threads != 1:
            raise LockError(f"it has started {threads - 1} threads")
        gc.freeze()
        os.chdir("/")  # who stands there stands in the new root when it comes
        base_bytes, root = hygiene.data_bytes(), _root()
        copies = []
        for number, picture_fd in enumerate(sensor.picture_fds, start=first + 1):
            process_id = os.fork()
            if not process_id:
                return Copy(number, picture_fd, sensor.heap_bytes, base_bytes, root, core)
            copies.append(process_id)
        _say(say, _COPIES, struct.pack(f"<{len(copies)}I", *copies))
    except BaseException as error:
        why = f"{type(error).__name__}: {error}".encode("ascii", "replace")[:_MAX_WHY]
        _say(say, _FAILED, why)
    os._exit(0)


def _become(copy: Copy, own: _Pipes, numbers: tuple[int, int, int]) -> None:
    ends = (own.own_read, own.own_write, copy.picture_fd)
    # Moved away first, above all of them: the number of one may be where another has to go.
    moved = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, max(numbers) + 1) for fd in ends]
    for fd, number in zip(moved, numbers, strict=True):
        os.dup2(fd, number, inheritable=False)
    hygiene.check_pipes(numbers[0], numbers[1])
    hygiene.check_pipes(numbers[2], numbers[1])


def _say(fd: int, kind: int, body: bytes) -> None:
    os.write(fd, _SAID.pack(kind, len(body)) + body)
