"""The fuse file: the simulated hardware unique key (HUK) of a device.

A phone burns the HUK into fuses that only the secure world can read. Here it is a file of mode 0600 that says what it
is. Whoever can read it can open this device's store: that is the difference between a simulator and a phone.
"""

import secrets
from hashlib import shake_256
from pathlib import Path
from typing import Self

from bioguard import __version__
from bioguard.errors import IntegrityFailure, TeeUnavailable
from bioguard.private_files import read_file
from tee_sim.normal.machine.fuse_file import FUSE_FILE
from tee_sim.normal.machine.fuses import (
    MOST_BYTES,
    READABLE_BY_OTHERS,
    ForeignFuses,
    FuseFormat,
    RootSecret,
)
from tee_sim.shared.dataclass import dataclass

__all__ = ["FORMAT", "FUSE_FILE", "VERSION", "Fuses", "foreign_device"]

VERSION = "3"
"""Of the whole device: its files and what is sealed. 1: bioguard 0.1. 2: before 0.2 was released, records and locks of
a kind, not of a sensor."""
FORMAT = FuseFormat(
    word="bioguard-fuses",
    version=VERSION,
    remarks="# SIMULATED FUSES of a bioguard device. In a phone only the secure world can read these.\n"
    "# Whoever reads this file can open the device's store. Never copy it next to a backup of the store.\n",
)


def foreign_device(directory: Path, word: str) -> TeeUnavailable:
    """The error for a directory whose fuses are of another kind: nothing in it is a device's to open, make or wipe."""
    return TeeUnavailable(
        f"{directory} is no bioguard device: its fuses are {word}",
        hint="choose another --device directory; a machine of tee-sim is given as tee-sim ... --machine DIR",
        code="device.foreign",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuses(RootSecret):
    """Root secret and identity of one device.

    Attributes:
        huk: 32 bytes.
        device_id: 16 bytes.
    """

    @classmethod
    def drawn(cls, seed: bytes | None) -> Self:
        """Fuses of a new device: from the system, or from the seed of one that repeats itself."""
        root = secrets.token_bytes(48) if seed is None else shake_256(b"bioguard seeded fuses v1" + seed).digest(48)
        return cls(huk=root[:32], device_id=root[32:])

    def to_text(self) -> str:
        """The file's text."""
        return FORMAT.to_text(self)

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read the fuses.

        Raises:
            TeeUnavailable: there is no device here, or it is one of another version, or a machine.
            IntegrityFailure: the file is not what `to_text` writes, or others may read it.
        """
        try:
            raw = read_file(directory, FUSE_FILE, most_bytes=MOST_BYTES, refused_mode=READABLE_BY_OTHERS)
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
        try:
            secret = FORMAT.from_bytes(raw)
        except ForeignFuses as foreign:
            if foreign.word != FORMAT.word:
                raise foreign_device(directory, foreign.word) from None
            raise TeeUnavailable(
                f"{directory} is a device of format {foreign.version}, "
                f"this is bioguard {__version__} of format {VERSION}",
                hint="simulated stores are not migrated; run: bioguard device wipe, then device init (what the old "
                "device signed keeps verifying)",
                code="device.version",
            ) from None
        except ValueError:
            raise IntegrityFailure(
                "the fuse file is damaged",
                hint="without its fuses a store cannot be opened; run: bioguard device wipe",
                code="device.fuse_damaged",
            ) from None
        return cls(huk=secret.huk, device_id=secret.device_id)
