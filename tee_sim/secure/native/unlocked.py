"""Native applications where nothing is locked: each is served by a program of its own, so that gdb, AddressSanitizer
and coverage find what they know. Such a world says NOT ENFORCED.
"""

import os
import re
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

from tee_sim.secure.closed_replies import Layouts
from tee_sim.secure.hosting import Hosting
from tee_sim.secure.hosts.native_functions import MakeFunctions, load
from tee_sim.secure.hosts.pipes import HostGoneError, HostPipe
from tee_sim.secure.hosts.remote_app import PanicError, RemoteApp
from tee_sim.secure.ledger import Meter
from tee_sim.secure.native.files import measurement, path_of, read
from tee_sim.shared.debug_report import DebugReport
from tee_sim.shared.errors import TeeError
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.limits import MAX_DEADLINE_MS
from tee_sim.shared.lock_report import HostLink
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.native_run import TOOL_VARIABLES, NativeRun, NativeTool
from tee_sim.shared.ta_api import TrustedApp

_TERMINAL: Final = "/dev/tty"
_GDB: Final = ("gdb", "-q", "-ex", "set breakpoint pending on", "-ex", "set confirm off", "--args")
_SANITIZER: Final = re.compile(rb"\0((?:/[^\0]*/)?lib(?:asan|clang_rt\.asan)[\w.-]*\.so[.\d]*)(?=\0)")


def sanitizer_of(content: bytes) -> str:
    """The runtime of AddressSanitizer that a file was linked with: it has to be in the process before all else.

    Returns:
        Where the file says that it lies, else its name alone, which a loader finds; "" if there is none.
    """
    found = [os.fsdecode(name) for name in _SANITIZER.findall(content)]
    return max(found, key=os.path.isabs, default="")


class UnlockedCode:
    """The native applications of a world that is not locked."""

    def __init__(self, how: NativeRun) -> None:
        self._how = how
        self._program = Path(os.fsdecode(how.kit)) / "bin" / "tee_host"
        self._files: dict[bytes, tuple[Path, str]] = {}

    def add(self, manifest: Manifest, folder: bytes) -> bytes:
        """Read one application. Returns its measurement. Raises NativeLoadError."""
        path = path_of(manifest, folder)
        content = read(path)
        self._files[manifest.uuid] = path, sanitizer_of(content)
        return measurement(manifest, content, read(self._program))

    def start(self, manifest: Manifest) -> HostPipe:
        """Start a process for an application. Raises OSError if the system does not."""
        path, sanitizer = self._files[manifest.uuid]
        gdb = self._how.tool is NativeTool.GDB
        crashes = int(not gdb and not sanitizer)  # a debugger and a sanitizer say more
        host_read, core_write = os.pipe()
        core_read, host_write = os.pipe()
        ends = (host_read, host_write)
        faults = (self._how.panic_at, self._how.no_memory_at)
        words = (self._program, *ends, path, manifest.name, *faults, crashes)
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
        environment |= {name: value for name, value in os.environ.items() if name in TOOL_VARIABLES}
        if sanitizer:
            environment |= {"LD_PRELOAD": sanitizer} | {"ASAN_OPTIONS": environment.get("ASAN_OPTIONS", _ASAN_OPTIONS)}
        for fd in ends:
            os.set_inheritable(fd, True)
        try:
            process_id = os.posix_spawnp(
                _GDB[0] if gdb else str(self._program),
                [*(_GDB if gdb else ()), *map(str, words)],
                environment,
                file_actions=list(_terminal()) if gdb else [(os.POSIX_SPAWN_DUP2, 2, 1)],
                setsigdef=(signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ),  # which the launcher ignores
            )
        finally:
            for fd in ends:
                os.close(fd)
        os.set_blocking(core_read, False)
        os.set_blocking(core_write, False)
        return HostPipe(HostLink(process_id, core_read, core_write, os.pidfd_open(process_id)))

    def time_ms(self, manifest: Manifest) -> int:
        """How long one call may take: as long as whoever debugs it wants."""
        return MAX_DEADLINE_MS if self._how.tool is NativeTool.GDB else manifest.time_ms


_ASAN_OPTIONS: Final = "detect_leaks=0:allocator_may_return_null=1"
"""What an instance has not freed when it ends is freed with its heap, and too much is NULL, as on a device."""


def _terminal() -> Iterator[tuple[int, int, str, int, int]]:
    return ((os.POSIX_SPAWN_OPEN, fd, _TERMINAL, os.O_RDWR, 0) for fd in range(3))


def _unheard(_said: DebugReport) -> None:
    """Where nobody wants reports."""


class UnlockedHosting:
    """`tee_sim.secure.hosting.Hosting`: native applications in processes of their own, all others `here`.

    Args:
        on_debug: takes the reports of those processes.
        functions: makes what answers an instance; None for the product's.
    """

    def __init__(
        self,
        here: Hosting,
        native: UnlockedCode,
        manifests: Iterable[Manifest],
        on_debug: Callable[[DebugReport], None] | None,
        functions: MakeFunctions | None = None,
    ) -> None:
        self._functions = functions or load(manifests)
        self._here = here
        self._native = native
        self._on_debug = on_debug
        self._pipes: dict[bytes, HostPipe] = {}
        self._numbers = count(1)

    def make(self, manifest: Manifest, meter: Meter) -> TrustedApp:
        """As `Hosting.make`; a process that has ended is started again."""
        if not manifest.native:
            return self._here.make(manifest, meter)
        pipe = self._pipes.get(manifest.uuid)
        if pipe is not None and pipe.has_ended():
            pipe.close()
            pipe = None
        if pipe is None:
            pipe = self._pipes[manifest.uuid] = self._native.start(manifest)
        functions = None if self._functions is None else partial(self._functions, manifest=manifest)
        time_ms = self._native.time_ms(manifest)
        return RemoteApp(pipe, next(self._numbers), time_ms, self._on_debug or _unheard, meter, functions)

    def end_all(self) -> None:
        """End every process."""
        for pipe in self._pipes.values():
            with suppress(HostGoneError):
                pipe.kill(HostEnd.EXITED)
            pipe.close()
        self._pipes.clear()

    def has_ended(self, app: TrustedApp) -> bool:
        """As `Hosting.has_ended`."""
        return app.pipe.has_ended() if isinstance(app, RemoteApp) else self._here.has_ended(app)

    def layouts(self, app: TrustedApp) -> Layouts:
        """As `Hosting.layouts`: the replies of native applications are free."""
        return app.layouts if isinstance(app, RemoteApp) else self._here.layouts(app)

    def end(self, app: TrustedApp) -> HostEnd:
        """As `Hosting.end`."""
        if not isinstance(app, RemoteApp):
            return self._here.end(app)
        with suppress(HostGoneError):
            app.pipe.kill(HostEnd.BUDGET)
        return HostEnd.BUDGET

    def forget(self, app: TrustedApp) -> None:
        """As `Hosting.forget`."""
        if not isinstance(app, RemoteApp):
            self._here.forget(app)
            return
        with suppress(TeeError, PanicError, HostGoneError):
            app.forget()
