"""How large a picture may be, by its header: asked before anything is decoded, in both worlds."""

from typing import Final

from bioguard.capture.picture_headers import PictureHeader, read_header
from bioguard.capture.refusals import refuse_picture
from bioguard.records.modality import Modality
from tee_sim.shared.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Sides in px and the size of the file. An engine died of a picture below these and hung on one above."""

    min_side_px: int
    max_side_px: int
    max_bytes: int


BOUNDS: Final = {
    Modality.FINGERPRINT: Bounds(64, 1500, 8 << 20),
    Modality.FACE: Bounds(64, 4096, 56 << 20),
}
MIN_DPI: Final = 250
MAX_DPI: Final = 1200
"""Chosen: below, ridges of a child are under three pixels apart; above nothing is scanned that fits the sides."""
NOMINAL_DPI: Final = 500
DPI_BYTES: Final = 2


def framed(picture: bytes, dpi: int | None) -> bytes:
    """A picture as it goes to the sensor: its dpi, big-endian, 0 for what the file says; the file itself."""
    return (dpi or 0).to_bytes(DPI_BYTES, "big") + picture


def bounded_header(data: bytes, dpi: int | None, modality: Modality) -> tuple[PictureHeader, int]:
    """The header of a picture, and the dpi of a finger: the stated ones, else as the file says; 0 of a face.

    Raises:
        InputRefused: as `bioguard.capture.pictures.decode`, as far as a header shows it.
    """
    bounds = BOUNDS[modality]
    if len(data) > bounds.max_bytes:
        raise refuse_picture("size", f"the file has more than {bounds.max_bytes >> 20} MiB")
    header = read_header(data)
    _check_size(header, bounds)
    if modality is Modality.FACE:
        return header, 0
    dots = header.dpi if dpi is None else dpi
    if not MIN_DPI <= dots <= MAX_DPI:
        stated = "no resolution" if dots == 0 else "two resolutions" if dots < 0 else f"{dots} dpi"
        raise refuse_picture("dpi", f"the picture has {stated}, a finger needs {MIN_DPI} to {MAX_DPI} dpi")
    _check_size_at_nominal(header, dots, bounds)
    return header, dots


def _check_size(header: PictureHeader, bounds: Bounds) -> None:
    if header.bits != 8:
        raise refuse_picture("depth", f"the picture has {header.bits} bits a channel")
    if not all(bounds.min_side_px <= side <= bounds.max_side_px for side in (header.width, header.height)):
        raise refuse_picture("size", f"the picture has {header.width} x {header.height} px")


def _check_size_at_nominal(header: PictureHeader, dpi: int, bounds: Bounds) -> None:
    """What an engine is given is at 500 dpi: the same bounds hold there."""
    for side in (header.width, header.height):
        if not bounds.min_side_px <= round(side * NOMINAL_DPI / dpi) <= bounds.max_side_px:
            size = f"{header.width} x {header.height} px at {dpi} dpi"
            raise refuse_picture("size", f"the picture has {size}, which is too small or too large at 500")
