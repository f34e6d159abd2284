"""What an application may state under a key that it never sees: a layout of its manifest, filled in by the core.

    [[statement]]
    key = "auth-token"
    parts = ["00", "echo:8", "id:8", "id:8", "00000002", "time:8"]

| part | bytes | what the core puts there |
|---|---|---|
| hexadecimal digits | 1 to 32 | these bytes |
| `echo:8` | 8 | a number or an id out of the request, or zeros; at most one |
| `id:8` | 8 | the ids of one object of this application, in their order, none of them zero; 1 to 4 |
| `time:8` | 8 | when the request came: milliseconds since the boot, big-endian; at most one |

After the parts stands their HMAC-SHA-256 (docs/formats/manifest.md).
"""

import re
from collections.abc import Iterator
from typing import Annotated, Final

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.manifest_values import ManifestError, Misfit, shown
from tee_sim.shared.object_header import ID_BYTES, MAX_IDS
from tee_sim.shared.schema import Items, Record, Text

MAC_BYTES: Final = 32
MAX_PARTS: Final = 16
ECHO, ID, TIME = "echo:8", "id:8", "time:8"
_MOST: Final = {ECHO: 1, ID: MAX_IDS, TIME: 1}
_HEX: Final = re.compile(r"(?:[0-9a-f]{2}){1,32}")
EXAMPLE: Final = '["00", "echo:8", "id:8", "time:8"]'


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement(Record):
    """One `[[statement]]`.

    Attributes:
        key: name of the key of a boot that makes its MAC.
        parts: as above.
    """

    key: Annotated[str, Text(32)]
    parts: Annotated[tuple[str, ...], Items(MAX_PARTS, Text(64))]

    def __post_init__(self) -> None:
        for part in self.parts:
            if part not in _MOST and not _HEX.fullmatch(part):
                raise _bad(f"{shown(part)} is no part: 1 to 32 bytes in lower-case hexadecimal, {', '.join(_MOST)}")
        for part, most in _MOST.items():
            if self.parts.count(part) > most:
                raise _bad(f"{part} stands in it {self.parts.count(part)} times, at most {most}")
        if ID not in self.parts:
            raise _bad("a statement is about an object: there is no id:8 in it")

    @property
    def ids_bytes(self) -> int:
        """Length of the ids that its object has."""
        return ID_BYTES * self.parts.count(ID)

    @property
    def size_bytes(self) -> int:
        """Length of a statement, with its MAC."""
        return sum(8 if part in _MOST else len(part) // 2 for part in self.parts) + MAC_BYTES

    def filled(self, *, echo: bytes, ids: bytes, time_ms: int) -> bytes:
        """What the MAC is over."""
        left = iter(_words(ids))
        values = {ECHO: lambda: echo, ID: lambda: next(left), TIME: lambda: time_ms.to_bytes(8, "big")}
        return b"".join(values[part]() if part in values else bytes.fromhex(part) for part in self.parts)

    def ids_in(self, stated: bytes) -> tuple[bytes, ...] | None:
        """The ids in a statement whose MAC was found right; None if it is none of this layout."""
        if len(stated) != self.size_bytes:
            return None
        ids, at = [], 0
        for part in self.parts:
            end = at + (8 if part in _MOST else len(part) // 2)
            if part == ID:
                ids.append(stated[at:end])
            elif part not in _MOST and stated[at:end] != bytes.fromhex(part):
                return None
            at = end
        return tuple(ids)


def _words(ids: bytes) -> Iterator[bytes]:
    return (ids[at : at + ID_BYTES] for at in range(0, len(ids), ID_BYTES))


def _bad(why: str) -> ManifestError:
    return ManifestError(Misfit.WRONG_VALUE, why, key="parts", hint=f"write for instance: parts = {EXAMPLE}")
