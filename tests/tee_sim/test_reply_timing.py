"""Replies leave on grid lines; what stays visible is counted."""

import math

import pytest

from tee_sim.normal.reply_timing import ReplyQuantizer


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(
    ("worked_ms", "released_ms", "bits"), [(0.1, 5, 0.0), (4.9, 5, 0.0), (5.1, 10, 1.0), (19.0, 20, 2.0)]
)
def test_release_is_the_next_grid_line(worked_ms: float, released_ms: float, bits: float) -> None:
    time = Time()
    grid = ReplyQuantizer(period_ms=5, now_s=lambda: time.now, sleep_s=time.sleep)
    start = time.now
    time.now += worked_ms / 1000
    assert grid.hold(start) == pytest.approx(bits)
    assert (time.now - start) * 1000 == pytest.approx(released_ms)


def test_without_a_grid_timing_is_not_bounded() -> None:
    assert ReplyQuantizer(period_ms=0).hold(0.0) == math.inf
