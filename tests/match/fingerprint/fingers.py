"""Fingers for the tests: synthetic impressions and exact motions of them."""

from functools import cache

import numpy as np

from bioguard.records import FingerprintTemplate
from bioguard.simulate.people.fingers import FingerPopulation

POPULATION = FingerPopulation(7)


@cache
def impression(person: int, number: int = 0) -> FingerprintTemplate:
    return POPULATION.impression(person, 2, number)


def template(x: object, y: object, angle: object, size: int = 1200) -> FingerprintTemplate:
    return FingerprintTemplate.from_minutiae(x, y, angle, width_px500=size, height_px500=size)  # type: ignore[arg-type]


def moved(t: FingerprintTemplate, turn: float, dx: float, dy: float) -> FingerprintTemplate:
    """The print turned counter-clockwise about its center, y down, and shifted, on a plate that holds it."""
    x, y = t.x_px500 - t.x_px500.mean(), t.y_px500 - t.y_px500.mean()
    c, s = np.cos(turn), np.sin(turn)
    return template(c * x + s * y + 600 + dx, -s * x + c * y + 600 + dy, t.angle_rad + turn)


def shuffled(t: FingerprintTemplate, seed: int) -> FingerprintTemplate:
    order = np.random.default_rng(seed).permutation(len(t))
    return FingerprintTemplate.from_minutiae(
        t.x_px500[order], t.y_px500[order], t.angle_rad[order], width_px500=t.width_px500, height_px500=t.height_px500
    )


def noise(n: int, seed: int, size: int = 400) -> FingerprintTemplate:
    rng = np.random.default_rng(seed)
    return template(rng.random(n) * size, rng.random(n) * size, rng.random(n) * 2 * np.pi)
