"""The name of the current boot: a file that `bioguard device reboot` replaces, and the host's own boot id."""

from contextlib import suppress
from pathlib import Path

from bioguard.errors import TeeUnavailable
from bioguard.private_files import read_file, write_file
from tee_sim.normal.machine import boot_id as boots
from tee_sim.normal.machine.boot_id import BOOT_FILE

__all__ = ["BOOT_FILE", "boot_id", "reboot"]


def reboot(directory: Path) -> None:
    """Begin a new boot: tokens and challenges of the old one are worth nothing from here on."""
    write_file(directory, BOOT_FILE, boots.new_boot())


def boot_id(directory: Path, *, keep: bool = True) -> bytes:
    """16 bytes, the same until the device or the host reboots.

    Whatever the file holds names a boot, so that a changed one is another boot. Where none can be kept (a read-only
    mount), or shall be, every start is one.
    """
    name = read_file(directory, BOOT_FILE, most_bytes=boots.MOST_BYTES)
    if name is None and keep:
        with suppress(TeeUnavailable):
            reboot(directory)
        name = read_file(directory, BOOT_FILE, most_bytes=boots.MOST_BYTES)
    return boots.boot_id(b"bioguard boot v1", name)
