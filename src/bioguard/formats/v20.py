"""ISO/IEC 19794-2:2005 record format and ANSI INCITS 378-2004: version " 20".

Both have the same views and differ in the header and the angle unit. Field tables with sources:
docs/formats/minutiae.md sections 2 and 3.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

from bioguard.formats.cursor import Cursor
from bioguard.formats.deviations import Deviation
from bioguard.formats.extended import NO_EXTENDED_DATA, ExtendedData, LengthRule, read_extended
from bioguard.formats.minutiae import (
    AS_NOT_REPORTED,
    FINGERS,
    MAGIC,
    PERCENT,
    U8,
    EncodedRecord,
    Geometry,
    Minutia,
    MinutiaeFormat,
    check_view_numbers,
    pack_minutiae,
    read_geometry,
    read_minutiae,
)

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
    extended: ExtendedData = NO_EXTENDED_DATA

    @classmethod
    def read(cls, cursor: Cursor, angles: range, rule: LengthRule) -> Self:
        position = cursor.expect(cursor.u8("finger position"), FINGERS, 1, "finger position", warning="header.position")
        packed = cursor.u8("view number and impression type")
        impression = cursor.expect(packed & 0x0F, IMPRESSIONS, 1, "impression type", warning="header.impression")
        quality = cursor.expect(
            cursor.u8("view quality"), PERCENT, 1, "view quality", warning="header.quality", effect=AS_NOT_REPORTED
        )
        count = cursor.u8("minutiae count")
        minutiae = read_minutiae(cursor, count, angles=angles, qualities=PERCENT)
        return cls(
            position=position,
            view_number=packed >> 4,
            impression=impression,
            quality=quality,
            minutiae=minutiae,
            extended=read_extended(cursor, rule),
        )

    def to_bytes(self) -> bytes:
        head = bytes((self.position, self.view_number << 4 | self.impression, self.quality, len(self.minutiae)))
        return head + pack_minutiae(self.minutiae) + self.extended.to_bytes()


def _read_views(cursor: Cursor, count: int, angles: range, rule: LengthRule) -> tuple[View20, ...]:
    views, offsets = [], []
    for _ in range(count):
        offsets.append(cursor.offset + 1)
        views.append(View20.read(cursor, angles, rule))
    check_view_numbers(cursor, views, offsets)
    return tuple(views)


def _read_version(cursor: Cursor) -> bytes:
    """Byte 4: " 20", or "020" as some writers have it."""
    version = cursor.take(4, "version")
    if version != VERSION_20:
        message = f"version {version[:3].decode('ascii')!r} instead of ' 20' at byte 4"
        cursor.deviations.add(Deviation("bad_version", "header.version", message, "read as version ' 20'"))
    return version


def _read_counts(cursor: Cursor) -> tuple[int, int]:
    """Number of views, and the reserved byte after it."""
    count = cursor.one_of(cursor.u8("number of views"), range(1, 256), 1, "number of views", "no_views")
    reserved = cursor.expect(
        cursor.u8("reserved byte"), range(1), 1, "reserved byte", warning="header.reserved_bits", code="reserved_bits"
    )
    return count, reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class Iso2005Record(EncodedRecord):
    """ISO/IEC 19794-2:2005 section 7 record format: 24-byte header, views.

    magic "FMR\\0", version " 20\\0", total length u32,
    capture equipment: 4 bits certification, 12 bits device type,
    width, height, x and y resolution u16 each (px, px/cm), views u8, reserved u8 = 0
    """

    HEADER: ClassVar[int] = 24
    RULE: ClassVar[LengthRule] = LengthRule.DATA_ONLY
    format: ClassVar[MinutiaeFormat] = MinutiaeFormat.ISO_2005

    equipment: int
    image: Geometry
    views: tuple[View20, ...]
    version: bytes = VERSION_20
    reserved: int = 0
    declared_length: int | None = None

    def geometry(self, index: int) -> Geometry:
        return self.image

    @classmethod
    def read(cls, cursor: Cursor) -> Self:
        version = _read_version(cursor)
        cursor.total(4)
        equipment = cursor.u16("capture equipment")
        image = read_geometry(cursor)
        count, reserved = _read_counts(cursor)
        views = _read_views(cursor, count, U8, cls.RULE)
        return cls(
            equipment=equipment,
            image=image,
            views=views,
            version=version,
            reserved=reserved,
            declared_length=cursor.other_length,
        )

    def parts(self) -> Iterator[bytes]:
        size = self.HEADER + sum(len(view.to_bytes()) for view in self.views)
        i = self.image
        total = size if self.declared_length is None else self.declared_length
        yield (
            MAGIC
            + self.version
            + struct.pack(
                ">IHHHHHBB",
                total,
                self.equipment,
                i.width,
                i.height,
                i.x_per_cm,
                i.y_per_cm,
                len(self.views),
                self.reserved,
            )
        )
        yield from (view.to_bytes() for view in self.views)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ansi2004Record(EncodedRecord):
    """ANSI INCITS 378-2004: 26-byte header (30 with the long length), views.

    magic "FMR\\0", version " 20\\0", total length u16, or u16 0 and u32,
    CBEFF product owner u16 and type u16,
    capture equipment: 4 bits compliance, 12 bits scanner id,
    width, height, x and y resolution u16 each (px, px/cm), views u8, reserved u8 = 0
    """

    HEADER: ClassVar[int] = 26
    RULE: ClassVar[LengthRule] = LengthRule.WHOLE_BLOCK
    format: ClassVar[MinutiaeFormat] = MinutiaeFormat.ANSI_2004

    owner: int
    product: int
    equipment: int
    image: Geometry
    views: tuple[View20, ...]
    version: bytes = VERSION_20
    reserved: int = 0
    declared_length: int | None = None
    long_length: bool = False
    """The 6-byte length although the record has less than 65 536 bytes."""

    def geometry(self, index: int) -> Geometry:
        return self.image

    @classmethod
    def read(cls, cursor: Cursor) -> Self:
        version = _read_version(cursor)
        long_length = cursor.total(2) == 0
        if long_length:
            cursor.expect(
                cursor.total(4),
                range(0x10000, 2**32),
                4,
                "long total length",
                warning="header.long_length",
                effect="the long form is for 65536 bytes and more; it was read all the same",
            )
        owner, product, equipment = cursor.u16("product owner"), cursor.u16("product type"), cursor.u16("equipment")
        image = read_geometry(cursor)
        count, reserved = _read_counts(cursor)
        views = _read_views(cursor, count, range(180), cls.RULE)
        return cls(
            owner=owner,
            product=product,
            equipment=equipment,
            image=image,
            views=views,
            version=version,
            reserved=reserved,
            declared_length=cursor.other_length,
            long_length=long_length and cursor.offset - 4 <= 0xFFFF,
        )

    def parts(self) -> Iterator[bytes]:
        size = self.HEADER + sum(len(view.to_bytes()) for view in self.views)
        long_length = self.long_length or size > 0xFFFF
        total = size + 4 * long_length if self.declared_length is None else self.declared_length
        i = self.image
        yield MAGIC + self.version + (struct.pack(">HI", 0, total) if long_length else struct.pack(">H", total))
        yield struct.pack(
            ">HHHHHHHBB",
            self.owner,
            self.product,
            self.equipment,
            i.width,
            i.height,
            i.x_per_cm,
            i.y_per_cm,
            len(self.views),
            self.reserved,
        )
        yield from (view.to_bytes() for view in self.views)
