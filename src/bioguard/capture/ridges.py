"""Ridges of a picture of a finger: where they are, and the picture with everything else filtered away.

A bank of Gabor filters, turned to the local direction and at the spacing that answers best (Hong, Wan, Jain 1998). What
the answer's energy is says where ridges are: an edge of the sensor plate is as strong, and is no wave.

Constants in px are at 500 dpi; all were chosen on the development fingers (docs/capture.md).
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.capture.opencv import cv2
from tee_sim.shared.dataclass import dataclass

Floats = NDArray[np.float32]

DIRECTIONS: Final = 16
PERIODS_PX: Final = (6.0, 7.5, 9.0, 11.5)
"""Ridge spacing: a child's at 500 dpi is 6 px, a man's up to 12."""
_ENVELOPE_PX: Final = 4.0
_RADIUS_PX: Final = 10
"""Two and a half times the envelope: what is left outside is 4 % of the height."""
_LOCAL_PX: Final = 12.0
"""Over which mean and contrast are taken: one to two ridges."""
_LEAST_CONTRAST: Final = 8.0
"""Gray levels: noise of a flat place is not made as loud as ridges."""
_DIRECTION_PX: Final = 7.0
_ENERGY_PX: Final = 8.0
MIN_ENERGY: Final = 11.0
"""White noise has 1, a plain wave of unit variance about 70. Below this no ridge is seen."""
_MIN_CONTRAST: Final = 0.15
"""Of the contrast that a tenth of the picture exceeds: residue of the finger before is fainter."""
_GAP_PX: Final = 25
"""Holes and islands up to this width are closed and removed."""
_FAINT, _CLEAR = 3.0, 12.0
"""Energies between which the filtered picture fades in: a border that is cut is full of ridges that end."""
_MIDDLE, _SWING, _PLAIN_SWING, _PLAIN_CLIP = 128.0, 55.0, 25.0, 2.2
"""Gray levels of the enhanced picture, and how far the filtered and the leveled one swing in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ridges:
    """All [h, w].

    Attributes:
        enhanced: uint8, the filtered picture and the leveled one, half and half; the first alone invents ridges.
        mask: uint8, 1 where ridges are.
        energy: float32, of the best filter in a picture of unit contrast.
        contrast: float32, gray levels, standard deviation around each place.
        leveled: float32, the picture about its local mean, in units of the contrast.
    """

    enhanced: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    energy: Floats
    contrast: Floats
    leveled: Floats


@cache
def _filters() -> tuple[tuple[Floats, ...], ...]:
    """For each period, a filter for each direction: no answer to a flat picture, unit norm, so that noise has 1."""
    y, x = np.mgrid[-_RADIUS_PX : _RADIUS_PX + 1, -_RADIUS_PX : _RADIUS_PX + 1].astype(np.float32)
    window = np.exp(-(x * x + y * y) / (2 * _ENVELOPE_PX**2))

    def made(turn: float, period: float) -> Floats:
        wave = window * np.cos(2 * np.pi / period * (x * np.cos(turn) + y * np.sin(turn)))
        wave -= window * (wave.sum() / window.sum())
        one: Floats = (wave / np.sqrt((wave * wave).sum())).astype(np.float32)
        return one

    turns = [k * np.pi / DIRECTIONS for k in range(DIRECTIONS)]
    return tuple(tuple(made(turn, period) for turn in turns) for period in PERIODS_PX)


def _blurred(values: Floats, sigma: float) -> Floats:
    blurred: Floats = cv2.GaussianBlur(values, (0, 0), sigma)
    return blurred


def _across(gray: Floats) -> NDArray[np.int64]:
    """The direction across the ridges at each place, in steps of pi / DIRECTIONS: the mean of doubled gradients."""
    dx = cv2.Sobel(gray, cv2.CV_32F, 1, 0, ksize=3)
    dy = cv2.Sobel(gray, cv2.CV_32F, 0, 1, ksize=3)
    double = np.arctan2(_blurred(2 * dx * dy, _DIRECTION_PX), _blurred(dx * dx - dy * dy, _DIRECTION_PX))
    return np.rint(double / 2 / np.pi * DIRECTIONS).astype(np.int64) % DIRECTIONS


def find_ridges(pixels: NDArray[np.uint8]) -> Ridges:
    """Filter a gray picture at 500 dpi, [h, w], dark ridges."""
    gray = pixels.astype(np.float32)
    away = gray - _blurred(gray, _LOCAL_PX)
    contrast = np.sqrt(_blurred(away * away, _LOCAL_PX))
    leveled = (away / (contrast + _LEAST_CONTRAST)).astype(np.float32)
    across = _across(gray)
    answers = np.zeros((len(PERIODS_PX), *gray.shape), np.float32)
    for answer, bank in zip(answers, _filters(), strict=True):
        for direction, one in enumerate(bank):
            here = across == direction
            if here.any():
                answer[here] = cv2.filter2D(leveled, cv2.CV_32F, one, borderType=cv2.BORDER_REFLECT)[here]
    energies = np.stack([_blurred(answer * answer, _ENERGY_PX) for answer in answers])
    best = energies.argmax(axis=0)[None]
    energy = np.take_along_axis(energies, best, 0)[0]
    filtered = np.tanh(0.6 * np.take_along_axis(answers, best, 0)[0] / (np.sqrt(energy) + 0.5))
    seen = np.clip((energy - _FAINT) / (_CLEAR - _FAINT), 0, 1)
    plain = np.clip(leveled, -_PLAIN_CLIP, _PLAIN_CLIP)
    enhanced = np.clip(_MIDDLE + _SWING * filtered * seen + _PLAIN_SWING * plain, 0, 255)
    return Ridges(
        enhanced=enhanced.astype(np.uint8),
        mask=_mask(energy, contrast),
        energy=energy,
        contrast=contrast,
        leveled=leveled,
    )


def _mask(energy: Floats, contrast: Floats) -> NDArray[np.uint8]:
    seen = (energy > MIN_ENERGY) & (contrast > _MIN_CONTRAST * np.percentile(contrast, 90))
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_GAP_PX, _GAP_PX))
    opened = cv2.morphologyEx(seen.astype(np.uint8), cv2.MORPH_OPEN, disk)
    mask: NDArray[np.uint8] = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, disk)
    return mask
