"""The embeddings of an `.npz` archive: a zip of `.npy` members. Bounded before anything is inflated."""

import io
import zipfile
import zlib

import numpy as np
from numpy.typing import NDArray

from bioguard.formats.errors import refuse
from bioguard.formats.limits import MAX_EMBEDDINGS_BYTES
from bioguard.formats.npy import read_npy

__all__ = ["ZIP_MAGIC", "read_npz"]

ZIP_MAGIC = b"PK\x03\x04"
EMBEDDINGS = "embeddings.npy"
MAX_MEMBERS = 64
PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1
_ZIP_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
)
"""What `zipfile` raises on damaged archives, found by fuzzing it."""


def _choose(members: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    named = [m for m in members if m.filename == EMBEDDINGS]
    if len(named) == 1:
        return named[0]
    if len(members) == 1:
        return members[0]
    raise refuse(
        "npz_members",
        f"archive of {len(members)} members has no single array named embeddings",
        "save with numpy.savez(path, embeddings=array)",
    )


def read_npz(octets: bytes) -> NDArray[np.generic]:
    """The array `embeddings`, or the only array. Other members, such as labels, are not read.

    Raises:
        InputRefused: `format.npz_damaged`, `format.npz_members`, `format.npz_member`, `format.too_large`, or what
            `read_npy` raises.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise refuse("npz_members", f"archive has {len(members)} members", f"at most {MAX_MEMBERS} are read")
            member = _choose(members)
            if member.compress_type not in PLAIN or member.flag_bits & ENCRYPTED:
                raise refuse("npz_member", "archive member is encrypted or packed in an unusual way", "use numpy.savez")
            if member.file_size > MAX_EMBEDDINGS_BYTES:
                raise refuse(
                    "too_large",
                    f"archive member declares {member.file_size} bytes, at most {MAX_EMBEDDINGS_BYTES} are read",
                    "split it into several files",
                )
            with archive.open(member) as stream:
                # One byte more than declared: a member that inflates further than it says is refused, not read on.
                content = stream.read(member.file_size + 1)
    except _ZIP_FAULTS as error:
        raise refuse("npz_damaged", "not a readable npz archive") from error
    if len(content) != member.file_size:
        raise refuse("npz_damaged", "archive member has another size than declared")
    return read_npy(content)
