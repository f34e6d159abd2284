"""Which embedding model or extractor a file says that it is of. Most say nothing."""

import re
import zipfile
from typing import BinaryIO, Final, cast

from bioguard.formats.errors import refuse
from bioguard.formats.minutiae import MinutiaeRecord
from bioguard.formats.npz import ARCHIVE_FAULTS, ENCRYPTED, PLAIN, Bounded

MEMBER: Final = "model.npy"
MAX_MEMBER_BYTES: Final = 1024
"""A header of 128 bytes and 64 characters of four bytes; numpy.savez pads to 64 bytes."""
MAX_CHARS: Final = 64
"""As in a comparison profile."""
_TEXT = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '<U(\d{1,3})', 'fortran_order': False, 'shape': \(\), \} *\n", re.DOTALL
)


def model_of_archive(stream: BinaryIO) -> str:
    """The text `model` beside the embeddings of an `.npz` archive that was read already; empty without one.

    Raises:
        InputRefused: `format.npz_model`, a model that is no text of 1 to 64 printable ASCII characters.
    """
    stream.seek(0)
    try:
        with zipfile.ZipFile(cast("BinaryIO", Bounded(stream))) as archive:
            named = [member for member in archive.infolist() if member.filename == MEMBER]
            if not named:
                return ""
            member = named[0]
            plain = member.compress_type in PLAIN and not member.flag_bits & ENCRYPTED
            if len(named) > 1 or not plain or member.file_size > MAX_MEMBER_BYTES:
                raise _no_text()
            data = archive.read(member)
    except ARCHIVE_FAULTS as error:
        raise refuse("npz_damaged", "not a readable npz archive") from error
    return _text(data)


def _text(data: bytes) -> str:
    header = _TEXT.match(data)
    if header is None or len(data) != header.end() + 4 * int(header[1]):
        raise _no_text()
    try:
        text = data[header.end() :].decode("utf-32-le").rstrip("\0")
    except UnicodeDecodeError:
        raise _no_text() from None
    if not 1 <= len(text) <= MAX_CHARS or not text.isascii() or not text.isprintable() or text != text.strip():
        raise _no_text()
    return text


def _no_text() -> Exception:
    return refuse(
        "npz_model",
        f"the archive's model is no text of 1 to {MAX_CHARS} printable ASCII characters",
        'save with numpy.savez(path, embeddings=array, model="name of the model"), or without model',
    )


def model_of_record(record: MinutiaeRecord) -> str:
    """The product that made an INCITS 378 record: CBEFF owner and type in hexadecimal digits; empty where it is 0.

    ISO/IEC 19794-2 has no such field: its vendors are those of the device and of the measure of quality.
    """
    owner, product = getattr(record, "owner", 0), getattr(record, "product", 0)
    return f"cbeff:{owner:04x}:{product:04x}" if owner else ""
