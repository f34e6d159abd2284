"""Ridge pictures: the same finger as the features of the same touch, and its minutiae are really in the ridges."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.experiments.synthetic_pictures import count
from bioguard.errors import InputRefused
from bioguard.records import FingerprintTemplate
from bioguard.simulate.people import FingerPictures, FingerPopulation
from bioguard.simulate.people.pictures import CLEAN, PERIOD_PX
from bioguard.simulate.people.touches import DEFAULT

ADDRESS = (7, 2, 1)
WELL_PLACED = replace(DEFAULT, contact_x=200.0, contact_y=260.0, contact_spread=0.0)
"""The whole sensor is covered, so that every minutia has ridges around it."""


def turns_round(pixels: NDArray[np.uint8], truth: FingerprintTemplate, radius: float = 7.0) -> NDArray[np.float64]:
    """Turns of the ridge phase round each minutia, counter-clockwise, in the frame of its direction, [n].

    The picture is demodulated with the plane wave across the direction: what is left of the phase is read on a circle.
    """
    heights = 128.0 - pixels
    found = []
    for x, y, turn in zip(truth.x_px500.astype(float), truth.y_px500.astype(float), truth.angle_rad, strict=True):
        column, row = np.meshgrid(np.arange(-20, 21) + np.rint(x), np.arange(-20, 21) + np.rint(y))
        aside = (y - row) * np.cos(turn) - (column - x) * np.sin(turn)
        rows, columns = np.clip(row, 0, 399).astype(int), np.clip(column, 0, 299).astype(int)
        waves = heights[rows, columns] * np.exp(-2j * np.pi * aside / PERIOD_PX)
        step = (np.arange(24) * np.pi / 12)[:, None, None]
        right, up = column - x - radius * np.cos(step), y - row - radius * np.sin(step)
        around = (np.exp(-(right**2 + up**2) / (2 * 3.0**2)) * waves).sum(axis=(1, 2))
        found.append(np.angle(np.roll(around, -1) * around.conj()).sum() / (2 * np.pi))
    return np.array(found)


def test_equal_addresses_are_equal_pictures_and_others_are_not() -> None:
    one = FingerPictures(3).picture(*ADDRESS)
    assert one.shape == (400, 300)
    assert one.dtype == np.uint8
    assert np.array_equal(one, FingerPictures(3).picture(*ADDRESS))
    for seed, *other in ((3, 7, 3, 1), (3, 7, 2, 2), (4, *ADDRESS)):
        assert not np.array_equal(one, FingerPictures(seed).picture(*other))


def test_what_is_out_of_range_is_refused() -> None:
    with pytest.raises(InputRefused) as refused:
        FingerPictures(3).picture(7, 11, 0)
    assert refused.value.code == "synthetic.finger"


def test_ridges_turn_once_more_round_each_minutia_with_the_sign_of_its_direction() -> None:
    pictures = FingerPictures(3, CLEAN, WELL_PLACED)
    turns = []
    for person in range(3):
        truth = pictures.truth(person, 2, 0)
        inside = (abs(truth.x_px500 - 150) < 130) & (abs(truth.y_px500 - 200) < 180)
        turns.append(turns_round(pictures.picture(person, 2, 0), truth)[inside])
    found = np.rint(np.concatenate(turns))
    assert len(found) > 120
    # the others have a neighbor within the circle; 0.91 if neighbors were no part of a minutia's pattern
    assert (found == 1).mean() > 0.94
    assert (found == -1).mean() < 0.02


def test_an_engine_finds_them() -> None:
    """Docs say 85 % of 900; here are 80."""
    assert float(count("nbis", 2, 1).split(", ")[1].split("%")[0]) > 78


def test_endings_end_on_a_ridge_and_forks_on_a_valley() -> None:
    pictures = FingerPictures(3, CLEAN, WELL_PLACED)
    pixels, truth = pictures.picture(0, 2, 0), pictures.truth(0, 2, 0)
    x, y = truth.x_px500 + 3 * np.cos(truth.angle_rad), truth.y_px500 - 3 * np.sin(truth.angle_rad)
    inside = (abs(x - 150) < 140) & (abs(y - 200) < 190)
    dark = pixels[np.rint(y[inside]).astype(int), np.rint(x[inside]).astype(int)] < 125
    assert (dark == (truth.kind[inside] == 1)).mean() > 0.9


def test_what_an_extractor_is_said_to_report_lies_where_the_picture_has_it() -> None:
    seen, truth = FingerPopulation(3).impression(*ADDRESS), FingerPictures(3).truth(*ADDRESS)
    away = np.hypot(
        seen.x_px500[:, None].astype(float) - truth.x_px500, seen.y_px500[:, None].astype(float) - truth.y_px500
    ).min(axis=1)
    assert (away < 4).mean() > 0.8


def test_a_worse_touch_is_noisier() -> None:
    grain = replace(CLEAN, grain=0.15)

    def noise(severity: float) -> float:
        """Of touch 3, the worst of the first four."""
        model = replace(WELL_PLACED, severity_touch=severity, severity_person=0.0, severity_finger=0.0)
        with_it, without = (FingerPictures(5, look, model).picture(1, 2, 3) for look in (grain, CLEAN))
        return float(np.abs(with_it.astype(float) - without).mean())

    assert noise(1.5) > 1.2 * noise(0.0) > 5


def test_nobody_changes_them_by_accident() -> None:
    """Means of 50 x 50 pixels: another machine may round a pixel otherwise."""
    pixels = FingerPictures(1).picture(0, 2, 0)
    means = np.rint(pixels.reshape(8, 50, 6, 50).mean(axis=(1, 3))).astype(int)
    assert np.abs(means - np.array(MEANS)).max() <= 1


MEANS = (
    (225, 227, 227, 229, 230, 232), (224, 170, 144, 127, 173, 229), (178, 102, 118, 139, 114, 176),
    (146, 125, 107, 122, 139, 136), (132, 130, 124, 102, 122, 144), (158, 106, 131, 129, 109, 176),
    (223, 164, 122, 147, 178, 229), (224, 226, 227, 228, 229, 231),
)  # fmt: skip
