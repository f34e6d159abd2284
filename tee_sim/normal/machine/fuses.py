"""Write and read fuse files: a simulated hardware unique key (HUK) and a device id, in a file that says whose it is.

A phone burns them into fuses that only the secure world can read. Whoever can read the file can open the store next to
it: that is the difference between a simulator and a phone. Each kind of directory has a word of its own in its file, so
that one is never opened as the other: their stores are sealed for other applications under other rules.
"""

import re
from dataclasses import field

from tee_sim.shared.dataclass import dataclass

MOST_BYTES = 4096
READABLE_BY_OTHERS = 0o077
_VERSION = re.compile(r"^([a-z][a-z-]{0,30}-fuses) (\d{1,9})$", re.MULTILINE)
_VALUES = re.compile(r"huk ([0-9a-f]{64})\ndevice-id ([0-9a-f]{32})\n")


class ForeignFuses(ValueError):
    """Fuses of another kind of directory, or of another version of this kind."""

    def __init__(self, word: str, version: str) -> None:
        super().__init__(f"{word} {version}")
        self.word = word
        self.version = version


@dataclass(frozen=True, slots=True, kw_only=True)
class RootSecret:
    """What is burned into one device.

    Attributes:
        huk: 32 bytes.
        device_id: 16 bytes.
    """

    huk: bytes = field(repr=False)
    device_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FuseFormat:
    """How one kind of directory writes its fuses.

    Attributes:
        word: what the line of the version begins with.
        version: of the whole directory: its files and its store.
        remarks: comment lines for people, each with its end.
    """

    word: str
    version: str
    remarks: str

    def to_text(self, secret: RootSecret) -> str:
        """The file's text."""
        return f"{self.remarks}{self.word} {self.version}\nhuk {secret.huk.hex()}\ndevice-id {secret.device_id.hex()}\n"

    def from_bytes(self, raw: bytes) -> RootSecret:
        """Read what `to_text` writes, and nothing else.

        Raises:
            ForeignFuses: it is another kind's, or another version's.
            ValueError: it is damaged.
        """
        text = raw.decode("ascii", "replace")
        version = _VERSION.search(text)
        if version is not None and version.groups() != (self.word, self.version):
            raise ForeignFuses(version[1], version[2])
        found = _VALUES.search(text)
        if found is None:
            raise ValueError("no values")
        secret = RootSecret(huk=bytes.fromhex(found[1]), device_id=bytes.fromhex(found[2]))
        if self.to_text(secret) != text:
            raise ValueError("something else beside them")
        return secret
