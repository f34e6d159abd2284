"""Let one process at a time have a directory: two secure worlds on one store look like a rollback to each other."""

import fcntl
import os

LOCK_FILE = "lock"


class InUse(Exception):
    """Another process holds the lock."""


class FileLock:
    """An advisory lock on an open file, which it closes in the end; the kernel drops it when the process dies.

    Raises:
        InUse: another process holds it; the file is closed.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            self._fd = -1
            raise InUse from None

    def release(self) -> None:
        """Give it back. Safe to call twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
