"""Whether a vector can be a face embedding of a centered model at all: told from the vector alone.

Cosine similarity compares directions, so it needs vectors that lie around the origin. What is added to every component
of every vector (the zero point of a quantized model, an offset, a ReLU, a constant instead of a face) is the same for
everybody: strangers become alike, and all of them match. The built-in models are centered.

Numbers of one sign only are told at once: 64 of them by chance have a probability of 1e-19. The other tests ask for one
coordinate of the unit vector v, v . 1/sqrt(d) or its largest component. For a direction that is uniform on the sphere,
t = c sqrt(d - 1) / sqrt(1 - c^2) of a coordinate c follows Student's t distribution with d - 1 degrees of freedom,
whatever d is; so one limit on t serves every dimension.

How often a good vector is refused for its mean: 5e-6 of uniform directions at d = 64, 1e-6 at d = 512 (Student's t),
twice that where a model's spread is uneven: none of 6 180 LFW embeddings of EdgeFace-XS (largest t 4.2; standard
deviation 1.02), none of 400 000 synthetic ones of both presets, 2 of a further 200 000 of the 128-dimensional one.
"""

from enum import StrEnum, unique
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

MAX_COMMON_T: Final = 5.0
"""Of the mean direction. At d = 512 a cosine of 0.217 with the all-ones vector: it raises the cosine of two strangers
by 0.047 at most, less than from one decade of the false match rate to the next (`match/profiles/`)."""
MAX_COMPONENT_T: Final = 8.0
"""Of the largest of d components. LFW: at most 5.2. A row number written in front of the values
(pandas) reaches it where it holds more than 11 % of the energy at d = 512."""
CONSTANT_REST: Final = 1e-5
"""Energy besides the mean below which all components are the same; float16 rounding alone leaves less than 3e-7."""


@unique
class Flaw(StrEnum):
    """Why a vector is no embedding of a centered model. The value is a phrase for people."""

    CONSTANT = "constant: all numbers are the same"
    NOT_CENTERED = "not centered, or quantized with a zero point"
    ONE_COMPONENT = "made of one number, such as a row number, with the rest next to nothing"


def common_limit(dimension: int, t: float = MAX_COMMON_T) -> float:
    """The cosine with one fixed direction, for instance all ones, that a vector of this dimension may have at most."""
    return float(t / np.sqrt(dimension - 1 + t * t))


def flaw_of(vector: ArrayLike) -> Flaw | None:
    """What is wrong with a vector of any scale and number type, [d] with d >= 2, finite; None if nothing is."""
    values = np.asarray(vector, dtype=np.float64)
    peak = float(np.abs(values).max())
    if peak == 0.0:
        return Flaw.CONSTANT
    unit = values / peak
    unit /= np.linalg.norm(unit)
    common = abs(float(unit.sum())) / np.sqrt(unit.size)
    one_sided = unit.min() >= 0 or unit.max() <= 0
    if 1.0 - common * common < CONSTANT_REST:
        return Flaw.CONSTANT
    if one_sided or common > common_limit(unit.size):
        return Flaw.NOT_CENTERED
    if float(np.abs(unit).max()) > common_limit(unit.size, MAX_COMPONENT_T):
        return Flaw.ONE_COMPONENT
    return None
