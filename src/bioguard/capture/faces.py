"""Where faces are in a picture, how they are turned, and the square that an embedding model wants. Pure arrays."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.capture.face_models import POINTS, Detector
from bioguard.errors import InputRefused
from bioguard.records.acquired import AcquiredCode
from tee_sim.shared.dataclass import dataclass

Floats = NDArray[np.float64]
OVERLAP: Final = 0.3
"""Two boxes that share more than this of their union are one face, as the detector's makers have it."""
MAX_FACES: Final = 64
MIN_EYES_PX: Final = 32.0
"""Between the eyes. An aligned face of 112 px has 35: below this it is mostly enlarged."""
MAX_ROLL_DEG: Final = 30.0
MAX_PAN: Final = 0.45
"""How far the nose lies from the middle of the eyes, in distances between them: 0 from the front, 0.5 in profile."""
TILT: Final = (0.25, 0.95)
"""How far the nose lies below the eyes, likewise: about 0.6 from the front."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """Attributes:
    score: 0..1.
    box: left, top, width, height, px of the picture.
    points: float64 [5, 2], px of the picture: the eye on the left in the picture first, then the other, nose,
        corners of the mouth.
    """

    score: float
    box: tuple[float, float, float, float]
    points: Floats


def _cells(outputs: Mapping[str, NDArray[np.float32]], name: str, count: int, width: int) -> Floats:
    found = outputs[name]
    if found.size != count * width or not np.isfinite(found).all():
        raise InputRefused(
            f"the detector's output {name[:40]} is not one of {count} cells by {width}",
            hint="check side, strides and outputs in the TOML file",
            code="engine.network",
        )
    return found.reshape(count, width).astype(np.float64)


def detect(outputs: Mapping[str, NDArray[np.float32]], detector: Detector, factor: float) -> list[Face]:
    """Faces, the best first.

    Args:
        outputs: of the network, by name.
        detector: how they are to be read.
        factor: px of its input a px of the picture.

    Raises:
        InputRefused: `engine.network`, an output of another size.
    """
    found: list[Face] = []
    for stride in detector.strides:
        side = detector.side // stride
        count = side * side
        parts = [_cells(outputs, name.format(stride=stride), count, 1)[:, 0] for name in detector.scores]
        score = np.prod(np.clip(parts, 0, 1), axis=0) ** (1 / len(parts))
        boxes = _cells(outputs, detector.box.format(stride=stride), count, 4)
        points = _cells(outputs, detector.points.format(stride=stride), count, 2 * POINTS)
        for cell in np.nonzero(score >= detector.min_score)[0].tolist():
            corner = np.array([cell % side, cell // side], np.float64)
            center = (corner + boxes[cell, :2]) * stride / factor
            size = np.exp(np.clip(boxes[cell, 2:], -8, 8)) * stride / factor
            left, top = center - size / 2
            five = (points[cell].reshape(POINTS, 2) + corner) * stride / factor
            found.append(Face(float(score[cell]), (float(left), float(top), float(size[0]), float(size[1])), five))
    return _apart(sorted(found, key=lambda face: -face.score))


def _apart(faces: list[Face]) -> list[Face]:
    kept: list[Face] = []
    for face in faces:
        if len(kept) < MAX_FACES and all(_shared(face, other) <= OVERLAP for other in kept):
            kept.append(face)
    return kept


def _shared(one: Face, other: Face) -> float:
    """Intersection over union."""
    (a, b, c, d), (e, f, g, h) = one.box, other.box
    wide, high = min(a + c, e + g) - max(a, e), min(b + d, f + h) - max(b, f)
    both = max(wide, 0.0) * max(high, 0.0)
    return both / (c * d + g * h - both) if both else 0.0


def judge_pose(points: Floats) -> AcquiredCode:
    """GOOD, or what is wrong with how the five points lie."""
    eyes = points[1] - points[0]
    apart = float(np.hypot(*eyes))
    if apart < MIN_EYES_PX:
        return AcquiredCode.TOO_FAR
    if abs(np.degrees(np.arctan2(eyes[1], eyes[0]))) > MAX_ROLL_DEG:
        return AcquiredCode.ROLL_TOO_EXTREME
    along = eyes / apart
    nose = points[2] - (points[0] + points[1]) / 2
    pan, tilt = float(nose @ along) / apart, float(nose @ np.array([-along[1], along[0]])) / apart
    if abs(pan) > MAX_PAN:
        return AcquiredCode.PAN_TOO_EXTREME
    return AcquiredCode.GOOD if TILT[0] <= tilt <= TILT[1] else AcquiredCode.TILT_TOO_EXTREME


def similarity(points: Floats, target: Floats) -> Floats:
    """The turn, scale and shift that brings `points` nearest to `target` by least squares, float64 [2, 3].

    In complex numbers: target = a z + b, with a = sum(conj(z) w) / sum |z|^2 about the means.
    """
    z, w = points @ (1, 1j), target @ (1, 1j)
    away = z - z.mean()
    turn = complex((np.conj(away) * (w - w.mean())).sum() / max(float((np.abs(away) ** 2).sum()), 1e-12))
    shift = complex(w.mean() - turn * z.mean())
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
