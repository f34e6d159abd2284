"""The core's end of a private pipe pair, which never waits without a deadline. The host's: `BlockingPipe`."""

import os
import select
import signal
import time
from contextlib import suppress
from typing import NoReturn

from tee_sim.secure.blocking_pipe import CHUNK_BYTES
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.lock_report import HostLink
from tee_sim.shared.sandbox import kernel
from tee_sim.shared.wire import FrameReader, NoFrameError


class HostGoneError(Exception):
    """The host ended, or was ended: too slow, or what it sent is no message. Not a result of its application.

    Attributes:
        end: which of these.
    """

    def __init__(self, end: HostEnd) -> None:
        super().__init__(end.words)
        self.end = end


class HostPipe:
    """The core's end of one host.

    Args:
        link: its descriptors; both pipe ends do not block.
    """

    def __init__(self, link: HostLink) -> None:
        self._link = link
        self._reader = FrameReader()
        self.end = HostEnd.NONE

    @property
    def alive(self) -> bool:
        """Whether nothing has been seen of its end."""
        return self.end is HostEnd.NONE

    def write(self, frame: bytes, deadline: float) -> None:
        """Send one frame. Raises HostGoneError, the host ended, if it does not take it by `deadline`."""
        view = memoryview(frame)
        while view:
            try:
                view = view[os.write(self._link.write_fd, view) :]
            except BlockingIOError:
                self._wait(self._link.write_fd, select.POLLOUT, deadline)
            except OSError:
                self.kill()

    def body(self, deadline: float) -> bytes:
        """The body of the next frame. Raises HostGoneError, the host ended, past `deadline` or for what is none."""
        data = b""
        while True:
            try:
                body = self._reader.feed(data)
            except NoFrameError:
                self.kill(HostEnd.OUT_OF_TURN)
            if body is not None:
                return body
            # Asked first: a host that was just written to has not answered yet.
            self._wait(self._link.read_fd, select.POLLIN, deadline)
            data = os.read(self._link.read_fd, CHUNK_BYTES)
            if not data:
                self.kill()

    def has_ended(self) -> bool:
        """Whether the host ended by itself, or from outside, since it was last spoken to."""
        if self.end is not HostEnd.NONE:
            return True
        try:
            said = not self._reader.is_empty or os.read(self._link.read_fd, 1)
        except BlockingIOError:
            return False
        # Between two calls a host has nothing to say: end of file, or bytes out of turn.
        with suppress(HostGoneError):
            self.kill(HostEnd.OUT_OF_TURN if said else None)
        return True

    def kill(self, why: HostEnd | None = None) -> NoReturn:
        """SIGKILL, now, and nothing it may still have sent. Raises HostGoneError, always.

        Args:
            why: None if its end of a pipe is closed: the kernel says how it ended.
        """
        if self.end is HostEnd.NONE:
            # Also where its end of a pipe is closed: that it ends for it is its own affair, and the core would wait.
            # A process that is ending keeps the status that it ends with.
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._link.kill_fd, signal.SIGKILL)
            self.end = why or HostEnd.EXITED
            seen = os.waitid(os.P_PIDFD, self._link.kill_fd, os.WEXITED)
            if why is None and seen is not None and seen.si_code == os.CLD_KILLED:
                forbidden = seen.si_status == signal.SIGSYS
                self.end = HostEnd.FORBIDDEN_CALL if forbidden else HostEnd.SIGNAL
        raise HostGoneError(self.end)

    def close(self) -> None:
        """Let go of an ended host's descriptors: where there is no lock another one may be started."""
        for fd in (self._link.read_fd, self._link.write_fd, self._link.kill_fd):
            os.close(fd)

    def _wait(self, fd: int, events: int, deadline: float) -> None:
        left_ms = int((deadline - time.monotonic()) * 1000)
        if left_ms <= 0 or not kernel.wait_for(fd, events, left_ms):
            self.kill(HostEnd.TOO_SLOW)
