"""From `FingerprintTemplate` to files. What a format cannot hold is rounded; nothing else changes.

Rules:
* 500 dpi (197 px/cm), whole pixels: coordinates move by at most half a pixel, or by one at the right and lower border.
* Angles are rounded to the format's unit: 1.41 degrees for ISO, 2 degrees for INCITS and xyt M1, 1 degree for xyt.
* Quality 0 ("not reported") becomes 0 in version 20 and xyt, 254 in later versions.
* Everything written is parsed again and compared before it is returned.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bioguard.formats.ansi2009 import Ansi2009Record, Ansi2009View
from bioguard.formats.errors import refuse
from bioguard.formats.fmr import parse_minutiae
from bioguard.formats.iso2011 import Iso2011Record, Iso2011View
from bioguard.formats.minutiae import ANGLE_UNITS, Geometry, Minutia, MinutiaeFormat, MinutiaeRecord
from bioguard.formats.v20 import Ansi2004Record, Iso2005Record, View20
from bioguard.formats.xyt import XytRecord
from bioguard.records import FingerprintTemplate

__all__ = ["write_ansi2004", "write_ansi2009", "write_iso2005", "write_iso2011", "write_xyt"]

PX_PER_CM_500 = 197
MAX_VIEWS_OF_A_FINGER = 16
NOT_REPORTED = 254


@dataclass(frozen=True, slots=True)
class _View:
    """A template in whole pixels."""

    number: int
    image: Geometry
    minutiae: tuple[Minutia, ...]


def _views(templates: FingerprintTemplate | Sequence[FingerprintTemplate], target: MinutiaeFormat) -> list[_View]:
    """Raises `format.no_views` or `format.too_many_views` outside 1..16 templates (4-bit view numbers)."""
    several = [templates] if isinstance(templates, FingerprintTemplate) else list(templates)
    if not several:
        raise refuse("no_views", "no template to write", "give at least one")
    if len(several) > MAX_VIEWS_OF_A_FINGER:
        raise refuse("too_many_views", f"{len(several)} views of one finger", "at most 16 fit into one record")
    units = ANGLE_UNITS[target]
    coded = target not in (MinutiaeFormat.ISO_2005, MinutiaeFormat.ANSI_2004)
    views = []
    for number, t in enumerate(several):
        x = np.minimum(np.rint(t.x_px500), t.width_px500 - 1).astype(np.int64)
        y = np.minimum(np.rint(t.y_px500), t.height_px500 - 1).astype(np.int64)
        angle = np.rint(t.angle_rad.astype(np.float64) * (units / (2 * np.pi))).astype(np.int64) % units
        quality = np.where(t.quality == 0, NOT_REPORTED if coded else 0, t.quality)
        rows = zip(t.kind.tolist(), x.tolist(), y.tolist(), angle.tolist(), quality.tolist(), strict=True)
        image = Geometry(t.width_px500, t.height_px500, PX_PER_CM_500, PX_PER_CM_500)
        views.append(_View(number, image, tuple(Minutia(*row) for row in rows)))
    return views


def _common(views: list[_View]) -> Geometry:
    return Geometry(max(v.image.width for v in views), max(v.image.height for v in views), PX_PER_CM_500, PX_PER_CM_500)


def _views20(views: list[_View], position: int) -> tuple[View20, ...]:
    return tuple(
        View20(position=position, view_number=v.number, impression=0, quality=0, minutiae=v.minutiae) for v in views
    )


def _checked(record: MinutiaeRecord) -> bytes:
    octets = record.to_bytes()
    if parse_minutiae(octets) != record:
        raise refuse("not_canonical", "record does not read back as written", "report this as a bug")
    return octets


def write_iso2005(templates: FingerprintTemplate | Sequence[FingerprintTemplate], *, position: int = 0) -> bytes:
    """ISO/IEC 19794-2:2005 record, one view a template, all of the finger `position` (0..10).

    Raises:
        InputRefused: no template, more than 16, or a position the format does not have.
    """
    views = _views(templates, MinutiaeFormat.ISO_2005)
    return _checked(Iso2005Record(equipment=0, image=_common(views), views=_views20(views, position)))


def write_ansi2004(
    templates: FingerprintTemplate | Sequence[FingerprintTemplate],
    *,
    position: int = 0,
    owner: int = 0,
    product: int = 0,
) -> bytes:
    """ANSI INCITS 378-2004 record. The standard wants a registered product `owner`; 0 says there is none.

    Raises:
        InputRefused: as `write_iso2005`.
    """
    views = _views(templates, MinutiaeFormat.ANSI_2004)
    return _checked(
        Ansi2004Record(owner=owner, product=product, equipment=0, image=_common(views), views=_views20(views, position))
    )


def write_ansi2009(
    templates: FingerprintTemplate | Sequence[FingerprintTemplate],
    *,
    position: int = 0,
    owner: int = 0,
    product: int = 0,
    amendment_1: bool = False,
) -> bytes:
    """ANSI INCITS 378-2009 record, or its amendment 1.

    Raises:
        InputRefused: as `write_iso2005`.
    """
    target = MinutiaeFormat.ANSI_2009_AM1 if amendment_1 else MinutiaeFormat.ANSI_2009
    views = tuple(
        Ansi2009View(
            position=position,
            view_number=v.number,
            impression=0,
            quality=NOT_REPORTED,
            quality_vendor=0,
            quality_algorithm=0,
            image=v.image,
            minutiae=v.minutiae,
        )
        for v in _views(templates, target)
    )
    return _checked(Ansi2009Record(format=target, owner=owner, product=product, compliance=0, scanner=0, views=views))


def write_iso2011(templates: FingerprintTemplate | Sequence[FingerprintTemplate], *, position: int = 0) -> bytes:
    """ISO/IEC 19794-2:2011 record without capture date, quality blocks or certification.

    Raises:
        InputRefused: as `write_iso2005`; also a template without minutiae, which this format cannot hold.
    """
    views = tuple(
        Iso2011View(position=position, view_number=v.number, impression=0, image=v.image, minutiae=v.minutiae)
        for v in _views(templates, MinutiaeFormat.ISO_2011)
    )
    return _checked(Iso2011Record(certified=False, views=views))


def write_xyt(template: FingerprintTemplate, *, m1: bool = False) -> bytes:
    """NIST `.xyt` text in NIST's own convention, or ANSI/M1. Types and image size are lost: the format has neither.

    Raises:
        InputRefused: a template without minutiae.
    """
    view = _views(template, MinutiaeFormat.ANSI_2004)[0]
    if not view.minutiae:
        raise refuse("no_minutiae", "xyt cannot say that there are no minutiae", "check the template")
    degrees = np.rint(np.degrees(template.angle_rad.astype(np.float64)) + 180).astype(np.int64) % 360
    rows = (
        (m.x, m.y, m.angle, m.quality) if m1 else (m.x, view.image.height - m.y, theta, m.quality)
        for m, theta in zip(view.minutiae, degrees.tolist(), strict=True)
    )
    octets = XytRecord(tuple(rows)).to_bytes()
    XytRecord.read(octets)
    return octets
