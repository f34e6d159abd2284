"""ISO/IEC 19794-2:2005 record format and ANSI INCITS 378-2004: version " 20".

Both have the same views and differ in the header and the angle unit. Field tables with sources:
docs/formats/minutiae.md sections 2 and 3.
"""

import struct
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
    pack_minutiae,
    read_counts,
    read_geometry,
    read_minutiae,
    read_views,
)
from tee_sim.shared.dataclass import dataclass

VERSION_20 = b" 20\x00"
IMPRESSIONS = range(10)
"""0..3 live and non-live, plain and rolled; 4..7 latent; 8 swipe; 9 live contactless. The union of what two
independent readers accept (docs/formats/minutiae.md section 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View20:
    """One finger view."""

    position: int
    view_number: int
    impression: int
    quality: int
    """0..100, 0 lowest or not reported."""
    minutiae: tuple[Minutia, ...]
    extended: ExtendedData = NO_EXTENDED_DATA

    @classmethod
    def read(cls, cursor: Cursor, angles: range, rule: LengthRule) -> Self:
        position = cursor.checked(1, "finger position", FINGERS, "header.position")
        packed = cursor.u8("view number and impression type")
        return cls(
            position=position,
            view_number=packed >> 4,
            impression=cursor.expect(packed & 0x0F, IMPRESSIONS, 1, "impression type", warning="header.impression"),
            quality=cursor.checked(1, "view quality", PERCENT, "header.quality", AS_NOT_REPORTED),
            minutiae=read_minutiae(cursor, cursor.u8("minutiae count"), angles=angles, qualities=PERCENT),
            extended=read_extended(cursor, rule),
        )

    def to_bytes(self) -> bytes:
        head = bytes((self.position, self.view_number << 4 | self.impression, self.quality, len(self.minutiae)))
        return head + pack_minutiae(self.minutiae) + self.extended.to_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record20(EncodedRecord):
    """What both records of version " 20" have."""

    ANGLES: ClassVar[range]
    RULE: ClassVar[LengthRule]

    equipment: int
    """4 bits certification or compliance, 12 bits device type or scanner id."""
    image: Geometry
    views: tuple[View20, ...]
    version: bytes = VERSION_20
    reserved: int = 0
    declared_length: int | None = None

    def geometry(self, index: int) -> Geometry:
        return self.image

    def image_and_counts(self) -> bytes:
        """The end of the header: image, number of views, reserved byte."""
        return self.image.to_bytes() + bytes((len(self.views), self.reserved))

    @classmethod
    def read_views(cls, cursor: Cursor, count: int) -> tuple[View20, ...]:
        return read_views(cursor, count, lambda at: View20.read(at, cls.ANGLES, cls.RULE))


def _read_version(cursor: Cursor) -> bytes:
    """Byte 4: " 20", or "020" as some writers have it."""
    version = cursor.take(4, "version")
    if version != VERSION_20:
        message = f"version {version[:3].decode('ascii')!r} instead of ' 20' at byte 4"
        cursor.deviations.add(Deviation("bad_version", "header.version", message, "read as version ' 20'"))
    return version


@dataclass(frozen=True, slots=True, kw_only=True)
class Iso2005Record(_Record20):
    """ISO/IEC 19794-2:2005 section 7 record format."""

    HEADER: ClassVar[int] = 24
    ANGLES: ClassVar[range] = U8
    RULE: ClassVar[LengthRule] = LengthRule.DATA_ONLY
    format: ClassVar[MinutiaeFormat] = MinutiaeFormat.ISO_2005

    @classmethod
    def read(cls, cursor: Cursor) -> Self:
        version = _read_version(cursor)
        cursor.total(4)
        equipment = cursor.u16("capture equipment")
        image = read_geometry(cursor)
        count, reserved = read_counts(cursor)
        return cls(
            equipment=equipment, image=image, views=cls.read_views(cursor, count), version=version, reserved=reserved,
            declared_length=cursor.other_length,
        )  # fmt: skip

    def header(self, size: int) -> bytes:
        total = size if self.declared_length is None else self.declared_length
        return MAGIC + self.version + struct.pack(">IH", total, self.equipment) + self.image_and_counts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ansi2004Record(_Record20):
    """ANSI INCITS 378-2004."""

    HEADER: ClassVar[int] = 26
    """With the total length in two bytes; the long form is two bytes of zero and four more."""
    ANGLES: ClassVar[range] = range(180)
    RULE: ClassVar[LengthRule] = LengthRule.WHOLE_BLOCK
    format: ClassVar[MinutiaeFormat] = MinutiaeFormat.ANSI_2004

    owner: int
    product: int
    """CBEFF product owner and type."""
    long_length: bool = False
    """The 6-byte length although the record has less than 65 536 bytes."""

    @classmethod
    def read(cls, cursor: Cursor) -> Self:
        version = _read_version(cursor)
        long_length = cursor.total(2) == 0
        if long_length:
            effect = "the long form is for 65536 bytes and more; it was read all the same"
            allowed = range(0x10000, 2**32)
            cursor.expect(cursor.total(4), allowed, 4, "long total length", warning="header.long_length", effect=effect)
        owner, product, equipment = cursor.u16("product owner"), cursor.u16("product type"), cursor.u16("equipment")
        image = read_geometry(cursor)
        count, reserved = read_counts(cursor)
        views = cls.read_views(cursor, count)
        return cls(
            owner=owner, product=product, equipment=equipment, image=image, views=views, version=version,
            reserved=reserved, declared_length=cursor.other_length,
            long_length=long_length and cursor.offset - 4 <= 0xFFFF,
        )  # fmt: skip

    def header(self, size: int) -> bytes:
        long_length = self.long_length or size > 0xFFFF
        total = size + 4 * long_length if self.declared_length is None else self.declared_length
        length = struct.pack(">HI", 0, total) if long_length else struct.pack(">H", total)
        equipment = struct.pack(">HHH", self.owner, self.product, self.equipment)
        return MAGIC + self.version + length + equipment + self.image_and_counts()
