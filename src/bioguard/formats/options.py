"""What a caller knows better than a file, as one record and as one table of flags.

`ImportOptions` goes through every way in: Python, `bioguard`, `python -m bench`. The flags are a table without any
command line library, so that click commands (`bioguard.cli.import_options`) and argparse ones (`bench.import_options`)
have the same names, the same values and the same help, and a hint that names a flag is true in all of them.
"""

import math
import re
from collections.abc import Callable, Mapping
from enum import StrEnum, unique
from typing import Any

from bioguard.formats.errors import refuse
from tee_sim.shared.dataclass import dataclass

DPI = 500.0
"""Templates are in pixels at 500 dpi, the resolution of ISO/IEC 19794-2 and of every certified scanner."""
OPTION_RANGE = (1, 100_000)


@unique
class Trailing(StrEnum):
    """What to do with bytes that follow a complete record."""

    REFUSE = "refuse"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """What the caller knows better than the header, and what the caller lets pass.

    Attributes:
        dpi: true (x, y) resolution of the image in the file, instead of the header's.
        native_size_px: (width, height) of the captured image, for sources that resized it without keeping the
            aspect ratio before extraction. `native_dpi` is the resolution of that captured image.
        native_dpi: only with `native_size_px`.
        xyt_m1: `.xyt` text in the ANSI/M1 convention (y down, 2-degree units) instead of NIST's own.
        trailing: KEEP reads a record that is followed by other bytes, with a warning. None: as `lenient` says.
        lenient: read what writers of the field get wrong, each with a warning (docs/formats/minutiae.md section 8).
    """

    dpi: tuple[float, float] | None = None
    native_size_px: tuple[int, int] | None = None
    native_dpi: float = DPI
    xyt_m1: bool = False
    trailing: Trailing | None = None
    lenient: bool = False

    def __post_init__(self) -> None:
        if self.trailing is not None and self.trailing not in tuple(Trailing):
            raise refuse("options", "unknown import option", f"trailing is {' or '.join(Trailing)}")
        if self.dpi is not None and self.native_size_px is not None:
            raise refuse("options", "dpi and native_size_px exclude each other", "give one of them")
        values = [*(self.dpi or ()), *(self.native_size_px or ()), self.native_dpi]
        low, high = OPTION_RANGE
        if not all(math.isfinite(v) and low <= v <= high for v in values):
            raise refuse("options", "import option out of range", f"resolutions and sizes are {low} to {high}")

    @property
    def keeps_trailing(self) -> bool:
        """Whether bytes after a complete record are let pass."""
        return self.lenient if self.trailing is None else self.trailing == Trailing.KEEP


_NUMBER = r"[0-9]{1,6}(?:\.[0-9]{1,6})?"
_DPI = re.compile(rf"({_NUMBER})(?:,({_NUMBER}))?")
_SIZE = re.compile(rf"([0-9]{{1,6}})[x,]([0-9]{{1,6}})(?:@({_NUMBER}))?")


def _in_range(*values: float) -> None:
    low, high = OPTION_RANGE
    if not all(low <= v <= high for v in values):
        raise ValueError(f"resolutions and sizes are {low} to {high}")


def parse_dpi(text: str) -> dict[str, Any]:
    """`500` or `500,569` to fields of `ImportOptions`.

    Raises:
        ValueError: another form, or out of range.
    """
    match = _DPI.fullmatch(text)
    if match is None:
        raise ValueError("write X or X,Y in pixels per inch, for instance 500 or 500,569")
    x, y = float(match[1]), float(match[2] or match[1])
    _in_range(x, y)
    return {"dpi": (x, y)}


def parse_native_size(text: str) -> dict[str, Any]:
    """`640x480`, or `640x480@569` for a captured image of another resolution than 500 dpi, to fields.

    Raises:
        ValueError: another form, or out of range.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError("write WIDTHxHEIGHT or WIDTHxHEIGHT@DPI, for instance 640x480 or 296x560@569")
    size, dpi = (int(match[1]), int(match[2])), float(match[3] or DPI)
    _in_range(*size, dpi)
    return {"native_size_px": size, "native_dpi": dpi}


def _parse_trailing(text: str) -> dict[str, Any]:
    return {"trailing": Trailing(text)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFlag:
    """One flag of every command that reads samples.

    Attributes:
        name: as typed, with its dashes.
        metavar: form of its value; empty for a switch.
        parse: from the value to fields of `ImportOptions`. Raises ValueError.
        given: fields of a switch.
        help: one line.
        choices: the only values, where they are few.
    """

    name: str
    help: str
    metavar: str = ""
    parse: Callable[[str], dict[str, Any]] | None = None
    given: Mapping[str, Any] | None = None
    choices: tuple[str, ...] = ()


IMPORT_FLAGS: tuple[ImportFlag, ...] = (
    ImportFlag(
        name="--dpi", metavar="X[,Y]", parse=parse_dpi, help="True resolution of the image, instead of the file's."
    ),
    ImportFlag(
        name="--native-size",
        metavar="WxH[@DPI]",
        parse=parse_native_size,
        help="Size of the captured image, where it was resized before extraction.",
    ),
    ImportFlag(name="--xyt-m1", given={"xyt_m1": True}, help="xyt files are in the ANSI/M1 convention."),
    ImportFlag(
        name="--trailing",
        parse=_parse_trailing,
        choices=tuple(Trailing),
        help="Bytes after a complete record: refuse the file, or keep the record.",
    ),
    ImportFlag(
        name="--lenient",
        given={"lenient": True},
        help="Read what writers of the field get wrong, each with a warning.",
    ),
)
"""Every flag, in the order of the help."""


def flags_in(hint: str) -> tuple[str, ...]:
    """The import flags that a hint names: a way in without flags has to say something else."""
    return tuple(flag.name for flag in IMPORT_FLAGS if re.search(rf"(?<![\w-]){flag.name}(?![\w-])", hint))
