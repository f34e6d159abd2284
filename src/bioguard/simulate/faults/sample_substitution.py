"""Samples of an impostor, and samples that a noisy sensor delivers."""

import numpy as np

from bioguard.records import FaceEmbedding, Features, FingerprintTemplate

FULL_NOISE_PX500 = 60.0
"""Jitter of a minutia at noise 1: several ridge periods (about 9 px at 500 dpi), so nothing is left of the pattern."""
FACE_FULL_NOISE = 4.0
"""Length of the random vector added to a unit face at noise 1: the cosine with the face falls to about 0.24."""


def impostor_sample(sample: Features, random: np.random.Generator) -> Features:
    """A sample of the same form that has nothing to do with this one."""
    if isinstance(sample, FaceEmbedding):
        return FaceEmbedding.from_features(random.normal(size=len(sample)))
    return FingerprintTemplate.from_minutiae(
        random.uniform(0, sample.width_px500, len(sample)),
        random.uniform(0, sample.height_px500, len(sample)),
        random.uniform(0, 2 * np.pi, len(sample)),
        kind=sample.kind,
        quality=sample.quality,
        width_px500=sample.width_px500,
        height_px500=sample.height_px500,
    )


def noisy_sample(sample: Features, noise: float, random: np.random.Generator) -> Features:
    """The sample through a sensor with this noise: 0 changes nothing, 1 leaves nothing."""
    if noise == 0:
        return sample
    if isinstance(sample, FaceEmbedding):
        step = random.normal(size=len(sample))
        return FaceEmbedding.from_features(sample.vector + noise * FACE_FULL_NOISE * step / np.linalg.norm(step))
    kept = random.random(len(sample)) >= noise / 2
    spread = noise * FULL_NOISE_PX500
    x = sample.x_px500[kept] + random.normal(0, spread, int(kept.sum()))
    y = sample.y_px500[kept] + random.normal(0, spread, int(kept.sum()))
    return FingerprintTemplate.from_minutiae(
        np.clip(x, 0, sample.width_px500),
        np.clip(y, 0, sample.height_px500),
        sample.angle_rad[kept] + random.normal(0, noise * np.pi / 2, int(kept.sum())),
        kind=sample.kind[kept],
        quality=sample.quality[kept],
        width_px500=sample.width_px500,
        height_px500=sample.height_px500,
    )
