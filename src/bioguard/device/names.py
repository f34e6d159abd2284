"""Names of users, in the normal world only.

The secure world knows a user as 16 random bytes. This file maps names to them; it holds nothing else about a person.
"""

import json
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from bioguard.device.files import replace_file
from bioguard.errors import InputRefused, IntegrityFailure

__all__ = ["Names", "check_name"]

NAMES_FILE = "names.json"
_NAME = re.compile(r"[^\W_][\w.@+-]{0,63}")


def check_name(name: str) -> str:
    """Return the name in Unicode form C.

    Raises:
        InputRefused: not 1 to 64 letters, digits or `. _ @ + -`, starting with a letter or digit.
    """
    normal = unicodedata.normalize("NFC", name)
    if not _NAME.fullmatch(normal):
        raise InputRefused(
            f"{name[:64]!r} is not a user name",
            hint="use 1 to 64 letters, digits or . _ @ + -, starting with a letter or digit",
            code="user.name",
        )
    return normal


@dataclass(slots=True)
class Names:
    """The mapping, and its file."""

    path: Path
    users: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def load(cls, directory: Path) -> "Names":
        """Read the file; an absent one is empty.

        Raises:
            IntegrityFailure: it is not what `save` wrote.
        """
        path = directory / NAMES_FILE
        try:
            document = json.loads(path.read_text("utf-8"))
            users = {check_name(name): bytes.fromhex(handle) for name, handle in document["users"].items()}
            if document["format"] != 1 or any(len(handle) != 16 for handle in users.values()):
                raise ValueError
        except FileNotFoundError:
            return cls(path)
        except (ValueError, KeyError, AttributeError, TypeError, InputRefused):
            raise IntegrityFailure(
                f"{NAMES_FILE} is damaged",
                hint="records stay listed by id; restore the file or remove it and add the users again",
                code="device.names_damaged",
            ) from None
        return cls(path, users)

    def save(self) -> None:
        """Replace the file atomically."""
        document = {"format": 1, "users": {name: handle.hex() for name, handle in sorted(self.users.items())}}
        replace_file(self.path, json.dumps(document, ensure_ascii=False, indent=1))

    def name_of(self, handle: bytes) -> str | None:
        """The name of a user handle, if this file knows it."""
        return next((name for name, known in self.users.items() if known == handle), None)
