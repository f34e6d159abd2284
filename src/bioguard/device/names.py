"""Names of users, in the normal world only.

The secure world knows a user as 16 random bytes. This file maps names to them; it holds nothing else about a person.

So that nobody who can write the file can exchange two people, the secure world keeps a label of each user: the hash of
a random salt, which is in this file, and the name. It can compare a label and cannot test names against it.
"""

import re
import unicodedata
from dataclasses import field
from hashlib import sha256
from pathlib import Path

from bioguard.device.json_file import JsonFile
from bioguard.errors import InputRefused
from bioguard.text import hex_bytes
from tee_sim.shared.dataclass import dataclass

NAMES_FILE = "names.json"
_NAME = re.compile(r"[^\W_][\w.@+-]{0,63}")


def check_name(name: str) -> str:
    """Return the name in Unicode form C.

    Raises:
        InputRefused: not 1 to 64 letters, digits or `. _ @ + -`, starting with a letter or digit.
    """
    normal = unicodedata.normalize("NFC", name) if isinstance(name, str) else ""
    if not _NAME.fullmatch(normal):
        raise InputRefused(
            f"{str(name)[:64]!r} is not a user name",
            hint="use 1 to 64 letters, digits or . _ @ + -, starting with a letter or digit",
            code="user.name",
        )
    return normal


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedUser:
    """Who a name stands for: the handle (16 bytes) and the salt of the label (16 bytes)."""

    handle: bytes
    salt: bytes

    def label(self, name: str) -> bytes:
        """32 bytes that bind a name to the handle in the secure world."""
        return sha256(b"bioguard user label v1\0" + self.salt + name.encode()).digest()


def _parse(users: dict[str, list[str]]) -> dict[str, NamedUser]:
    return {
        check_name(name): NamedUser(handle=hex_bytes(handle, 16), salt=hex_bytes(salt, 16))
        for name, (handle, salt) in users.items()
    }


_FILE = JsonFile(
    name=NAMES_FILE,
    field="users",
    parse=_parse,
    plain=lambda users: {name: [user.handle.hex(), user.salt.hex()] for name, user in sorted(users.items())},
    code="device.names_damaged",
    hint="records stay listed by id; restore the file or remove it and add the users again",
)


@dataclass(slots=True)
class Names:
    """The mapping, and its file."""

    directory: Path
    users: dict[str, NamedUser] = field(default_factory=dict)

    @classmethod
    def load(cls, directory: Path) -> "Names":
        """Read the file; an absent one is empty.

        Raises:
            IntegrityFailure: it is not what `save` wrote.
        """
        return cls(directory, _FILE.load(directory) or {})

    def save(self) -> None:
        """Replace the file atomically."""
        _FILE.save(self.directory, self.users)

    def by_handle(self) -> dict[bytes, str]:
        """The name of each handle; either of the two of a user who is being renamed."""
        return {user.handle: name for name, user in self.users.items()}
