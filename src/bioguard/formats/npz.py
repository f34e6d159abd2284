"""The embeddings of an `.npz` archive: a zip of `.npy` members. Bounded before anything is inflated."""

import zipfile
import zlib
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from bioguard.formats.errors import refuse
from bioguard.formats.limits import MAX_ARRAY_BYTES
from bioguard.formats.npy import read_npy

ZIP_MAGIC = b"PK\x03\x04"
EMBEDDINGS = "embeddings.npy"
MAX_MEMBERS = 64
MAX_DIRECTORY_BYTES = 128 << 10
"""More than 64 members with names of 1000 characters need. `zipfile` reads the directory in one piece, and makes an
object of each entry."""
MAX_RATIO = 100
FREE_BYTES = 128 << 10
"""Numbers that a model made hardly shrink; 1000 to 1 is what deflate can do at most. Up to 16 views of 1024 float64 may
be all alike."""
_NO_ARRAYS = (
    "unpack it and give the file inside; save a spreadsheet as CSV, the tensor of a PyTorch file with numpy.save"
)
PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1
ARCHIVE_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
    KeyError,
    TypeError,
)
"""What `zipfile`, and NumPy over it, raise on archives that are damaged or hold something else than arrays: found by
fuzzing them. NotImplementedError is `zipfile`'s word for a later version of the format, patched data and strong
encryption."""


class Bounded:
    """A file of which at most MAX_DIRECTORY_BYTES are read at once."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        octets = self._stream.read(size if 0 <= size <= MAX_DIRECTORY_BYTES else MAX_DIRECTORY_BYTES + 1)
        if len(octets) > MAX_DIRECTORY_BYTES:
            raise zipfile.BadZipFile
        return octets


def _choose(members: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    arrays = [m for m in members if m.filename.endswith(".npy")]
    if members and not arrays and not (len(members) == 1 and "." not in members[0].filename):
        raise refuse("npz_members", f"a ZIP archive without a NumPy array: {_names(members)}", _NO_ARRAYS)
    named = [m for m in members if m.filename == EMBEDDINGS]
    if len(named) == 1:
        return named[0]
    if len(members) == 1:
        return members[0]
    if not members:
        raise refuse("npz_members", "the archive is empty", "save with numpy.savez(path, embeddings=array)")
    raise refuse(
        "npz_members",
        f"archive has {len(members)} members ({_names(members)}), {len(named) or 'none'} of them called embeddings",
        "save with numpy.savez(path, embeddings=array)",
    )


def _names(members: list[zipfile.ZipInfo]) -> str:
    shown = ", ".join(repr(m.filename.removesuffix(".npy")[:20]) for m in members[:4])
    return f"{shown}, ..." if len(members) > 4 else shown


def _checked(member: zipfile.ZipInfo) -> zipfile.ZipInfo:
    if member.compress_type not in PLAIN or member.flag_bits & ENCRYPTED:
        raise refuse("npz_member", "archive member is encrypted or packed in an unusual way", "use numpy.savez")
    if member.file_size > MAX_ARRAY_BYTES:
        raise refuse(
            "too_large",
            f"archive member declares {member.file_size} bytes, at most {MAX_ARRAY_BYTES} are read",
            "save the views that are wanted into a file of their own",
        )
    check_ratio(member)
    return member


def check_ratio(member: zipfile.ZipInfo, where: str = "") -> None:
    """Raises InputRefused `format.npz_ratio` for embeddings that would be far larger than their file, at `where`."""
    if member.file_size > FREE_BYTES + MAX_RATIO * member.compress_size:
        grows = f"grows from {member.compress_size} to {member.file_size} bytes"
        raise refuse(
            "npz_ratio",
            f"{where}archive member {grows}: these are no embeddings",
            "no model gives numbers that are all alike; make the file again from its source",
        )


def read_npz(stream: BinaryIO, _: int, max_views: int) -> NDArray[np.generic]:
    """The array `embeddings`, or the only array. Of other members, `stated_model` reads `model`.

    Args:
        stream: seekable; the directory stands at its end.
        max_views: rows above which nothing is inflated but the header.

    Raises:
        InputRefused: `format.npz_damaged`, `format.npz_members`, `format.npz_member`, `format.npz_ratio`,
            `format.too_large`, or what `read_npy` raises.
    """
    try:
        with zipfile.ZipFile(cast("BinaryIO", Bounded(stream))) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise refuse("npz_members", f"archive has {len(members)} members", f"at most {MAX_MEMBERS} are read")
            member = _checked(_choose(members))
            with archive.open(member) as content:
                # The array fills the declared size exactly, where inflation stops and the checksum is compared.
                rows = read_npy(cast("BinaryIO", content), member.file_size, max_views)
    except ARCHIVE_FAULTS as error:
        raise refuse("npz_damaged", "not a readable npz archive") from error
    return rows
