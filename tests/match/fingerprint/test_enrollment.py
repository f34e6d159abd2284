"""The quality gate, consistency of touches, and fingers that are known already."""

import numpy as np
import pytest

from bioguard.match.fingerprint import prepare_all
from bioguard.match.fingerprint.enrollment import (
    TouchReport,
    _same_touch,
    best_score,
    check_touches,
    is_duplicate,
    touch_quality,
)
from bioguard.match.thresholds import builtin_profile
from bioguard.records import FingerprintTemplate
from bioguard.records.acquired import AcquiredCode
from bioguard.records.modality import Modality
from tests.match.fingerprint.fingers import impression, noise, template

FINGER = builtin_profile(Modality.FINGERPRINT)


def judged(touches: list[FingerprintTemplate], *, wanted: int = 1) -> TouchReport:
    return check_touches(touches, FINGER, wanted=wanted)


def test_touch_quality() -> None:
    assert touch_quality(impression(0)) is AcquiredCode.GOOD
    assert touch_quality(template([], [], [])) is AcquiredCode.INSUFFICIENT
    assert touch_quality(noise(11, 0)) is AcquiredCode.INSUFFICIENT
    assert touch_quality(noise(12, 0)) is AcquiredCode.GOOD
    assert touch_quality(noise(40, 0, size=50)) is AcquiredCode.PARTIAL
    assert touch_quality(template(np.arange(30) * 10, np.full(30, 50), np.zeros(30))) is AcquiredCode.PARTIAL


def test_touches_of_one_finger_are_usable() -> None:
    report = judged([impression(3, n) for n in range(4)], wanted=3)
    assert report.usable
    assert report.reasons == ()
    assert report.consistent.all()
    assert report.acquired == (AcquiredCode.GOOD,) * 4


def test_a_touch_of_another_finger_is_named() -> None:
    report = judged([impression(3, 0), impression(4, 0), impression(3, 1)])
    assert not report.usable
    assert report.consistent.tolist() == [True, False, True]
    assert report.reasons == ("touch 2 does not look like the others",)


def test_the_same_touch_twice_teaches_nothing() -> None:
    report = judged([impression(3, 0), impression(3, 0), impression(3, 1)])
    assert report.acquired == (AcquiredCode.GOOD, AcquiredCode.IMMOBILE, AcquiredCode.GOOD)
    assert report.reasons == ("touch 2 is immobile",)


def test_two_fingers_are_two_groups_also_with_two_touches_each() -> None:
    report = judged([impression(3, 0), impression(3, 1), impression(4, 0), impression(4, 1)])
    assert not report.usable
    assert report.consistent.tolist() == [True, True, False, False]
    assert report.reasons == ("touch 3 does not look like the others", "touch 4 does not look like the others")


def changed(touch: FingerprintTemplate, *, order=slice(None), dx=0.0, dy=0.0, turn=0.0, quality=None):
    return FingerprintTemplate.from_minutiae(
        touch.x_px500[order] + dx,
        touch.y_px500[order] + dy,
        touch.angle_rad[order] + turn,
        kind=touch.kind[order],
        quality=touch.quality[order] if quality is None else np.full(len(touch), quality),
        width_px500=touch.width_px500 + 100,
        height_px500=touch.height_px500 + 100,
    )


COPIES = {
    "other order": {"order": slice(None, None, -1)},
    "moved": {"dx": 20.3, "dy": 11.7},
    "rounded to whole pixels": {"dx": 0.5, "turn": 0.02},
    "other qualities": {"quality": 17},
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES.keys())
def test_a_rewritten_touch_is_the_same_touch(copy) -> None:
    report = judged([impression(3, 0), impression(3, 1), changed(impression(3, 0), **copy)])
    assert report.acquired == (AcquiredCode.GOOD, AcquiredCode.GOOD, AcquiredCode.IMMOBILE)


def test_a_touch_that_only_covers_another_is_not_the_same() -> None:
    """As many minutiae, each near one of the other touch, and one of that is missing."""
    x, y = np.meshgrid(np.arange(5) * 12.0 + 40, np.arange(4) * 20.0 + 40)
    angle = np.linspace(0, 6, 20)
    whole = template(x.ravel(), y.ravel(), angle)
    fewer = template(np.r_[x.ravel()[1], x.ravel()[1:]], np.r_[y.ravel()[1], y.ravel()[1:]], np.r_[angle[1], angle[1:]])
    assert _same_touch(whole, whole)
    assert not _same_touch(whole, fewer)
    assert not _same_touch(fewer, whole)


def test_touches_of_one_finger_are_not_each_others_copies() -> None:
    for person in range(6):
        report = judged([impression(person, n) for n in range(6)])
        assert AcquiredCode.IMMOBILE not in report.acquired


def test_poor_and_missing_touches_are_named() -> None:
    report = judged([noise(3, 1)], wanted=2)
    assert report.reasons == ("touch 1 is insufficient", "2 touches are wanted, 1 were given")
    assert not judged([], wanted=1).usable


def test_best_of_the_views_counts() -> None:
    views = prepare_all([impression(5, n) for n in range(3)])
    probe = prepare_all([impression(5, 9)])[0]
    assert best_score(probe, views) == pytest.approx(max(best_score(probe, [v]) for v in views), rel=1e-5)


def test_duplicate_fingers() -> None:
    same = sum(
        is_duplicate(
            prepare_all([impression(p, n) for n in (0, 1, 2)]), prepare_all([impression(p, n) for n in (5, 6)]), FINGER
        )
        for p in range(12)
    )
    assert same >= 11
    touches = prepare_all([impression(50, n) for n in range(3)])
    assert not any(is_duplicate(touches, prepare_all([impression(p)]), FINGER) for p in range(30))
    assert not is_duplicate([], touches, FINGER)
    assert not is_duplicate(touches, [], FINGER)
