"""A picture under a drawing: the part that a panel shows, as PNG inside the page."""

from base64 import b64encode
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.report.png import write_png
from tee_sim.shared.dataclass import dataclass

NOMINAL_DPI: Final = 500


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an image lies in a drawing, in its units, and its data as a URL."""

    x: float
    y: float
    width: float
    height: float
    url: str


@dataclass(frozen=True, slots=True)
class Backdrop:
    """Gray pixels uint8 [h, w] at so many dots an inch; pixel [0, 0] is the origin of its minutiae, y down."""

    pixels: NDArray[np.uint8]
    dpi: int

    @property
    def size_px500(self) -> tuple[int, int]:
        """Width and height in pixels at 500 dpi, as feature files state them."""
        height, width = self.pixels.shape
        return round(width * NOMINAL_DPI / self.dpi), round(height * NOMINAL_DPI / self.dpi)

    def cut(
        self,
        box: tuple[float, float, float, float],
        at: Callable[[float, float], tuple[float, float]],
        scale: float,
    ) -> Placed | None:
        """The part within a box; None: nothing of it is.

        Args:
            box: left, top, right, bottom in pixels at 500 dpi.
            at: from these to units of the drawing.
            scale: units of the drawing to a pixel at 500 dpi.
        """
        to_own = self.dpi / NOMINAL_DPI
        height, width = self.pixels.shape
        left, right = (min(width, max(0, round(side * to_own))) for side in (box[0], box[2]))
        top, bottom = (min(height, max(0, round(side * to_own))) for side in (box[1], box[3]))
        if left >= right or top >= bottom:
            return None
        data = b64encode(write_png(self.pixels[top:bottom, left:right], self.dpi)).decode()
        x, y = at(left / to_own, top / to_own)
        return Placed(
            x, y, (right - left) / to_own * scale, (bottom - top) / to_own * scale, "data:image/png;base64," + data
        )
