"""Gray pictures as PNG (ISO/IEC 15948), for reports and samples: no library of the product writes any."""

import struct
import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
GRAY_8: Final = bytes([8, 0, 0, 0, 0])
"""IHDR after the size: bit depth 8, gray, the only compression, the only filter method, not interlaced."""
INCH_M: Final = 0.0254
PER_METER: Final = 1
"""Unit of pHYs."""


def write_png(pixels: NDArray[np.uint8], dpi: int) -> bytes:
    """A PNG file of pixels [h, w] that states its resolution. Equal pixels are equal bytes under one zlib."""
    height, width = pixels.shape
    per_meter = round(dpi / INCH_M)
    rows = np.zeros((height, width + 1), np.uint8)  # before each row its filter: none
    rows[:, 1:] = pixels
    return b"".join((
        SIGNATURE,
        _chunk(b"IHDR", struct.pack(">II", width, height) + GRAY_8),
        _chunk(b"pHYs", struct.pack(">IIB", per_meter, per_meter, PER_METER)),
        _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
        _chunk(b"IEND", b""),
    ))  # fmt: skip


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
