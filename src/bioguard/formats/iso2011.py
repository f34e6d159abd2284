"""ISO/IEC 19794-2:2011 record format, version "030".

Field table with sources, and what could not be confirmed: docs/formats/minutiae.md section 4.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

from bioguard.formats.cursor import Cursor
from bioguard.formats.deviations import Deviation
from bioguard.formats.errors import CUT, refuse_at
from bioguard.formats.extended import NO_EXTENDED_DATA, ExtendedData, LengthRule, read_extended
from bioguard.formats.minutiae import (
    CODED_QUALITY,
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
    read_minutiae,
    read_size,
)

POSITIONS = frozenset(FINGERS) | {13, 14, 15} | frozenset(range(40, 51))
IMPRESSIONS = frozenset(range(10)) | {24, 28, 29}
TECHNOLOGIES = range(21)
QUALITY_VALUES = frozenset(PERCENT) | {255}
"""ISO/IEC 19794-1:2011: 0..100, 255 failed."""
MAX_SIZE = 0x3FFF
NO_DATE = b"\xff" * 9
_DATE = struct.Struct(">HBBBBBH")
_DATE_RANGES = (
    ("year", range(1, 0xFFFF), 0xFFFF),
    ("month", range(1, 13), 0xFF),
    ("day", range(1, 32), 0xFF),
    ("hour", range(24), 0xFF),
    ("minute", range(60), 0xFF),
    ("second", range(60), 0xFF),
    ("millisecond", range(1000), 0xFFFF),
)
"""Value range and the all-ones filler for "not given"."""


@dataclass(frozen=True, slots=True)
class QualityBlock:
    """value u8, vendor u16, algorithm u16."""

    value: int
    vendor: int
    algorithm: int


@dataclass(frozen=True, slots=True)
class Certification:
    """authority u16, scheme u8."""

    authority: int
    scheme: int


def _read_date(cursor: Cursor) -> bytes:
    octets = cursor.take(_DATE.size, "capture date")
    offset = cursor.offset - _DATE.size
    missing = False
    for value, (name, allowed, filler) in zip(_DATE.unpack(octets), _DATE_RANGES, strict=True):
        if value != filler and (missing or value not in allowed):
            message = f"capture date has {name} {value}, starting at byte {offset}"
            cursor.deviations.add(
                Deviation("capture_date", "header.capture_date", message, "the date was kept and not interpreted")
            )
            break
        missing = missing or value == filler
    return octets


@dataclass(frozen=True, slots=True, kw_only=True)
class Iso2011View:
    """One representation.

    length u32 of the whole representation, capture date 9 bytes, device technology u8, vendor u16, type u16,
    u8 count of quality blocks, with the certification flag u8 count of certification blocks,
    position u8, view_number u8, x and y resolution u16 (px/cm), impression u8, width and height u16,
    4 bits minutia size (5 or 6 bytes), 4 bits ridge ending type, u8 count, minutiae, u16 length, extended data
    """

    capture_date: bytes = NO_DATE
    technology: int = 0
    vendor: int = 0
    device: int = 0
    qualities: tuple[QualityBlock, ...] = ()
    certifications: tuple[Certification, ...] | None = None
    position: int
    view_number: int
    impression: int
    image: Geometry
    minutia_size: int = 6
    ending_type: int = 0
    minutiae: tuple[Minutia, ...]
    extended: ExtendedData = NO_EXTENDED_DATA

    @classmethod
    def read(cls, outer: Cursor, *, certified: bool) -> Self:
        start = outer.offset
        length = outer.u32("representation length")
        if not 4 < length <= outer.end - start:
            raise refuse_at("representation_length", start, f"representation length {length} does not fit", CUT)
        cursor = Cursor(outer.octets, outer.offset, start + length, outer.deviations)
        outer.offset = start + length
        date = _read_date(cursor)
        technology = cursor.expect(
            cursor.u8("device technology"), TECHNOLOGIES, 1, "device technology", warning="header.device"
        )
        vendor, device = cursor.u16("device vendor"), cursor.u16("device type")
        qualities = tuple(
            QualityBlock(
                cursor.expect(cursor.u8("quality"), QUALITY_VALUES, 1, "quality value", warning="header.quality"),
                cursor.u16("quality vendor"),
                cursor.u16("quality algorithm"),
            )
            for _ in range(cursor.u8("quality block count"))
        )
        certifications = None
        if certified:
            certifications = tuple(
                Certification(cursor.u16("certification authority"), cursor.u8("certification scheme"))
                for _ in range(cursor.u8("certification block count"))
            )
        position = cursor.expect(
            cursor.u8("finger position"), POSITIONS, 1, "finger position", warning="header.position"
        )
        number = cursor.expect(cursor.u8("view number"), range(16), 1, "view number", warning="header.view_numbers")
        resolution = cursor.u16("x resolution"), cursor.u16("y resolution")
        impression = cursor.expect(
            cursor.u8("impression type"), IMPRESSIONS, 1, "impression type", warning="header.impression"
        )
        size = [read_size(cursor, range(1, MAX_SIZE + 1), what) for what in ("image width", "image height")]
        packed = cursor.u8("minutia size and ridge ending type")
        minutia_size = cursor.one_of(packed >> 4, range(5, 7), 1, "minutia size")
        ending = cursor.expect(packed & 0x0F, range(2), 1, "ridge ending type", warning="header.ending_type")
        count = cursor.expect(
            cursor.u8("minutiae count"),
            range(1, 256),
            1,
            "minutiae count",
            warning="header.no_minutiae",
            effect="a view without minutiae",
            code="no_minutiae",
        )
        minutiae = read_minutiae(cursor, count, angles=U8, qualities=CODED_QUALITY, size=minutia_size)
        extended = read_extended(cursor, LengthRule.WHOLE_BLOCK)
        if cursor.offset != cursor.end:
            raise refuse_at("representation_length", start, f"representation length {length} leaves bytes over: field")
        return cls(
            capture_date=date,
            technology=technology,
            vendor=vendor,
            device=device,
            qualities=qualities,
            certifications=certifications,
            position=position,
            view_number=number,
            impression=impression,
            image=Geometry(size[0], size[1], *resolution),
            minutia_size=minutia_size,
            ending_type=ending,
            minutiae=minutiae,
            extended=extended,
        )

    def to_bytes(self) -> bytes:
        i = self.image
        parts = [
            self.capture_date,
            struct.pack(">BHHB", self.technology, self.vendor, self.device, len(self.qualities)),
            *(struct.pack(">BHH", q.value, q.vendor, q.algorithm) for q in self.qualities),
        ]
        if self.certifications is not None:
            parts.append(bytes((len(self.certifications),)))
            parts += [struct.pack(">HB", c.authority, c.scheme) for c in self.certifications]
        parts += [
            struct.pack(
                ">BBHHBHHBB",
                self.position,
                self.view_number,
                i.x_per_cm,
                i.y_per_cm,
                self.impression,
                i.width,
                i.height,
                self.minutia_size << 4 | self.ending_type,
                len(self.minutiae),
            ),
            pack_minutiae(self.minutiae, self.minutia_size),
            self.extended.to_bytes(),
        ]
        body = b"".join(parts)
        return (len(body) + 4).to_bytes(4, "big") + body


@dataclass(frozen=True, slots=True, kw_only=True)
class Iso2011Record(EncodedRecord):
    """15-byte header, representations.

    magic "FMR\\0", version "030\\0", total length u32, number of representations u16 (1..176),
    device certification block flag u8 (0 or 1)
    """

    HEADER: ClassVar[int] = 15
    format: ClassVar[MinutiaeFormat] = MinutiaeFormat.ISO_2011

    certified: bool
    views: tuple[Iso2011View, ...]
    declared_length: int | None = None

    def geometry(self, index: int) -> Geometry:
        return self.views[index].image

    @classmethod
    def read(cls, cursor: Cursor) -> Self:
        cursor.take(4, "version")
        cursor.total(4)
        count = cursor.one_of(
            cursor.u16("number of representations"), range(1, 177), 2, "number of representations", "no_views"
        )
        # How many bytes a view has depends on the flag, so no value but these two leaves a reading.
        certified = bool(cursor.one_of(cursor.u8("certification flag"), range(2), 1, "certification flag"))
        views, offsets = [], []
        for _ in range(count):
            offsets.append(cursor.offset)
            views.append(Iso2011View.read(cursor, certified=certified))
        check_view_numbers(cursor, views, offsets)
        return cls(certified=certified, views=tuple(views), declared_length=cursor.other_length)

    def parts(self) -> Iterator[bytes]:
        size = self.HEADER + sum(len(view.to_bytes()) for view in self.views)
        total = size if self.declared_length is None else self.declared_length
        yield MAGIC + b"030\x00" + struct.pack(">IHB", total, len(self.views), self.certified)
        yield from (view.to_bytes() for view in self.views)
