"""What is wrong with a picture of a finger, and how good it is: from its ridges and the number of its minutiae.

Thresholds were set on the development fingers, 320 pictures of four sensors, and on the same ones made worse on
purpose: moved by 9 and 15 px, unfocused, ridges thickened (wet) and thinned (dry). They are wide: any code but GOOD
asks a person to touch again, and a sensor's own look must not do that (docs/capture.md#acquired-codes).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.capture.engine import MAX_QUALITY, Extraction
from bioguard.capture.opencv import cv2
from bioguard.capture.ridges import Ridges
from bioguard.records import FingerprintTemplate
from bioguard.records.acquired import AcquiredCode
from tee_sim.shared.dataclass import dataclass

MIN_AREA_PX: Final = 20_000
"""52 mm2 of ridges at 500 dpi, a quarter of a thumb."""
NO_AREA_PX: Final = 2_000
MIN_SHARPNESS: Final = 2.3
"""Of the development pictures the least has 2.4. Moved by 9 px, all of two sensors have less, of a third 3 in 10, of
the fourth, whose pictures are grainier, none."""
FAINT_ENERGY: Final = 26.0
WET: Final = 0.9
DRY: Final = -1.4
"""Skewness of gray levels about their local mean: thin dark ridges lie far below it, thin bright valleys far above. A
sensor can look like that and be fine, so it counts where the ridges answer faintly as well."""
MIN_MINUTIAE: Final = 12
"""As the enrollment wants of a touch (`bioguard.match.fingerprint.parameters`)."""
FULL_ENERGY: Final = 50.0
FULL_AREA_PX: Final = 70_000
"""What the better half of the development pictures have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Attributes:
    area_px: where ridges are.
    energy: mean of the best filters there.
    skewness: of gray levels about their local mean.
    sharpness: root mean square of the Laplacian in units of the contrast.
    """

    area_px: int
    energy: float
    skewness: float
    sharpness: float


def look_at(pixels: NDArray[np.uint8], ridges: Ridges) -> Look:
    """Measure a gray picture at 500 dpi, [h, w], within its ridges."""
    here = ridges.mask > 0
    area = int(here.sum())
    if area < NO_AREA_PX:
        return Look(area_px=area, energy=0.0, skewness=0.0, sharpness=0.0)
    levels = ridges.leveled[here].astype(np.float64)
    away = levels - levels.mean()
    edges = cv2.Laplacian(pixels.astype(np.float32), cv2.CV_32F, ksize=3)[here].astype(np.float64)
    contrast = ridges.contrast[here].astype(np.float64)
    return Look(
        area_px=area,
        energy=float(ridges.energy[here].mean()),
        skewness=float((away**3).mean() / max(float((away**2).mean()) ** 1.5, 1e-9)),
        sharpness=float(np.sqrt((edges**2).mean() / max(float((contrast**2).mean()), 1e-9))),
    )


def judge(look: Look, template: FingerprintTemplate) -> Extraction:
    """The first thing that is wrong, with the features beside it; none where there are no ridges or no minutiae."""
    if look.area_px < NO_AREA_PX or not len(template):
        return Extraction(acquired=AcquiredCode.INSUFFICIENT)
    rules = (
        (look.sharpness < MIN_SHARPNESS, AcquiredCode.TOO_FAST),
        (look.energy < FAINT_ENERGY and look.skewness > WET, AcquiredCode.TOO_DARK),
        (look.energy < FAINT_ENERGY and look.skewness < DRY, AcquiredCode.TOO_BRIGHT),
        (look.area_px < MIN_AREA_PX, AcquiredCode.PARTIAL),
        (len(template) < MIN_MINUTIAE, AcquiredCode.INSUFFICIENT),
    )
    acquired = next((code for wrong, code in rules if wrong), AcquiredCode.GOOD)
    share = min(look.energy / FULL_ENERGY, 1.0) * min(look.area_px / FULL_AREA_PX, 1.0)
    return Extraction(acquired=acquired, sample=template, quality=max(1, round(MAX_QUALITY * share)))
