"""The populations of the coverage campaign, and a short form of it."""

import numpy as np
import pytest

from bench.coverage import FIGURES, POPULATIONS, coverage
from bench.metrics.comparisons import scores_of


@pytest.mark.parametrize("name", sorted(POPULATIONS))
def test_the_truth_is_that_of_very_many_people(name: str) -> None:
    population = POPULATIONS[name]
    scores = scores_of([population.drawn(700, 2, np.random.default_rng(1))])
    eer, at_percent, _, fmr = population.truth()
    assert scores.eer().value == pytest.approx(eer, rel=0.5)
    assert scores.at_fmr(0.01).fnmr == pytest.approx(at_percent, rel=0.5)
    assert scores.at(population.threshold(0.01)).fmr == pytest.approx(fmr, rel=0.1)


def test_intervals_hold_the_truth_where_percentiles_do_not() -> None:
    """40 repetitions: 38 expected, fewer than 33 come by chance once in 200 times. The campaign has 500."""
    row = coverage(POPULATIONS["unlike"], people=15, samples=5, repetitions=40, replicates=60, seed=3)
    held = {name: row["figures"][name]["held"] for name in FIGURES}
    assert min(held.values()) >= 33 / 40, held
    plain = row["figures"]["eer"]["percentile"]
    assert plain["held"] < held["eer"]
    assert plain["truth_above"] > plain["truth_below"]  # it is the upper end that fails
    for one in row["figures"].values():
        assert one["held"] + one["truth_below"] + one["truth_above"] == pytest.approx(1)
