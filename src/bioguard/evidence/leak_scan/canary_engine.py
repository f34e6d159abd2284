"""An extractor that finds a canary in every picture: the minutiae of the seed that its first pixels hold.

It runs in the locked process of a sensor. Nothing of a real extractor is in it: what is looked for is a way out.
"""

import numpy as np

from bioguard.capture.engine import Extraction, Picture
from bioguard.evidence.leak_scan.canaries import make_canaries
from bioguard.records.acquired import AcquiredCode
from bioguard.records.extractor import NO_WEIGHTS, ExtractorIdentity
from bioguard.records.modality import Modality

SIDE_PX = 96
SEED_BYTES = 8


def canary_picture(seed: int) -> tuple[bytes, bytes]:
    """A PGM file of noise, and the noise: no 16 bytes of it are anywhere by accident."""
    pixels = np.random.default_rng(seed).integers(0, 256, SIDE_PX * SIDE_PX, np.uint8)
    pixels[:SEED_BYTES] = np.frombuffer(seed.to_bytes(SEED_BYTES, "big"), np.uint8)
    return b"P5\n%d %d\n255\n" % (SIDE_PX, SIDE_PX) + pixels.tobytes(), pixels[SEED_BYTES:].tobytes()


class CanaryEngine:
    """`bioguard.capture.engine.Engine`."""

    modality = Modality.FINGERPRINT
    identity = ExtractorIdentity(name="canary", version="1", weights_sha256=NO_WEIGHTS)

    def extract(self, picture: Picture) -> Extraction:
        """The canary."""
        seed = int.from_bytes(picture.pixels[0, :SEED_BYTES].tobytes(), "big")
        return Extraction(acquired=AcquiredCode.GOOD, sample=make_canaries(seed).finger, quality=80)
