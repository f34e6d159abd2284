"""Master maps: every minutia a finger has, of which an impression shows some.

Fitted to pooled statistics of 320 development impressions (FVC2002 DB1_B, DB3_B, FVC2004 DB2_B, DB3_B; 500 dpi):
8 to 11 minutiae in 10^4 px^2 of their hull, nearest neighbor at 21 px in the median and 7 px at 5 %, 58 % endings.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.simulate.people.counter_rng import normals, uniforms
from bioguard.simulate.people.ridges import NATURAL, NORMALS, UNIFORMS, FlowModel, RidgeFlow, draw_flow

Floats = NDArray[np.float64]

HALF_WIDTH_PX: Final = 170.0
HALF_HEIGHT_PX: Final = 235.0
"""Half axes of the skin a sensor may see: 17 x 24 mm."""
MEAN_COUNT: Final = 92.0
SD_COUNT: Final = 12.0
MIN_COUNT: Final = 50
MAX_COUNT: Final = 136
"""Minutiae of the whole area: 7.3 in 10^4 px^2, 0.28 per square millimeter."""
CANDIDATES: Final = 220
"""Places tried for one finger; enough for MAX_COUNT in the ellipse at this density."""
HARD_CORE_PX: Final = 7.0
"""Least distance of two minutiae, just under a ridge period of 9 px."""
ENDING_SHARE: Final = 0.58
DIRECTION_SD_RAD: Final = 0.12
"""Ridges bend next to a minutia: 7 degrees off the flow."""
DOWNWARD: Final = 0.14
"""Above the delta, minutiae rather point down the finger: 64 %, not 50 %."""
DOWNWARD_FROM_PX: Final = -60.0
POLARITY_WAVE: Final = 0.3
"""Neighbors point the same way more often than the opposite: 60 to 40 within 60 px."""
POLARITY_LENGTH_PX: Final = 60.0
RELIABILITY_SD: Final = 1.1
"""Log-odds by which minutiae differ in being found at all."""
SHAPE_NORMALS: Final = 4
SHAPE, PLACES, FLOW, KINDS = range(0x200, 0x204)


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterModel:
    """How the fingers of a population differ, and what an extractor makes of their directions.

    Attributes:
        flow: of their ridges.
        mean_count, sd_count: minutiae of the whole area.
        downward: how much more minutiae from DOWNWARD_FROM_PX up point down the finger; 0.5: all of them do, as with an
            extractor that knows directions up to pi only.
        polarity_wave: how much more neighbors point the same way.
    """

    flow: FlowModel = NATURAL
    mean_count: float = MEAN_COUNT
    sd_count: float = SD_COUNT
    downward: float = DOWNWARD
    polarity_wave: float = POLARITY_WAVE


DEFAULT_MASTERS: Final = MasterModel()


@dataclass(frozen=True, slots=True)
class MasterMaps:
    """Minutiae of n fingers, padded to m columns.

    Attributes:
        x, y: float64 [n, m], pixels at 500 dpi from the fingertip's center, y up.
        direction: float64 [n, m], radians counter-clockwise.
        kind: uint8 [n, m], 1 ridge ending, 2 bifurcation.
        reliability: float64 [n, m], log-odds of being found, mean zero.
        present: bool [n, m], False for padding.
        flow: ridge flow of the same fingers.
    """

    x: Floats
    y: Floats
    direction: Floats
    kind: NDArray[np.uint8]
    reliability: Floats
    present: NDArray[np.bool_]
    flow: RidgeFlow


def draw_masters(
    seed: int, people: NDArray[np.int64], position: NDArray[np.int64], model: MasterModel = DEFAULT_MASTERS
) -> MasterMaps:
    """Draw the maps of fingers `position` (1..10) of `people`, both int64 [n]."""
    flow = draw_flow(
        uniforms(seed, FLOW, people, position, UNIFORMS), normals(seed, FLOW, people, position + 16, NORMALS),
        position, model.flow,
    )  # fmt: skip
    drawn = uniforms(seed, KINDS, people, position, 2 * CANDIDATES)
    bend = normals(seed, KINDS, people, position + 16, 2 * CANDIDATES)
    shape = normals(seed, SHAPE, people, position, SHAPE_NORMALS)
    x, y, present = _scatter(seed, people, position, np.rint(model.mean_count + model.sd_count * shape[:, 0]))
    along = flow.at(x, y)
    wave = np.sin((shape[:, 1:2] * x + shape[:, 2:3] * y) / POLARITY_LENGTH_PX + 2 * np.pi * shape[:, 3:4])
    down = drawn[:, :CANDIDATES] < 0.5 + model.downward * (y > DOWNWARD_FROM_PX) + model.polarity_wave * wave
    reverse = down == (np.sin(along) > 0)
    return MasterMaps(
        x=x,
        y=y,
        direction=along + np.pi * reverse + DIRECTION_SD_RAD * bend[:, :CANDIDATES],
        kind=np.where(drawn[:, CANDIDATES:] < ENDING_SHARE, 1, 2).astype(np.uint8),
        reliability=RELIABILITY_SD * bend[:, CANDIDATES:],
        present=present,
        flow=flow,
    )


def _scatter(
    seed: int, people: NDArray[np.int64], position: NDArray[np.int64], wanted: Floats
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Places in the ellipse, one after the other, each refused within HARD_CORE_PX of an earlier one."""
    n = len(people)
    wanted = np.clip(wanted, MIN_COUNT, MAX_COUNT)
    u = uniforms(seed, PLACES, people, position, 2 * CANDIDATES)
    radius, turn = np.sqrt(u[:, :CANDIDATES]), 2 * np.pi * u[:, CANDIDATES:]
    x, y = HALF_WIDTH_PX * radius * np.cos(turn), HALF_HEIGHT_PX * radius * np.sin(turn)
    present = np.zeros((n, CANDIDATES), bool)
    kept = np.zeros(n)
    for j in range(CANDIDATES):
        near = (x[:, :j] - x[:, j : j + 1]) ** 2 + (y[:, :j] - y[:, j : j + 1]) ** 2 < HARD_CORE_PX**2
        present[:, j] = (kept < wanted) & ~(near & present[:, :j]).any(axis=1)
        kept += present[:, j]
    return x, y, present
