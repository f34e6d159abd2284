"""An engine of one's own, complete: nbis-py asked once, as an example of a package that somebody else wrote.

PYTHONPATH=docs/examples bioguard capture finger.png --engine one_view_engine:OneView --out finger.iso --dpi 500
"""

import math

import nbis
import numpy as np

from bioguard.capture.engine import Extraction, Picture
from bioguard.capture.opencv import cv2
from bioguard.records import FingerprintTemplate
from bioguard.records.acquired import AcquiredCode
from bioguard.records.extractor import NO_WEIGHTS, ExtractorIdentity
from bioguard.records.modality import Modality

FEW = 12


class OneView:
    """Before the lock the constructor: whatever is loaded, read or compiled is so there. After it `extract`."""

    modality = Modality.FINGERPRINT

    def __init__(self) -> None:
        # Raise the version with everything that changes what is found: thresholds are measured for one identity.
        self.identity = ExtractorIdentity(name="one-view", version="1.0", weights_sha256=NO_WEIGHTS)
        self._extractor = nbis.new_nbis_extractor(
            nbis.NbisExtractorSettings(
                min_quality=0.0, get_center=False, check_fingerprint=False, compute_nfiq2=False, ppi=None
            )
        )
        self.extract(
            Picture(np.full((128, 128), 255, np.uint8), 500)
        )  # the first call takes memory that later ones keep

    def extract(self, picture: Picture) -> Extraction:
        # `decode` has bounded the size and made it gray; the resolution is the picture's own, templates are at 500 dpi.
        scale = 500 / picture.dpi
        found = self._extractor.extract_minutiae(cv2.imencode(".bmp", picture.pixels)[1].tobytes()).get()
        if not found:
            return Extraction(acquired=AcquiredCode.INSUFFICIENT)
        best = sorted(found, key=lambda minutia: -minutia.reliability())[:255]
        template = FingerprintTemplate.from_minutiae(
            [m.x() * scale for m in best],
            [m.y() * scale for m in best],
            [math.radians(m.angle()) for m in best],  # counter-clockwise, along the ridge: ISO/IEC 19794-2 section 6.5
            kind=[m.kind().value for m in best],
            quality=[max(1, round(m.reliability() * 100)) for m in best],
            width_px500=math.ceil(picture.width * scale),
            height_px500=math.ceil(picture.height * scale),
        )
        acquired = AcquiredCode.GOOD if len(template) >= FEW else AcquiredCode.INSUFFICIENT
        return Extraction(acquired=acquired, sample=template, quality=min(100, len(template)))
