"""What the four binary minutiae formats share: minutiae, geometry, views.

Records here are lossless: raw units of the file, every field kept, `to_bytes` gives the file back. Conversion to
500 dpi and radians is `bioguard.formats.normalize`.
"""

import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from enum import Enum, unique
from typing import ClassVar, Protocol, TypeVar

from bioguard.formats.cursor import Cursor
from bioguard.formats.deviations import Deviation
from bioguard.formats.errors import CUT, refuse_at
from bioguard.formats.extended import ExtendedData
from tee_sim.shared.dataclass import dataclass

MAGIC = b"FMR\x00"
U8 = range(256)
PERCENT = range(101)
CODED_QUALITY = frozenset(PERCENT) | {254, 255}
"""INCITS 378-2009 and ISO/IEC 19794-2:2011: 0..100, 254 not reported, 255 attempt to compute failed."""
NOT_REPORTED = 254
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
class Geometry:
    """Image size in pixels and sampling in pixels per centimeter, as the header has them."""

    width: int
    height: int
    x_per_cm: int
    y_per_cm: int

    def to_bytes(self) -> bytes:
        return struct.pack(">HHHH", self.width, self.height, self.x_per_cm, self.y_per_cm)


AS_NOT_REPORTED = "read as not reported"
ANGLES_AS_ISO = "all angles of such a view were read as 360/256 degrees, as ISO has them"


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
    def extended(self) -> ExtendedData: ...
    def to_bytes(self) -> bytes: ...


V = TypeVar("V", bound=MinutiaeView)


class MinutiaeRecord(Protocol):
    """A whole record. Implementations are frozen dataclasses, one a format.

    Fields named `declared_length`, `version`, `reserved` and `long_length` are there for records that leave their
    format: they keep what the file has, so that `to_bytes` gives it back. Their defaults are what a writer wants.
    """

    @property
    def format(self) -> MinutiaeFormat: ...
    @property
    def views(self) -> Sequence[MinutiaeView]: ...
    def geometry(self, index: int) -> Geometry:
        """Geometry of the view at `index` in `views`."""
        ...

    def parts(self) -> Iterator[bytes]: ...
    def to_bytes(self) -> bytes: ...


class EncodedRecord(ABC):
    """A record as bytes, in pieces: a record may have megabytes of extended data, which need no second copy."""

    __slots__ = ()
    HEADER: ClassVar[int]
    """Bytes before the first view."""

    @property
    @abstractmethod
    def views(self) -> Sequence[MinutiaeView]: ...

    @abstractmethod
    def header(self, size: int) -> bytes:
        """Everything before the views, of a record of `size` bytes."""

    def parts(self) -> Iterator[bytes]:
        """The record, piece by piece."""
        yield self.header(self.HEADER + sum(len(view.to_bytes()) for view in self.views))
        yield from (view.to_bytes() for view in self.views)

    def to_bytes(self) -> bytes:
        """The record, byte for byte."""
        return b"".join(self.parts())


def read_geometry(cursor: Cursor, sizes: range = range(1, 0x10000)) -> Geometry:
    """Width, height, x and y resolution, two bytes each. Zero resolution is judged by normalize, not here."""
    width, height = (read_size(cursor, sizes, what) for what in ("image width", "image height"))
    return Geometry(width, height, cursor.u16("x resolution"), cursor.u16("y resolution"))


def read_size(cursor: Cursor, sizes: range, what: str) -> int:
    """One side of the image, as far as it is given: no minutia depends on it."""
    value = cursor.one_of(cursor.u16(what), range(sizes.stop), 2, what)
    effect = "the image was made as large as its minutiae need"
    return cursor.expect(value, sizes, 2, what, warning="header.image_size", effect=effect)


def read_minutiae(
    cursor: Cursor, count: int, *, angles: range, qualities: frozenset[int] | range, size: int = 6
) -> tuple[Minutia, ...]:
    """`count` minutiae of 6 bytes (5: no quality byte, read as 254).

    Layout: 2 bits type, 14 bits x; 2 bits reserved 0, 14 bits y; 1 byte angle; 1 byte quality.

    Raises:
        InputRefused: `format.count_beyond_data`, `format.minutia_type`, `format.reserved_bits`.
    """
    left = cursor.end - cursor.offset
    if count * size > left:
        message = f"{count} minutiae need {count * size} bytes, {left} left"
        raise refuse_at("count_beyond_data", cursor.offset, message, CUT)
    minutiae = []
    for _ in range(count):
        x = cursor.u16("minutia x")
        kind = cursor.one_of(x >> 14, range(3), 2, "minutia type", "minutia_type")
        y = cursor.u16("minutia y")
        cursor.one_of(y >> 14, range(1), 2, "reserved bits", "reserved_bits")
        angle = cursor.checked(1, "minutia angle", angles, "data.angle_unit", ANGLES_AS_ISO)
        quality = NOT_REPORTED
        if size == 6:
            quality = cursor.checked(1, "minutia quality", qualities, "data.quality", AS_NOT_REPORTED)
        minutiae.append(Minutia(kind, x & 0x3FFF, y, angle, quality))
    return tuple(minutiae)


def pack_minutiae(minutiae: tuple[Minutia, ...], size: int = 6) -> bytes:
    return b"".join(struct.pack(">HHBB", m.kind << 14 | m.x, m.y, m.angle, m.quality)[:size] for m in minutiae)


def read_counts(cursor: Cursor) -> tuple[int, int]:
    """Number of views, and the reserved byte after it."""
    count = cursor.checked(1, "number of views", range(1, 256), code="no_views")
    return count, cursor.checked(1, "reserved byte", range(1), "header.reserved_bits", code="reserved_bits")


def read_views(cursor: Cursor, count: int, read: Callable[[Cursor], V], *, named_at: int = 1) -> tuple[V, ...]:
    """`count` views; where two share a name, the offset is that of the view's byte `named_at`.

    Finger position and view number together name one view, so no two views may share both. The standards also count
    views up from 0; some extractors start at 1, which is a warning in normalize.
    """
    views: list[V] = []
    offsets = []
    for _ in range(count):
        offsets.append(cursor.offset + named_at)
        views.append(read(cursor))
    seen: set[tuple[int, int]] = set()
    for view, offset in zip(views, offsets, strict=True):
        name = (view.position, view.view_number)
        if name in seen:
            message = f"second view {view.view_number} of finger position {view.position} at byte {offset}"
            effect = "views were taken in file order"
            cursor.deviations.add(Deviation("view_number", "header.view_numbers", message, effect))
        seen.add(name)
    return tuple(views)
