"""The borders that the trials of thresholds write down, against the comparison profiles."""

import numpy as np
import pytest

from bioguard.evidence.policy_trials import likeness
from bioguard.evidence.temporary_device import DIMENSION, FINGERS_SEED
from bioguard.match import FingerprintGallery
from bioguard.match.thresholds import builtin_profile, threshold_for_fmr
from bioguard.records.modality import Modality
from bioguard.records.scores import Score
from bioguard.simulate.people import finger_impressions

RATE = 1 / 50_000


@pytest.mark.parametrize(
    ("border", "face", "finger"),
    [
        (likeness.BUILT_IN, builtin_profile(Modality.FACE, DIMENSION), builtin_profile(Modality.FINGERPRINT)),
        (likeness.RAISED, *(likeness.raised_profile(modality) for modality in (Modality.FACE, Modality.FINGERPRINT))),
    ],
)
def test_a_written_border_is_that_of_the_profile(border, face, finger) -> None:
    cosine = threshold_for_fmr(RATE, profile=face, score=Score.COSINE)
    assert np.isclose(cosine, border.cosine, atol=1e-4)
    gallery = FingerprintGallery(finger_impressions(FINGERS_SEED, person=likeness.OWN_FINGER, count=1))
    less, more = (gallery.scores(likeness.mixed_finger(border.minutiae + step))[0] for step in (0, 1))
    assert less < threshold_for_fmr(RATE, profile=finger, score=Score.LIKELIHOOD_RATIO) - 0.1
    assert more > threshold_for_fmr(RATE, profile=finger, score=Score.LIKELIHOOD_RATIO) + 0.1


def test_samples_between_the_borders_tell_the_profiles_apart() -> None:
    gap = likeness.COSINE_STEP
    assert likeness.BUILT_IN.cosine + gap < likeness.RAISED.cosine - gap
    assert likeness.BUILT_IN.minutiae + 1 < likeness.RAISED.minutiae
