"""Password handles, kept by the normal world as Android keeps them: 58 bytes per user, useless on another device."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from bioguard.commands.gatekeeper import HANDLE_BYTES
from bioguard.device.incidents import detecting
from bioguard.errors import IntegrityFailure
from bioguard.private_files import read_json, write_file

HANDLES_FILE = "pins.json"
USER_BYTES = 16


def _damaged() -> IntegrityFailure:
    return IntegrityFailure(
        f"{HANDLES_FILE} is damaged",
        hint="restore the file, or remove it and set the PINs again",
        code="device.pins_damaged",
    )


def _load(directory: Path) -> dict[bytes, bytes]:
    document = read_json(directory, HANDLES_FILE, damaged=_damaged)
    if document is None:
        return {}
    try:
        users = {bytes.fromhex(user): bytes.fromhex(handle) for user, handle in document["handles"].items()}
        if document["format"] != 1 or any(len(u) != USER_BYTES or len(h) != HANDLE_BYTES for u, h in users.items()):
            raise ValueError
    except (ValueError, KeyError, AttributeError, TypeError):
        raise _damaged() from None
    return users


@dataclass(slots=True)
class PasswordHandles:
    """The mapping from 16-byte users to handles, and its file."""

    directory: Path
    users: dict[bytes, bytes] = field(default_factory=dict)

    @classmethod
    def load(cls, directory: Path) -> "PasswordHandles":
        """Read the file; an absent one is empty.

        Raises:
            IntegrityFailure: it is not what `save` wrote.
        """
        with detecting(directory):
            return cls(directory, _load(directory))

    def save(self) -> None:
        """Replace the file atomically, mode 0600."""
        document = {"format": 1, "handles": {u.hex(): h.hex() for u, h in sorted(self.users.items())}}
        write_file(self.directory, HANDLES_FILE, json.dumps(document, indent=1))
