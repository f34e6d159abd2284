"""ISO/IEC 19794-2:2005 record format and ANSI INCITS 378-2004: version " 20".

Both have the same views and differ in the header and the angle unit. Field tables with sources:
docs/formats/minutiae.md sections 2 and 3.
"""

import struct
from dataclasses import dataclass
from typing import ClassVar, Self

from bioguard.formats.cursor import Cursor
from bioguard.formats.minutiae import (
    FINGERS,
    MAGIC,
    PERCENT,
    U8,
    ExtendedBlock,
    Geometry,
    Minutia,
    MinutiaeFormat,
    check_total_length,
    check_view_numbers,
    pack_extended,
    pack_minutiae,
    read_extended,
    read_geometry,
    read_minutiae,
)

__all__ = ["VERSION_20", "Ansi2004Record", "Iso2005Record", "View20"]

VERSION_20 = b" 20\x00"
IMPRESSIONS = range(10)
"""0..3 live and non-live, plain and rolled; 4..7 latent; 8 swipe; 9 live contactless. The union of what two
independent readers accept (docs/formats/minutiae.md section 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View20:
    """One finger view.

    position      u8   0..10
    view_number   4 bits, impression 4 bits
    quality       u8   0..100, 0 lowest or not reported
    minutiae      u8 count, then 6 bytes each
    extended      u16 length, then blocks
    """

    position: int
    view_number: int
    impression: int
    quality: int
    minutiae: tuple[Minutia, ...]
    extended: tuple[ExtendedBlock, ...] = ()

    @classmethod
    def read(cls, cursor: Cursor, angles: range) -> Self:
        position = cursor.one_of(cursor.u8("finger position"), FINGERS, 1, "finger position")
        packed = cursor.u8("view number and impression type")
        impression = cursor.one_of(packed & 0x0F, IMPRESSIONS, 1, "impression type")
        quality = cursor.one_of(cursor.u8("view quality"), PERCENT, 1, "view quality")
        count = cursor.u8("minutiae count")
        minutiae = read_minutiae(cursor, count, angles=angles, qualities=PERCENT)
        return cls(
            position=position,
            view_number=packed >> 4,
            impression=impression,
            quality=quality,
            minutiae=minutiae,
            extended=read_extended(cursor),
        )

    def to_bytes(self) -> bytes:
        head = bytes((self.position, self.view_number << 4 | self.impression, self.quality, len(self.minutiae)))
        return head + pack_minutiae(self.minutiae) + pack_extended(self.extended)


def _read_views(cursor: Cursor, count: int, angles: range) -> tuple[View20, ...]:
    views, offsets = [], []
    for _ in range(count):
        offsets.append(cursor.offset + 1)
        views.append(View20.read(cursor, angles))
    check_view_numbers(views, offsets)
    return tuple(views)


@dataclass(frozen=True, slots=True, kw_only=True)
class Iso2005Record:
    """ISO/IEC 19794-2:2005 section 7 record format: 24-byte header, views.

    magic "FMR\\0", version " 20\\0", total length u32,
    capture equipment: 4 bits certification, 12 bits device type,
    width, height, x and y resolution u16 each (px, px/cm), views u8, reserved u8 = 0
    """

    HEADER: ClassVar[int] = 24
    format: ClassVar[MinutiaeFormat] = MinutiaeFormat.ISO_2005

    equipment: int
    image: Geometry
    views: tuple[View20, ...]

    def geometry(self, index: int) -> Geometry:
        return self.image

    @classmethod
    def read(cls, octets: bytes) -> Self:
        cursor = Cursor(octets, offset=8)
        check_total_length(cursor.u32("total length"), len(octets), 8)
        equipment = cursor.u16("capture equipment")
        image = read_geometry(cursor)
        count = cursor.one_of(cursor.u8("number of views"), range(1, 256), 1, "number of views", "no_views")
        cursor.one_of(cursor.u8("reserved byte"), range(1), 1, "reserved byte", "reserved_bits")
        views = _read_views(cursor, count, U8)
        check_total_length(cursor.offset, len(octets), 8)
        return cls(equipment=equipment, image=image, views=views)

    def to_bytes(self) -> bytes:
        body = b"".join(view.to_bytes() for view in self.views)
        i = self.image
        return (
            MAGIC
            + VERSION_20
            + struct.pack(
                ">IHHHHHBB",
                self.HEADER + len(body),
                self.equipment,
                i.width,
                i.height,
                i.x_per_cm,
                i.y_per_cm,
                len(self.views),
                0,
            )
            + body
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ansi2004Record:
    """ANSI INCITS 378-2004: 26-byte header (30 with the long length), views.

    magic "FMR\\0", version " 20\\0", total length u16, or u16 0 and u32,
    CBEFF product owner u16 and type u16,
    capture equipment: 4 bits compliance, 12 bits scanner id,
    width, height, x and y resolution u16 each (px, px/cm), views u8, reserved u8 = 0
    """

    HEADER: ClassVar[int] = 26
    format: ClassVar[MinutiaeFormat] = MinutiaeFormat.ANSI_2004

    owner: int
    product: int
    equipment: int
    image: Geometry
    views: tuple[View20, ...]

    def geometry(self, index: int) -> Geometry:
        return self.image

    @classmethod
    def read(cls, octets: bytes) -> Self:
        cursor = Cursor(octets, offset=8)
        total = cursor.u16("total length")
        long_form = total == 0
        if long_form:
            total = cursor.one_of(cursor.u32("total length"), range(0x10000, 2**32), 4, "long total length")
        check_total_length(total, len(octets), 8)
        owner, product, equipment = cursor.u16("product owner"), cursor.u16("product type"), cursor.u16("equipment")
        image = read_geometry(cursor)
        count = cursor.one_of(cursor.u8("number of views"), range(1, 256), 1, "number of views", "no_views")
        cursor.one_of(cursor.u8("reserved byte"), range(1), 1, "reserved byte", "reserved_bits")
        views = _read_views(cursor, count, range(180))
        check_total_length(cursor.offset, len(octets), 8)
        return cls(owner=owner, product=product, equipment=equipment, image=image, views=views)

    def to_bytes(self) -> bytes:
        body = b"".join(view.to_bytes() for view in self.views)
        total = self.HEADER + len(body)
        length = struct.pack(">H", total) if total <= 0xFFFF else struct.pack(">HI", 0, total + 4)
        i = self.image
        return (
            MAGIC
            + VERSION_20
            + length
            + struct.pack(
                ">HHHHHHHBB",
                self.owner,
                self.product,
                self.equipment,
                i.width,
                i.height,
                i.x_per_cm,
                i.y_per_cm,
                len(self.views),
                0,
            )
            + body
        )
