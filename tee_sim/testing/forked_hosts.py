"""A process for each application without a lock: for tests that watch, or cut, what core and host say to each other."""

import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, NoReturn, cast

from tee_sim.secure.blocking_pipe import BlockingPipe
from tee_sim.secure.hosts.pipes import HostPipe
from tee_sim.secure.hosts.process import Host, load_entry
from tee_sim.secure.hosts.remote_app import Hosts
from tee_sim.shared.lock_report import HostLink
from tee_sim.shared.manifest import Manifest

PROCESSES: Final = 2
"""Of each application: the one that runs, and a spare."""

Tap = Callable[["TappedPipe", str], None]
"""Called with the pipe and what happens on it: `to-host`, `sent`, `from-host`."""


class TappedPipe(HostPipe):
    """The core's end, watched.

    Args:
        link: its descriptors.
        tap: called before a frame is sent, after it was, and after one has come.
    """

    def __init__(self, link: HostLink, tap: Tap) -> None:
        super().__init__(link)
        self._tap = tap

    def write(self, frame: bytes, deadline: float) -> None:
        """As `HostPipe.write`."""
        self._tap(self, "to-host")
        super().write(frame, deadline)
        self._tap(self, "sent")

    def body(self, deadline: float) -> bytes:
        """As `HostPipe.body`."""
        body = super().body(deadline)
        self._tap(self, "from-host")
        return body

    def murder(self) -> None:
        """SIGKILL from outside: nothing of it runs after this, and the core has not noticed."""
        signal.pidfd_send_signal(self._link.kill_fd, signal.SIGKILL)
        os.waitid(os.P_PIDFD, self._link.kill_fd, os.WEXITED | os.WNOWAIT)


class ForkedHosts(Hosts):
    """`tee_sim.secure.core.Hosting` with processes forked from this one. Close it: they would wait for ever.

    Args:
        manifests: of the applications; their code is imported here.
        tap: see `TappedPipe`.
    """

    def __init__(
        self,
        manifests: Sequence[Manifest],
        tap: Tap = lambda _pipe, _event: None,
    ) -> None:
        self._tap = tap
        self._links: list[HostLink] = []
        for manifest in manifests:
            load_entry(manifest)
        pipes = [
            (manifest, [TappedPipe(self._fork(manifest), tap) for _ in range(PROCESSES)]) for manifest in manifests
        ]
        super().__init__(pipes, lambda manifest: manifest.time_ms)

    def murder(self, manifest: Manifest) -> None:
        """Kill the process that runs this application, and make a spare for it: nothing is locked here."""
        ready = self._ready[manifest.uuid]
        while ready[0].has_ended():
            del ready[0]
        cast("TappedPipe", ready[0]).murder()
        ready.append(TappedPipe(self._fork(manifest), self._tap))

    def _fork(self, manifest: Manifest) -> HostLink:
        host_read, core_write = os.pipe()
        core_read, host_write = os.pipe()
        process_id = os.fork()
        if not process_id:
            for link in self._links:
                os.close(link.read_fd)
                os.close(link.write_fd)
            os.close(core_read)
            os.close(core_write)
            _be_host(host_read, host_write, manifest)
        os.close(host_read)
        os.close(host_write)
        os.set_blocking(core_read, False)
        os.set_blocking(core_write, False)
        self._links.append(HostLink(process_id, core_read, core_write, os.pidfd_open(process_id)))
        return self._links[-1]

    def close(self) -> None:
        """End them all."""
        for link in self._links:
            with suppress(ProcessLookupError, ChildProcessError):  # it has ended, and the core has seen how
                signal.pidfd_send_signal(link.kill_fd, signal.SIGKILL)
                os.waitid(os.P_PIDFD, link.kill_fd, os.WEXITED)
            for fd in (link.read_fd, link.write_fd, link.kill_fd):
                os.close(fd)
        self._links.clear()


def _be_host(read_fd: int, write_fd: int, manifest: Manifest) -> NoReturn:
    try:
        Host(BlockingPipe(read_fd, write_fd), manifest, lambda: None).serve()
    finally:
        os._exit(70)
