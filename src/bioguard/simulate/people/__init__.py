"""Synthetic people: seeded faces and fingers that vary within and between persons as measured on real ones.

Everything is a function of (seed, person, sample): no state, no files, the same on every machine.
"""

from functools import lru_cache

from bioguard.records import FaceEmbedding, FingerprintTemplate
from bioguard.simulate.people.faces import EDGEFACE_XS, MOBILEFACENET, FacePopulation, FacePreset
from bioguard.simulate.people.fingers import FingerPopulation
from bioguard.simulate.people.pictures import FingerPictures
from bioguard.simulate.people.touches import DEFAULT, ImpressionModel

__all__ = [
    "DEFAULT",
    "EDGEFACE_XS",
    "MOBILEFACENET",
    "FacePopulation",
    "FacePreset",
    "FingerPictures",
    "FingerPopulation",
    "ImpressionModel",
    "face_views",
    "finger_impressions",
]

_faces = lru_cache(maxsize=4)(FacePopulation)


def face_views(seed: int, *, person: int, count: int, first: int = 0) -> list[FaceEmbedding]:
    """Views first .. first + count - 1 of one person's face, 512 dimensions.

    Raises:
        InputRefused: seed, person or view is out of range.
    """
    population = _faces(EDGEFACE_XS, seed)
    rows = (population.embeddings(person, 1, view=view)[0] for view in range(first, first + count))
    return [FaceEmbedding.from_features(row) for row in rows]


def finger_impressions(
    seed: int, *, person: int, count: int, finger: int = 2, first: int = 0
) -> list[FingerprintTemplate]:
    """Impressions first .. first + count - 1 of one finger (ISO/IEC 19794-2 position; 2 is the right index finger).

    Raises:
        InputRefused: seed, person, finger or impression is out of range.
    """
    return FingerPopulation(seed).impressions(person, finger, count, first=first)
