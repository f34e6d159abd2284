"""Extractions that are kept between runs, by the picture, what is stated of it, and the engine with its code.

A file an extraction, in OUT/extracted/ENGINE/: a second run reads what the first one made. It holds features of
people, as the report's folder does where minutiae are written: keep both where the pictures are kept.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from bioguard.errors import InputRefused
from bioguard.records import FingerprintTemplate

_HEADER: Final = struct.Struct("<4sBBBxdd")
_MAGIC: Final = b"BGX1"
TRIED: Final = ".tried"


@dataclass(frozen=True, slots=True)
class Extracted:
    """What an engine made of one picture.

    Attributes:
        acquired: what the engine judged, the word of an acquired code; the code of a refusal where the picture was not
            decoded, "fault" where the engine raised or returned what is no extraction of a finger, "ended" where it
            took the process with it.
        template: the minutiae, if there are some; also of a picture that is judged not good.
        quality: 1..100 as the engine says, 0 not known.
        wall_ms, processor_ms: of the engine, without decoding; 0 if it was not reached.
    """

    acquired: str
    template: FingerprintTemplate | None
    quality: int = 0
    wall_ms: float = 0.0
    processor_ms: float = 0.0


ENDED: Final = Extracted("ended", None)
FAULT: Final = Extracted("fault", None)


class Kept:
    """The extractions of one engine in a folder."""

    def __init__(self, folder: Path, note: Callable[[str], None]) -> None:
        """Nothing is read yet.

        Args:
            folder: of this engine and its code.
            note: told of files that are damaged, and of pictures at which a run ended.
        """
        self._folder, self._note = folder, note

    def get(self, key: str) -> Extracted | None:
        """What is kept under a key; None if nothing is, or it is damaged."""
        path = self._folder / key
        if path.with_name(key + TRIED).exists():
            self._note(
                f"{path.name[:16]}: an earlier run ended while this engine worked on the picture; it counts as a "
                f"failure to acquire. To try again remove {path.with_name(key + TRIED)}"
            )
            return ENDED
        try:
            return _decoded(path.read_bytes())
        except FileNotFoundError:
            return None
        except (InputRefused, ValueError, struct.error):
            self._note(f"{path}: damaged, extracted anew")
            return None

    def trying(self, key: str) -> None:
        """Say before an engine starts that it does: native code may end the process."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / (key + TRIED)).touch()

    def put(self, key: str, found: Extracted | None) -> None:
        """Keep an extraction; None only takes back that it was tried."""
        if found is not None:
            temporary = self._folder / (key + ".tmp")
            temporary.write_bytes(_encoded(found))
            temporary.replace(self._folder / key)
        (self._folder / (key + TRIED)).unlink(missing_ok=True)


def key_of(picture: bytes, dpi: int | None) -> str:
    """SHA-256 of the file, and the dpi that is stated beside it."""
    return f"{sha256(picture).hexdigest()}-{'file' if dpi is None else dpi}"


def _encoded(found: Extracted) -> bytes:
    acquired = found.acquired.encode()
    features = b"" if found.template is None else found.template.to_bytes()
    header = _HEADER.pack(
        _MAGIC, found.quality, len(acquired), found.template is not None, found.wall_ms, found.processor_ms
    )
    return header + acquired + features


def _decoded(data: bytes) -> Extracted:
    magic, quality, length, there, wall, processor = _HEADER.unpack_from(data)
    split = _HEADER.size + length
    features = FingerprintTemplate.from_bytes(data[split:]) if there else None
    found = Extracted(data[_HEADER.size : split].decode(), features, quality, wall, processor)
    if magic != _MAGIC or _encoded(found) != data:
        raise ValueError("not what is written")
    return found
