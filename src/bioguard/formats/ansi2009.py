"""ANSI INCITS 378-2009 (version "030") and its amendment 1 (version "035").

Field table with sources: docs/formats/minutiae.md section 5.
"""

import struct
from dataclasses import dataclass
from typing import ClassVar, Self

from bioguard.formats.cursor import Cursor
from bioguard.formats.minutiae import (
    CODED_QUALITY,
    FINGERS,
    MAGIC,
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

__all__ = ["Ansi2009Record", "Ansi2009View"]

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
    extended: tuple[ExtendedBlock, ...] = ()

    @classmethod
    def read(cls, cursor: Cursor, positions: frozenset[int] | range) -> Self:
        position = cursor.one_of(cursor.u8("finger position"), positions, 1, "finger position")
        number = cursor.one_of(cursor.u8("view number"), range(16), 1, "view number")
        impression = cursor.one_of(cursor.u8("impression type"), IMPRESSIONS, 1, "impression type")
        quality = cursor.one_of(cursor.u8("view quality"), CODED_QUALITY, 1, "view quality")
        vendor, algorithm = cursor.u16("quality vendor"), cursor.u16("quality algorithm")
        image = read_geometry(cursor)
        count = cursor.u8("minutiae count")
        return cls(
            position=position,
            view_number=number,
            impression=impression,
            quality=quality,
            quality_vendor=vendor,
            quality_algorithm=algorithm,
            image=image,
            minutiae=read_minutiae(cursor, count, angles=range(180), qualities=CODED_QUALITY),
            extended=read_extended(cursor),
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
        return head + pack_minutiae(self.minutiae) + pack_extended(self.extended)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ansi2009Record:
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

    def geometry(self, index: int) -> Geometry:
        return self.views[index].image

    @classmethod
    def read(cls, octets: bytes) -> Self:
        am1 = octets[4:8] == VERSIONS[MinutiaeFormat.ANSI_2009_AM1]
        cursor = Cursor(octets, offset=8)
        check_total_length(cursor.u32("total length"), len(octets), 8)
        owner, product = cursor.u16("product owner"), cursor.u16("product type")
        compliance = cursor.one_of(cursor.u8("compliance"), COMPLIANCE, 1, "compliance", "reserved_bits")
        scanner = cursor.u16("scanner id")
        count = cursor.one_of(cursor.u8("number of views"), range(1, 256), 1, "number of views", "no_views")
        cursor.one_of(cursor.u8("reserved byte"), range(1), 1, "reserved byte", "reserved_bits")
        views, offsets = [], []
        for _ in range(count):
            offsets.append(cursor.offset + 1)
            views.append(Ansi2009View.read(cursor, AM1_POSITIONS if am1 else FINGERS))
        check_view_numbers(views, offsets)
        check_total_length(cursor.offset, len(octets), 8)
        return cls(
            format=MinutiaeFormat.ANSI_2009_AM1 if am1 else MinutiaeFormat.ANSI_2009,
            owner=owner,
            product=product,
            compliance=compliance,
            scanner=scanner,
            views=tuple(views),
        )

    def to_bytes(self) -> bytes:
        body = b"".join(view.to_bytes() for view in self.views)
        head = struct.pack(
            ">IHHBHBB",
            self.HEADER + len(body),
            self.owner,
            self.product,
            self.compliance,
            self.scanner,
            len(self.views),
            0,
        )
        return MAGIC + VERSIONS[self.format] + head + body
