"""Password handles, kept by the normal world as Android keeps them: 58 bytes per user, useless on another device."""

from dataclasses import field
from pathlib import Path

from bioguard.commands.gatekeeper import HANDLE_BYTES
from bioguard.device.incidents import detecting
from bioguard.device.json_file import JsonFile
from bioguard.text import hex_bytes
from tee_sim.shared.dataclass import dataclass

HANDLES_FILE = "pins.json"
USER_BYTES = 16


_FILE = JsonFile(
    name=HANDLES_FILE,
    field="handles",
    parse=lambda handles: {
        hex_bytes(user, USER_BYTES): hex_bytes(handle, HANDLE_BYTES) for user, handle in handles.items()
    },
    plain=lambda users: {user.hex(): handle.hex() for user, handle in sorted(users.items())},
    code="device.pins_damaged",
    hint="restore the file, or remove it and set the PINs again",
)


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
            return cls(directory, _FILE.load(directory) or {})

    def save(self) -> None:
        """Replace the file atomically, mode 0600."""
        _FILE.save(self.directory, self.users)
