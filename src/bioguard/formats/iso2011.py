"""ISO/IEC 19794-2:2011 record format, version "030".

Field table with sources, and what could not be confirmed: docs/formats/minutiae.md section 4.
"""

import struct
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
    pack_minutiae,
    read_minutiae,
    read_size,
    read_views,
)
from tee_sim.shared.dataclass import dataclass

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
    """One representation, fields in the order of the file after its length."""

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
        technology = cursor.checked(1, "device technology", TECHNOLOGIES, "header.device")
        vendor, device = cursor.u16("device vendor"), cursor.u16("device type")
        qualities = tuple(
            QualityBlock(
                cursor.checked(1, "quality value", QUALITY_VALUES, "header.quality"),
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
        position = cursor.checked(1, "finger position", POSITIONS, "header.position")
        number = cursor.checked(1, "view number", range(16), "header.view_numbers")
        resolution = cursor.u16("x resolution"), cursor.u16("y resolution")
        impression = cursor.checked(1, "impression type", IMPRESSIONS, "header.impression")
        size = [read_size(cursor, range(1, MAX_SIZE + 1), what) for what in ("image width", "image height")]
        packed = cursor.u8("minutia size and ridge ending type")
        minutia_size = cursor.one_of(packed >> 4, range(5, 7), 1, "minutia size")
        ending = cursor.expect(packed & 0x0F, range(2), 1, "ridge ending type", warning="header.ending_type")
        none = {"warning": "header.no_minutiae", "effect": "a view without minutiae", "code": "no_minutiae"}
        count = cursor.checked(1, "minutiae count", range(1, 256), **none)
        minutiae = read_minutiae(cursor, count, angles=U8, qualities=CODED_QUALITY, size=minutia_size)
        extended = read_extended(cursor, LengthRule.WHOLE_BLOCK)
        if cursor.offset != cursor.end:
            raise refuse_at("representation_length", start, f"representation length {length} leaves bytes over: field")
        return cls(
            capture_date=date, technology=technology, vendor=vendor, device=device, qualities=qualities,
            certifications=certifications, position=position, view_number=number, impression=impression,
            image=Geometry(size[0], size[1], *resolution), minutia_size=minutia_size, ending_type=ending,
            minutiae=minutiae, extended=extended,
        )  # fmt: skip

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
        resolution, sides = (i.x_per_cm, i.y_per_cm), (i.width, i.height)
        packed = self.minutia_size << 4 | self.ending_type
        head = (self.position, self.view_number, *resolution, self.impression, *sides, packed, len(self.minutiae))
        parts.append(struct.pack(">BBHHBHHBB", *head))
        parts += [pack_minutiae(self.minutiae, self.minutia_size), self.extended.to_bytes()]
        body = b"".join(parts)
        return (len(body) + 4).to_bytes(4, "big") + body


@dataclass(frozen=True, slots=True, kw_only=True)
class Iso2011Record(EncodedRecord):
    """Header and representations, fields in the order of the file after the total length."""

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
        count = cursor.checked(2, "number of representations", range(1, 177), code="no_views")
        # How many bytes a view has depends on the flag, so no value but these two leaves a reading.
        certified = bool(cursor.checked(1, "certification flag", range(2)))
        views = read_views(cursor, count, lambda at: Iso2011View.read(at, certified=certified), named_at=0)
        return cls(certified=certified, views=views, declared_length=cursor.other_length)

    def header(self, size: int) -> bytes:
        total = size if self.declared_length is None else self.declared_length
        return MAGIC + b"030\x00" + struct.pack(">IHB", total, len(self.views), self.certified)
