"""Disk space that is kept, so that a full disk does not keep anybody from erasing.

A transaction needs room for its journal, also one that only deletes. The file below takes it as long as there is some,
and gives it back when it is needed.
"""

import os
from contextlib import suppress

from tee_sim.normal.private_files import UnsafeFile, create_file, open_file
from tee_sim.normal.supplicant.files import MOST_BYTES, RESERVE_FILE

RESERVE_BYTES = 1 << 20
"""The journal of an erasure holds the pages it changes: the rows of a person with twelve records of 20 KB, a few dozen
directory pages, and what the log and the register grow by, until the space of erased rows is used again."""

SHARE = 4
LEAST_BYTES = 64 << 10
"""Of a nearly full disk no more than a quarter of what is free is kept, but enough for one small erasure if that leaves
as much again."""


def fill(directory: int, least_bytes: int = 0) -> None:
    """Keep the share there is, or what was kept before. What cannot be kept is not: nothing here is worth an error.

    Args:
        directory: its descriptor.
        least_bytes: what to keep however little is left besides.
    """
    with suppress(OSError, UnsafeFile):
        try:
            fd = open_file(directory, RESERVE_FILE, os.O_RDWR, most_bytes=MOST_BYTES)
        except FileNotFoundError:
            fd = create_file(directory, RESERVE_FILE)
        try:
            there = os.fstat(fd).st_size
            free = os.fstatvfs(fd)
            room = there + free.f_bavail * free.f_frsize
            wanted = min(RESERVE_BYTES, max(room // SHARE, min(LEAST_BYTES, room // 2), min(least_bytes, room)))
            if wanted > there:
                os.posix_fallocate(fd, 0, wanted)
        finally:
            os.close(fd)


def release(directory: int) -> int:
    """Give the space back; return how many bytes it was."""
    with suppress(OSError):
        size_bytes = os.stat(RESERVE_FILE, dir_fd=directory, follow_symlinks=False).st_size
        os.unlink(RESERVE_FILE, dir_fd=directory)
        return size_bytes
    return 0
