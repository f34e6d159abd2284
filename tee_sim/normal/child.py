"""The process that becomes a secure world: started, given its two pipes, and told what to load and how to lock.

    start_ahead(child_environment())        # as soon as it is clear that one will be wanted
    ...                                     # load the rest of the program meanwhile
    SecureProcess(boot, supplicant)         # takes it

Nothing secret goes through here, and nothing is judged: that begins where the process says that it is locked
(`tee_sim.normal.secure_process`). One that nobody takes has met no store and no user, and is killed.

This loads nothing of the simulator: it is what runs before everything else is loaded.
"""

import fcntl
import os
import select
import subprocess
import sys
from collections.abc import Collection
from contextlib import suppress

_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8", "PATH": os.defpath}
"""One thread: the lock refuses a process with two, and user namespaces cannot be entered with two."""

_KEPT_VARIABLES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Processor work-arounds, read by native libraries at load time."""


def child_environment(keep_variables: Collection[str] = ()) -> dict[str, str]:
    """What the secure world is started with: nothing of ours but what native libraries need, and what is named."""
    return _ENVIRONMENT | {k: os.environ[k] for k in (*_KEPT_VARIABLES, *keep_variables) if k in os.environ}


_PICTURE_PIPE_BYTES = 1 << 20
"""What a user may have (/proc/sys/fs/pipe-max-size): most compressed pictures."""


class Child:
    """A process that waits to be told, and the ends of its pipes that are ours: they block nobody.

    Args:
        shows_errors: it keeps our standard error, else it has none.
        pictures: how many further pipes it is given, for pictures, one for each process of a sensor.

    Attributes:
        picture_fds: our ends of those.
    """

    def __init__(self, environment: dict[str, str], *, shows_errors: bool = False, pictures: int = 0) -> None:
        self.environment = environment
        self.picture_fds: list[int] = []
        self.told = b""
        """The frame that it was sent ahead."""
        child_read, self.write_fd = os.pipe()
        self.read_fd, child_write = os.pipe()
        given = [child_read, child_write]
        try:
            for _ in range(pictures):
                theirs, ours = os.pipe()
                given.append(theirs)
                self.picture_fds.append(ours)
                with suppress(OSError):  # what a picture does not fit into takes changes of process, and no more
                    fcntl.fcntl(ours, fcntl.F_SETPIPE_SZ, _PICTURE_PIPE_BYTES)
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-B", "-m", "tee_sim.secure.launcher", *map(str, given)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=None if shows_errors else subprocess.DEVNULL,
                pass_fds=given,
                close_fds=True,
                env=environment,
                cwd="/",
            )
        except BaseException:
            self.close_pipes()
            raise
        finally:
            for fd in given:
                os.close(fd)
        for fd in (self.read_fd, self.write_fd, *self.picture_fds):
            os.set_blocking(fd, False)

    def close_pipes(self) -> None:
        """Close our ends."""
        os.close(self.read_fd)
        os.close(self.write_fd)
        self.close_pictures()

    def close_pictures(self) -> None:
        """Close our ends of the pipes for pictures. Safe to call twice."""
        while self.picture_fds:
            os.close(self.picture_fds.pop())

    def ended_within(self, timeout_ms: int) -> int | None:
        """Its exit status; None if it still runs by then. `Popen.wait` looks again after 0.5, 1, 2, ... 50 ms."""
        with suppress(OSError, AttributeError):  # it has ended, or is no Linux that we know: what follows says so
            descriptor = os.pidfd_open(self.process.pid)
            try:
                ended = select.poll()
                ended.register(descriptor, select.POLLIN)
                ended.poll(timeout_ms)
                timeout_ms = 0
            finally:
                os.close(descriptor)
        try:
            return self.process.wait(timeout_ms / 1000)
        except subprocess.TimeoutExpired:
            return None

    def discard(self) -> None:
        """End a process that nobody took."""
        self.process.kill()
        self.process.wait()
        self.close_pipes()


_ahead: list[Child] = []
"""At most one; taken with `pop`, so that two threads never get the same."""


def start_ahead(environment: dict[str, str], *, pictures: int = 0) -> None:
    """Start the process that the next `SecureProcess` with this environment takes. Whoever calls this ends it again.

    Args:
        pictures: as of `Child`; one that will need another number is not taken.

    Where the host starts none, nothing happens: who wants one next is told so.
    """
    discard_ahead()
    try:
        _ahead.append(Child(environment, pictures=pictures))
    except OSError:
        return


def tell_ahead(boot: bytes) -> None:
    """Send the frame of BOOT to the process that was started ahead, if it fits into the pipe at once."""
    for child in _ahead:
        try:
            if os.write(child.write_fd, boot) == len(boot):
                child.told = boot
                return
        except OSError:
            pass
        discard_ahead()  # half told


def take_ahead(environment: dict[str, str], boot: bytes, *, pictures: int = 0) -> Child | None:
    """The process that was started ahead, if it was for this environment and told this or nothing; else it ends."""
    try:
        child = _ahead.pop()
    except IndexError:
        return None
    fits = child.environment == environment and len(child.picture_fds) == pictures
    if fits and child.told in (b"", boot) and child.process.poll() is None:
        return child
    child.discard()
    return None


def discard_ahead() -> None:
    """End the process that was started ahead, if nobody has taken it."""
    while _ahead:
        _ahead.pop().discard()
