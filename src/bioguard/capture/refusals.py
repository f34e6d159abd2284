"""How a picture, an engine or its missing parts are refused: stable codes, each with a hint that can be followed."""

from typing import Final

from bioguard.errors import InputRefused, WrongUsage

INSTALL: Final = "pip install 'bioguard[capture]'"
_HINTS: Final = {
    "format": "give a PNG, BMP, TIFF, PGM, PPM or WSQ file, not packed in an unusual way",
    "damaged": "copy it, or export it, again from its source",
    "channels": "save it as 8-bit gray (RGB for a face), without palette or transparency, dark ridges on light",
    "pages": "save each page as a file of its own",
    "depth": "save it with 8 bits a channel",
    "size": "64 to 1500 px a side for a finger, 64 to 4096 for a face: cut out what is to be seen, or scan at 500 dpi",
    "dpi": "say the resolution of the scan with --dpi, as in --dpi 500",
}


def refuse_picture(fault: str, message: str) -> InputRefused:
    """Build the error for `raise`: code `picture.<fault>`."""
    return InputRefused(message, hint=_HINTS[fault], code=f"picture.{fault}")


def missing(what: str, hint: str = INSTALL) -> WrongUsage:
    """Build the error for `raise`: code `capture.missing`, for a package of the extra."""
    return WrongUsage(f"{what} is not installed", hint=hint, code="capture.missing")
