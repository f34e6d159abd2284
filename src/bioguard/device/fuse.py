"""The fuse file: the simulated hardware unique key (HUK) of a device.

A phone burns the HUK into fuses that only the secure world can read. Here it is a file of mode 0600 that says what it
is. Whoever can read it can open this device's store: that is the difference between a simulator and a phone.
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bioguard.errors import IntegrityFailure, NotPermitted, TeeUnavailable

__all__ = ["FUSE_FILE", "Fuses"]

FUSE_FILE = "fuses.simulated"
_TEXT = """\
# SIMULATED FUSES of a bioguard device. In a phone only the secure world can read these.
# Whoever reads this file can open the device's store. Never copy it next to a backup of the store.
bioguard-fuses 1
huk {huk}
device-id {device_id}
"""
_PATTERN = re.compile(r"huk ([0-9a-f]{64})\ndevice-id ([0-9a-f]{32})\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuses:
    """Root secret and identity of one device.

    Attributes:
        huk: 32 bytes.
        device_id: 16 bytes.
    """

    huk: bytes
    device_id: bytes

    def write(self, directory: Path) -> None:
        """Burn: create the file, once.

        Raises:
            NotPermitted: the device has fuses already.
        """
        path = directory / FUSE_FILE
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise NotPermitted(
                f"{directory} is a device already",
                hint="choose another --device directory, or run: bioguard device wipe",
                code="device.exists",
            ) from None
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(self._text())
            file.flush()
            os.fsync(file.fileno())

    def _text(self) -> str:
        return _TEXT.format(huk=self.huk.hex(), device_id=self.device_id.hex())

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read the fuses.

        Raises:
            TeeUnavailable: there is no device here.
            IntegrityFailure: the file is not what `write` made, or others may read it.
        """
        path = directory / FUSE_FILE
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
            text = path.read_text("ascii", "replace")
        except FileNotFoundError:
            raise TeeUnavailable(
                f"there is no device in {directory}", hint="run: bioguard device init", code="device.missing"
            ) from None
        if mode & 0o077:
            raise IntegrityFailure(
                "the fuse file can be read by others", hint=f"run: chmod 600 {path}", code="device.fuse_mode"
            )
        found = _PATTERN.search(text)
        fuses = cls(huk=bytes.fromhex(found[1]), device_id=bytes.fromhex(found[2])) if found else None
        if fuses is None or fuses._text() != text:
            raise IntegrityFailure(
                "the fuse file is damaged",
                hint="without its fuses a store cannot be opened; run: bioguard device wipe",
                code="device.fuse_damaged",
            )
        return fuses
