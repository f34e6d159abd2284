"""Engines that need no extractor: each pixel of the first row says what to do. They run in a locked sensor process."""

import os

import numpy as np

from bioguard.capture.engine import Extraction, Picture
from bioguard.records import FaceEmbedding, FingerprintTemplate
from bioguard.records.acquired import AcquiredCode
from bioguard.records.extractor import NO_WEIGHTS, ExtractorIdentity
from bioguard.records.modality import Modality
from bioguard.simulate.people import finger_impressions

SIDE_PX = 128
GOOD, DRY, DIE, RAISE, LIE, HANG, FACE = range(7)


def picture(person: int, touch: int = 0, act: int = GOOD) -> bytes:
    """A PGM file of somebody's touch."""
    pixels = np.full((SIDE_PX, SIDE_PX), 255, np.uint8)
    pixels[0, :3] = act, person, touch
    return b"P5\n%d %d\n255\n" % (SIDE_PX, SIDE_PX) + pixels.tobytes()


def touches(person: int) -> list[FingerprintTemplate]:
    return finger_impressions(1, person=person, count=6)


class _Lie(FingerprintTemplate):
    """No canonical bytes."""

    def to_bytes(self) -> bytes:
        return super().to_bytes()[:-1] + b"\xff"


class Stub:
    """An extractor that knows the fingers of five people."""

    modality = Modality.FINGERPRINT
    identity = ExtractorIdentity(name="stub", version="1.0", weights_sha256=NO_WEIGHTS)

    def __init__(self) -> None:
        self._known = [touches(person) for person in range(5)]
        self._face = FaceEmbedding(np.eye(64, dtype=np.float32)[0])

    def extract(self, picture: Picture) -> Extraction:
        act, person, touch = picture.pixels[0, :3].tolist()
        if act == DIE:
            os._exit(9)
        if act == RAISE:
            raise RuntimeError("an engine failed")
        while act == HANG:
            pass
        if act == DRY:
            return Extraction(acquired=AcquiredCode.TOO_BRIGHT, quality=20)
        if act == FACE:
            return Extraction(acquired=AcquiredCode.GOOD, sample=self._face)
        sample = self._known[person][touch]
        if act == LIE:
            fields = (sample.x_px500, sample.y_px500, sample.angle_rad, sample.kind, sample.quality)
            sample = _Lie(*fields, sample.width_px500, sample.height_px500)
        return Extraction(acquired=AcquiredCode.GOOD, sample=sample, quality=70)


class Newer(Stub):
    """The next version of it."""

    identity = ExtractorIdentity(name="stub", version="1.1", weights_sha256=NO_WEIGHTS)


class Broken(Stub):
    """One that a library of its own fails."""

    def __init__(self) -> None:
        raise RuntimeError("cannot be made")
