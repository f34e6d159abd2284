"""Seeded synthetic fingers: impressions of a master map as a sensor and an extractor would report them.

Nobody's finger is in here. Within a finger, impressions differ by placement, contact area, skin distortion, missed and
spurious minutiae and measurement noise, all of it worse for some people, some fingers and some touches; between
fingers everything differs. How real scores compare is in docs/benchmarks.md.

    population = FingerPopulation(seed=1)
    touches = population.impressions(person=7, finger=2, count=4)
    many = population.stream((p, 2, 0) for p in range(100_000))     # lazily, in vectorized batches

Pictures of the same touches: `pictures`. What it does not have: aging, scars, twins, and the tails of real impostor
scores: its error rates below one in a thousand are the model's, not a measurement.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.records import FingerprintTemplate
from bioguard.simulate.people.counter_rng import normals, uniforms
from bioguard.simulate.people.master_fingers import CANDIDATES, DEFAULT_MASTERS, MasterMaps, MasterModel, draw_masters
from bioguard.simulate.people.touches import DEFAULT, ImpressionModel, Touches, draw_touches, item_of, stretch

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BATCH: Final = 256
FOUND, MEASURED, SPURIOUS = range(0x302, 0x305)
MAX_SPURIOUS: Final = 40
MAX_IMPRESSIONS: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class _Seen:
    """Padded minutiae of a batch of impressions before the sensor crops them; frame of `MasterMaps`."""

    x: Floats
    y: Floats
    direction: Floats
    kind: NDArray[np.uint8]
    quality: Floats
    shown: NDArray[np.bool_]


class FingerPopulation:
    """Fingers of one seed. Equal arguments give equal impressions, on any machine."""

    def __init__(self, seed: int, model: ImpressionModel = DEFAULT, masters: MasterModel = DEFAULT_MASTERS) -> None:
        """Fix the population. `seed` is 0 <= seed < 2^64."""
        self._seed = seed
        self._model = model
        self._masters = masters

    def impression(self, person: int, finger: int, number: int) -> FingerprintTemplate:
        """Impression `number` of a finger (ISO/IEC 19794-2 position 1..10) of a person.

        Raises:
            InputRefused: seed, person, finger or number is out of range.
        """
        return next(self.stream([(person, finger, number)]))

    def impressions(self, person: int, finger: int, count: int, *, first: int = 0) -> list[FingerprintTemplate]:
        """Impressions first .. first + count - 1 of a finger. Raises InputRefused as `impression`."""
        return list(self.stream((person, finger, first + i) for i in range(count)))

    def stream(self, which: Iterable[tuple[int, int, int]]) -> Iterator[FingerprintTemplate]:
        """Impressions of (person, finger, number) in order, made in batches; memory does not grow.

        Raises:
            InputRefused: as `impression`.
        """
        batch: list[tuple[int, int, int]] = []
        for address in which:
            batch.append(address)
            if len(batch) == BATCH:
                yield from self._batch(batch)
                batch = []
        if batch:
            yield from self._batch(batch)

    def _batch(self, which: Sequence[tuple[int, int, int]]) -> Iterator[FingerprintTemplate]:
        people, fingers, numbers = np.array(which, dtype=np.int64).T
        if fingers.min() < 1 or fingers.max() > 10 or numbers.min() < 0 or numbers.max() >= MAX_IMPRESSIONS:
            raise InputRefused(
                "finger or impression number is out of range",
                hint="fingers are 1 to 10, impressions 0 to 65535",
                code="synthetic.finger",
            )
        masters = draw_masters(self._seed, people, fingers, self._masters)
        touches = draw_touches(self._seed, self._model, people, fingers, numbers)
        seen = self._seen(masters, touches, people, item_of(fingers, numbers))
        turn, cx, cy = touches.turn, touches.center_x, touches.center_y
        cos, sin = np.cos(turn), np.sin(turn)
        m = self._model
        x = m.width / 2 + cos * (seen.x - cx) - sin * (seen.y - cy)
        y = m.height / 2 - sin * (seen.x - cx) - cos * (seen.y - cy)
        if m.squeeze != 1.0:  # else not a bit may differ
            x = m.width / 2 + m.squeeze * (x - m.width / 2)
        shown = seen.shown & (x >= 0) & (y >= 0) & (x <= m.width - 1) & (y <= m.height - 1)
        angle = seen.direction + turn
        if m.squeeze != 1.0:
            angle = np.arctan2(np.sin(angle), m.squeeze * np.cos(angle))
        angle = angle % (2 * np.pi)
        quality = np.rint(seen.quality).astype(np.uint8)
        for i, mask in enumerate(shown):
            yield FingerprintTemplate.from_minutiae(
                x[i, mask],
                y[i, mask],
                angle[i, mask],
                kind=seen.kind[i, mask],
                quality=quality[i, mask],
                width_px500=m.width,
                height_px500=m.height,
            )

    def _seen(self, masters: MasterMaps, touches: Touches, people: Ints, item: Ints) -> _Seen:
        m, s = self._model, self._seed
        severity = np.exp(touches.log_severity)
        touching = touches.outward(masters.x, masters.y) <= 1
        patch = m.patch * touches.patches(masters.x, masters.y)
        log_odds = m.found + masters.reliability + patch - 1.5 * touches.log_severity
        found = uniforms(s, FOUND, people, item, CANDIDATES) < 1 / (1 + np.exp(-log_odds))

        noise = normals(s, MEASURED, people, item, 4 * CANDIDATES).reshape(len(people), 4, CANDIDATES)
        chance = uniforms(s, MEASURED, people, item + (1 << 20), 2 * CANDIDATES)
        clarity = severity * np.exp(m.clarity_spread * noise[:, 3])
        x, y, bend = stretch(masters.x, masters.y, masters.direction, touches.skin, m.distortion * severity)
        direction = masters.direction + bend + m.angle_jitter * clarity * noise[:, 2]
        direction = direction + np.pi * (chance[:, :CANDIDATES] < m.reversed_share)
        kind = np.where(chance[:, CANDIDATES:] < m.kind_flips, 3 - masters.kind, masters.kind)
        quality = np.clip(100 / (1 + np.exp(-0.8 * log_odds)) + 5 * noise[:, 3], 1, 100)
        own = _Seen(
            x + m.jitter * clarity * noise[:, 0], y + m.jitter * clarity * noise[:, 1], direction,
            kind.astype(np.uint8), quality, masters.present & touching & found,
        )  # fmt: skip
        return _joined(own, self._spurious(masters, touches, people, item))

    def _spurious(self, masters: MasterMaps, touches: Touches, people: Ints, item: Ints) -> _Seen:
        """False minutiae, spread over the contact area along the ridges."""
        u = uniforms(self._seed, SPURIOUS, people, item, 6 * MAX_SPURIOUS).reshape(len(people), 6, MAX_SPURIOUS)
        radius, turn = np.sqrt(u[:, 0]), 2 * np.pi * u[:, 1]
        x = touches.center_x + touches.half_x * radius * np.cos(turn)
        y = touches.center_y + touches.half_y * radius * np.sin(turn)
        direction = masters.flow.at(x, y) + np.pi * (u[:, 2] < 0.5) + 0.8 * (u[:, 3] - 0.5)
        kind = np.where(u[:, 4] < 0.5, 1, 2).astype(np.uint8)
        # a sum of rare events: close to Poisson, and never more than MAX_SPURIOUS
        shown = u[:, 5] < np.minimum(0.9, self._model.spurious * np.exp(touches.log_severity) / MAX_SPURIOUS)
        return _Seen(x, y, direction, kind, np.clip(20 + 60 * u[:, 3] * u[:, 2], 1, 100), shown)


def _joined(a: _Seen, b: _Seen) -> _Seen:
    pairs = ((getattr(a, name), getattr(b, name)) for name in _Seen.__slots__)
    return _Seen(*(np.concatenate(pair, axis=1) for pair in pairs))
