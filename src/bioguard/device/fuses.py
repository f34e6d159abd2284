"""The fuse file: the simulated hardware unique key (HUK) of a device.

A phone burns the HUK into fuses that only the secure world can read. Here it is a file of mode 0600 that says what it
is. Whoever can read it can open this device's store: that is the difference between a simulator and a phone.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bioguard import __version__
from bioguard.errors import IntegrityFailure, TeeUnavailable
from bioguard.private_files import read_file

FUSE_FILE = "fuses.simulated"
_TEXT = """\
# SIMULATED FUSES of a bioguard device. In a phone only the secure world can read these.
# Whoever reads this file can open the device's store. Never copy it next to a backup of the store.
bioguard-fuses {version}
huk {huk}
device-id {device_id}
"""
VERSION = "2"
"""Of the whole device: its files and its store. 1 was that of bioguard 0.1."""
_MOST_BYTES = 4096
_VERSION = re.compile(r"^bioguard-fuses (\d{1,9})$", re.MULTILINE)
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

    def to_text(self) -> str:
        """The file's text."""
        return _TEXT.format(version=VERSION, huk=self.huk.hex(), device_id=self.device_id.hex())

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read the fuses.

        Raises:
            TeeUnavailable: there is no device here, or it is one of another version.
            IntegrityFailure: the file is not what `to_text` writes, or others may read it.
        """
        try:
            raw = read_file(directory, FUSE_FILE, most_bytes=_MOST_BYTES, refused_mode=0o077)
        except IntegrityFailure as error:
            if error.code != "device.file_mode":
                raise
            raise IntegrityFailure(
                "the fuse file can be read by others",
                hint=f"run: chmod 600 {directory / FUSE_FILE}",
                code="device.fuse_mode",
            ) from error
        if raw is None:
            raise TeeUnavailable(
                f"there is no device in {directory}", hint="run: bioguard device init", code="device.missing"
            )
        text = raw.decode("ascii", "replace")
        version = _VERSION.search(text)
        if version is not None and version[1] != VERSION:
            raise TeeUnavailable(
                f"{directory} is a device of format {version[1]}, this is bioguard {__version__} of format {VERSION}",
                hint="simulated stores are not migrated; run: bioguard device wipe, then device init (what the old "
                "device signed keeps verifying)",
                code="device.version",
            )
        found = _PATTERN.search(text)
        fuses = cls(huk=bytes.fromhex(found[1]), device_id=bytes.fromhex(found[2])) if found else None
        if fuses is None or fuses.to_text() != text:
            raise IntegrityFailure(
                "the fuse file is damaged",
                hint="without its fuses a store cannot be opened; run: bioguard device wipe",
                code="device.fuse_damaged",
            )
        return fuses
