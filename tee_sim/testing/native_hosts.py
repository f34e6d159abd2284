"""Native applications in processes forked from this one, without a lock: for tests that watch or cut the core.

A process is made when an instance is wanted and the one before has ended: there is no count of spares, and what ends an
application costs its next call a few milliseconds.
"""

import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, Self

from tee_sim.secure.closed_replies import Layouts
from tee_sim.secure.hosting import Hosting
from tee_sim.secure.hosts.native_functions import MakeFunctions
from tee_sim.secure.hosts.pipes import HostPipe
from tee_sim.secure.hosts.remote_app import Hosts, RemoteApp
from tee_sim.secure.ledger import Meter
from tee_sim.secure.native.load import NativeCode
from tee_sim.shared.debug_report import DebugReport
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.lock_report import HostLink
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.native_run import NativeRun
from tee_sim.shared.ta_api import TrustedApp

_READ_END, _WRITE_END = 3, 4


class NativeHosts(Hosts):
    """`tee_sim.secure.hosting.Hosting`. Close it: its processes would wait for ever.

    Args:
        applications: the native ones, each with the folder of its file.
        kit: the folder that `tee-sim dev-kit` prints.
        on_debug: takes what they print, and why they panic.
        functions: makes what answers an instance; None for the product's.

    Raises:
        NativeLoadError: runtime or application cannot be read.
    """

    def __init__(
        self,
        applications: Sequence[tuple[Manifest, Path]],
        kit: Path,
        on_debug: Callable[[DebugReport], None] | None = None,
        functions: MakeFunctions | None = None,
    ) -> None:
        super().__init__([(manifest, ()) for manifest, _ in applications], lambda one: one.time_ms, on_debug)
        self._functions = functions or self._functions
        self._code = NativeCode(NativeRun(kit=os.fsencode(kit)))
        self._reports = on_debug is not None
        self._links: list[HostLink] = []
        for manifest, folder in applications:
            self._code.add(manifest, os.fsencode(folder))

    def make(self, manifest: Manifest, meter: Meter) -> TrustedApp:
        """As `Hosting.make`; a process that has ended is replaced by a new one."""
        ready = self._ready[manifest.uuid]
        ready[:] = [pipe for pipe in ready if not pipe.has_ended()]
        if not ready:
            ready.append(HostPipe(self._fork(manifest)))
        return super().make(manifest, meter)

    def _fork(self, manifest: Manifest) -> HostLink:
        host_read, core_write = os.pipe()
        core_read, host_write = os.pipe()
        process_id = os.fork()
        if not process_id:
            self._be_host(manifest, host_read, host_write)
        os.close(host_read)
        os.close(host_write)
        os.set_blocking(core_read, False)
        os.set_blocking(core_write, False)
        self._links.append(HostLink(process_id, core_read, core_write, os.pidfd_open(process_id)))
        return self._links[-1]

    def _be_host(self, manifest: Manifest, read_fd: int, write_fd: int) -> NoReturn:
        """It keeps its two pipe ends and nothing else: whoever waits for the end of another pipe would wait for it."""
        try:
            os.dup2(os.dup(read_fd), 200)
            os.dup2(os.dup(write_fd), 201)
            os.dup2(200, _READ_END)
            os.dup2(201, _WRITE_END)
            os.closerange(_WRITE_END + 1, 65_536)
            self._code.map(manifest, reports=self._reports)
            self._code.serve(_READ_END, _WRITE_END)
        finally:
            os._exit(70)

    def close(self) -> None:
        """End them all."""
        for link in self._links:
            with suppress(ProcessLookupError, ChildProcessError):  # it has ended, and the core has seen how
                signal.pidfd_send_signal(link.kill_fd, signal.SIGKILL)
                os.waitid(os.P_PIDFD, link.kill_fd, os.WEXITED)
            for fd in (link.read_fd, link.write_fd, link.kill_fd):
                os.close(fd)
        self._links.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class MixedHosting:
    """Native applications in processes of their own, those in Python where another hosting has them.

    Args:
        native: for manifests that name a file.
        other: for the rest.
    """

    def __init__(self, native: Hosting, other: Hosting) -> None:
        self._native = native
        self._other = other

    def make(self, manifest: Manifest, meter: Meter) -> TrustedApp:
        """As `Hosting.make`."""
        return (self._native if manifest.native else self._other).make(manifest, meter)

    def has_ended(self, app: TrustedApp) -> bool:
        """As `Hosting.has_ended`."""
        return self._of(app).has_ended(app)

    def layouts(self, app: TrustedApp) -> Layouts:
        """As `Hosting.layouts`."""
        return self._of(app).layouts(app)

    def end(self, app: TrustedApp) -> HostEnd:
        """As `Hosting.end`."""
        return self._of(app).end(app)

    def forget(self, app: TrustedApp) -> None:
        """As `Hosting.forget`."""
        self._of(app).forget(app)

    def _of(self, app: TrustedApp) -> Hosting:
        return self._native if isinstance(app, RemoteApp) else self._other
