"""Ridge flow of a fingertip: which way ridges run at a point, from its cores and deltas.

Zero-pole model of Sherlock and Monro (A model for interpreting fingerprint topology, Pattern Recognition 26(7), 1993):
orientation is half the sum of the angles to the cores minus half the sum of the angles to the deltas. A slow wave on
top keeps two fingers of one class from sharing one field.

Frame: origin at the center of the fingertip, x to the right, y up, pixels at 500 dpi, angles counter-clockwise.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CLASS_SHARES: Final = (0.656, 0.279, 0.065)
"""Loops, whorls, arches: natural proportions of Wilson, Candela and Watson (NIST, 1994), as usually quoted."""
ULNAR: Final = 0.92
"""Share of loops that open toward the little finger."""
WAVES: Final = 2
UNIFORMS: Final = 3
"""Uniform numbers that one finger takes."""
NORMALS: Final = 8 + 4 * WAVES
"""Normal numbers that one finger takes."""
WAVE_RAD: Final = 0.14
"""Standard deviation of the slow wave, 8 degrees."""
PLACE_PX: Final = (12.0, 14.0), (16.0, 18.0)
"""Standard deviation of the places of cores and of deltas, x and y."""
FIRST_RIGHT_LITTLE: Final = 5
"""Positions 1..5 are the right hand (ISO/IEC 19794-2:2005 table 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowModel:
    """How the ridge flows of a population differ.

    Attributes:
        shares: of loops, whorls and arches.
        ulnar: share of loops that open toward the little finger.
        variety: factor on what makes two fingers of one class differ: places of cores and deltas, slow waves.
    """

    shares: tuple[float, float, float] = CLASS_SHARES
    ulnar: float = ULNAR
    variety: float = 1.0


NATURAL: Final = FlowModel()


@dataclass(frozen=True, slots=True)
class RidgeFlow:
    """Ridge flow of n fingers.

    Attributes:
        poles: float64 [n, 4, 3]: x, y in pixels and weight of two cores (+1 or 0) and two deltas (-1 or 0).
        waves: float64 [n, WAVES, 4]: direction cosines per pixel (x, y), phase, amplitude in radians.
    """

    poles: Floats
    waves: Floats

    def at(self, x: Floats, y: Floats) -> Floats:
        """Orientation at x, y [n, m] in radians, defined up to multiples of pi."""
        total = np.zeros_like(x)
        for pole in range(4):
            px, py, weight = (self.poles[:, pole, i][:, None] for i in range(3))
            total += 0.5 * weight * np.arctan2(y - py, x - px)
        for wave in range(WAVES):
            kx, ky, phase, amplitude = (self.waves[:, wave, i][:, None] for i in range(4))
            total += amplitude * np.sin(kx * x + ky * y + phase)
        return total


def draw_flow(uniform: Floats, normal: Floats, position: NDArray[np.int64], model: FlowModel = NATURAL) -> RidgeFlow:
    """Draw the flow of n fingers.

    Args:
        uniform: [n, UNIFORMS] in (0, 1).
        normal: [n, NORMALS] standard normal.
        position: int64 [n], 1..10.
        model: how they differ.
    """
    n = len(uniform)
    loop = uniform[:, 0] < model.shares[0]
    whorl = ~loop & (uniform[:, 0] < model.shares[0] + model.shares[1])
    arch = ~loop & ~whorl
    right = position <= FIRST_RIGHT_LITTLE
    # seen on the sensor, the little finger's side of a right hand is on the right; the delta lies opposite
    side = np.where(right == (uniform[:, 1] < model.ulnar), -1.0, 1.0)
    poles = np.zeros((n, 4, 3))
    poles[:, 0, 1] = np.where(whorl, 60.0, np.where(arch, -55.0, 55.0))
    poles[:, 0, 2] = 1.0
    poles[:, 1, 1] = 10.0
    poles[:, 1, 2] = whorl
    poles[:, 2, 0] = np.where(arch, 0.0, 100.0 * side)
    poles[:, 2, 1] = np.where(arch, -110.0, -105.0)
    poles[:, 2, 2] = -1.0
    poles[:, 3, 0] = -100.0 * side
    poles[:, 3, 1] = -105.0
    poles[:, 3, 2] = -1.0 * whorl
    places = model.variety * np.array([PLACE_PX[0]] * 2 + [PLACE_PX[1]] * 2)
    poles[:, :, :2] += normal[:, :8].reshape(n, 4, 2) * places
    rest = normal[:, 8:].reshape(n, WAVES, 4)
    waves = np.empty((n, WAVES, 4))
    waves[:, :, :2] = rest[:, :, :2] / 70.0  # wavelengths of some 300 px: the size of the fingertip
    waves[:, :, 2] = 2 * np.pi * rest[:, :, 2]
    waves[:, :, 3] = model.variety * WAVE_RAD * rest[:, :, 3]
    return RidgeFlow(poles, waves)
