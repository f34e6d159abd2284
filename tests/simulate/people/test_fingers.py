"""Synthetic fingers: addressable, within limits, and as dense and ridge-bound as the real ones they were fitted to."""

from dataclasses import replace

import numpy as np
import pytest

from bioguard.errors import InputRefused
from bioguard.match import FingerprintGallery
from bioguard.simulate.people import FingerPopulation, ImpressionModel, finger_impressions
from bioguard.simulate.people.master_fingers import DOWNWARD_FROM_PX, MasterModel, draw_masters
from bioguard.simulate.people.ridges import FlowModel

LOOPS = FlowModel(shares=(1, 0, 0), variety=0)
STILL = ImpressionModel(
    rotation=0, shift_x=0, shift_y=0, contact_spread=0, distortion=0, found=40, patch=0, spurious=0, jitter=0,
    angle_jitter=0, reversed_share=0, kind_flips=0, severity_person=0, severity_finger=0, severity_touch=0,
)  # fmt: skip


def test_an_address_decides_not_the_batch() -> None:
    which = [(person, finger, number) for person in range(40) for finger in (2, 7) for number in range(4)]
    streamed = list(FingerPopulation(3).stream(which))
    assert len(streamed) == 320
    for i in (0, 5, 255, 256, 319):
        assert FingerPopulation(3).impression(*which[i]) == streamed[i]
    assert len(set(streamed)) == 320
    assert finger_impressions(3, person=5, count=2, first=1) == FingerPopulation(3).impressions(5, 2, 3)[1:]


def test_without_variation_all_impressions_are_one() -> None:
    a, b = FingerPopulation(1, STILL).impressions(4, 2, 2)
    assert len(a) > 25
    assert np.array_equal(a.x_px500, b.x_px500)
    assert np.array_equal(a.angle_rad, b.angle_rad)
    assert np.array_equal(a.kind, b.kind)


def test_turning_the_finger_turns_places_and_directions() -> None:
    still = FingerPopulation(1, STILL).impression(4, 2, 1)
    model = replace(STILL, rotation=0.5, width=600, height=600)
    turned = FingerPopulation(1, model).impression(4, 2, 1)
    assert len(turned) == len(still)
    turn = np.angle(np.exp(1j * (turned.angle_rad - still.angle_rad)).mean())
    assert abs(turn) > 0.02
    z = (still.x_px500 - 150) - 1j * (still.y_px500 - 200)
    w = (turned.x_px500 - 300) - 1j * (turned.y_px500 - 300)
    assert np.abs(w - z * np.exp(1j * turn)).max() < 0.1
    assert np.abs(np.angle(np.exp(1j * (turned.angle_rad - still.angle_rad - turn)))).max() < 1e-3


def test_a_squeezed_picture_moves_places_and_directions_alike() -> None:
    wide = replace(STILL, width=600, height=600)
    still, squeezed = (FingerPopulation(1, replace(wide, squeeze=s)).impression(4, 2, 1) for s in (1.0, 0.5))
    assert np.array_equal(squeezed.y_px500, still.y_px500)
    assert np.abs((squeezed.x_px500 - 300) - 0.5 * (still.x_px500 - 300)).max() < 0.1
    ray = 0.5 * np.cos(still.angle_rad) + 1j * np.sin(still.angle_rad)
    assert np.abs(np.angle(np.exp(1j * squeezed.angle_rad) / ray)).max() < 1e-3


def test_a_population_is_as_dense_as_alike_and_as_unsure_of_directions_as_its_model_says() -> None:
    people, finger = np.arange(60), np.full(60, 2)
    one = replace(LOOPS, shares=(0, 0, 1))
    arches = draw_masters(5, people, finger, MasterModel(flow=one, mean_count=90, sd_count=0))
    assert np.ptp(arches.flow.poles[:, :3], axis=0).max() == 0  # the last one weighs nothing in an arch
    assert not arches.flow.waves[:, :, 3].any()
    assert set(arches.present.sum(axis=1)) == {90}
    right, left = (
        draw_masters(5, people, finger, MasterModel(flow=replace(LOOPS, ulnar=u), downward=0.5, polarity_wave=0))
        for u in (0.0, 1.0)
    )
    assert np.array_equal(right.flow.poles[:, 2:, 0], -left.flow.poles[:, 2:, 0])
    above = right.present & (right.y > DOWNWARD_FROM_PX)
    assert (np.sin(right.direction[above]) < 0.5).all()  # all but what noise makes of those across the finger
    assert draw_masters(5, people, finger).flow.poles.std(axis=0).max() > 10


def test_geometry_is_that_of_real_impressions() -> None:
    """Targets: pooled development impressions, see masters.py."""
    counts, nearest, spans, endings, aligned = [], [], [], [], []
    for t in FingerPopulation(8).stream((person, 2, 0) for person in range(300)):
        counts.append(len(t))
        distance = np.hypot(t.x_px500[:, None] - t.x_px500, t.y_px500[:, None] - t.y_px500)
        turn = np.cos(t.angle_rad[:, None] - t.angle_rad)
        aligned.append(np.abs(turn[(distance > 8) & (distance < 40)]))
        np.fill_diagonal(distance, np.inf)
        nearest.append(distance.min(axis=1))
        spans.append((np.ptp(t.x_px500), np.ptp(t.y_px500)))
        endings.append(t.kind == 1)
        assert t.x_px500.max() <= 299
        assert t.y_px500.max() <= 399
    assert np.median(counts) == pytest.approx(36, abs=4)
    assert np.quantile(counts, 0.05) > 15
    assert np.median(np.concatenate(nearest)) == pytest.approx(21, abs=2)
    assert np.mean(spans, axis=0) == pytest.approx([203, 284], abs=15)
    assert np.concatenate(endings).mean() == pytest.approx(0.57, abs=0.05)
    assert np.mean(np.concatenate(aligned) > 0.7) > 0.85  # neighbors lie along one ridge flow


def test_fingers_are_told_apart() -> None:
    people, each = 25, 3
    templates = list(FingerPopulation(6).stream((p, 2, i) for p in range(people) for i in range(each)))
    gallery = FingerprintGallery(templates)
    scores = np.stack([gallery.scores(t) for t in templates])
    labels = np.repeat(np.arange(people), each)
    same = (labels[:, None] == labels) & ~np.eye(len(labels), dtype=bool)
    other = scores[labels[:, None] != labels]
    genuine = scores[same]
    threshold = np.quantile(other, 0.999)
    assert np.mean(genuine > threshold) > 0.85
    assert np.quantile(genuine, 0.98) < scores.diagonal().mean()  # impressions are no copies


def test_other_fingers_of_a_person_are_other_fingers() -> None:
    templates = [FingerPopulation(6).impression(0, finger, i) for finger in range(1, 11) for i in range(2)]
    gallery = FingerprintGallery(templates)
    scores = np.stack([gallery.scores(t) for t in templates])
    np.fill_diagonal(scores, -np.inf)
    assert np.mean(scores.argmax(axis=1) == np.arange(20) ^ 1) > 0.8


@pytest.mark.parametrize(("finger", "number"), [(0, 0), (11, 0), (2, -1), (2, 65536)])
def test_refusals(finger: int, number: int) -> None:
    with pytest.raises(InputRefused) as caught:
        FingerPopulation(1).impression(0, finger, number)
    assert caught.value.message == "finger or impression number is out of range"


def test_nothing_asked_nothing_made() -> None:
    assert list(FingerPopulation(1).stream([])) == []
