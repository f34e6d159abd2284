"""The name of the current boot: a file that `bioguard device reboot` replaces, and the host's own boot id."""

import os
import secrets
from hashlib import sha256
from pathlib import Path

__all__ = ["BOOT_FILE", "boot_id", "reboot"]

BOOT_FILE = "boot.simulated"
_HOST_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def reboot(directory: Path) -> None:
    """Begin a new boot: tokens and challenges of the old one are worth nothing from here on."""
    temporary = directory / (BOOT_FILE + ".new")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(16) + "\n")
    temporary.replace(directory / BOOT_FILE)


def boot_id(directory: Path) -> bytes:
    """16 bytes, the same until the device or the host reboots."""
    path = directory / BOOT_FILE
    if not path.exists():
        reboot(directory)
    host = _HOST_BOOT_ID.read_bytes() if _HOST_BOOT_ID.exists() else b""
    return sha256(b"bioguard boot v1" + path.read_bytes() + b"\0" + host).digest()[:16]
