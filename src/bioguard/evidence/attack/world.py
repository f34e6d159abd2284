"""A device's secure world in this process, for attacks on a device that are not about its lock.

Everything around it is the product's own: the facade, the files, the supplicant, the messages. Only the child process
and its lock are missing, which the verdict says (NOT ENFORCED), so that a start takes milliseconds and a test can put
a vulnerable part in its place.
"""

import os
import platform
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from types import ModuleType

from bioguard.device import applications
from tee_sim.normal.machine import locked_start
from tee_sim.normal.secure_process import Inspect, StorageHandler
from tee_sim.secure.codeload import own_folder
from tee_sim.secure.world import SecureWorld
from tee_sim.shared.debug_report import DebugReport
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.limits import INVOKE_TIMEOUT_MS
from tee_sim.shared.lock_report import LockReport
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.package_files import Listing
from tee_sim.shared.wire import (
    Boot,
    FrameReader,
    Locked,
    Message,
    NoFrameError,
    Provision,
    Ready,
    Return,
    pack,
    unpack,
)
from tee_sim.testing.direct_port import DirectPort


@cache
def _listing(packages: tuple[str, ...]) -> bytes:
    """Read once: the code of this process is loaded already."""
    return Listing.of({name: own_folder(name) for name in packages}).to_text().encode("ascii")


class InProcess:
    """What `tee_sim.normal.secure_process.SecureProcess` offers, without a process.

    Messages are packed and read as on the pipe.
    """

    compiled = b""

    def __init__(
        self,
        boot: Boot,
        storage: StorageHandler,
        *,
        tap: Callable[[str, bytes], None] | None = None,
        keep_variables: Collection[str] = (),
        on_debug: Callable[[DebugReport], None] | None = None,
        on_forbidden: Callable[[str], None] | None = None,
    ) -> None:
        self._boot = boot
        self._storage = storage
        self._tap = tap or (lambda _direction, _frame: None)
        self._world: SecureWorld | None = None

    @property
    def pid(self) -> int:
        """This process."""
        return os.getpid()

    @property
    def alive(self) -> bool:
        """Whether it was started and not ended."""
        return self._world is not None

    def how_it_ended(self) -> str:
        """Why it does not run any more, in words."""
        return "" if self.alive else "it was ended"

    def boot(self, inspect: Inspect, provision: Provision) -> Ready:
        """Let `inspect` see that nothing is locked, then open the store. Raises TeeError."""
        report = LockReport(
            profile="off",
            machine=platform.machine(),
            request_fd=3,
            reply_fd=4,
            layers=(),
            filter_sha256=b"",
            filter_instructions=0,
            landlock_abi=0,
            costs_us=(),
        )
        measurements = (bytes(32),) * len(self._boot.manifests)
        listing = _listing(self._boot.packages)
        inspect(self.pid, Locked(report=report.to_bytes(), measurements=measurements, listing=listing))
        self._world = SecureWorld(provision, DirectPort(self._storage), self._boot.manifests)
        return self._world.ready()

    def exchange(self, message: Message, *, timeout_ms: int = INVOKE_TIMEOUT_MS) -> Return:
        """One request. There is nothing to time out. Raises TeeError TARGET_DEAD after the end."""
        request = pack(message)
        self._tap("to-secure", request)
        answer = self.deliver(_body(request))
        self._tap("from-secure", answer)
        return unpack(answer)  # type: ignore[return-value]  # what `handle` gave

    def deliver(self, body: bytes) -> bytes:
        """The body of a frame in, that of the answer out. Raises TeeError TARGET_DEAD: it has ended, maybe by this."""
        if self._world is None:
            raise TeeError(TeeResult.TARGET_DEAD, "the secure world is gone", origin=Origin.COMMS)
        try:
            return _body(self._world.answer(body))
        except NoFrameError:
            self._world = None
            raise TeeError(TeeResult.TARGET_DEAD, "the secure world ended with 70", origin=Origin.COMMS) from None

    def close(self) -> int | None:
        """End it."""
        self._world = None
        return 0

    def kill(self) -> int | None:
        """End it."""
        return self.close()


def _body(frame: bytes) -> bytes:
    body = FrameReader().feed(frame)
    if body is None:
        raise TeeError(TeeResult.BAD_FORMAT, "half a frame")
    return body


@contextmanager
def hosting(manifests: Sequence[Manifest], *, locked: bool = False) -> Iterator[None]:
    """While this lasts, every device that is started hosts these applications; in this process unless `locked`.

    A swap of a name each of two modules and not an option of them: no caller of a device shall be able to ask for a
    secure world without a process.
    """
    swapped: list[tuple[ModuleType, str, object]] = [(applications, "manifests", lambda: tuple(manifests))]
    if not locked:
        swapped.append((locked_start, "SecureProcess", InProcess))
    kept = [(module, name, getattr(module, name)) for module, name, _ in swapped]
    try:
        for module, name, value in swapped:
            setattr(module, name, value)
        yield
    finally:
        for module, name, value in kept:
            setattr(module, name, value)
