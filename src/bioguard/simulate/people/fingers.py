"""Seeded synthetic fingers: impressions of a master map as a sensor and an extractor would report them.

Nobody's finger is in here. Within a finger, impressions differ by placement, contact area, skin distortion, missed and
spurious minutiae and measurement noise, all of it worse for some people, some fingers and some touches; between
fingers everything differs. How real scores compare is in docs/benchmarks.md.

    population = FingerPopulation(seed=1)
    touches = population.impressions(person=7, finger=2, count=4)
    many = population.stream((p, 2, 0) for p in range(100_000))     # lazily, in vectorized batches

What it does not have: ridges, images, aging, scars, twins, and the tails of real impostor scores: its error rates
below one in a thousand are the model's, not a measurement.
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

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BATCH: Final = 256
PLACEMENT, SKIN, FOUND, MEASURED, SPURIOUS = range(0x300, 0x305)
QUALITY: Final = 0x310
MAX_SPURIOUS: Final = 40
SKIN_WAVES: Final = 3
MAX_IMPRESSIONS: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpressionModel:
    """How impressions of one finger differ. Lengths in pixels at 500 dpi, angles in radians.

    Defaults are fitted so that genuine scores have the quantiles of 160 development impressions (FVC2002 DB1_B,
    FVC2004 DB2_B) under our comparator: `python -m bench realism`.

    Attributes:
        width, height: sensor area, whole pixels.
        rotation: standard deviation of the turn.
        shift_x, shift_y: standard deviation of which part of the fingertip touches.
        contact_x, contact_y: half axes of the contact area; contact_spread: relative standard deviation of each.
        distortion: standard deviation of the smooth skin displacement, before a rigid fit takes its share.
        found: log-odds that a minutia of average reliability is reported; patch: standard deviation of the log-odds
            over damp or dry patches.
        spurious: mean number of minutiae that are not there.
        jitter, angle_jitter: standard deviation of measured position and direction of a minutia of average clarity;
            clarity_spread: standard deviation of the logarithm of both.
        reversed_share, kind_flips: share of directions off by pi and of wrong types.
        severity_person, severity_finger, severity_touch: standard deviation of the log of a factor on distortion,
            spurious and jitter, also taken from the log-odds of being found.
        squeeze: factor on what the sensor reports across the finger: 1, unless a picture was resized without keeping
            its aspect.
    """

    width: int = 300
    height: int = 400
    rotation: float = 0.14
    shift_x: float = 20.0
    shift_y: float = 28.0
    contact_x: float = 112.0
    contact_y: float = 160.0
    contact_spread: float = 0.13
    distortion: float = 3.0
    found: float = 2.6
    patch: float = 1.0
    spurious: float = 3.0
    jitter: float = 0.75
    angle_jitter: float = 0.055
    clarity_spread: float = 0.35
    reversed_share: float = 0.02
    kind_flips: float = 0.2
    severity_person: float = 0.18
    severity_finger: float = 0.15
    severity_touch: float = 0.55
    squeeze: float = 1.0


DEFAULT: Final = ImpressionModel()


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
        seen = self._touch(masters, people, fingers, numbers)
        turn, cx, cy = self._place(people, fingers, numbers)
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

    def _place(self, people: Ints, fingers: Ints, numbers: Ints) -> tuple[Floats, Floats, Floats]:
        """Turn, and the point of the fingertip over the middle of the sensor, each [n, 1]."""
        drawn = normals(self._seed, PLACEMENT, people, _item(fingers, numbers), 5)
        m = self._model
        return m.rotation * drawn[:, :1], m.shift_x * drawn[:, 1:2], m.shift_y * drawn[:, 2:3]

    def _severity(self, people: Ints, fingers: Ints, numbers: Ints) -> Floats:
        """Logarithm of how bad this touch is, [n, 1]."""
        m, s = self._model, self._seed
        total: Floats = (
            m.severity_person * normals(s, QUALITY, people, 0, 1)
            + m.severity_finger * normals(s, QUALITY, people, fingers, 1)
            + m.severity_touch * normals(s, QUALITY + 1, people, _item(fingers, numbers), 1)
        )
        return total

    def _touch(self, masters: MasterMaps, people: Ints, fingers: Ints, numbers: Ints) -> _Seen:
        m, s, item = self._model, self._seed, _item(fingers, numbers)
        log_severity = self._severity(people, fingers, numbers)
        severity = np.exp(log_severity)
        placement = normals(s, PLACEMENT, people, item, 5)
        _, cx, cy = self._place(people, fingers, numbers)
        half_x = m.contact_x * (1 + m.contact_spread * placement[:, 3:4])
        half_y = m.contact_y * (1 + m.contact_spread * placement[:, 4:5])
        skin = normals(s, SKIN, people, item, 5 * (SKIN_WAVES + 1)).reshape(len(people), SKIN_WAVES + 1, 5)

        touching = ((masters.x - cx) / half_x) ** 2 + ((masters.y - cy) / half_y) ** 2 <= 1
        patch = m.patch * np.sqrt(2) * np.sin(_phase(skin[:, SKIN_WAVES], masters.x, masters.y, 45.0))
        log_odds = m.found + masters.reliability + patch - 1.5 * log_severity
        found = uniforms(s, FOUND, people, item, CANDIDATES) < 1 / (1 + np.exp(-log_odds))

        noise = normals(s, MEASURED, people, item, 4 * CANDIDATES).reshape(len(people), 4, CANDIDATES)
        chance = uniforms(s, MEASURED, people, item + (1 << 20), 2 * CANDIDATES)
        clarity = severity * np.exp(m.clarity_spread * noise[:, 3])
        x, y, bend = _stretch(masters.x, masters.y, masters.direction, skin, m.distortion * severity)
        direction = masters.direction + bend + m.angle_jitter * clarity * noise[:, 2]
        direction = direction + np.pi * (chance[:, :CANDIDATES] < m.reversed_share)
        kind = np.where(chance[:, CANDIDATES:] < m.kind_flips, 3 - masters.kind, masters.kind)
        quality = np.clip(100 / (1 + np.exp(-0.8 * log_odds)) + 5 * noise[:, 3], 1, 100)
        own = _Seen(
            x + m.jitter * clarity * noise[:, 0], y + m.jitter * clarity * noise[:, 1], direction,
            kind.astype(np.uint8), quality, masters.present & touching & found,
        )  # fmt: skip
        return _joined(own, self._spurious(masters, people, item, severity, (cx, cy, half_x, half_y)))

    def _spurious(
        self, masters: MasterMaps, people: Ints, item: Ints, severity: Floats, contact: tuple[Floats, ...]
    ) -> _Seen:
        """False minutiae, spread over the contact area along the ridges."""
        cx, cy, half_x, half_y = contact
        u = uniforms(self._seed, SPURIOUS, people, item, 6 * MAX_SPURIOUS).reshape(len(people), 6, MAX_SPURIOUS)
        radius, turn = np.sqrt(u[:, 0]), 2 * np.pi * u[:, 1]
        x, y = cx + half_x * radius * np.cos(turn), cy + half_y * radius * np.sin(turn)
        direction = masters.flow.at(x, y) + np.pi * (u[:, 2] < 0.5) + 0.8 * (u[:, 3] - 0.5)
        kind = np.where(u[:, 4] < 0.5, 1, 2).astype(np.uint8)
        # a sum of rare events: close to Poisson, and never more than MAX_SPURIOUS
        shown = u[:, 5] < np.minimum(0.9, self._model.spurious * severity / MAX_SPURIOUS)
        return _Seen(x, y, direction, kind, np.clip(20 + 60 * u[:, 3] * u[:, 2], 1, 100), shown)


def _item(fingers: Ints, numbers: Ints) -> Ints:
    """Stream address of an impression: finger in the high bits."""
    return (fingers << 24) | numbers


def _phase(row: Floats, x: Floats, y: Floats, length_px: float) -> Floats:
    """Phase of a random plane wave [n, m]; its wavelength is some 4 times length_px."""
    return (row[:, 0:1] * x + row[:, 1:2] * y) / length_px + 2 * np.pi * row[:, 2:3]


def _stretch(x: Floats, y: Floats, direction: Floats, skin: Floats, size_px: Floats) -> tuple[Floats, Floats, Floats]:
    """Displace by a sum of slow waves; returns the new places and how far each direction turned.

    The turn is that of a tangent under the displacement's Jacobian, so flow and places stay consistent.
    """
    tx, ty = np.cos(direction), np.sin(direction)
    new_x, new_y, new_tx, new_ty = x, y, tx, ty
    for wave in range(SKIN_WAVES):
        row = skin[:, wave]
        phase = _phase(row, x, y, 110.0)
        amplitude = size_px * np.sqrt(2 / SKIN_WAVES)
        along = np.cos(phase) * (row[:, 0:1] * tx + row[:, 1:2] * ty) / 110.0
        push_x, push_y = amplitude * row[:, 3:4], amplitude * row[:, 4:5]
        new_x, new_y = new_x + push_x * np.sin(phase), new_y + push_y * np.sin(phase)
        new_tx, new_ty = new_tx + push_x * along, new_ty + push_y * along
    return new_x, new_y, np.arctan2(new_ty, new_tx) - direction


def _joined(a: _Seen, b: _Seen) -> _Seen:
    pairs = ((getattr(a, name), getattr(b, name)) for name in _Seen.__slots__)
    return _Seen(*(np.concatenate(pair, axis=1) for pair in pairs))
