"""A picture of a finger at 500 dpi, which engines and their constants are made for."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.capture.engine import Picture
from bioguard.capture.opencv import cv2
from bioguard.capture.picture_bounds import NOMINAL_DPI
from bioguard.capture.refusals import refuse_picture

AS_IT_IS: Final = 0.001
"""A resolution this near is 500 dpi rounded to something else."""


def at_nominal(picture: Picture) -> NDArray[np.uint8]:
    """Gray, [h, w]. Raises InputRefused `picture.channels` for a picture in color."""
    if picture.pixels.ndim != 2 or picture.dpi == 0:
        raise refuse_picture("channels", "the picture of a finger is in color, or of a camera")
    factor = NOMINAL_DPI / picture.dpi
    if abs(factor - 1) <= AS_IT_IS:
        return picture.pixels
    smaller = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    resized: NDArray[np.uint8] = cv2.resize(picture.pixels, None, fx=factor, fy=factor, interpolation=smaller)
    return resized
