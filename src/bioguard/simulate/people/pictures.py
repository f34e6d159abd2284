"""Pictures of the touches of synthetic fingers, as a sensor of 500 dpi would take them. Nobody's finger is in here.

The ridges of a finger are grown once (`ridge_growth`); each touch shows them turned, shifted, stretched and cut off as
`FingerPopulation` says of the same touch, damp or dry, over pores, grain and an uneven ground. What an extractor then
finds in it is its own: the noise is that of the picture, not of `FingerPopulation`.

    pictures = FingerPictures(seed=1)
    pixels = pictures.picture(person=7, finger=2, number=0)        # uint8 [400, 300]
    truth = pictures.truth(person=7, finger=2, number=0)           # the minutiae that it was grown from

Equal arguments give equal pictures on one machine; on another, whose sines and transforms round otherwise, a pixel may
be a shade away.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.records import FingerprintTemplate
from bioguard.simulate.people.counter_rng import normals, uniforms
from bioguard.simulate.people.fingers import FingerPopulation
from bioguard.simulate.people.master_fingers import DEFAULT_MASTERS, MasterModel, draw_masters
from bioguard.simulate.people.ridge_growth import RidgeMap, grow
from bioguard.simulate.people.touches import DEFAULT, ImpressionModel, Touches, draw_touches, item_of, unstretch

Floats = NDArray[np.float64]

PERIOD, PORES, MOOD, GRAIN = range(0x320, 0x324)
PERIOD_PX: Final = 9.0
PERIOD_SD_PX: Final = 0.5
"""From ridge to ridge at 500 dpi: 0.46 mm, and how fingers differ in it; within three standard deviations."""
PORE_CELL_PX: Final = 9
"""Pores lie about as far from each other as ridges do."""
PORE_RADIUS_PX: Final = 0.9
FINE_PX: Final = 0.8
COARSE_PX: Final = 3.0
"""Standard deviation of the smoothing of noise: of the sensor, and of what covers part of a ridge."""
SEVERITY_SHARE: Final = 0.7
"""Power of a touch's severity that makes its grain."""
CACHED_FINGERS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a sensor pictures skin. Ridge heights run from -1 (valley) to 1 (ridge).

    Attributes:
        moisture: standard deviation over touches of what is added to heights: damp ridges run together, dry ones break.
        patch: the same, over patches of one touch.
        grain: standard deviation of noise on heights at average severity.
        pores: depth of a pore.
        sharpness: steepness from valley to ridge.
        ground, valley, ridge: gray levels; spread: relative standard deviation over touches of the contrast.
        noise: standard deviation of the sensor's own noise in gray levels.
    """

    moisture: float = 0.25
    patch: float = 0.25
    grain: float = 0.5
    pores: float = 0.8
    sharpness: float = 3.0
    ground: float = 228.0
    valley: float = 205.0
    ridge: float = 45.0
    spread: float = 0.15
    noise: float = 3.0


NATURAL: Final = Look()
CLEAN: Final = Look(moisture=0, patch=0, grain=0, pores=0, spread=0, noise=0)
"""What a perfect sensor would show of clean, moist skin."""


class FingerPictures:
    """Pictures of the fingers of one seed."""

    def __init__(
        self,
        seed: int,
        look: Look = NATURAL,
        model: ImpressionModel = DEFAULT,
        masters: MasterModel = DEFAULT_MASTERS,
    ) -> None:
        """Fix the population. `seed`, `model` and `masters` as for `FingerPopulation`."""
        self._seed = seed
        self._look = look
        self._model = model
        self._masters = masters
        exact = replace(
            model, found=60.0, patch=0.0, spurious=0.0, jitter=0.0, angle_jitter=0.0, reversed_share=0.0, kind_flips=0.0
        )
        self._truth = FingerPopulation(seed, exact, masters)

    def truth(self, person: int, finger: int, number: int) -> FingerprintTemplate:
        """The minutiae that the ridges of this touch were grown from, where the picture shows them.

        Raises:
            InputRefused: as `FingerPopulation.impression`.
        """
        return self._truth.impression(person, finger, number)

    def picture(self, person: int, finger: int, number: int) -> NDArray[np.uint8]:
        """Touch `number` of a finger, uint8 [model.height, model.width], dark ridges.

        Raises:
            InputRefused: as `FingerPopulation.impression`.
        """
        self.truth(person, finger, number)  # refuses what is out of range
        people, fingers, numbers = (np.array([i], np.int64) for i in (person, finger, number))
        touches = draw_touches(self._seed, self._model, people, fingers, numbers)
        x, y = self._skin(touches)
        heights = _ridges(self._seed, person, finger, self._masters, self._look.pores).at(x, y)
        return self._seen(heights, touches, (x, y), person, int(item_of(fingers, numbers)[0]))

    def _skin(self, touches: Touches) -> tuple[Floats, Floats]:
        """The place of the skin at rest that each pixel shows, [h, w] each."""
        m = self._model
        column, row = np.meshgrid(np.arange(m.width, dtype=np.float64), np.arange(m.height, dtype=np.float64))
        right, up = (column - m.width / 2) / m.squeeze, m.height / 2 - row
        turn = touches.turn[0, 0]
        x = np.cos(turn) * right + np.sin(turn) * up + touches.center_x[0, 0]
        y = np.cos(turn) * up - np.sin(turn) * right + touches.center_y[0, 0]
        size = m.distortion * np.exp(touches.log_severity)
        at_rest = unstretch(x.reshape(1, -1), y.reshape(1, -1), touches.skin, size)
        return at_rest[0].reshape(x.shape), at_rest[1].reshape(x.shape)

    def _seen(
        self, heights: Floats, touches: Touches, place: tuple[Floats, Floats], person: int, item: int
    ) -> NDArray[np.uint8]:
        look, shape = self._look, heights.shape
        flat = [axis.reshape(1, -1) for axis in place]
        severity = float(np.exp(SEVERITY_SHARE * touches.log_severity[0, 0]))
        mood = normals(self._seed, MOOD, person, item, 4)[0]
        noise = normals(self._seed, GRAIN, person, item, 3 * heights.size)[0].reshape(3, *shape)
        fine, coarse = _smoothed(noise[0], FINE_PX), _smoothed(noise[1], COARSE_PX)
        patches = touches.patches(flat[0], flat[1]).reshape(shape)
        damp = look.moisture * mood[0] + look.patch * patches
        rough = look.grain * severity * (0.6 * fine + 0.8 * coarse)
        ink = 1 / (1 + np.exp(-look.sharpness * (heights + damp + rough)))
        outward = np.sqrt(touches.outward(flat[0], flat[1]).reshape(shape))
        rim = float(np.minimum(touches.half_x, touches.half_y)[0, 0])
        contact = 1 / (1 + np.exp(-(rim * (1 - outward) + 3 * look.grain * coarse)))
        contrast = np.clip(1 + look.spread * mood[1], 0.5, 1.2)
        slope = look.noise * (
            mood[2] * np.linspace(-1, 1, shape[1])[None] + mood[3] * np.linspace(-1, 1, shape[0])[:, None]
        )
        skin = look.valley - contrast * (look.valley - look.ridge) * ink
        gray = look.ground + (skin - look.ground) * contact + slope + look.noise * noise[2]
        pixels: NDArray[np.uint8] = np.clip(np.rint(gray), 0, 255).astype(np.uint8)
        return pixels


@lru_cache(maxsize=CACHED_FINGERS)
def _ridges(seed: int, person: int, finger: int, masters: MasterModel, pore_depth: float) -> RidgeMap:
    """Ridges of a finger with their pores."""
    people, fingers = np.array([person], np.int64), np.array([finger], np.int64)
    period = PERIOD_PX + PERIOD_SD_PX * float(np.clip(normals(seed, PERIOD, person, finger, 1)[0, 0], -3, 3))
    grown = grow(draw_masters(seed, people, fingers, masters), period)
    return RidgeMap(grown.values - pore_depth * _pores(seed, person, finger, grown.values))


def _pores(seed: int, person: int, finger: int, values: Floats) -> Floats:
    """Depth 0..1 of pores in the middle of ridges, one in each cell that has a ridge where it would lie."""
    h, w = values.shape
    rows, columns = h // PORE_CELL_PX, w // PORE_CELL_PX
    u = uniforms(seed, PORES, person, finger, 2 * rows * columns)[0].reshape(2, rows, columns)
    row = ((np.arange(rows)[:, None] + u[0]) * PORE_CELL_PX).astype(np.intp)
    column = ((np.arange(columns)[None] + u[1]) * PORE_CELL_PX).astype(np.intp)
    holes = np.zeros((h, w))
    holes[row, column] = np.clip(values[row, column], 0, 1)
    depth: Floats = _blurred(holes, PORE_RADIUS_PX) * (2 * np.pi * PORE_RADIUS_PX**2)
    return depth


def _blurred(values: Floats, sd_px: float) -> Floats:
    """Gaussian blur; edges meet the opposite ones."""
    v, u = np.fft.fftfreq(values.shape[0])[:, None], np.fft.rfftfreq(values.shape[1])[None]
    blurred: Floats = np.fft.irfft2(
        np.fft.rfft2(values) * np.exp(-2 * np.pi**2 * sd_px**2 * (u * u + v * v)), s=values.shape
    )
    return blurred


def _smoothed(noise: Floats, sd_px: float) -> Floats:
    """White noise of variance 1, smoothed and brought back to it."""
    smoothed: Floats = _blurred(noise, sd_px) * (2 * np.sqrt(np.pi) * sd_px)
    return smoothed
