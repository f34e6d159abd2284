"""Faces and fingers whose likeness is known: no model of a decision can be tested on scores that nobody knows.

Faces are orthonormal directions; a probe at a chosen cosine to one of them has cosine 0 to all others. Fingers are
synthetic ones, picked so that own touches are strong and those of others are not even near.
"""

from functools import lru_cache

import numpy as np

from bioguard.commands.configuration import Configuration
from bioguard.match import FingerprintGallery
from bioguard.match.thresholds import builtin_profile
from bioguard.records import FaceEmbedding, FingerprintTemplate
from bioguard.records.modality import Modality
from bioguard.simulate.people import finger_impressions
from bioguard.trusted.biometric.levels import Kind, levels
from bioguard.trusted.biometric.rates import claim_terms
from tests.model.reference import MAX_RECORDS
from tests.model.steps import FINGER, USERS

DIMENSION = 512
FACES_A_USER = 5
VIEWS = 3
COSINES = {"strong": 0.97, "weak": 0.47, "near": 0.32, "far": 0.0}
SPREAD = 0.1
FINGERS_WANTED = USERS * MAX_RECORDS[FINGER]
SEED = 5


@lru_cache(maxsize=1)
def _bases() -> np.ndarray:
    random = np.random.default_rng(SEED).normal(size=(DIMENSION, USERS * FACES_A_USER))
    bases, _ = np.linalg.qr(random)
    return bases.T


def _at(identity: tuple[int, int], cosine: float, rng: np.random.Generator) -> FaceEmbedding:
    """A vector at this cosine to one base, and orthogonal to all others."""
    bases = _bases()
    aside = rng.normal(size=DIMENSION)
    aside -= bases.T @ (bases @ aside)
    aside /= np.linalg.norm(aside)
    base = bases[identity[0] * FACES_A_USER + identity[1]]
    return FaceEmbedding.from_features(cosine * base + np.sqrt(1 - cosine**2) * aside)


def face_views(identity: tuple[int, int], rng: np.random.Generator) -> list[FaceEmbedding]:
    """Views of an enrollment."""
    return [_at(identity, 1 - SPREAD**2 / 2, rng) for _ in range(VIEWS)]


def face_probe(identity: tuple[int, int], level: str, rng: np.random.Generator) -> FaceEmbedding:
    """A probe as near as asked for; one of another model for `other-size`."""
    if level == "other-size":
        return FaceEmbedding.from_features(rng.normal(size=DIMENSION // 4))
    return _at(identity, COSINES[level], rng)


@lru_cache(maxsize=1)
def _fingers() -> list[tuple[list[FingerprintTemplate], FingerprintTemplate, FingerprintTemplate]]:
    """Enrolled touches, a strong probe and a far one, of each finger."""
    kind, terms = Kind(builtin_profile(Modality.FINGERPRINT), protected=False), claim_terms(Configuration(), 0)
    strong = levels(kind, terms, VIEWS * MAX_RECORDS[FINGER]).strong
    near = levels(kind, terms, VIEWS).near
    chosen: list[tuple[list[FingerprintTemplate], FingerprintTemplate]] = []
    for person in range(200):
        touches = finger_impressions(SEED, person=person, count=VIEWS + 6)
        gallery = FingerprintGallery(touches[:VIEWS])
        probe = next((t for t in touches[VIEWS:] if max(gallery.scores(t)) >= strong), None)
        others = [t for enrolled, own in chosen for t in (*enrolled, own)]
        apart = all(max(gallery.scores(t)) < near for t in others)
        if probe is not None and apart and all(max(FingerprintGallery(e).scores(probe)) < near for e, _ in chosen):
            chosen.append((touches[:VIEWS], probe))
        if len(chosen) == FINGERS_WANTED + 1:
            break
    stranger = chosen.pop()[1]
    return [(enrolled, probe, stranger) for enrolled, probe in chosen]


def finger_touches(
    identity: tuple[int, int],
) -> tuple[list[FingerprintTemplate], FingerprintTemplate, FingerprintTemplate]:
    """Enrolled touches, a strong probe and a far one."""
    return _fingers()[identity[0] * MAX_RECORDS[FINGER] + identity[1]]
