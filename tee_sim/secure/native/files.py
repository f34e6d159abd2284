"""The files of native applications: read once, whole, and measured."""

import hashlib
import os
from pathlib import Path
from typing import Final

from tee_sim.shared.manifest import Manifest

MAX_TA_BYTES: Final = 64 << 20
"""As the loader allows (tee_sim/dev_kit/runtime/load.c)."""
_DOMAIN: Final = b"tee_sim native application v1"


class NativeLoadError(ImportError):
    """A native application that is not loaded, or the runtime for it."""


def path_of(manifest: Manifest, folder: bytes) -> Path:
    """The file of an application."""
    return Path(os.fsdecode(folder)) / manifest.native


def read(path: Path) -> bytes:
    """One file.

    Raises:
        NativeLoadError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_TA_BYTES + 1)
    except OSError as error:
        raise NativeLoadError(f"{path}: {error.strerror}") from error
    if len(content) > MAX_TA_BYTES:
        raise NativeLoadError(f"{path} is larger than {MAX_TA_BYTES} bytes")
    return content


def measurement(manifest: Manifest, content: bytes, runtime: bytes) -> bytes:
    """SHA-256 over the digests of its manifest, its file, and of what hosts it."""
    digests = (hashlib.sha256(part).digest() for part in (manifest.to_bytes(), content, runtime))
    return hashlib.sha256(b"".join((_DOMAIN, *digests))).digest()
