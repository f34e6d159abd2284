"""The name of the current boot: a file that `bioguard device reboot` replaces, and the host's own boot id."""

import secrets
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from bioguard.errors import TeeUnavailable
from bioguard.private_files import read_file, write_file

BOOT_FILE = "boot.simulated"
_MOST_BYTES = 64
_HOST_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def reboot(directory: Path) -> None:
    """Begin a new boot: tokens and challenges of the old one are worth nothing from here on."""
    write_file(directory, BOOT_FILE, secrets.token_hex(16) + "\n")


def boot_id(directory: Path, *, keep: bool = True) -> bytes:
    """16 bytes, the same until the device or the host reboots.

    Whatever the file holds names a boot, so that a changed one is another boot. Where none can be kept (a read-only
    mount), or shall be, every start is one.
    """
    name = read_file(directory, BOOT_FILE, most_bytes=_MOST_BYTES)
    if name is None and keep:
        with suppress(TeeUnavailable):
            reboot(directory)
        name = read_file(directory, BOOT_FILE, most_bytes=_MOST_BYTES)
    if name is None:
        name = secrets.token_bytes(16)
    host = _HOST_BOOT_ID.read_bytes() if _HOST_BOOT_ID.exists() else b""
    return sha256(b"bioguard boot v1" + name + b"\0" + host).digest()[:16]
