"""From the bytes of a file to pixels: bounded by the header before anything is decoded, and held to it afterwards."""

import numpy as np
from numpy.typing import NDArray

from bioguard.capture.engine import CAMERA, Picture
from bioguard.capture.opencv import cv2
from bioguard.capture.picture_bounds import bounded_header
from bioguard.capture.picture_headers import PictureHeader
from bioguard.capture.refusals import missing, refuse_picture
from bioguard.records.modality import Modality

try:
    from _wsq import decompress  # not the package `wsq`: that one needs Pillow
except ImportError as error:
    raise missing("wsq") from error


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
    header, dots = bounded_header(data, dpi, modality)
    if modality is Modality.FACE:
        return Picture(_color(_pixels(data, header)), CAMERA)
    return Picture(_gray(_pixels(data, header)), dots)


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
