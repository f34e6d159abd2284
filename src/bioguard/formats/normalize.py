"""From file units to `FingerprintTemplate`: pixels at 500 dpi, radians, with warnings where header and data disagree.

Rules:
* x and y have their own resolution. An angle is carried over as the tangent vector of the ridge, so an anisotropic
  image keeps its ridge directions: tan(a') = (scale_y sin a) / (scale_x cos a).
* Header resolutions are whole pixels per centimeter. 196 and 197 mean 500 dpi (196.85), 98 and 99 mean 250 dpi,
  393 and 394 mean 1000 dpi; everything else is taken as it is. So 500 dpi files are not rescaled by 0.08 %.
* Nothing is guessed: a resolution of zero is refused unless the caller states the resolution.
"""

import math

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.formats.errors import ImportWarning, refuse
from bioguard.formats.minutiae import (
    ANGLE_UNITS,
    NOT_REPORTED,
    PERCENT,
    Geometry,
    MinutiaeFormat,
    MinutiaeRecord,
    MinutiaeView,
)
from bioguard.formats.options import DPI, ImportOptions
from bioguard.records import MAX_MINUTIAE, FingerprintTemplate
from bioguard.records.features import MAX_COORDINATE_PX500

NOMINAL_DPI = {98: 250.0, 99: 250.0, 196: 500.0, 197: 500.0, 393: 1000.0, 394: 1000.0}
MAX_EXTENT_MM = 60.0
"""No single fingerprint is larger: the largest single-finger capture area certified is 40.6 x 38.1 mm (FBI EBTS
Appendix F, roll), a rolled finger with its second phalanx stays below 60 mm. More means a wrong resolution."""
NEIGHBOR_MM = (0.35, 3.0)
"""Median distance of a minutia to its nearest neighbor. Below: closer than one ridge period of about 0.46 mm, all
over the finger. Measured on the 640 development templates (rect and sa): 0.387 to 2.262 mm, 98 % in 0.64 to 1.75;
so a resolution wrong by a factor of 3 is noticed, one wrong by 2 often is not."""
USUAL_MM = 1.05
"""Geometric middle of the 98 % above."""
MIN_COUNT_FOR_SPACING = 8
MM_PER_PX = 25.4 / DPI
RESOLUTION_PER_CM = range(98, 2001)
"""ISO/IEC 19794-2 wants at least 99 px/cm (98.4 is 250 dpi); no sensor has 5 000 dpi."""
SUSPECT_PER_CM = {
    99: (500.0, "some programs write 99 for images of 500 dpi"),
    **{n: (float(n), f"some programs put pixels per inch there: {n} dpi is usual") for n in (500, 508, 512, 569, 1000)},
    **dict.fromkeys((19, 20), (500.0, "some programs put pixels per millimeter there: 20 is 500 dpi")),
    **dict.fromkeys((39, 40), (1000.0, "some programs put pixels per millimeter there: 39 is 1000 dpi")),
}
"""px/cm -> (dpi that was meant, whose habit). 99 comes from round(500 / 25.4) raised to the least value that the
standard allows (afis 1.2.7); pixels per inch in these fields from the same program and others. No finger sensor has
1 270 dpi or more, or 101 or less, while 250 dpi, the 99 px/cm that are meant, exist."""
DPI_HINT = "state the true resolution: --dpi X[,Y]"


def _dpi(per_cm: int) -> float:
    return NOMINAL_DPI.get(per_cm, per_cm * 2.54)


def _scales(image: Geometry, options: ImportOptions) -> tuple[float, float]:
    """Factors from file pixels to pixels at 500 dpi."""
    if options.native_size_px is not None:
        width, height = options.native_size_px
        if 0 in (image.width, image.height):
            raise refuse("options", "the file has no image size that a native size could be compared with", DPI_HINT)
        return width / image.width * DPI / options.native_dpi, height / image.height * DPI / options.native_dpi
    if options.dpi is not None:
        return DPI / options.dpi[0], DPI / options.dpi[1]
    if image.x_per_cm == 0 or image.y_per_cm == 0:
        raise refuse("resolution_zero", "header has resolution 0", DPI_HINT)
    return DPI / _dpi(image.x_per_cm), DPI / _dpi(image.y_per_cm)


def _spacing_warnings(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[ImportWarning]:
    """What no fingerprint looks like, in millimeters at the stated resolution."""
    if x.size < MIN_COUNT_FOR_SPACING:
        return []
    found = []
    extent = max(float(np.ptp(x)), float(np.ptp(y))) * MM_PER_PX
    if extent > MAX_EXTENT_MM:
        message = f"minutiae span {extent:.0f} mm: check the resolution, and state it with --dpi X[,Y]"
        found.append(ImportWarning("geometry.implausible_extent", message))
    neighbor = _neighbor_mm(x, y)
    if not NEIGHBOR_MM[0] <= neighbor <= NEIGHBOR_MM[1]:
        message = (
            f"neighboring minutiae are {neighbor:.2f} mm apart: check the resolution, and state it with --dpi X[,Y]"
        )
        found.append(ImportWarning("geometry.implausible_spacing", message))
    return found


def _neighbor_mm(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Median distance to the nearest neighbor, in millimeters of an image at 500 dpi."""
    distance = np.hypot(x[:, None] - x, y[:, None] - y)
    np.fill_diagonal(distance, np.inf)
    return float(np.median(distance.min(axis=1))) * MM_PER_PX


def _suspect_warning(per_cm: int, x: NDArray[np.float64], y: NDArray[np.float64]) -> ImportWarning:
    """A resolution that known writers put there for another one."""
    true_dpi, habit = SUSPECT_PER_CM[per_cm]
    stated = _dpi(per_cm)
    message = f"header has {per_cm} px/cm, which is {stated:.0f} dpi; {habit}"
    if x.size >= MIN_COUNT_FOR_SPACING:
        here = _neighbor_mm(x, y)
        there = here * stated / true_dpi
        likelier = min((stated, here), (true_dpi, there), key=lambda case: abs(math.log(max(case[1], 1e-3) / USUAL_MM)))
        message += (
            f". Neighboring minutiae are {here:.1f} mm apart at {stated:.0f} dpi and {there:.1f} mm at {true_dpi:.0f}: "
            f"{likelier[0]:.0f} is likelier"
        )
    message += f". State it: --dpi {true_dpi:.0f}, or --dpi {stated:.0f}"
    return ImportWarning("geometry.suspect_resolution", message)


def _header_warnings(
    image: Geometry, x: NDArray[np.float64], y: NDArray[np.float64], options: ImportOptions
) -> list[ImportWarning]:
    if options.dpi is not None or options.native_size_px is not None:
        return []
    per_cm = {image.x_per_cm, image.y_per_cm}
    resolution = f"header has {image.x_per_cm} x {image.y_per_cm} px/cm; both were used"
    if per_cm <= SUSPECT_PER_CM.keys() and len(per_cm) == 1:
        return [_suspect_warning(image.x_per_cm, x, y)]
    if min(per_cm) not in RESOLUTION_PER_CM or max(per_cm) not in RESOLUTION_PER_CM:
        return [ImportWarning("geometry.odd_resolution", f"{resolution}: if they are wrong, give --dpi X[,Y]")]
    return [ImportWarning("geometry.anisotropic", resolution)] if len(per_cm) > 1 else []


def keep_best(x: NDArray[np.float64], y: NDArray[np.float64], quality: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which minutiae stay where a template cannot hold all, in file order.

    Best first: quality (not reported is last), then distance to the centroid of all, because the border of a touch is
    the part that the next touch misses, then file order.
    """
    distance = np.hypot(x - x.mean(), y - y.mean())
    order = np.lexsort((np.arange(x.size), distance, -quality))
    return np.sort(order[:MAX_MINUTIAE])


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
    warnings = []
    if x.size > MAX_MINUTIAE:
        kept = keep_best(x * scale_x, y * scale_y, quality)
        message = f"{x.size} minutiae, the best {MAX_MINUTIAE} were kept: by quality, then nearest to their center"
        warnings.append(ImportWarning("data.too_many_minutiae", message))
        x, y, angle_rad, kind, quality = x[kept], y[kept], angle_rad[kept], kind[kept], quality[kept]
    x500, y500 = x * scale_x, y * scale_y
    warnings += _header_warnings(image, x500, y500, options)
    # A side of 0 is unknown, which the parser has said.
    beyond = (image.width > 0) & (x >= image.width) | (image.height > 0) & (y >= image.height)
    if beyond.any():
        message = f"{np.count_nonzero(beyond)} minutiae lie beyond the image of {image.width} x {image.height} px"
        warnings.append(ImportWarning("geometry.beyond_image", f"{message}; the image was enlarged"))
    warnings += _spacing_warnings(x500, y500)
    width = _side(image.width, scale_x, x, x500)
    height = _side(image.height, scale_y, y, y500)
    if max(width, height) > MAX_COORDINATE_PX500:
        raise InputRefused(
            f"the image is {width} x {height} pixels at 500 dpi, at most {MAX_COORDINATE_PX500} are read",
            hint="if the resolution in the file is wrong, state the true one: --dpi X[,Y]",
            code="input.image_size",
        )
    tangent = np.arctan2(scale_y * np.sin(angle_rad), scale_x * np.cos(angle_rad)) if scale_x != scale_y else angle_rad
    template = FingerprintTemplate.from_minutiae(
        x500, y500, tangent % (2 * np.pi), kind=kind, quality=quality, width_px500=width, height_px500=height
    )
    return template, warnings


def _side(pixels: int, scale: float, values: NDArray[np.float64], scaled: NDArray[np.float64]) -> int:
    """Width or height at 500 dpi: the header's, or what the minutiae need."""
    side = pixels * scale
    if (values >= pixels).any():
        side = max(side, float(scaled.max()) + 1)
    return max(1, math.ceil(side - 1e-9))


def _qualities(view: MinutiaeView, file_format: MinutiaeFormat) -> NDArray[np.int64]:
    """0 is not reported. It is 0 in version 20, where later editions have "worst", and 254 or 255 in those.

    A value from 101 to 253, or above 100 in version 20 but for those two, says that the writer counts in another
    unit: then no quality of the view means anything.
    """
    raw = np.array([m.quality for m in view.minutiae], dtype=np.int64)
    if ((raw > max(PERCENT)) & (raw < NOT_REPORTED)).any():
        return np.zeros_like(raw)
    known = np.where(raw > max(PERCENT), 0, raw)
    if file_format in (MinutiaeFormat.ISO_2005, MinutiaeFormat.ANSI_2004):
        return known
    return np.where(raw > max(PERCENT), 0, np.maximum(raw, 1))


def _view(
    view: MinutiaeView, image: Geometry, file_format: MinutiaeFormat, options: ImportOptions
) -> tuple[FingerprintTemplate, list[ImportWarning]]:
    rows = np.array([(m.x, m.y, m.angle, m.kind) for m in view.minutiae], dtype=np.int64).reshape(-1, 4)
    units = ANGLE_UNITS[file_format]
    if (rows[:, 2] >= units).any():  # let pass by `--lenient` only: the writer took the unit of ISO
        units = ANGLE_UNITS[MinutiaeFormat.ISO_2005]
    return to_template(
        rows[:, 0].astype(np.float64),
        rows[:, 1].astype(np.float64),
        rows[:, 2].astype(np.float64) * (2 * np.pi / units),
        rows[:, 3],
        _qualities(view, file_format),
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
