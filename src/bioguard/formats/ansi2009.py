"""ANSI INCITS 378-2009 (version "030") and its amendment 1 (version "035").

Field table with sources: docs/formats/minutiae.md section 5.
"""

import struct
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
    pack_minutiae,
    read_counts,
    read_geometry,
    read_minutiae,
    read_views,
)
from tee_sim.shared.dataclass import dataclass

VERSIONS = {MinutiaeFormat.ANSI_2009: b"030\x00", MinutiaeFormat.ANSI_2009_AM1: b"035\x00"}
AM1_POSITIONS = frozenset(FINGERS) | {13, 14, 15} | frozenset(range(40, 51))
"""Amendment 1 adds slaps (13, 14), both thumbs (15) and combinations of fingers (40..50)."""
IMPRESSIONS = frozenset({0, 1, 2, 3, 8, 10, 11}) | frozenset(range(20, 30))
COMPLIANCE = frozenset({0x00, 0x80})
"""Bit 7: EFTS/F; bits 0 to 6 reserved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ansi2009View:
    """One finger view, fields in the order of the file."""

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
        return cls(
            position=cursor.checked(1, "finger position", positions, "header.position"),
            view_number=cursor.checked(1, "view number", range(16), "header.view_numbers"),
            impression=cursor.checked(1, "impression type", IMPRESSIONS, "header.impression"),
            quality=cursor.checked(1, "view quality", CODED_QUALITY, "header.quality", AS_NOT_REPORTED),
            quality_vendor=cursor.u16("quality vendor"),
            quality_algorithm=cursor.u16("quality algorithm"),
            image=read_geometry(cursor),
            minutiae=read_minutiae(cursor, cursor.u8("minutiae count"), angles=range(180), qualities=CODED_QUALITY),
            extended=read_extended(cursor, LengthRule.WHOLE_BLOCK),
        )

    def to_bytes(self) -> bytes:
        head = (self.position, self.view_number, self.impression, self.quality)
        packed = struct.pack(">BBBBHH", *head, self.quality_vendor, self.quality_algorithm)
        count = bytes((len(self.minutiae),))
        return packed + self.image.to_bytes() + count + pack_minutiae(self.minutiae) + self.extended.to_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ansi2009Record(EncodedRecord):
    """Header and views, fields in the order of the file after the total length."""

    HEADER: ClassVar[int] = 21

    format: MinutiaeFormat
    owner: int
    product: int
    """CBEFF product owner and type."""
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
        compliance = cursor.checked(1, "compliance", COMPLIANCE, "header.reserved_bits", code="reserved_bits")
        scanner = cursor.u16("scanner id")
        count, reserved = read_counts(cursor)
        views = read_views(cursor, count, lambda at: Ansi2009View.read(at, AM1_POSITIONS if am1 else FINGERS))
        return cls(
            format=MinutiaeFormat.ANSI_2009_AM1 if am1 else MinutiaeFormat.ANSI_2009,
            owner=owner, product=product, compliance=compliance, scanner=scanner, views=views, reserved=reserved,
            declared_length=cursor.other_length,
        )  # fmt: skip

    def header(self, size: int) -> bytes:
        total = size if self.declared_length is None else self.declared_length
        fields = (total, self.owner, self.product, self.compliance, self.scanner, len(self.views), self.reserved)
        return MAGIC + VERSIONS[self.format] + struct.pack(">IHHBHBB", *fields)
