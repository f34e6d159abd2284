"""One process at a time per device: two secure worlds on one store would look like a rollback to each other."""

import fcntl
import os
from pathlib import Path

from bioguard.errors import TeeUnavailable
from bioguard.private_files import open_or_create


class DeviceLock:
    """An advisory lock on a file of the device; the kernel drops it when the process dies.

    Raises:
        TeeUnavailable: another process holds it.
        IntegrityFailure: something else stands in the place of the file.
    """

    NAME = "lock"

    def __init__(self, directory: Path) -> None:
        self._fd = open_or_create(directory, self.NAME)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise TeeUnavailable(
                "the device is in use by another process", hint="wait for it to end", code="device.in_use"
            ) from None

    def release(self) -> None:
        """Give the device back. Safe to call twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
