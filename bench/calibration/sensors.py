"""Synthetic sensors whose prints resemble each other: sources that no table was made from and that break its rates.

Measured on real data (docs/fingerprint-matching.md, "Thresholds"): where a threshold did not hold, impostors of one
source passed the alignment gate in 37 to 52 % of comparisons, elsewhere in 23 to 36 %; against other sources they were
like everybody's. These sensors do so for reasons that occur: prints of one pattern class only, very many or very few
minutiae, pictures resized without keeping the aspect, an extractor that knows directions up to pi only and measures
them badly. Each has 60 people of whom nobody's finger is in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from bench.calibration.fingerprint_data import FingerSet, UsableSets
from bioguard.simulate.people.fingers import FingerPopulation
from bioguard.simulate.people.master_fingers import DEFAULT_MASTERS, MasterModel
from bioguard.simulate.people.ridges import FlowModel
from bioguard.simulate.people.touches import DEFAULT, ImpressionModel

PEOPLE: Final = 60
VIEWS: Final = 4
FINGER: Final = 2
LOOPS: Final = FlowModel(shares=(1.0, 0.0, 0.0), ulnar=1.0, variety=0.2)
ARCHES: Final = FlowModel(shares=(0.0, 0.0, 1.0), variety=0.2)
UP_TO_PI: Final = 0.5
"""`MasterModel.downward` of an extractor that does not know which way along a ridge a minutia points."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """A source: what its fingers are like and what it makes of them."""

    name: str
    what: str
    masters: MasterModel = DEFAULT_MASTERS
    impressions: ImpressionModel = DEFAULT

    def data(self, seed: int, people: int = PEOPLE, views: int = VIEWS) -> UsableSets:
        """Its fingers as a set of one extractor."""
        population = FingerPopulation(seed, self.impressions, self.masters)
        templates = list(population.stream((p, FINGER, i) for p in range(people) for i in range(views)))
        numbers = np.repeat(np.arange(people), views)
        names = [f"{self.name}/{number}" for number in numbers]
        return UsableSets([FingerSet(self.name, "", self.name, templates, numbers)], [names], bytes(32))


def _up_to_pi(flow: FlowModel, count: float) -> MasterModel:
    return MasterModel(flow=flow, mean_count=count, sd_count=4.0, downward=UP_TO_PI, polarity_wave=0.0)


SENSORS: Final = (
    Sensor("ordinary", "the synthetic people of the product"),
    Sensor("one-class-dense", "loops only, many minutiae, directions up to pi", _up_to_pi(LOOPS, 109.0)),
    Sensor("arches-dense", "arches only, many minutiae, directions up to pi", _up_to_pi(ARCHES, 112.0)),
    Sensor(
        "few-minutiae", "loops only, a small sensor", _up_to_pi(LOOPS, 92.0),
        ImpressionModel(contact_x=88.0, contact_y=126.0),
    ),
    Sensor(
        "squeezed", "loops only, pictures resized to six sevenths of their width", _up_to_pi(LOOPS, 92.0),
        ImpressionModel(squeeze=0.86),
    ),
    Sensor(
        "second-extractor", "loops only, twice the noise of places and directions, false minutiae",
        _up_to_pi(LOOPS, 112.0), ImpressionModel(jitter=1.5, angle_jitter=0.1, spurious=6.0),
    ),
    Sensor("extreme", "loops only, as many minutiae as fit: worse than any real source", _up_to_pi(LOOPS, 130.0)),
)  # fmt: skip


def sensors(names: tuple[str, ...] = ()) -> Iterator[Sensor]:
    """The named ones, or all."""
    yield from (sensor for sensor in SENSORS if not names or sensor.name in names)
