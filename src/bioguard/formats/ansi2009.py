"""ANSI INCITS 378-2009 (version "030") and its amendment 1 (version "035").

Field table with sources: docs/formats/minutiae.md section 5.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

from bioguard.formats.cursor import Cursor
from bioguard.formats.extended import NO_EXTENDED_DATA, ExtendedData, LengthRule, read_extended
from bioguard.formats.minutiae import (
    AS_NOT_REPORTED,
    CODED_QUALITY,
    FINGERS,
    MAGIC,
    EncodedRecord,
    Geometry,
    Minutia,
    MinutiaeFormat,
    check_view_numbers,
    pack_minutiae,
    read_geometry,
    read_minutiae,
)

VERSIONS = {MinutiaeFormat.ANSI_2009: b"030\x00", MinutiaeFormat.ANSI_2009_AM1: b"035\x00"}
AM1_POSITIONS = frozenset(FINGERS) | {13, 14, 15} | frozenset(range(40, 51))
"""Amendment 1 adds slaps (13, 14), both thumbs (15) and combinations of fingers (40..50)."""
IMPRESSIONS = frozenset({0, 1, 2, 3, 8, 10, 11}) | frozenset(range(20, 30))
COMPLIANCE = frozenset({0x00, 0x80})
"""Bit 7: EFTS/F; bits 0 to 6 reserved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ansi2009View:
    """One finger view.

    position u8, view_number u8 (0..15), impression u8, quality u8, quality vendor u16 and algorithm u16,
    width, height, x and y resolution u16 each, u8 count and 6 bytes a minutia, u16 length and extended data
    """

    position: int
    view_number: int
    impression: int
    quality: int
    quality_vendor: int
    quality_algorithm: int
    image: Geometry
    minutiae: tuple[Minutia, ...]
    extended: ExtendedData = NO_EXTENDED_DATA

    @classmethod
    def read(cls, cursor: Cursor, positions: frozenset[int] | range) -> Self:
        position = cursor.expect(
            cursor.u8("finger position"), positions, 1, "finger position", warning="header.position"
        )
        number = cursor.expect(cursor.u8("view number"), range(16), 1, "view number", warning="header.view_numbers")
        impression = cursor.expect(
            cursor.u8("impression type"), IMPRESSIONS, 1, "impression type", warning="header.impression"
        )
        quality = cursor.expect(
            cursor.u8("view quality"),
            CODED_QUALITY,
            1,
            "view quality",
            warning="header.quality",
            effect=AS_NOT_REPORTED,
        )
        vendor, algorithm = cursor.u16("quality vendor"), cursor.u16("quality algorithm")
        image = read_geometry(cursor)
        count = cursor.u8("minutiae count")
        minutiae = read_minutiae(cursor, count, angles=range(180), qualities=CODED_QUALITY)
        extended = read_extended(cursor, LengthRule.WHOLE_BLOCK)
        return cls(
            position=position,
            view_number=number,
            impression=impression,
            quality=quality,
            quality_vendor=vendor,
            quality_algorithm=algorithm,
            image=image,
            minutiae=minutiae,
            extended=extended,
        )

    def to_bytes(self) -> bytes:
        i = self.image
        head = struct.pack(
            ">BBBBHHHHHHB",
            self.position,
            self.view_number,
            self.impression,
            self.quality,
            self.quality_vendor,
            self.quality_algorithm,
            i.width,
            i.height,
            i.x_per_cm,
            i.y_per_cm,
            len(self.minutiae),
        )
        return head + pack_minutiae(self.minutiae) + self.extended.to_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ansi2009Record(EncodedRecord):
    """21-byte header, views.

    magic "FMR\\0", version, total length u32, CBEFF product owner u16 and type u16,
    compliance u8 (bit 7), scanner id u16, views u8, reserved u8 = 0
    """

    HEADER: ClassVar[int] = 21

    format: MinutiaeFormat
    owner: int
    product: int
    compliance: int
    scanner: int
    views: tuple[Ansi2009View, ...]
    reserved: int = 0
    declared_length: int | None = None

    def geometry(self, index: int) -> Geometry:
        return self.views[index].image

    @classmethod
    def read(cls, cursor: Cursor) -> Self:
        am1 = cursor.take(4, "version") == VERSIONS[MinutiaeFormat.ANSI_2009_AM1]
        cursor.total(4)
        owner, product = cursor.u16("product owner"), cursor.u16("product type")
        bits = {"warning": "header.reserved_bits", "code": "reserved_bits"}
        compliance = cursor.expect(cursor.u8("compliance"), COMPLIANCE, 1, "compliance", **bits)
        scanner = cursor.u16("scanner id")
        count = cursor.one_of(cursor.u8("number of views"), range(1, 256), 1, "number of views", "no_views")
        reserved = cursor.expect(cursor.u8("reserved byte"), range(1), 1, "reserved byte", **bits)
        views, offsets = [], []
        for _ in range(count):
            offsets.append(cursor.offset + 1)
            views.append(Ansi2009View.read(cursor, AM1_POSITIONS if am1 else FINGERS))
        check_view_numbers(cursor, views, offsets)
        return cls(
            format=MinutiaeFormat.ANSI_2009_AM1 if am1 else MinutiaeFormat.ANSI_2009,
            owner=owner,
            product=product,
            compliance=compliance,
            scanner=scanner,
            views=tuple(views),
            reserved=reserved,
            declared_length=cursor.other_length,
        )

    def parts(self) -> Iterator[bytes]:
        size = self.HEADER + sum(len(view.to_bytes()) for view in self.views)
        total = size if self.declared_length is None else self.declared_length
        yield MAGIC + VERSIONS[self.format]
        yield struct.pack(
            ">IHHBHBB",
            total,
            self.owner,
            self.product,
            self.compliance,
            self.scanner,
            len(self.views),
            self.reserved,
        )
        yield from (view.to_bytes() for view in self.views)
