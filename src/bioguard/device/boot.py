"""The name of the current boot: a file that `bioguard device reboot` replaces, and the host's own boot id."""

import secrets
from hashlib import sha256
from pathlib import Path

from bioguard.device.files import replace_file

__all__ = ["BOOT_FILE", "boot_id", "reboot"]

BOOT_FILE = "boot.simulated"
_HOST_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def reboot(directory: Path) -> None:
    """Begin a new boot: tokens and challenges of the old one are worth nothing from here on."""
    replace_file(directory / BOOT_FILE, secrets.token_hex(16) + "\n")


def boot_id(directory: Path) -> bytes:
    """16 bytes, the same until the device or the host reboots."""
    path = directory / BOOT_FILE
    if not path.exists():
        reboot(directory)
    host = _HOST_BOOT_ID.read_bytes() if _HOST_BOOT_ID.exists() else b""
    return sha256(b"bioguard boot v1" + path.read_bytes() + b"\0" + host).digest()[:16]
