"""What a picture says of itself before anything is decoded: format, size, depth, channels, dots an inch.

Strict and short: each reader knows the one place where its format keeps the size and refuses the rest. The decoder
behind it is a large library of somebody else, and what it is given was bounded here
(https://www.w3.org/TR/png/ 5 and 11; TIFF 6.0 section 2; BITMAPINFOHEADER; netpbm pgm(5), ppm(5); WSQ IAFIS-IC-0110v3).
"""

import re
import struct
from collections.abc import Callable, Iterator
from typing import Final

from bioguard.capture.refusals import refuse_picture
from tee_sim.shared.dataclass import dataclass

INCH_PER_M: Final = 0.0254
CM_PER_INCH: Final = 2.54
_MAX_CHUNKS: Final = 4096
"""PNG chunks and WSQ blocks before the pixels; real files have fewer than twenty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureHeader:
    """Attributes:
    format: of `FORMATS`.
    width, height: px.
    bits: a channel.
    channels: 1 gray, 3 RGB.
    dpi: as the file says, 0 if it does not, -1 if the two ways differ.
    """

    format: str
    width: int
    height: int
    bits: int
    channels: int
    dpi: int = 0


def _cut(name: str) -> Exception:
    return refuse_picture("damaged", f"the {name} picture ends within its header, or the header is broken")


def _dpi(x: float, y: float) -> int:
    return 0 if x <= 0 and y <= 0 else round(x) if abs(x - y) <= 1 else -1


def _png(data: bytes) -> PictureHeader:
    length, kind, width, height, bits, color = struct.unpack_from(">I4sIIBB", data, 8)
    channels = {0: 1, 2: 3}.get(color)
    if (length, kind) != (13, b"IHDR"):
        raise _cut("PNG")
    if channels is None:
        raise refuse_picture("channels", "the PNG picture has a palette or transparency")
    dpi = 0
    for name, at, size in _png_chunks(data):
        if name == b"pHYs" and size == 9:
            x, y, unit = struct.unpack_from(">IIB", data, at)
            dpi = _dpi(x * INCH_PER_M, y * INCH_PER_M) if unit == 1 else 0
    return PictureHeader(format="PNG", width=width, height=height, bits=bits, channels=channels, dpi=dpi)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, offset and size of what comes before the pixels."""
    at = 8
    for _ in range(_MAX_CHUNKS):
        size, name = struct.unpack_from(">I4s", data, at)
        if name in {b"IDAT", b"IEND"}:
            return
        yield name, at + 8, size
        at += size + 12
    raise _cut("PNG")


def _bmp(data: bytes) -> PictureHeader:
    header, width, height, _planes, bits, packed, _size, x, y = struct.unpack_from("<IiiHHIIii", data, 14)
    if header < 40 or packed != 0:
        raise refuse_picture("format", "the BMP picture is packed, or of an old kind")
    channels, depth = {8: (1, 8), 24: (3, 8)}.get(bits, (1, bits))
    dpi = _dpi(x * INCH_PER_M, y * INCH_PER_M)
    return PictureHeader(format="BMP", width=width, height=abs(height), bits=depth, channels=channels, dpi=dpi)


# One white byte a turn: with runs of them there are as many ways to read a run as it can be cut, and each is tried.
_PNM = re.compile(rb"P([56])(?:\s|#[^\n]*\n)+(\d{1,6})(?:\s|#[^\n]*\n)+(\d{1,6})(?:\s|#[^\n]*\n)+(\d{1,5})\s")


def _pnm(data: bytes) -> PictureHeader:
    found = _PNM.match(data[:4096])
    if found is None:
        raise _cut("PGM or PPM")
    kind, width, height, most = (int(text) for text in found.groups())
    bits = most.bit_length()
    return PictureHeader(format="PNM", width=width, height=height, bits=bits, channels=1 if kind == 5 else 3)


_TIFF_SIZES: Final = {1: "B", 3: "H", 4: "I"}
_WIDTH, _HEIGHT, _BITS, _PACKING, _PHOTOMETRIC, _SAMPLES, _X, _Y, _UNIT = 256, 257, 258, 259, 262, 277, 282, 283, 296
_TIFF_DEFAULTS: Final = {_BITS: 1, _SAMPLES: 1, _UNIT: 2, _PACKING: 1}


def _tiff(data: bytes) -> PictureHeader:
    order = "<" if data[:2] == b"II" else ">"
    (first,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, first)
    tags: dict[int, float] = dict(_TIFF_DEFAULTS)
    for number in range(count):
        at = first + 2 + 12 * number
        tag, kind, many = struct.unpack_from(order + "HHI", data, at)
        if kind in _TIFF_SIZES and many >= 1:
            size = struct.calcsize(_TIFF_SIZES[kind]) * many
            place = at + 8 if size <= 4 else struct.unpack_from(order + "I", data, at + 8)[0]
            tags[tag] = struct.unpack_from(order + _TIFF_SIZES[kind], data, place)[0]
        elif kind == 5 and many == 1:
            (place,) = struct.unpack_from(order + "I", data, at + 8)
            above, below = struct.unpack_from(order + "II", data, place)
            tags[tag] = above / below if below else 0
    (following,) = struct.unpack_from(order + "I", data, first + 2 + 12 * count)
    if following:
        raise refuse_picture("pages", "the TIFF file has several pages")
    channels = {(1, 1): 1, (2, 3): 3}.get((int(tags.get(_PHOTOMETRIC, -1)), int(tags[_SAMPLES])))
    if channels is None:
        raise refuse_picture("channels", "the TIFF picture is neither gray, dark being 0, nor RGB")
    per_inch = {2: 1.0, 3: CM_PER_INCH}.get(int(tags[_UNIT]), 0.0)
    return PictureHeader(
        format="TIFF",
        width=int(tags.get(_WIDTH, 0)),
        height=int(tags.get(_HEIGHT, 0)),
        bits=int(tags[_BITS]),
        channels=channels,
        dpi=_dpi(tags.get(_X, 0) * per_inch, tags.get(_Y, 0) * per_inch),
    )


_SOI, _SOF, _COMMENT = 0xFFA0, 0xFFA2, 0xFFA8
_PPI = re.compile(rb"PPI\s+(\d{1,5})\s")


def _wsq(data: bytes) -> PictureHeader:
    at, dpi = 2, 0
    for _ in range(_MAX_CHUNKS):
        marker, size = struct.unpack_from(">HH", data, at)
        if marker == _SOF:
            height, width = struct.unpack_from(">HH", data, at + 6)
            return PictureHeader(format="WSQ", width=width, height=height, bits=8, channels=1, dpi=dpi)
        if marker == _COMMENT and (found := _PPI.search(data[at + 4 : at + 2 + size] + b"\n")):
            dpi = int(found[1])
        if not _SOI < marker <= _COMMENT or size < 2:
            break
        at += 2 + size
    raise _cut("WSQ")


FORMATS: Final[dict[bytes, tuple[str, Callable[[bytes], PictureHeader]]]] = {
    b"\x89PNG\r\n\x1a\n": ("PNG", _png),
    b"BM": ("BMP", _bmp),
    b"P5": ("PGM", _pnm),
    b"P6": ("PPM", _pnm),
    b"II*\0": ("TIFF", _tiff),
    b"MM\0*": ("TIFF", _tiff),
    b"\xff\xa0": ("WSQ", _wsq),
}
"""First bytes, name and reader of every format that is taken."""


def read_header(data: bytes) -> PictureHeader:
    """Format and size of a picture, nothing decoded.

    Raises:
        InputRefused: `picture.format`, `.damaged`, `.channels`, `.pages`.
    """
    for magic, (name, read) in FORMATS.items():
        if data.startswith(magic):
            try:
                return read(data)
            except struct.error:
                raise _cut(name) from None
    raise refuse_picture("format", "this is no picture of a kind that is taken")
