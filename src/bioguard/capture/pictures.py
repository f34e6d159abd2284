"""From the bytes of a file to pixels: bounded by the header before anything is decoded, and held to it afterwards."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.capture.engine import CAMERA, Picture
from bioguard.capture.opencv import cv2
from bioguard.capture.picture_headers import PictureHeader, read_header
from bioguard.capture.refusals import missing, refuse_picture
from bioguard.records.modality import Modality
from tee_sim.shared.dataclass import dataclass

try:
    from _wsq import decompress  # not the package `wsq`: that one needs Pillow
except ImportError as error:
    raise missing("wsq") from error


@dataclass(frozen=True, slots=True)
class Bounds:
    """Sides in px and the size of the file. An engine died of a picture below these and hung on one above."""

    min_side_px: int
    max_side_px: int
    max_bytes: int


BOUNDS: Final = {
    Modality.FINGERPRINT: Bounds(64, 1500, 8 << 20),
    Modality.FACE: Bounds(64, 4096, 64 << 20),
}
MIN_DPI: Final = 250
MAX_DPI: Final = 1200
"""Chosen: below, ridges of a child are under three pixels apart; above nothing is scanned that fits the sides."""
NOMINAL_DPI: Final = 500


def decode(data: bytes, dpi: int | None, modality: Modality = Modality.FINGERPRINT) -> Picture:
    """Decode PNG, BMP, TIFF, PGM, PPM or WSQ.

    Args:
        data: the file.
        dpi: dots an inch of a finger; None: as the file says. A stated one wins: programs that export pictures
            write 72 or 96 into all of them. A face has none.
        modality: fingers become gray, faces RGB.

    Raises:
        InputRefused: `picture.format`, `.damaged`, `.channels`, `.pages`, `.depth`, `.size`, `.dpi`.
    """
    bounds = BOUNDS[modality]
    if len(data) > bounds.max_bytes:
        raise refuse_picture("size", f"the file has more than {bounds.max_bytes >> 20} MiB")
    header = read_header(data)
    _check_size(header, bounds)
    if modality is Modality.FACE:
        return Picture(_color(_pixels(data, header)), CAMERA)
    dots = header.dpi if dpi is None else dpi
    if not MIN_DPI <= dots <= MAX_DPI:
        stated = "no resolution" if dots == 0 else "two resolutions" if dots < 0 else f"{dots} dpi"
        raise refuse_picture("dpi", f"the picture has {stated}, a finger needs {MIN_DPI} to {MAX_DPI} dpi")
    _check_size_at_nominal(header, dots, bounds)
    return Picture(_gray(_pixels(data, header)), dots)


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


def _pixels(data: bytes, header: PictureHeader) -> NDArray[np.uint8]:
    """[h, w] or [h, w, 3] in the order of OpenCV, blue first. What does not agree with its header is damaged."""
    damaged = refuse_picture("damaged", f"the {header.format} picture cannot be decoded as its header says")
    try:
        found = _wsq(data) if header.format == "WSQ" else cv2.imdecode(np.frombuffer(data, np.uint8), -1)
    except Exception:  # decoders of others raise what they like
        raise damaged from None
    shape = (header.height, header.width)
    if found is None or found.dtype != np.uint8 or found.shape not in {shape, (*shape, 3)}:
        raise damaged
    return np.ascontiguousarray(found)


def _wsq(data: bytes) -> NDArray[np.uint8]:
    octets, width, height, _dpi = decompress(data)
    return np.frombuffer(octets, np.uint8).reshape(height, width)


def _gray(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A gray picture that was saved in color is gray; a colored one is no scan of a finger."""
    if pixels.ndim == 2:
        return pixels
    if (pixels != pixels[:, :, :1]).any():
        raise refuse_picture("channels", "the picture of a finger is in color")
    return np.ascontiguousarray(pixels[:, :, 0])


def _color(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    three = pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)
    return np.ascontiguousarray(three[:, :, ::-1])
