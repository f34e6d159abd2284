"""Seeded canaries: features nobody has, which must be found nowhere.

One face embedding, one set of minutiae and one key per seed, of high entropy, so that 16 equal bytes are no accident.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioguard.records import FaceEmbedding, FingerprintTemplate

FACE_DIMENSION = 512
MINUTIAE = 40


@dataclass(frozen=True, slots=True)
class Canaries:
    """What to look for.

    Attributes:
        face: unit vector, float32 [512], before the product rounds it.
        finger: 40 minutiae.
        key: 32 bytes, standing for key material; empty when no key is looked for.
    """

    face: NDArray[np.float32]
    finger: FingerprintTemplate
    key: bytes

    @property
    def embedding(self) -> FaceEmbedding:
        """The face as the product takes it."""
        return FaceEmbedding.from_features(self.face)


def make_canaries(seed: int, *, with_key: bool = True) -> Canaries:
    """Canaries of a seed; the same seed gives the same ones."""
    generator = np.random.default_rng(seed)
    vector = generator.normal(size=FACE_DIMENSION)
    finger = FingerprintTemplate.from_minutiae(
        generator.uniform(10, 290, MINUTIAE),
        generator.uniform(10, 390, MINUTIAE),
        generator.uniform(0, 2 * np.pi, MINUTIAE),
        kind=generator.integers(1, 3, MINUTIAE),
        quality=generator.integers(40, 100, MINUTIAE),
        width_px500=300,
        height_px500=400,
    )
    face = (vector / np.linalg.norm(vector)).astype(np.float32)
    return Canaries(face, finger, generator.bytes(32) if with_key else b"")
