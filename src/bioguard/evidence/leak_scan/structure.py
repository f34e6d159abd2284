"""Stage 3: look inside. Compressed streams are opened wherever their signature stands; sealed data must look random."""

import bz2
import lzma
import zlib
from collections.abc import Iterator
from typing import Final

import numpy as np

MAX_INFLATED_BYTES: Final = 16 << 20
"""One stream; larger ones are bombs."""
_MIN_INFLATED_BYTES: Final = 16
_CHI_SQUARE_LIMIT: Final = 420.0
"""255 degrees of freedom: mean 255, standard deviation 22.6; 420 is beyond 1 in 10^9."""
_MIN_RANDOM_BYTES: Final = 1280
"""Five expected per value, the usual floor of the chi-square test."""


def _starts(data: bytes, signature: bytes) -> Iterator[int]:
    at = data.find(signature)
    while at >= 0:
        yield at
        at = data.find(signature, at + 1)


def _zlib(data: bytes, at: int, bits: int) -> bytes:
    try:
        return zlib.decompressobj(bits).decompress(data[at:], MAX_INFLATED_BYTES)
    except zlib.error:
        return b""


def _deflated_in_zip(data: bytes, at: int) -> bytes:
    """Body of a local file header (APPNOTE 4.3.7), deflated."""
    if len(data) < at + 30 or int.from_bytes(data[at + 8 : at + 10], "little") != 8:
        return b""
    names = int.from_bytes(data[at + 26 : at + 28], "little") + int.from_bytes(data[at + 28 : at + 30], "little")
    return _zlib(data, at + 30 + names, -15)


def inside(data: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Every stream that opens: what it is, where it starts, its content."""
    for at in _starts(data, b"\x1f\x8b\x08"):
        yield "gzip", at, _zlib(data, at, 31)
    for head in (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"):
        for at in _starts(data, head):
            yield "zlib", at, _zlib(data, at, 15)
    for at in _starts(data, b"PK\x03\x04"):
        yield "zip", at, _deflated_in_zip(data, at)
    for at in _starts(data, b"BZh"):
        try:
            yield "bzip2", at, bz2.BZ2Decompressor().decompress(data[at:], MAX_INFLATED_BYTES)
        except (OSError, ValueError):
            continue
    for at in _starts(data, b"\xfd7zXZ\x00"):
        try:
            yield "xz", at, lzma.LZMADecompressor().decompress(data[at:], MAX_INFLATED_BYTES)
        except lzma.LZMAError:
            continue


def useful(content: bytes) -> bool:
    """Whether a stream holds enough to look at."""
    return len(content) >= _MIN_INFLATED_BYTES


def looks_random(data: bytes) -> bool | None:
    """Whether bytes are as even and as incompressible as a cipher makes them; None for too few bytes to tell."""
    if len(data) < _MIN_RANDOM_BYTES:
        return None
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    expected = len(data) / 256
    chi_square = float(((counts - expected) ** 2 / expected).sum())
    return chi_square < _CHI_SQUARE_LIMIT and len(zlib.compress(data, 6)) > 0.99 * len(data)
