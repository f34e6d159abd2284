"""The pipes between a machine and a program that was given them: what travels, and who waits for what.

Each way a frame with a small array goes first, then, if it announces one, the frame of the message itself:

    program:  [timeout in ms, number, login] and a request   login: of an OpenSession, or null
              [0, number]                                    that request is cancelled, if it still runs
              [timeout in ms] and a request                  the same without a number
              []                                             the secure world is killed
    machine:  [number] and the answer
              [number, result, origin, message, hint, code]  instead of an answer
              []; [result, origin, message, hint, code]      the same to what has no number

A number is process id << 32 | count: it tells an answer to a process that has died from one's own. A login is [method,
user, group or null, bytes of the program's name] (`tee_sim.normal.login`).

One request at a time. Processes that share the pipes take turns by a record lock on the end that they write to, which
the kernel gives back when one of them dies.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tee_sim.normal.machine.errors import MachineError
from tee_sim.shared.errors import TeeError
from tee_sim.shared.wire import FrameReader

_READ_BYTES: Final = 1 << 16
"""What a pipe holds."""


class Link:
    """Frames over two descriptors, one way each. Blocking."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self.read_fd = read_fd
        self.write_fd = write_fd
        self._reader = FrameReader()
        self._next: bytes | None = None

    def send(self, *frames: bytes) -> None:
        """Write whole frames. Raises OSError."""
        view = memoryview(b"".join(frames))
        while view:
            view = view[os.write(self.write_fd, view) :]

    @property
    def has_read(self) -> bool:
        """Whether something was read of what comes next."""
        return self._next is not None or not self._reader.is_empty

    def receive(self) -> bytes | None:
        """The body of the next frame; None at the end. Raises NoFrameError for what is no frame, OSError."""
        body, self._next = self._next, None
        if body is None and not self._reader.is_empty:
            body = self._reader.feed()
        while body is None:
            data = os.read(self.read_fd, _READ_BYTES)
            if not data:
                return None
            body = self._reader.feed(data)
        return body

    def take(self, data: bytes) -> None:
        """Have bytes come next that somebody else has read."""
        self._next = self._reader.feed(data)

    def put_back(self, body: bytes) -> None:
        """Have a frame that was received come next."""
        self._next = body

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Surrounds an exchange: no other process that shares the pipes is in one."""
        fcntl.lockf(self.write_fd, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self.write_fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close both ends that are ours."""
        os.close(self.read_fd)
        os.close(self.write_fd)


def error_to_plain(error: TeeError) -> list[object]:
    """An error as it travels."""
    code = error.code if isinstance(error, MachineError) else ""
    return [int(error.result), int(error.origin), str(error.message), error.hint, code]
