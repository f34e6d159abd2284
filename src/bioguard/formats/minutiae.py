"""What the four binary minutiae formats share: minutiae, extended data blocks, geometry, views.

Records here are lossless: raw units of the file, every field kept, `to_bytes` gives the file back. Conversion to
500 dpi and radians is `bioguard.formats.normalize`.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, unique
from typing import Protocol

from bioguard.formats.cursor import Cursor
from bioguard.formats.errors import refuse_at

__all__ = [
    "ANGLE_UNITS",
    "CODED_QUALITY",
    "FINGERS",
    "MAGIC",
    "PERCENT",
    "U8",
    "ExtendedBlock",
    "Geometry",
    "Minutia",
    "MinutiaeFormat",
    "MinutiaeRecord",
    "MinutiaeView",
    "check_total_length",
    "check_view_numbers",
    "pack_extended",
    "pack_minutiae",
    "read_extended",
    "read_geometry",
    "read_minutiae",
]

MAGIC = b"FMR\x00"
U8 = range(256)
PERCENT = range(101)
CODED_QUALITY = frozenset(PERCENT) | {254, 255}
"""INCITS 378-2009 and ISO/IEC 19794-2:2011: 0..100, 254 not reported, 255 attempt to compute failed."""
FINGERS = range(11)
"""0 unknown, 1..5 right thumb to little, 6..10 left thumb to little."""


@unique
class MinutiaeFormat(Enum):
    """The binary formats, with the four version bytes after the magic."""

    ISO_2005 = "iso19794-2:2005"
    ISO_2011 = "iso19794-2:2011"
    ANSI_2004 = "ansi378-2004"
    ANSI_2009 = "ansi378-2009"
    ANSI_2009_AM1 = "ansi378-2009/am1"


ANGLE_UNITS = {
    MinutiaeFormat.ISO_2005: 256,
    MinutiaeFormat.ISO_2011: 256,
    MinutiaeFormat.ANSI_2004: 180,
    MinutiaeFormat.ANSI_2009: 180,
    MinutiaeFormat.ANSI_2009_AM1: 180,
}
"""Angle units in a full turn: ISO 360/256 degrees, INCITS 2 degrees."""


@dataclass(frozen=True, slots=True)
class Minutia:
    """One minutia in file units: type 0..2, x and y in pixels of the file's image, angle in ANGLE_UNITS."""

    kind: int
    x: int
    y: int
    angle: int
    quality: int


@dataclass(frozen=True, slots=True)
class ExtendedBlock:
    """One extended data block, byte-exact: 1 ridge counts, 2 cores and deltas, 3 zonal quality, others private."""

    type_id: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Geometry:
    """Image size in pixels and sampling in pixels per centimeter, as the header has them."""

    width: int
    height: int
    x_per_cm: int
    y_per_cm: int


class MinutiaeView(Protocol):
    """The part of a view that every format has."""

    @property
    def position(self) -> int: ...
    @property
    def view_number(self) -> int: ...
    @property
    def impression(self) -> int: ...
    @property
    def minutiae(self) -> tuple[Minutia, ...]: ...
    @property
    def extended(self) -> tuple[ExtendedBlock, ...]: ...


class MinutiaeRecord(Protocol):
    """A whole file. Implementations are frozen dataclasses, one a format."""

    @property
    def format(self) -> MinutiaeFormat: ...
    @property
    def views(self) -> Sequence[MinutiaeView]: ...
    def geometry(self, index: int) -> Geometry:
        """Geometry of the view at `index` in `views`."""
        ...

    def to_bytes(self) -> bytes:
        """The file, byte for byte."""
        ...


def check_total_length(declared: int, actual: int, offset: int) -> None:
    """Raises `format.truncated` or `format.length_mismatch` unless the header's length is the file's."""
    if declared > actual:
        raise refuse_at("truncated", offset, f"header declares {declared} bytes, file has {actual}: field")
    if declared < actual:
        raise refuse_at("length_mismatch", offset, f"header declares {declared} bytes, file has {actual}: field")


def read_geometry(cursor: Cursor) -> Geometry:
    """Width, height, x and y resolution, two bytes each. Zero resolution is judged by normalize, not here."""
    width, height = (cursor.one_of(cursor.u16(w), range(1, 0x10000), 2, w) for w in ("image width", "image height"))
    return Geometry(width, height, cursor.u16("x resolution"), cursor.u16("y resolution"))


def read_minutiae(
    cursor: Cursor, count: int, *, angles: range, qualities: frozenset[int] | range, size: int = 6
) -> tuple[Minutia, ...]:
    """`count` minutiae of 6 bytes (5: no quality byte, read as 254).

    Layout: 2 bits type, 14 bits x; 2 bits reserved 0, 14 bits y; 1 byte angle; 1 byte quality.

    Raises:
        InputRefused: `format.count_beyond_data`, `format.minutia_type`, `format.reserved_bits`, `format.field_range`.
    """
    left = cursor.end - cursor.offset
    if count * size > left:
        raise refuse_at("count_beyond_data", cursor.offset, f"{count} minutiae need {count * size} bytes, {left} left")
    minutiae = []
    for _ in range(count):
        x = cursor.u16("minutia x")
        kind = cursor.one_of(x >> 14, range(3), 2, "minutia type", "minutia_type")
        y = cursor.u16("minutia y")
        cursor.one_of(y >> 14, range(1), 2, "reserved bits", "reserved_bits")
        angle = cursor.one_of(cursor.u8("minutia angle"), angles, 1, "minutia angle")
        quality = cursor.one_of(cursor.u8("quality"), qualities, 1, "minutia quality") if size == 6 else 254
        minutiae.append(Minutia(kind, x & 0x3FFF, y, angle, quality))
    return tuple(minutiae)


def pack_minutiae(minutiae: tuple[Minutia, ...], size: int = 6) -> bytes:
    return b"".join(struct.pack(">HHBB", m.kind << 14 | m.x, m.y, m.angle, m.quality)[:size] for m in minutiae)


def read_extended(cursor: Cursor) -> tuple[ExtendedBlock, ...]:
    """Total length, then blocks of (type, length with its own 4 bytes, payload).

    Raises:
        InputRefused: `format.extended_overrun` when lengths do not add up, `format.extended_type` for type 0.
    """
    total = cursor.u16("extended data length")
    start = cursor.offset
    if total > cursor.end - start:
        raise refuse_at(
            "extended_overrun", start - 2, f"extended data of {total} bytes, {cursor.end - start} left: field"
        )
    inner = Cursor(cursor.take(total, "extended data"))
    blocks = []
    while inner.offset < inner.end:
        at = start + inner.offset
        if inner.end - inner.offset < 4:
            raise refuse_at("extended_overrun", at, "extended data block header does not fit")
        type_id, length = inner.u16("type"), inner.u16("length")
        if type_id == 0:
            raise refuse_at("extended_type", at, "extended data block type 0 is reserved, found")
        if not 4 <= length <= inner.end - inner.offset + 4:
            raise refuse_at("extended_overrun", at + 2, f"extended data block length {length} does not fit")
        blocks.append(ExtendedBlock(type_id, inner.take(length - 4, "extended data block")))
    return tuple(blocks)


def pack_extended(blocks: tuple[ExtendedBlock, ...]) -> bytes:
    body = b"".join(struct.pack(">HH", b.type_id, len(b.payload) + 4) + b.payload for b in blocks)
    return len(body).to_bytes(2, "big") + body


def check_view_numbers(views: Sequence[MinutiaeView], offsets: Sequence[int]) -> None:
    """Finger position and view number together name one view, so no two views may share both.

    The standards also count views up from 0; some extractors start at 1, which is a warning in normalize.

    Raises:
        InputRefused: `format.view_number`.
    """
    seen: set[tuple[int, int]] = set()
    for view, offset in zip(views, offsets, strict=True):
        name = (view.position, view.view_number)
        if name in seen:
            raise refuse_at(
                "view_number",
                offset,
                f"second view {view.view_number} of finger position {view.position}",
                "views of one finger are numbered 0, 1, 2, ...",
            )
        seen.add(name)
