"""From `FingerprintTemplate` to files. What a format cannot hold is rounded; nothing else changes.

Rules:
* 500 dpi (197 px/cm), whole pixels: coordinates move by at most half a pixel, or by one at the right and lower border.
* Angles are rounded to the format's unit: 1.41 degrees for ISO, 2 degrees for INCITS and xyt M1, 1 degree for xyt.
* Quality 0 ("not reported") becomes 0 in version 20 and xyt, 254 in later versions.
* Views are numbered 0, 1, 2, ... for each finger. There is no extended data, which readers of both rules accept.
* Everything written is parsed again and compared before it is returned.
"""

from collections.abc import Callable, Sequence

import numpy as np

from bioguard.formats.ansi2009 import Ansi2009Record, Ansi2009View
from bioguard.formats.errors import refuse
from bioguard.formats.fmr import parse_minutiae
from bioguard.formats.iso2011 import Iso2011Record, Iso2011View, QualityBlock
from bioguard.formats.minutiae import (
    ANGLE_UNITS,
    NOT_REPORTED,
    Geometry,
    Minutia,
    MinutiaeFormat,
    MinutiaeRecord,
)
from bioguard.formats.v20 import Ansi2004Record, Iso2005Record, View20
from bioguard.formats.xyt import XytRecord
from bioguard.records import FingerprintTemplate
from tee_sim.shared.dataclass import dataclass

PX_PER_CM_500 = 197
MAX_VIEWS_OF_A_FINGER = 16
"""View numbers have four bits."""
VERSION_20_FORMATS = (MinutiaeFormat.ISO_2005, MinutiaeFormat.ANSI_2004)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewToWrite:
    """One finger view with what a record says about it.

    Attributes:
        template: the minutiae.
        position: finger position, ISO/IEC 19794-2 table 2; 0 unknown.
        impression: impression type of the target format; 0 live plain.
        quality: of the view, 1..100; None: not reported.
    """

    template: FingerprintTemplate
    position: int = 0
    impression: int = 0
    quality: int | None = None


@dataclass(frozen=True, slots=True)
class _View:
    """A view in the units of the file."""

    of: ViewToWrite
    number: int
    image: Geometry
    minutiae: tuple[Minutia, ...]


@dataclass(frozen=True, slots=True)
class _Record:
    """What a record of any format is made from."""

    views: list[_View]
    owner: int
    product: int

    @property
    def image(self) -> Geometry:
        """One image for all views, where a format has only one."""
        sides = (max(v.image.width for v in self.views), max(v.image.height for v in self.views))
        return Geometry(*sides, PX_PER_CM_500, PX_PER_CM_500)


def _minutiae(t: FingerprintTemplate, target: MinutiaeFormat) -> tuple[Minutia, ...]:
    units = ANGLE_UNITS[target]
    x = np.minimum(np.rint(t.x_px500), t.width_px500 - 1).astype(np.int64)
    y = np.minimum(np.rint(t.y_px500), t.height_px500 - 1).astype(np.int64)
    angle = np.rint(t.angle_rad.astype(np.float64) * (units / (2 * np.pi))).astype(np.int64) % units
    quality = np.where(t.quality == 0, 0 if target in VERSION_20_FORMATS else NOT_REPORTED, t.quality)
    rows = zip(t.kind.tolist(), x.tolist(), y.tolist(), angle.tolist(), quality.tolist(), strict=True)
    return tuple(Minutia(*row) for row in rows)


def _numbered(views: Sequence[ViewToWrite], target: MinutiaeFormat) -> list[_View]:
    """Raises `format.no_views` or `format.too_many_views` outside 1..16 views of a finger."""
    if not views:
        raise refuse("no_views", "no template to write", "give at least one")
    found: list[_View] = []
    counts: dict[int, int] = {}
    for view in views:
        number = counts.setdefault(view.position, 0)
        counts[view.position] += 1
        t = view.template
        image = Geometry(t.width_px500, t.height_px500, PX_PER_CM_500, PX_PER_CM_500)
        found.append(_View(view, number, image, _minutiae(t, target)))
    most = max(counts.values())
    if most > MAX_VIEWS_OF_A_FINGER:
        raise refuse("too_many_views", f"{most} views of one finger", "at most 16 fit into one record")
    return found


def _views20(views: list[_View]) -> tuple[View20, ...]:
    return tuple(
        View20(
            position=v.of.position,
            view_number=v.number,
            impression=v.of.impression,
            quality=v.of.quality or 0,
            minutiae=v.minutiae,
        )
        for v in views
    )


def _iso2005(record: _Record, _target: MinutiaeFormat) -> MinutiaeRecord:
    return Iso2005Record(equipment=0, image=record.image, views=_views20(record.views))


def _ansi2004(record: _Record, _target: MinutiaeFormat) -> MinutiaeRecord:
    return Ansi2004Record(
        owner=record.owner, product=record.product, equipment=0, image=record.image, views=_views20(record.views)
    )


def _ansi2009(record: _Record, target: MinutiaeFormat) -> MinutiaeRecord:
    views = tuple(
        Ansi2009View(
            position=v.of.position,
            view_number=v.number,
            impression=v.of.impression,
            quality=v.of.quality or NOT_REPORTED,
            quality_vendor=0,
            quality_algorithm=0,
            image=v.image,
            minutiae=v.minutiae,
        )
        for v in record.views
    )
    return Ansi2009Record(
        format=target, owner=record.owner, product=record.product, compliance=0, scanner=0, views=views
    )


def _iso2011(record: _Record, _target: MinutiaeFormat) -> MinutiaeRecord:
    views = tuple(
        Iso2011View(
            position=v.of.position,
            view_number=v.number,
            impression=v.of.impression,
            qualities=(QualityBlock(v.of.quality, 0, 0),) if v.of.quality else (),
            image=v.image,
            minutiae=v.minutiae,
        )
        for v in record.views
    )
    return Iso2011Record(certified=False, views=views)


_BUILDERS: dict[MinutiaeFormat, Callable[[_Record, MinutiaeFormat], MinutiaeRecord]] = {
    MinutiaeFormat.ISO_2005: _iso2005,
    MinutiaeFormat.ISO_2011: _iso2011,
    MinutiaeFormat.ANSI_2004: _ansi2004,
    MinutiaeFormat.ANSI_2009: _ansi2009,
    MinutiaeFormat.ANSI_2009_AM1: _ansi2009,
}


def encode_record(target: MinutiaeFormat, views: Sequence[ViewToWrite], *, owner: int = 0, product: int = 0) -> bytes:
    """A record of any binary format, all views in it.

    Args:
        target: the format.
        views: in this order; up to 16 of one finger.
        owner: CBEFF product owner, INCITS only. The standard wants a registered one; 0 says there is none.
        product: CBEFF product type, INCITS only.

    Raises:
        InputRefused: no view, more than 16 of a finger, or a value that the format does not have, as a template
            without minutiae in ISO/IEC 19794-2:2011.
    """
    record = _BUILDERS[target](_Record(_numbered(views, target), owner, product), target)
    octets = record.to_bytes()
    if parse_minutiae(octets) != record:
        raise refuse("not_canonical", "record does not read back as written", "report this as a bug")
    return octets


Templates = FingerprintTemplate | Sequence[FingerprintTemplate]


def _of_one_finger(templates: Templates, position: int) -> list[ViewToWrite]:
    several = [templates] if isinstance(templates, FingerprintTemplate) else templates
    return [ViewToWrite(template=t, position=position) for t in several]


def write_iso2005(templates: Templates, *, position: int = 0) -> bytes:
    """ISO/IEC 19794-2:2005 record, one view a template, all of the finger `position` (0..10).

    Raises:
        InputRefused: no template, more than 16, or a position the format does not have.
    """
    return encode_record(MinutiaeFormat.ISO_2005, _of_one_finger(templates, position))


def write_ansi2004(templates: Templates, *, position: int = 0, owner: int = 0, product: int = 0) -> bytes:
    """ANSI INCITS 378-2004 record. The standard wants a registered product `owner`; 0 says there is none.

    Raises:
        InputRefused: as `write_iso2005`.
    """
    return encode_record(MinutiaeFormat.ANSI_2004, _of_one_finger(templates, position), owner=owner, product=product)


def write_ansi2009(
    templates: Templates, *, position: int = 0, owner: int = 0, product: int = 0, amendment_1: bool = False
) -> bytes:
    """ANSI INCITS 378-2009 record, or its amendment 1.

    Raises:
        InputRefused: as `write_iso2005`.
    """
    target = MinutiaeFormat.ANSI_2009_AM1 if amendment_1 else MinutiaeFormat.ANSI_2009
    return encode_record(target, _of_one_finger(templates, position), owner=owner, product=product)


def write_iso2011(templates: Templates, *, position: int = 0) -> bytes:
    """ISO/IEC 19794-2:2011 record without capture date, quality blocks or certification.

    Raises:
        InputRefused: as `write_iso2005`; also a template without minutiae, which this format cannot hold.
    """
    return encode_record(MinutiaeFormat.ISO_2011, _of_one_finger(templates, position))


def write_xyt(template: FingerprintTemplate, *, m1: bool = False) -> bytes:
    """NIST `.xyt` text in NIST's own convention, or ANSI/M1. Types and image size are lost: the format has neither.

    Raises:
        InputRefused: a template without minutiae.
    """
    minutiae = _minutiae(template, MinutiaeFormat.ANSI_2004)
    if not minutiae:
        raise refuse("no_minutiae", "xyt cannot say that there are no minutiae", "check the template")
    degrees = np.rint(np.degrees(template.angle_rad.astype(np.float64)) + 180).astype(np.int64) % 360
    rows = (
        (m.x, m.y, m.angle, m.quality) if m1 else (m.x, template.height_px500 - m.y, theta, m.quality)
        for m, theta in zip(minutiae, degrees.tolist(), strict=True)
    )
    octets = XytRecord(tuple(rows)).to_bytes()
    XytRecord.read(octets)
    return octets
