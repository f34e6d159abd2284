"""Replacing the small files of a device's normal world."""

import os
from pathlib import Path

__all__ = ["TEMPORARY", "replace_file"]

TEMPORARY = ".new"
"""Suffix of a file that is being written. One that a crash left is overwritten by the next change."""


def replace_file(path: Path, text: str) -> None:
    """Make `text` the whole of a file, mode 0600: after a crash or power cut it is the old one or the new one.

    File and directory are synced, so it is the new one once this has returned. One writer at a time: the device's lock.
    """
    temporary = path.with_name(path.name + TEMPORARY)
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
