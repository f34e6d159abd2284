"""NIST `.xyt` text: `x y theta [quality]`, one minutia a line, integers.

Two conventions exist and the file does not say which (NBIS source of `mindtct`, comments of its writer):
* NIST internal, what `mindtct` writes by default: origin bottom left, theta in degrees counter-clockwise from east,
  pointing away from the ridge ending: opposite to ISO.
* ANSI/M1 (`mindtct -m1`): origin top left, theta in units of 2 degrees, direction as in ISO.

There is no image size and no resolution in the file: the image is taken as just large enough for the minutiae, and
the resolution as 500 dpi unless stated.
"""

import re
from dataclasses import dataclass
from typing import Self

import numpy as np

from bioguard.formats.errors import refuse
from bioguard.formats.minutiae import Geometry
from bioguard.formats.normalize import ImportWarning, to_template
from bioguard.formats.options import ImportOptions
from bioguard.records import MAX_MINUTIAE, FingerprintTemplate

__all__ = ["XytRecord", "normalize_xyt"]

_LINE = re.compile(r"[ \t]*(-?[0-9]{1,5})[ \t]+(-?[0-9]{1,5})[ \t]+([0-9]{1,3})(?:[ \t]+([0-9]{1,3}))?[ \t]*")
MAX_COORDINATE = 16383
PX_PER_CM_500 = 197
XYT_IMAGE_UNKNOWN = "xyt has no image size and no resolution: 500 dpi was assumed"


@dataclass(frozen=True, slots=True)
class XytRecord:
    """Rows of (x, y, theta, quality) as in the file; quality None where the column is missing.

    `to_bytes` writes single blanks and line feeds, so a file with other white space comes back normalized.
    """

    rows: tuple[tuple[int, int, int, int | None], ...]

    @classmethod
    def read(cls, octets: bytes) -> Self:
        """Parse text.

        Raises:
            InputRefused: `format.xyt_text`, `format.xyt_line` or `format.field_range` with the line number,
                `input.too_many_minutiae`.
        """
        try:
            lines = octets.decode("ascii").replace("\r\n", "\n").split("\n")
        except UnicodeDecodeError as error:
            raise refuse("xyt_text", "xyt file is not plain ASCII text", "give lines of: x y theta quality") from error
        rows: list[tuple[int, int, int, int | None]] = []
        for number, line in enumerate(lines, 1):
            if not line.strip(" \t"):
                continue
            match = _LINE.fullmatch(line)
            if match is None:
                raise refuse(
                    "xyt_line", f"line {number} is not x y theta quality in integers", "give 3 or 4 integers a line"
                )
            if len(rows) == MAX_MINUTIAE:
                raise refuse("too_many_minutiae", f"more than {MAX_MINUTIAE} minutiae", f"keep the best {MAX_MINUTIAE}")
            x, y, theta = (int(match[i]) for i in (1, 2, 3))
            quality = None if match[4] is None else int(match[4])
            if not (0 <= x <= MAX_COORDINATE and 0 <= y <= MAX_COORDINATE and theta < 360) or (quality or 0) > 100:
                raise refuse(
                    "field_range", f"line {number} has a value out of range", "x, y >= 0; theta 0..359; quality 0..100"
                )
            rows.append((x, y, theta, quality))
        if not rows:
            raise refuse("no_minutiae", "xyt file has no minutiae", "give lines of: x y theta quality")
        return cls(tuple(rows))

    def to_bytes(self) -> bytes:
        lines = (" ".join(str(v) for v in row if v is not None) for row in self.rows)
        return "".join(f"{line}\n" for line in lines).encode("ascii")


def normalize_xyt(record: XytRecord, options: ImportOptions) -> tuple[FingerprintTemplate, list[ImportWarning]]:
    """One view at 500 dpi. A missing quality is "not reported"; quality 0 is the worst, 1.

    Raises:
        InputRefused: `format.field_range` for theta above 179 with `xyt_m1`.
    """
    x, y, theta = (np.array([row[i] for row in record.rows], dtype=np.float64) for i in range(3))
    if options.xyt_m1:
        if theta.max() >= 180:
            raise refuse("field_range", "theta above 179 in an xyt file said to be M1", "read it without --xyt-m1")
        angle, height = np.radians(2 * theta), int(y.max()) + 1
    else:
        angle, height = np.radians(theta + 180), int(y.max()) + 1
        y = height - 1 - y
    template, warnings = to_template(
        x,
        y,
        angle,
        np.zeros(x.size, np.int64),
        np.array([0 if row[3] is None else max(row[3], 1) for row in record.rows]),
        Geometry(int(x.max()) + 1, height, PX_PER_CM_500, PX_PER_CM_500),
        options,
    )
    if options.dpi is None and options.native_size_px is None:
        warnings.insert(0, ImportWarning("geometry.assumed_500_dpi", XYT_IMAGE_UNKNOWN))
    return template, warnings
