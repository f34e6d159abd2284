"""Ridges of a finger, grown from its minutiae along its flow.

As Cappelli, Maio, Lumini and Maltoni (Fingerprint image reconstruction from standard templates, PAMI 29(9), 2007): an
image that holds a small pattern round each minutia is filtered again and again with Gabor kernels that lie along the
flow, until ridges cover the skin. The pattern is a plane wave with one turn of phase more round the minutia (Larkin and
Fletcher, Optics Express 15(14), 2007), so ridges end and fork where the finger's minutiae are, with their direction and
kind. They are put back after each round: growth alone moves them.

Where ridges that grew from two sides do not meet, others arise, nearly as many again as the finger's own: a flow that
converges cannot be covered without. They belong to the finger as well: each of its touches shows them.

Frame of `MasterMaps`: origin at the fingertip's center, y up, pixels at 500 dpi.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.simulate.people.master_fingers import HALF_HEIGHT_PX, HALF_WIDTH_PX, MasterMaps

Floats = NDArray[np.float64]

STEP_PX: Final = 2
"""Between nodes: four and a half to a ridge period, so the map is known between them as well."""
HALF_X_PX: Final = HALF_WIDTH_PX + 26
HALF_Y_PX: Final = HALF_HEIGHT_PX + 26
"""Half sides of the map; beyond the skin that a sensor may see lies what distortion moves in."""
PADDING: Final = 16
"""Nodes on each side, so that what grows at one edge of the map is not seen at the other."""
ORIENTATIONS: Final = 24
ALONG_PX: Final = 2.5
ACROSS_PX: Final = 6.0
"""Standard deviation of the kernel: short along the ridge keeps ends sharp, wide across keeps the period."""
ROUNDS: Final = 20
"""From seeds some 20 px apart; an extractor finds as much after 15 or 25."""
GAIN: Final = 3.0
SEED_PX: Final = 7.0
"""Standard deviation of the pattern round a minutia. This number, the next, ALONG_PX and ACROSS_PX were chosen so that
an extractor finds the minutiae: MINDTCT 81 % of 896 on 24 clean touches, 79 to 82 % with one of them a sixth off."""
NEIGHBOR_PX: Final = 25.0
"""Within it neighbors are part of a minutia's pattern."""
BEND_PX: Final = 11.0
"""How far ridges bend with a minutia that is off the flow."""


@dataclass(frozen=True, slots=True)
class RidgeMap:
    """Ridges of one finger's skin at rest.

    Attributes:
        values: float64 [h, w], 1 in the middle of a ridge, -1 in a valley; node [0, 0] is at (-HALF_X_PX, -HALF_Y_PX),
            rows go up, nodes are one pixel apart.
    """

    values: Floats

    def at(self, x: Floats, y: Floats) -> Floats:
        """The map at x, y of any shape, linear between nodes; outside as at the edge."""
        h, w = self.values.shape
        column, row = np.clip(x + HALF_X_PX, 0, w - 1.001), np.clip(y + HALF_Y_PX, 0, h - 1.001)
        left, low = column.astype(np.intp), row.astype(np.intp)
        to_right, up = column - left, row - low
        v = self.values
        below = v[low, left] * (1 - to_right) + v[low, left + 1] * to_right
        above = v[low + 1, left] * (1 - to_right) + v[low + 1, left + 1] * to_right
        between: Floats = below * (1 - up) + above * up
        return between


def grow(master: MasterMaps, period_px: float) -> RidgeMap:
    """Grow the ridges of one finger.

    Args:
        master: map of one finger.
        period_px: from ridge to ridge.
    """
    x, y = np.meshgrid(np.arange(-HALF_X_PX, HALF_X_PX, STEP_PX), np.arange(-HALF_Y_PX, HALF_Y_PX, STEP_PX))
    shown = master.present[0]
    mx, my, direction = master.x[0, shown], master.y[0, shown], master.direction[0, shown]
    flow = _bent_flow(master, x, y, mx, my, direction)
    pattern, weight = _seeds(x, y, (mx, my, direction, master.kind[0, shown]), period_px)
    kernels = _kernels((x.shape[0] + 2 * PADDING, x.shape[1] + 2 * PADDING), period_px)
    which = np.rint(flow / np.pi * ORIENTATIONS).astype(np.int64) % ORIENTATIONS
    values = weight * pattern
    for _ in range(ROUNDS):
        values = weight * pattern + (1 - weight) * np.tanh(GAIN * _filtered(values, kernels, which))
    # the last round is linear: overtones of a steep ridge would alias on these nodes and make it wavy
    smooth = weight * pattern + (1 - weight) * _filtered(values, kernels, which)
    return RidgeMap(_twice_as_fine(smooth))


def _bent_flow(master: MasterMaps, x: Floats, y: Floats, mx: Floats, my: Floats, direction: Floats) -> Floats:
    """The flow on the nodes, bent near minutiae that do not lie along it."""
    flow = master.flow.at(x.reshape(1, -1), y.reshape(1, -1)).reshape(x.shape)
    off = direction - master.flow.at(mx[None], my[None])[0]
    off = (off + np.pi / 2) % np.pi - np.pi / 2
    for px, py, bend in zip(mx, my, off, strict=True):
        flow = flow + bend * np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * BEND_PX**2))
    return flow


def _seeds(
    x: Floats, y: Floats, minutiae: tuple[Floats, Floats, Floats, NDArray[np.uint8]], period_px: float
) -> tuple[Floats, Floats]:
    """The pattern of the nearest minutia at each node, and its weight 0..1."""
    mx, my, direction, kind = minutiae
    away = (x[None] - mx[:, None, None]) ** 2 + (y[None] - my[:, None, None]) ** 2
    nearest = away.argmin(axis=0)
    dx, dy, turn = x - mx[nearest], y - my[nearest], direction[nearest]
    ahead, aside = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    # ahead of it there is one ridge more; its middle lies there where the ridge ends, and a valley's where it forks
    phase = 2 * np.pi * aside / period_px + np.arctan2(aside, ahead) + np.pi * (kind[nearest] - 1.0)
    # its neighbors turn it as well, else the patterns of two of them would not meet between them
    place, z = mx + 1j * my, x + 1j * y
    for j, (px, py, turn_j) in enumerate(zip(mx, my, direction, strict=True)):
        near = (np.abs(place[nearest] - (px + 1j * py)) < NEIGHBOR_PX) & (nearest != j)
        sign = np.where(np.cos(turn_j - turn) > 0, 1.0, -1.0)
        seen = (z - (px + 1j * py)) * np.conj(place[nearest] - (px + 1j * py))
        phase = phase + np.where(near, sign * np.angle(seen), 0.0)
    return np.cos(phase), np.exp(-away.min(axis=0) / (2 * SEED_PX**2))


def _kernels(shape: tuple[int, int], period_px: float) -> Floats:
    """Spectra of even Gabor kernels without mean, [ORIENTATIONS, h, w // 2 + 1], gain 1 at the ridge period."""
    v, u = np.fft.fftfreq(shape[0], STEP_PX)[:, None], np.fft.rfftfreq(shape[1], STEP_PX)[None]
    kernels = np.empty((ORIENTATIONS, shape[0], shape[1] // 2 + 1))
    for k in range(ORIENTATIONS):
        c, s = np.cos(np.pi * k / ORIENTATIONS), np.sin(np.pi * k / ORIENTATIONS)
        along, across = ALONG_PX * (u * c + v * s), ACROSS_PX * (v * c - u * s)
        middle = ACROSS_PX / period_px
        up, down = ((across - sign * middle) ** 2 + along**2 for sign in (1, -1))
        mean = across**2 + middle**2 + along**2
        kernels[k] = sum(
            weight * np.exp(-2 * np.pi**2 * size) for weight, size in ((1.0, up), (1.0, down), (-2.0, mean))
        )
    return kernels


def _filtered(values: Floats, kernels: Floats, which: NDArray[np.int64]) -> Floats:
    """Each node filtered with its own kernel."""
    padded = np.pad(values, PADDING)
    spectrum = np.fft.rfft2(padded)
    out = np.empty_like(values)
    for k in range(ORIENTATIONS):
        mine = which == k
        out[mine] = np.fft.irfft2(spectrum * kernels[k], s=padded.shape)[PADDING:-PADDING, PADDING:-PADDING][mine]
    return out


def _twice_as_fine(values: Floats) -> Floats:
    """Nodes at half the distance: the spectrum with zeros above its highest frequency."""
    h, w = values.shape
    spectrum = np.fft.fftshift(np.fft.fft2(values))
    top, left = (2 * h) // 2 - h // 2, (2 * w) // 2 - w // 2
    wide = np.zeros((2 * h, 2 * w), np.complex128)
    wide[top : top + h, left : left + w] = spectrum
    fine: Floats = 4 * np.fft.ifft2(np.fft.ifftshift(wide)).real
    return fine
