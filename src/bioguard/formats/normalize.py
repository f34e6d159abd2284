"""From file units to `FingerprintTemplate`: pixels at 500 dpi, radians, with warnings where header and data disagree.

Rules:
* x and y have their own resolution. An angle is carried over as the tangent vector of the ridge, so an anisotropic
  image keeps its ridge directions: tan(a') = (scale_y sin a) / (scale_x cos a).
* Header resolutions are whole pixels per centimeter. 196 and 197 mean 500 dpi (196.85), 98 and 99 mean 250 dpi,
  393 and 394 mean 1000 dpi; everything else is taken as it is. So 500 dpi files are not rescaled by 0.08 %.
* Nothing is guessed: a resolution of zero is refused unless the caller states the resolution.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioguard.formats.errors import refuse
from bioguard.formats.minutiae import ANGLE_UNITS, Geometry, MinutiaeFormat, MinutiaeRecord, MinutiaeView
from bioguard.formats.options import DPI, ImportOptions
from bioguard.records import FingerprintTemplate

__all__ = ["ImportWarning", "normalize_record", "to_template"]

NOMINAL_DPI = {98: 250.0, 99: 250.0, 196: 500.0, 197: 500.0, 393: 1000.0, 394: 1000.0}
MAX_EXTENT_MM = 60.0
"""No single fingerprint is larger: the largest single-finger capture area certified is 40.6 x 38.1 mm (FBI EBTS
Appendix F, roll), a rolled finger with its second phalanx stays below 60 mm. More means a wrong resolution."""
NEIGHBOR_MM = (0.35, 3.0)
"""Median distance of a minutia to its nearest neighbor. Below: closer than one ridge period of about 0.46 mm, all
over the finger. Measured on the 640 development templates (rect and sa): 0.387 to 2.262 mm, 98 % in 0.64 to 1.75;
so a resolution wrong by a factor of 3 is noticed, one wrong by 2 often is not."""
MIN_COUNT_FOR_SPACING = 8
RESOLUTION_PER_CM = range(98, 2001)
"""ISO/IEC 19794-2 wants at least 99 px/cm (98.4 is 250 dpi); no sensor has 5 000 dpi."""


@dataclass(frozen=True, slots=True)
class ImportWarning:
    """Something a person should look at. `code` is stable; `message` is one line."""

    code: str
    message: str


def _dpi(per_cm: int) -> float:
    return NOMINAL_DPI.get(per_cm, per_cm * 2.54)


def _scales(image: Geometry, options: ImportOptions) -> tuple[float, float]:
    """Factors from file pixels to pixels at 500 dpi."""
    if options.native_size_px is not None:
        width, height = options.native_size_px
        return width / image.width * DPI / options.native_dpi, height / image.height * DPI / options.native_dpi
    if options.dpi is not None:
        return DPI / options.dpi[0], DPI / options.dpi[1]
    if image.x_per_cm == 0 or image.y_per_cm == 0:
        raise refuse("resolution_zero", "header has resolution 0", "state the true resolution: --dpi X[,Y]")
    return DPI / _dpi(image.x_per_cm), DPI / _dpi(image.y_per_cm)


def _spacing_warnings(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[ImportWarning]:
    """What no fingerprint looks like, in millimeters at the stated resolution."""
    if x.size < MIN_COUNT_FOR_SPACING:
        return []
    mm_per_px = 25.4 / DPI
    found = []
    extent = max(float(np.ptp(x)), float(np.ptp(y))) * mm_per_px
    if extent > MAX_EXTENT_MM:
        found.append(
            ImportWarning("geometry.implausible_extent", f"minutiae span {extent:.0f} mm: check the resolution")
        )
    distance = np.hypot(x[:, None] - x, y[:, None] - y)
    np.fill_diagonal(distance, np.inf)
    neighbor = float(np.median(distance.min(axis=1))) * mm_per_px
    if not NEIGHBOR_MM[0] <= neighbor <= NEIGHBOR_MM[1]:
        found.append(
            ImportWarning(
                "geometry.implausible_spacing",
                f"neighboring minutiae are {neighbor:.2f} mm apart: check the resolution",
            )
        )
    return found


def _header_warnings(image: Geometry, options: ImportOptions) -> list[ImportWarning]:
    if options.dpi is not None or options.native_size_px is not None:
        return []
    found = []
    if image.x_per_cm not in RESOLUTION_PER_CM or image.y_per_cm not in RESOLUTION_PER_CM:
        found.append(
            ImportWarning(
                "geometry.odd_resolution", f"header has {image.x_per_cm} x {image.y_per_cm} px/cm; both were used"
            )
        )
    elif image.x_per_cm != image.y_per_cm:
        found.append(
            ImportWarning(
                "geometry.anisotropic", f"header has {image.x_per_cm} x {image.y_per_cm} px/cm; both were used"
            )
        )
    return found


def to_template(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    angle_rad: NDArray[np.float64],
    kind: NDArray[np.int64],
    quality: NDArray[np.int64],
    image: Geometry,
    options: ImportOptions,
) -> tuple[FingerprintTemplate, list[ImportWarning]]:
    """Scale one view. Coordinates in file pixels, y down; angle counter-clockwise; quality 0 = not reported.

    Raises:
        InputRefused: resolution 0 without an option, or more than 4095 pixels at 500 dpi.
    """
    scale_x, scale_y = _scales(image, options)
    warnings = _header_warnings(image, options)
    beyond = int(np.count_nonzero((x >= image.width) | (y >= image.height)))
    if beyond:
        warnings.append(
            ImportWarning(
                "geometry.beyond_image",
                f"{beyond} minutiae lie beyond the image of {image.width} x {image.height} px; the image was enlarged",
            )
        )
    x500, y500 = x * scale_x, y * scale_y
    warnings += _spacing_warnings(x500, y500)
    width = max(image.width * scale_x, *(x500 + 1)) if beyond else image.width * scale_x
    height = max(image.height * scale_y, *(y500 + 1)) if beyond else image.height * scale_y
    tangent = np.arctan2(scale_y * np.sin(angle_rad), scale_x * np.cos(angle_rad)) if scale_x != scale_y else angle_rad
    template = FingerprintTemplate.from_minutiae(
        x500,
        y500,
        tangent % (2 * np.pi),
        kind=kind,
        quality=quality,
        width_px500=math.ceil(width - 1e-9),
        height_px500=math.ceil(height - 1e-9),
    )
    return template, warnings


def _quality(value: int, file_format: MinutiaeFormat) -> int:
    """0 means not reported in version 20 and "worst" later, where 254 and 255 mean not reported."""
    if file_format in (MinutiaeFormat.ISO_2005, MinutiaeFormat.ANSI_2004):
        return value
    return 0 if value > 100 else max(value, 1)


def _view(
    view: MinutiaeView, image: Geometry, file_format: MinutiaeFormat, options: ImportOptions
) -> tuple[FingerprintTemplate, list[ImportWarning]]:
    rows = np.array([(m.x, m.y, m.angle, m.kind) for m in view.minutiae], dtype=np.int64).reshape(-1, 4)
    return to_template(
        rows[:, 0].astype(np.float64),
        rows[:, 1].astype(np.float64),
        rows[:, 2].astype(np.float64) * (2 * np.pi / ANGLE_UNITS[file_format]),
        rows[:, 3],
        np.array([_quality(m.quality, file_format) for m in view.minutiae], dtype=np.int64),
        image,
        options,
    )


def _view_number_warnings(record: MinutiaeRecord) -> list[ImportWarning]:
    numbers: dict[int, list[int]] = {}
    for view in record.views:
        numbers.setdefault(view.position, []).append(view.view_number)
    return [
        ImportWarning("header.view_numbers", f"views of finger position {position} are not numbered 0, 1, 2, ...")
        for position, found in numbers.items()
        if found != list(range(len(found)))
    ]


def normalize_record(
    record: MinutiaeRecord, options: ImportOptions
) -> tuple[list[FingerprintTemplate], list[ImportWarning]]:
    """All views of a binary minutiae record, in file order, and every warning with its view index in the text."""
    templates, warnings = [], _view_number_warnings(record)
    for index, view in enumerate(record.views):
        template, found = _view(view, record.geometry(index), record.format, options)
        templates.append(template)
        prefix = f"view {index}: " if len(record.views) > 1 else ""
        warnings += [ImportWarning(w.code, prefix + w.message) for w in found]
        if not view.minutiae:
            warnings.append(ImportWarning("data.no_minutiae", prefix + "there are no minutiae"))
    return templates, warnings
