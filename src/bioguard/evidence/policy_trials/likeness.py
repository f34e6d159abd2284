"""Trials of thresholds: what is a little less and a little more alike than a device's comparison profile asks for.

The figures are written down and not computed: a comparator or a table that is broken would move its own border with it.
A test compares them with the profiles.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from bioguard.evidence.policy_trials.model import Observation
from bioguard.evidence.temporary_device import DIMENSION, FINGERS_SEED, Person, TemporaryDevice
from bioguard.match.thresholds import builtin_profile
from bioguard.records import FaceEmbedding, FingerprintTemplate
from bioguard.records.comparison_profile import SCORE_STEPS, ComparisonProfile
from bioguard.records.modality import Modality
from bioguard.simulate.people import finger_impressions
from bioguard.text import word

COSINE_STEP: Final = 0.03
"""How far from a cosine is no rounding of a stored sample."""
OWN_FINGER, OTHER_FINGER = 20_003, 20_004
"""Fingers that no other trial makes; 33 and 43 minutiae."""


@dataclass(frozen=True, slots=True)
class Border:
    """Where a device of a profile begins to accept, at its rate of 1 in 50 000.

    Attributes:
        cosine: of two faces of 128 numbers.
        minutiae: so many of `OWN_FINGER`, and for the others some of `OTHER_FINGER`, are too few; one more is enough.
    """

    cosine: float
    minutiae: int


BUILT_IN: Final = Border(cosine=0.5620, minutiae=11)
RAISED: Final = Border(cosine=0.7620, minutiae=14)
RAISED_BY: Final = {Modality.FACE: 0.2, Modality.FINGERPRINT: 2.0}
"""Added to every threshold of the built-in profiles. Samples between the borders tell which one a device goes by."""


def raised_profile(modality: Modality) -> ComparisonProfile:
    """The built-in profile under another name, with all thresholds raised."""
    known = builtin_profile(modality, DIMENSION if modality is Modality.FACE else 0)
    steps = round(RAISED_BY[modality] * SCORE_STEPS)
    return replace(
        known,
        name="raised",
        tables=tuple(
            replace(
                table,
                points=tuple(
                    replace(point, threshold_steps=point.threshold_steps + steps, low_steps=None, high_steps=None)
                    for point in table.points
                ),
            )
            for table in known.tables
        ),
    )


def mixed_finger(own_minutiae: int) -> FingerprintTemplate:
    """The enrolled finger's first minutiae at their places, the others replaced by those of another finger."""
    own, other = (finger_impressions(FINGERS_SEED, person=n, count=1)[0] for n in (OWN_FINGER, OTHER_FINGER))
    rest = own.x_px500.size - own_minutiae
    x, y, angle = (
        np.concatenate([getattr(own, name)[:own_minutiae], getattr(other, name)[:rest]])
        for name in ("x_px500", "y_px500", "angle_rad")
    )
    width, height = own.width_px500, own.height_px500
    x, y = np.minimum(x, width), np.minimum(y, height)
    return FingerprintTemplate.from_minutiae(x, y, angle, width_px500=width, height_px500=height)


def by_built_in_profiles(temporary: TemporaryDevice) -> list[Observation]:
    """On a device without other fingers: a cohort would make its threshold stricter."""
    return _faces(temporary, BUILT_IN, "the built-in profile") + _fingers(temporary, BUILT_IN, "the built-in profile")


def by_named_profiles(temporary: TemporaryDevice) -> list[Observation]:
    """A device that was made with profiles of its own goes by them."""
    inner = temporary.directory.parent / f"{temporary.directory.name}-raised"
    profiles = tuple(raised_profile(modality) for modality in Modality)
    with TemporaryDevice(inner, temporary.allow_level, comparison=profiles) as second:
        return _faces(second, RAISED, "a named profile") + _fingers(second, RAISED, "a named profile")


def _faces(temporary: TemporaryDevice, border: Border, whose: str) -> list[Observation]:
    person = temporary.person()
    temporary.device.enroll(person.name, [FaceEmbedding.from_features(person.direction)])
    other = person.rng.normal(size=person.direction.size)
    other -= (other @ person.direction) * person.direction
    other /= np.linalg.norm(other)

    def at(cosine: float) -> FaceEmbedding:
        return FaceEmbedding.from_features(cosine * person.direction + np.sqrt(1 - cosine**2) * other)

    return _observed(temporary, person, at(border.cosine - COSINE_STEP), at(border.cosine + COSINE_STEP), whose)


def _fingers(temporary: TemporaryDevice, border: Border, whose: str) -> list[Observation]:
    person = temporary.person(modality=Modality.FINGERPRINT)
    enrolled = finger_impressions(FINGERS_SEED, person=OWN_FINGER, count=1)
    temporary.device.enroll(person.name, enrolled, finger=temporary.position(person))
    return _observed(temporary, person, mixed_finger(border.minutiae), mixed_finger(border.minutiae + 1), whose)


def _observed(
    temporary: TemporaryDevice,
    person: Person,
    less: FaceEmbedding | FingerprintTemplate,
    more: FaceEmbedding | FingerprintTemplate,
    whose: str,
) -> list[Observation]:
    sensor = word(person.modality)
    less_matches, more_matches = (temporary.device.authenticate(person.name, sample).match for sample in (less, more))
    return [
        Observation(f"what is less alike than {whose} asks for is rejected ({sensor})", not less_matches),
        Observation(f"what is more alike is accepted ({sensor})", more_matches),
    ]
