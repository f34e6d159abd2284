"""The engine `nbis`: MINDTCT of NIST's NBIS, asked three times, and believed where two of the answers agree.

One view of a picture gives a mean EER of 3.9 % on the development fingers, and so do the others or worse: each has
minutiae of its own that are none. The three views are the picture, the picture 1.25 times as large, where the
detector's fixed windows see less at once, and as large with its ridges enhanced (`ridges`).

`nbis-py` takes an encoded picture and gives x, y and degrees in the sense of ISO/IEC 19794-2; no minutia is dropped
for its reliability, which made it worse. Its own ISO records are not used: they have no view header and resolution 0.
"""

import math
import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.capture.engine import Extraction, Picture
from bioguard.capture.found import Found, agreed
from bioguard.capture.nbis_package import version
from bioguard.capture.nominal import at_nominal
from bioguard.capture.opencv import cv2
from bioguard.capture.quality import judge, look_at
from bioguard.capture.refusals import missing
from bioguard.capture.ridges import find_ridges
from bioguard.records.extractor import NO_WEIGHTS, ExtractorIdentity
from bioguard.records.modality import Modality

VERSION: Final = version()  # before the import: a package that is not whole ends it in a way of its own
try:
    import nbis
except (ImportError, OSError) as error:
    raise missing("nbis-py") from error

PIPELINE: Final = 1
"""Raised with every change of what is found: thresholds are measured for one."""
LARGER: Final = 1.25
AGREE_PX: Final = 13.0
AGREE_RAD: Final = math.radians(38)
"""MINDTCT's directions are multiples of 11.25 degrees; places of one minutia differ by a ridge between views."""


def _bmp(pixels: NDArray[np.uint8]) -> bytes:
    """An 8-bit gray bitmap: what the library decodes with the least code."""
    height, width = pixels.shape
    rows = np.zeros((height, -(-width // 4) * 4), np.uint8)
    rows[:, :width] = pixels[::-1]
    palette = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 4, axis=1)
    palette[:, 3] = 0
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 0, rows.size, 0, 0, 256, 256)
    at = 14 + len(head) + palette.size
    return struct.pack("<2sIHHI", b"BM", at + rows.size, 0, 0, at) + head + palette.tobytes() + rows.tobytes()


class NbisEngine:
    """Fingers."""

    modality: Final = Modality.FINGERPRINT

    def __init__(self) -> None:
        self.identity = ExtractorIdentity(name="nbis", version=f"{VERSION}+v{PIPELINE}", weights_sha256=NO_WEIGHTS)
        settings = nbis.NbisExtractorSettings(
            min_quality=0.0, get_center=False, check_fingerprint=False, compute_nfiq2=False, ppi=None
        )
        self._extractor = nbis.new_nbis_extractor(settings)
        side = np.arange(128, dtype=np.float32)
        wave = 128 + 100 * np.sin(side[:, None] / 1.4 + side[None, :] / 9)
        self.extract(Picture(wave.astype(np.uint8), 500))

    def _view(self, pixels: NDArray[np.uint8]) -> Found:
        found = self._extractor.extract_minutiae(_bmp(pixels)).get()
        return Found.of([(m.x(), m.y(), math.radians(m.angle()), m.kind().value, m.reliability()) for m in found])

    def _larger(self, pixels: NDArray[np.uint8]) -> Found:
        larger = cv2.resize(pixels, None, fx=LARGER, fy=LARGER, interpolation=cv2.INTER_CUBIC)
        return self._view(larger).scaled(1 / LARGER)

    def extract(self, picture: Picture) -> Extraction:
        pixels = at_nominal(picture)
        height, width = pixels.shape
        ridges = find_ridges(pixels)
        views = [self._view(pixels), self._larger(ridges.enhanced), self._larger(pixels)]
        found = agreed(views, distance_px=AGREE_PX, turn_rad=AGREE_RAD)
        return judge(look_at(pixels, ridges), found.template(width, height))
