"""Files that an engine is made of: read once, before the lock, each known by its SHA-256."""

import hashlib
from pathlib import Path
from typing import Final

from bioguard.errors import InputRefused, WrongUsage
from tee_sim.shared.dataclass import dataclass

MAX_FILE_BYTES: Final = 512 << 20
"""Chosen: the largest face models that are passed around as ONNX have 260 MB."""


@dataclass(frozen=True, slots=True)
class EngineFile:
    """A file that an engine is made of, and the SHA-256 that it has to have, 32 bytes."""

    path: Path
    sha256: bytes


def checked(data: bytes, sha256: bytes, name: str, hint: str) -> bytes:
    """The same bytes. Raises InputRefused `capture.weights` if they are not those that are meant."""
    if hashlib.sha256(data).digest() != sha256:
        raise InputRefused(f"{name} is another file than the one that is known", hint=hint, code="capture.weights")
    return data


def read_file(path: Path, hint: str) -> bytes:
    """The bytes of a file.

    Raises:
        WrongUsage: `capture.missing`, there is no such file.
        InputRefused: `capture.weights`, it is too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise WrongUsage(f"{path.name} cannot be read", hint=hint, code="capture.missing") from error
    if len(data) > MAX_FILE_BYTES:
        raise InputRefused(f"{path.name} is too large", hint=hint, code="capture.weights")
    return data
