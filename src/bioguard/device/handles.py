"""Password handles, kept by the normal world as Android keeps them: 58 bytes per user, useless on another device."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from bioguard.commands.gatekeeper import HANDLE_BYTES
from bioguard.device.files import replace_file
from bioguard.errors import IntegrityFailure

__all__ = ["HANDLES_FILE", "Handles"]

HANDLES_FILE = "pins.json"
USER_BYTES = 16


@dataclass(slots=True)
class Handles:
    """The mapping from 16-byte users to handles, and its file."""

    path: Path
    users: dict[bytes, bytes] = field(default_factory=dict)

    @classmethod
    def load(cls, directory: Path) -> "Handles":
        """Read the file; an absent one is empty.

        Raises:
            IntegrityFailure: it is not what `save` wrote.
        """
        path = directory / HANDLES_FILE
        try:
            document = json.loads(path.read_text("ascii"))
            users = {bytes.fromhex(user): bytes.fromhex(handle) for user, handle in document["handles"].items()}
            if document["format"] != 1 or any(len(u) != USER_BYTES or len(h) != HANDLE_BYTES for u, h in users.items()):
                raise ValueError
        except FileNotFoundError:
            return cls(path)
        except (ValueError, KeyError, AttributeError, TypeError):
            raise IntegrityFailure(
                f"{HANDLES_FILE} is damaged", hint="restore the file, or set the PINs again", code="device.pins_damaged"
            ) from None
        return cls(path, users)

    def save(self) -> None:
        """Replace the file atomically, mode 0600."""
        document = {"format": 1, "handles": {u.hex(): h.hex() for u, h in sorted(self.users.items())}}
        replace_file(self.path, json.dumps(document, indent=1))
