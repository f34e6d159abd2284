"""What SQLite leaves of a row that was deleted, and getting rid of it.

`secure_delete` overwrites a row where it is deleted. Before that its page may have been joined with a neighbor, and the
place that the row was moved from is not overwritten (seen with 3.40.1): a piece of it, the salted digest among it,
stays in the unused bytes of a page until they are used again. A receipt says that an erased digest is not in the file.

Not promised: that a flash memory has no older copy of the file's blocks.
"""

import mmap
import os
from collections.abc import Iterable
from pathlib import Path

PIECE_BYTES = 8
"""A digest is looked for in pieces: the rest of it may have been written over. A piece of another digest is met by
chance once in 10^19 places."""

MOST_LOOKED_FOR = 16
"""Digests of one transaction. For more than that the file is not searched, but written anew at once: one digest takes
1.7 ms for each MB of the file to look for, and writing it anew ten times as long or more."""


def hold(path: Path, digests: Iterable[bytes]) -> bool:
    """Whether a piece of one of these is anywhere in the file, or has to be supposed there. Raises OSError."""
    pieces = [piece for digest in digests for piece in _pieces(digest)]
    if len(pieces) > MOST_LOOKED_FOR * len(_pieces(bytes(32))):
        return True
    if not pieces:
        return False
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        with mmap.mmap(fd, 0, prot=mmap.PROT_READ) as image:
            return any(image.find(piece) >= 0 for piece in pieces)
    finally:
        os.close(fd)


def _pieces(digest: bytes) -> list[bytes]:
    return [digest[at : at + PIECE_BYTES] for at in range(0, len(digest) - PIECE_BYTES + 1, PIECE_BYTES)]
