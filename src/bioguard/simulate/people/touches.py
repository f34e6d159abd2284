"""Touches: where a finger lies on the sensor, how much of it touches, how its skin is drawn, and how bad it all is.

What an extractor reports of a touch (`fingers`) and what its picture shows (`pictures`) are made of the same draws, so
that minutiae of one lie on ridges of the other.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.simulate.people.counter_rng import normals

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PLACEMENT: Final = 0x300
SKIN: Final = 0x301
QUALITY: Final = 0x310
SKIN_WAVES: Final = 3
SKIN_PX: Final = 110.0
PATCH_PX: Final = 45.0
"""Lengths of the waves that draw the skin and of damp or dry patches."""
UNSTRETCH_ROUNDS: Final = 8
"""From some 10 px. Of 1 500 touches, the worst place of 99 in a hundred is off by 0.001 px after them, of one by 3 px:
a very bad touch folds the skin nearly over."""


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
class Touches:
    """Where n touches are and what they do to the skin; frame of `MasterMaps`.

    Attributes:
        turn: float64 [n, 1].
        center_x, center_y: float64 [n, 1], the point of the fingertip over the middle of the sensor.
        half_x, half_y: float64 [n, 1], half axes of the contact area.
        log_severity: float64 [n, 1], logarithm of how bad a touch is.
        skin: float64 [n, SKIN_WAVES + 1, 5], waves that draw the skin; the last one is that of the patches.
    """

    turn: Floats
    center_x: Floats
    center_y: Floats
    half_x: Floats
    half_y: Floats
    log_severity: Floats
    skin: Floats

    def outward(self, x: Floats, y: Floats) -> Floats:
        """How far out a place of the skin [n, m] is, squared: 1 at the rim of the contact area."""
        return ((x - self.center_x) / self.half_x) ** 2 + ((y - self.center_y) / self.half_y) ** 2

    def patches(self, x: Floats, y: Floats) -> Floats:
        """How damp or dry the skin is at x, y [n, m]; mean 0, variance 1."""
        patches: Floats = np.sqrt(2) * np.sin(_phase(self.skin[:, SKIN_WAVES], x, y, PATCH_PX))
        return patches


def draw_touches(seed: int, model: ImpressionModel, people: Ints, fingers: Ints, numbers: Ints) -> Touches:
    """Draw touch `numbers` of `fingers` (1..10) of `people`, each int64 [n]."""
    m, item = model, item_of(fingers, numbers)
    placement = normals(seed, PLACEMENT, people, item, 5)
    log_severity = (
        m.severity_person * normals(seed, QUALITY, people, 0, 1)
        + m.severity_finger * normals(seed, QUALITY, people, fingers, 1)
        + m.severity_touch * normals(seed, QUALITY + 1, people, item, 1)
    )
    return Touches(
        turn=m.rotation * placement[:, :1],
        center_x=m.shift_x * placement[:, 1:2],
        center_y=m.shift_y * placement[:, 2:3],
        half_x=m.contact_x * (1 + m.contact_spread * placement[:, 3:4]),
        half_y=m.contact_y * (1 + m.contact_spread * placement[:, 4:5]),
        log_severity=log_severity,
        skin=normals(seed, SKIN, people, item, 5 * (SKIN_WAVES + 1)).reshape(len(people), SKIN_WAVES + 1, 5),
    )


def item_of(fingers: Ints, numbers: Ints) -> Ints:
    """Stream address of an impression: finger in the high bits."""
    return (fingers << 24) | numbers


def _phase(row: Floats, x: Floats, y: Floats, length_px: float) -> Floats:
    """Phase of a random plane wave [n, m]; its wavelength is some 4 times length_px."""
    return (row[:, 0:1] * x + row[:, 1:2] * y) / length_px + 2 * np.pi * row[:, 2:3]


def stretch(x: Floats, y: Floats, direction: Floats, skin: Floats, size_px: Floats) -> tuple[Floats, Floats, Floats]:
    """Displace by a sum of slow waves; returns the new places and how far each direction turned.

    The turn is that of a tangent under the displacement's Jacobian, so flow and places stay consistent.
    """
    tx, ty = np.cos(direction), np.sin(direction)
    new_x, new_y, new_tx, new_ty = x, y, tx, ty
    for wave in range(SKIN_WAVES):
        row = skin[:, wave]
        phase = _phase(row, x, y, SKIN_PX)
        amplitude = size_px * np.sqrt(2 / SKIN_WAVES)
        along = np.cos(phase) * (row[:, 0:1] * tx + row[:, 1:2] * ty) / SKIN_PX
        push_x, push_y = amplitude * row[:, 3:4], amplitude * row[:, 4:5]
        new_x, new_y = new_x + push_x * np.sin(phase), new_y + push_y * np.sin(phase)
        new_tx, new_ty = new_tx + push_x * along, new_ty + push_y * along
    return new_x, new_y, np.arctan2(new_ty, new_tx) - direction


def unstretch(x: Floats, y: Floats, skin: Floats, size_px: Floats) -> tuple[Floats, Floats]:
    """Where on the skin at rest the places x, y [n, m] of `stretch` come from."""
    from_x, from_y = x, y
    for _ in range(UNSTRETCH_ROUNDS):
        there_x, there_y, _ = stretch(from_x, from_y, np.zeros_like(x), skin, size_px)
        from_x, from_y = from_x + x - there_x, from_y + y - there_y
    return from_x, from_y
