"""What engines found: what two views agree on, and what a template keeps of it."""

import math

import numpy as np
import pytest

from bioguard.capture.found import Found, agreed

E = 1  # ending


def rows(*points: tuple[float, float, float], confidence: float = 0.5) -> Found:
    return Found.of([(x, y, math.radians(degrees), E, confidence) for x, y, degrees in points])


def vote(*views: Found) -> list[tuple[float, float, float]]:
    found = agreed(views, distance_px=12, turn_rad=math.radians(35)).rows
    return [(round(x, 3), round(y, 3), round(math.degrees(a) % 360, 3)) for x, y, a in found[:, :3].tolist()]


def test_two_of_three_views_make_a_minutia_of_their_mean() -> None:
    assert vote(rows((10, 10, 0)), rows((14, 10, 20)), rows()) == [(12, 10, 10)]
    assert vote(rows((10, 10, 350)), rows(), rows((10, 16, 10))) == [(10, 13, 0)]
    assert vote(rows(), rows((50, 50, 90)), rows((52, 50, 90))) == [(51, 50, 90)]
    assert vote(rows((0, 0, 0)), rows((3, 0, 0)), rows((6, 0, 0))) == [(3, 0, 0)]


def test_one_view_alone_is_not_believed() -> None:
    assert vote(rows((10, 10, 0)), rows(), rows((90, 90, 0))) == []
    assert vote(rows((10, 10, 0)), rows((22.1, 10, 0)), rows()) == []
    assert vote(rows((10, 10, 0)), rows((10, 10, 36)), rows()) == []
    assert vote(rows((10, 10, 0)), rows((10, 10, 180)), rows()) == []


def test_a_minutia_votes_once() -> None:
    two, one = rows((10, 10, 0), (16, 10, 0)), rows((15, 10, 0))
    assert vote(two, one, rows()) == [(15.5, 10, 0)]
    assert vote(rows(), two, one) == [(15.5, 10, 0)]
    assert len(vote(rows((10, 10, 0)), rows((11, 10, 0)), rows((12, 10, 0)))) == 1


def test_the_confidence_is_the_highest_and_the_kind_the_firsts() -> None:
    first = Found.of([(10, 10, 0, 2, 0.2)])
    found = agreed([first, rows((10, 10, 0), confidence=0.7), rows()], distance_px=12, turn_rad=0.5).rows
    assert found[0, 3:].tolist() == [2, 0.7]


def test_a_larger_picture_has_larger_pixels() -> None:
    assert rows((0, 9, 0)).scaled(0.5).rows[0, :2].tolist() == [-0.25, 4.25]
    assert rows((7, 9, 0)).scaled(1.25).scaled(0.8).rows[0, :2].tolist() == pytest.approx([7, 9])


def test_a_template_has_what_lies_in_the_picture() -> None:
    around = rows((-0.1, 5, 0), (0, 0, 0), (99, 79, 370), (99.1, 5, 0), (5, 79.1, 0), (5, math.nan, 0))
    template = around.template(100, 80)
    assert template.x_px500.tolist() == [0, 99]
    assert np.degrees(template.angle_rad).round().tolist() == [0, 10]
    assert template.quality.tolist() == [50, 50]
    assert rows((1, 1, 0), confidence=0.001).template(9, 9).quality.tolist() == [1], "0 would say: not reported"
    assert len(rows().template(9, 9)) == 0


def test_of_more_than_255_the_best_are_kept_in_their_order() -> None:
    """Quality, then distance to the centroid, then order."""
    many = [(float(k % 20), float(k // 20), 0.0, E, 0.9 if k % 3 else 0.4) for k in range(400)]
    kept = Found.of(many).template(20, 20)
    assert len(kept) == 255
    assert (kept.quality == 90).all()
    assert np.abs(kept.x_px500 - 9.5).mean() < np.abs(np.array(many)[:, 0] - 9.5).mean()
