"""Name the current boot: by a file that a reboot replaces, and the host's own boot id."""

import secrets
from hashlib import sha256
from pathlib import Path

BOOT_FILE = "boot.simulated"
MOST_BYTES = 64
_HOST_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def new_boot() -> str:
    """What to write into the file for a new boot."""
    return secrets.token_hex(16) + "\n"


def boot_id(label: bytes, name: bytes | None) -> bytes:
    """16 bytes, the same until the device or the host reboots.

    Args:
        label: keeps kinds of directories apart.
        name: what the file holds, whatever it is: a changed one is another boot. None where there is none and none can
            be kept, so that every start is a boot.
    """
    host = _HOST_BOOT_ID.read_bytes() if _HOST_BOOT_ID.exists() else b""
    return sha256(label + (secrets.token_bytes(16) if name is None else name) + b"\0" + host).digest()[:16]
