"""Two matchers on the same people: what the interval of the difference shows, and what may not be compared."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from bench.__main__ import cli
from bench.metrics.comparisons import Comparisons, scores_of
from bench.metrics.mean_of_sets import mean_of_sets
from bench.metrics.paired import paired
from bench.sections.paired import paired as section
from bench.wording import NOT_MEASURABLE
from bioguard.errors import InputRefused


def _set(noise: float, *, seed: int = 1, order: int = 1, people: int = 20) -> Comparisons:
    """The same people and samples seen by a matcher with noise of its own; `order` -1 numbers people backwards."""
    rng = np.random.default_rng(seed)
    subjects = np.arange(people).repeat(5)
    shared = np.triu(rng.normal(0, 1, (subjects.size,) * 2), 1)
    own = np.triu(np.random.default_rng(int(noise * 1000) + 7).normal(0, noise, shared.shape), 1)
    scores = shared + shared.T + own + own.T + np.where(subjects[:, None] == subjects, 3.5, 0)
    names = [f"p{p:02}_{i % 5}" for i, p in enumerate(subjects)]
    who = subjects if order == 1 else people - 1 - subjects
    return Comparisons("one", scores.astype(np.float32), who, names)


def test_a_matcher_against_itself_differs_by_nothing() -> None:
    found = paired([_set(0.1)], [_set(0.1, order=-1)], seed=1, replicates=50)
    assert found["people"] == 20
    for one in found["sets"]["one"].values():
        assert one == {"difference": 0, "interval_95": [0, 0]}
    assert found["mean_of_sets"] == found["sets"]["one"]


def test_the_difference_is_that_of_the_figures_and_is_shown_where_two_intervals_overlap() -> None:
    good, bad = _set(0.1), _set(0.9)
    row = paired([good], [bad], seed=1)["sets"]["one"]
    assert row["eer"]["difference"] == scores_of([bad]).eer().value - scores_of([good]).eer().value > 0
    at = [scores_of([one]).at_fmr(1e-2).fnmr for one in (good, bad)]
    assert row["fnmr_at_1e-2"]["difference"] == at[1] - at[0]
    low, high = row["eer"]["interval_95"]
    assert 0 < low < row["eer"]["difference"] < high
    same = dataclasses.replace(good, name="two")
    both = paired([good, same], [bad, same], seed=1)
    assert both["sets"]["two"]["eer"] == {"difference": 0, "interval_95": [0, 0]}
    assert both["mean_of_sets"]["eer"]["difference"] == row["eer"]["difference"] / 2
    back = paired([bad], [good], seed=1)["sets"]["one"]["eer"]
    assert back["interval_95"] == pytest.approx([-high, -low])


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [
        ((0.0, 0.0), "no difference shown"),
        ((0.0, 0.02), "no difference shown"),
        ((-0.02, 0.0), "no difference shown"),
        ((None, None), "no difference shown"),
        ((0.01, 0.02), "worse"),
        ((-0.02, -0.01), "better"),
    ],
)
def test_an_interval_that_touches_0_shows_no_difference(ends: tuple[float | None, float | None], verdict: str) -> None:
    row = {"eer": {"difference": 0.0, "interval_95": ends}}
    (table,) = section({"file": "b", "sets": {"one": row}, "mean_of_sets": row}).tables
    assert {cells[-1] for cells in table.rows} == {verdict}


def test_other_people_are_refused() -> None:
    with pytest.raises(InputRefused, match="the subjects are not the same"):
        paired([_set(0.1)], [_set(0.1, people=19)], seed=1)
    other = Comparisons("two", _set(0.1).scores, _set(0.1).subjects, _set(0.1).samples)
    with pytest.raises(InputRefused, match="the sets are one and two"):
        paired([_set(0.1)], [other], seed=1)


def test_both_matchers_are_on_one_page(tmp_path: Path) -> None:
    for name, noise in (("a", 0.1), ("b", 0.9)):
        one = _set(noise)
        np.savez(tmp_path / f"{name}.npz", **{"one": one.scores, "one:names": np.array(one.samples)})
    line = ["accuracy", "--scores", str(tmp_path / "a.npz"), "--against", str(tmp_path / "b.npz")]
    done = CliRunner().invoke(cli, [*line, "--out", str(tmp_path / "out"), "--replicates", "50"])
    assert done.exit_code == 0, done.output
    data = json.loads((tmp_path / "out" / "accuracy.json").read_text())
    assert data["against"]["file"] == "b.npz"
    assert data["against"]["sets"]["one"]["eer"]["difference"] > 0
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Another matcher on the same people" in page
    assert "worse" in page


@pytest.mark.parametrize(
    ("people", "names_of_sets", "measured"), [(20, "abcd", False), (27, "ab", False), (27, "abc", True)]
)
def test_a_mean_of_sets_is_measured_where_each_lets_one_pair_pass_and_all_three(
    people: int, names_of_sets: str, measured: bool
) -> None:
    """Two views a person: 760 impostor pairs in 20 people, 1 404 in 27."""
    rng = np.random.default_rng(2)
    subjects = np.repeat(np.arange(people), 2)
    names = [f"{person}_{view}" for person in range(people) for view in (1, 2)]
    sets = []
    for name in names_of_sets:
        scores = rng.normal(0, 1, (2 * people,) * 2) + 3 * (subjects[:, None] == subjects)
        sets.append(Comparisons(name, scores.astype(np.float32), subjects, names))
    found = mean_of_sets(sets, seed=1, replicates=20)
    each = [scores_of([one]) for one in sets]
    assert found["eer"]["rate"] == pytest.approx(np.mean([s.eer().value for s in each]))
    assert found["fnmr_at_1e-2"]["rate"] == pytest.approx(np.mean([s.at_fmr(1e-2).fnmr for s in each]))
    low, high = found["eer"]["interval_95"]
    assert low < found["eer"]["rate"] < high
    assert (found["fnmr_at_1e-3"] != NOT_MEASURABLE) is measured
