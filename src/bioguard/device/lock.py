"""One process at a time per device: two secure worlds on one store would look like a rollback to each other."""

from pathlib import Path

from bioguard.errors import TeeUnavailable
from bioguard.private_files import open_or_create
from tee_sim.normal.machine.file_lock import LOCK_FILE, FileLock, InUse


class DeviceLock(FileLock):
    """An advisory lock on a file of the device; the kernel drops it when the process dies.

    Raises:
        TeeUnavailable: another process holds it.
        IntegrityFailure: something else stands in the place of the file.
    """

    NAME = LOCK_FILE

    def __init__(self, directory: Path) -> None:
        try:
            super().__init__(open_or_create(directory, self.NAME))
        except InUse:
            raise TeeUnavailable(
                "the device is in use by another process", hint="wait for it to end", code="device.in_use"
            ) from None
