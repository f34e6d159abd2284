"""One population whose people have numbers: what scenarios and programs without files present to a sensor."""

from bioguard.records import FaceEmbedding, FingerprintTemplate
from bioguard.simulate.people import face_views, finger_impressions

SEED = 1
"""Of the population, so that a person is the same one everywhere."""


def numbered_sample(person: int, position: int, impression: int) -> FaceEmbedding | FingerprintTemplate:
    """One view of a face (position 0), or one touch of a finger (1 to 10).

    Raises:
        InputRefused: a number is out of range.
    """
    if position == 0:
        return face_views(SEED, person=person, count=1, first=impression)[0]
    return finger_impressions(SEED, person=person, finger=position, count=1, first=impression)[0]
