"""What is wrong with a picture: measured on drawn ridges, judged by a table."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bioguard.capture.opencv import cv2
from bioguard.capture.quality import Look, judge, look_at
from bioguard.capture.ridges import find_ridges
from bioguard.records import FingerprintTemplate
from bioguard.records.acquired import AcquiredCode

FINE = {"area_px": 70_000, "energy": 50.0, "skewness": 0.0, "sharpness": 3.0}


def template(count: int) -> FingerprintTemplate:
    x = np.arange(count) * 5.0
    return FingerprintTemplate.from_minutiae(x, x, x / 300, width_px500=500, height_px500=500)


@pytest.mark.parametrize(
    ("code", "look", "minutiae"),
    [
        (AcquiredCode.GOOD, {}, 12),
        (AcquiredCode.INSUFFICIENT, {}, 11),
        (AcquiredCode.PARTIAL, {"area_px": 19_999}, 12),
        (AcquiredCode.GOOD, {"area_px": 20_000}, 12),
        (AcquiredCode.TOO_FAST, {"sharpness": 2.29, "area_px": 3_000}, 12),
        (AcquiredCode.TOO_DARK, {"skewness": 0.91, "energy": 25.0}, 12),
        (AcquiredCode.TOO_BRIGHT, {"skewness": -1.41, "energy": 25.0}, 12),
        (AcquiredCode.GOOD, {"skewness": 0.91, "energy": 26.0}, 12),
        (AcquiredCode.GOOD, {"skewness": -2.3, "energy": 26.0}, 12),
        (AcquiredCode.GOOD, {"skewness": 0.89, "energy": 14.0}, 12),
    ],
)
def test_the_first_thing_that_is_wrong_is_said_and_the_features_stay(
    code: AcquiredCode, look: dict[str, float], minutiae: int
) -> None:
    found = judge(Look(**FINE | look), template(minutiae))
    assert found.acquired is code
    assert found.sample == template(minutiae)


def test_nothing_is_no_sample() -> None:
    for look, minutiae in (({"area_px": 1_999}, 50), ({}, 0)):
        found = judge(Look(**FINE | look), template(minutiae))
        assert (found.acquired, found.sample, found.quality) == (AcquiredCode.INSUFFICIENT, None, 0)


def test_quality_is_a_percentage_of_area_and_energy() -> None:
    assert judge(Look(**FINE), template(20)).quality == 100
    assert judge(Look(**FINE | {"energy": 25.0, "area_px": 35_000}), template(20)).quality == 25
    assert judge(Look(**FINE | {"energy": 0.01}), template(20)).quality == 1


def touch(dark_share: float = 0.5, side: int = 220) -> NDArray[np.uint8]:
    """Ridges with edges, of which that share is dark, in a round touch on white."""
    y, x = np.mgrid[:side, :side].astype(float)
    phase = (np.hypot(x - 60, y + 40) / 9) % 1
    inside = np.hypot(x - side / 2, y - side / 2) < side * 0.4
    ridges = np.where(inside & (phase < dark_share), 40, 230).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(ridges, (0, 0), 0.7))


def look(pixels: NDArray[np.uint8]) -> Look:
    return look_at(pixels, find_ridges(pixels))


def test_ridges_are_seen_where_they_are() -> None:
    disk = np.pi * (220 * 0.4) ** 2
    assert look(touch()).area_px == pytest.approx(disk, rel=0.25)
    plate = np.full((220, 220), 230, np.uint8)
    plate[:, :110] = 90
    assert look(plate).area_px == 0, "an edge is no ridge"


def test_wet_dry_and_moved_pictures_look_like_it() -> None:
    plain, wet, dry = (look(touch(share)) for share in (0.5, 0.8, 0.2))
    assert dry.skewness < plain.skewness - 0.5 < plain.skewness + 0.5 < wet.skewness
    moved = cv2.filter2D(touch(), -1, np.eye(9, dtype=np.float32) / 9)
    assert look(moved).sharpness < 0.8 * plain.sharpness
    assert look(cv2.GaussianBlur(touch(), (0, 0), 2.5)).sharpness < 0.6 * plain.sharpness


def test_noise_is_not_made_into_ridges() -> None:
    """The filtered picture fades in with its energy: else every flat place is full of minutiae."""
    noise = np.random.default_rng(1).normal(0, 12, (220, 220))
    enhanced = find_ridges(np.clip(touch() + noise, 0, 255).astype(np.uint8)).enhanced.astype(float)
    plain = find_ridges(np.clip(np.full((220, 220), 200) + noise, 0, 255).astype(np.uint8))
    assert plain.mask.sum() == 0
    away = plain.enhanced - (128 + 25 * np.clip(plain.leveled, -2.2, 2.2))
    assert np.abs(away).max() <= 2, "what is left is the picture itself"
    assert enhanced[80:140, 80:140].std() > 45
