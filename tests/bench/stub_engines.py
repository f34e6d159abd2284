"""Engines for the tests of `bench extract`: pictures of squares, of which each is a minutia."""

from typing import Any

import numpy as np

from bioguard.capture.engine import Extraction, Picture
from bioguard.records import FaceEmbedding, FingerprintTemplate
from bioguard.records.acquired import AcquiredCode
from bioguard.records.extractor import NO_WEIGHTS, ExtractorIdentity
from bioguard.records.modality import Modality

STEPS = 64
"""Gray levels 1 .. 64 say the direction of the minutia whose pixel they are."""


def drawn(template: FingerprintTemplate, *, height: int = 512, width: int = 512) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A picture that holds a template: a pixel a minutia, its direction as a gray level."""
    pixels = np.zeros((height, width), np.uint8)
    x, y = (np.rint(values).astype(int) for values in (template.x_px500, template.y_px500))
    inside = (x < width) & (y < height)
    turn = np.rint(template.angle_rad / (2 * np.pi) * STEPS).astype(int) % STEPS
    pixels[y[inside], x[inside]] = 1 + turn[inside]
    return pixels


class Exact:
    """Finds every minutia."""

    name = "exact"
    modality = Modality.FINGERPRINT

    @property
    def identity(self) -> ExtractorIdentity:
        return ExtractorIdentity(name=self.name, version="1", weights_sha256=NO_WEIGHTS)

    def extract(self, picture: Picture) -> Extraction:
        y, x = np.nonzero(picture.pixels)
        if not x.size:
            return Extraction(acquired=AcquiredCode.INSUFFICIENT)
        angle = (picture.pixels[y, x].astype(float) - 1) / STEPS * 2 * np.pi
        template = FingerprintTemplate.from_minutiae(
            x, y, angle, quality=np.full(x.size, 80), width_px500=picture.width, height_px500=picture.height
        )
        return Extraction(acquired=AcquiredCode.GOOD, sample=template, quality=min(100, 2 * x.size))


class Poor(Exact):
    """Finds what lies in the upper third, tells no direction, and calls it partial."""

    name = "poor"

    def extract(self, picture: Picture) -> Extraction:
        half = np.minimum(picture.pixels, 1)
        half[picture.height // 3 :] = 0
        found = super().extract(Picture(half, picture.dpi))
        return Extraction(acquired=AcquiredCode.PARTIAL, sample=found.sample)


class Faulty(Exact):
    """At every third picture it raises what no list of exceptions would name, or returns what is no extraction."""

    name = "faulty"

    def __init__(self) -> None:
        self._calls = 0

    def extract(self, picture: Picture) -> Extraction:
        self._calls += 1
        if self._calls % 9 == 3:
            raise BufferError("out of order")
        if self._calls % 9 == 6:
            return None  # type: ignore[return-value]
        if self._calls % 9 == 0:
            return Extraction(acquired=AcquiredCode.GOOD, sample=FaceEmbedding.from_features(np.ones(8, np.float32)))
        return super().extract(picture)


class Face(Exact):
    """Of another modality."""

    modality = Modality.FACE


class Interrupted(Exact):
    """Somebody presses Ctrl-C at the second picture."""

    name = "interrupted"
    calls = 0

    def extract(self, picture: Picture) -> Extraction:
        Interrupted.calls += 1
        if Interrupted.calls == 2:
            raise KeyboardInterrupt
        return super().extract(picture)
