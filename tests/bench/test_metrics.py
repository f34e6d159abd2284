"""Intervals over people, 1:N, subjects, several enrollments and presentation attacks, each against counting by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from bench.accuracy import figures
from bench.metrics.attacks import presentation_attacks
from bench.metrics.comparisons import Comparisons, pairs_of, scores_of
from bench.metrics.enrollments import user_effect, view_effect
from bench.metrics.identification import identification, searches
from bench.metrics.resampling import Interval, subject_intervals
from bench.metrics.subjects import quality_bins, subject_table, zoo
from bioguard.errors import InputRefused


def _made(people: int, each: int, seed: int, *, spread: float = 0.5, unusable: tuple[int, ...] = ()) -> Comparisons:
    """Scores of points: a person is a place, a sample lies around it, a score is minus the distance."""
    rng = np.random.default_rng(seed)
    where = rng.normal(0, 1, (people, 3)).repeat(each, axis=0) + rng.normal(0, spread, (people * each, 3))
    scores = -np.linalg.norm(where[:, None] - where, axis=2).astype(np.float32)
    for i in unusable:
        scores[i] = scores[:, i] = -np.inf
    names = [f"p{p}_{i}" for p in range(people) for i in range(each)]
    quality = rng.integers(10, 60, people * each).astype(np.float64)
    return Comparisons("made", scores, np.arange(people).repeat(each), names, unusable, quality, "points")


def test_pairs_are_all_i_below_j_without_unusable_samples() -> None:
    one = _made(5, 3, 1, unusable=(4,))
    scores = scores_of([one])
    i, j = np.triu_indices(15, 1)
    kept = (i != 4) & (j != 4)
    same = one.subjects[i] == one.subjects[j]
    assert np.array_equal(scores.genuine, np.sort(one.scores[i, j][kept & same]))
    assert np.array_equal(scores.impostor, np.sort(one.scores[i, j][kept & ~same]))
    small = list(one.blocks(rows=4))
    assert sum(values.size for values, _, _ in small) == 14 * 13 // 2


def test_the_tail_alone_gives_the_same_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    one = _made(40, 4, 4, spread=0.3)
    scores = scores_of([one])
    whole = subject_intervals(pairs_of([one], scores), [0.01], seed=1, replicates=40)
    monkeypatch.setattr("bench.metrics.comparisons.TAIL_PAIRS", 1000)
    part = pairs_of([one], scores)
    assert part.impostor.size < 0.5 * scores.impostor.size
    assert subject_intervals(part, [0.01], seed=1, replicates=40) == whole
    assert subject_intervals(part, [0.01], seed=2, replicates=40) != whole


def test_the_tail_alone_gives_the_same_interval_over_pooled_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    group = [_made(30, 4, 14, spread=0.3), _made(25, 3, 15, spread=0.3, unusable=(1,))]
    scores = scores_of(group)
    all_pairs = pairs_of(group, scores)
    whole = subject_intervals(all_pairs, [0.01], seed=1, replicates=40)
    monkeypatch.setattr("bench.metrics.comparisons.TAIL_PAIRS", 1000)
    part = pairs_of(group, scores)
    assert part.people == 55
    weights = np.random.default_rng(1).integers(0, 4, 55).astype(np.float64)
    by_hand = np.sum(weights[all_pairs.impostor_a] * weights[all_pairs.impostor_b])
    assert part.impostor_weight(weights) == by_hand
    assert part.impostor.size < 0.5 * scores.impostor.size
    assert subject_intervals(part, [0.01], seed=1, replicates=40) == whole


def test_identification_by_hand() -> None:
    scores = np.array(
        [
            [9, 5, 1, 1, 2, 1],
            [5, 9, 7, 1, 2, 1],
            [1, 7, 9, 6, 2, 1],
            [1, 1, 6, 9, 2, 1],
            [2, 2, 2, 2, 9, 4],
            [1, 1, 1, 1, 4, 9],
        ],
        np.float32,
    )
    one = Comparisons("hand", scores, np.array([0, 0, 1, 1, 2, 2]), [f"{s}_{i}" for s in "abc" for i in (1, 2)])
    found = searches([one])
    assert found is not None
    # probes are samples 1, 3, 5; enrolled are 0, 2, 4
    assert found.mate.tolist() == [5, 6, 4]
    assert found.other.tolist() == [7, 2, 1]
    assert found.rank.tolist() == [2, 1, 1]
    report = identification(found)
    assert report["hit_rate_by_rank"] == {"1": 2 / 3}
    assert report["fnir_at_fpir"]["0.1"] == "not measurable"


def test_ties_count_against_us() -> None:
    scores = np.array([[9, 5, 1, 5], [5, 9, 5, 1], [1, 5, 9, 4], [5, 1, 4, 9]], np.float32)
    found = searches([Comparisons("tie", scores, np.array([0, 0, 1, 1]), ["a_1", "a_2", "b_1", "b_2"])])
    assert found is not None
    assert (found.mate.tolist(), found.other.tolist(), found.rank.tolist()) == ([5, 4], [5, 5], [2, 2])


def test_identification_rates_by_trying_thresholds() -> None:
    one = _made(40, 4, 6, spread=0.4)
    found = searches([one])
    assert found is not None
    point = identification(found)["fnir_at_fpir"]["0.1"]
    limits = [t for t in np.unique(found.other) if np.mean(found.other > t) <= 0.1]
    assert point["fnir"] == np.mean((found.rank > 1) | (found.mate <= limits[0]))
    assert point["false_positives"] == np.sum(found.other > limits[0]) <= 12
    exact = binomtest(point["misses"], point["searches"]).proportion_ci(0.95, "exact")
    assert point["interval_95"] == pytest.approx((exact.low, exact.high), abs=1e-12)


@pytest.mark.parametrize(("people", "measured"), [(29, False), (30, True)])
def test_a_search_rate_needs_three_over_the_rate_searches(people: int, measured: bool) -> None:
    found = searches([_made(people, 2, 6)])
    assert found is not None
    rates = identification(found)["fnir_at_fpir"]
    assert [rate != "not measurable" for rate in rates.values()] == [measured, False, False, False]


def test_a_draw_of_everybody_once_gives_the_fnir(monkeypatch: pytest.MonkeyPatch) -> None:
    found = searches([_made(40, 4, 6, spread=0.4)])
    assert found is not None
    rates = []

    def seen(statistic: Any, people: int, **_: Any) -> list[Interval]:
        rates.extend(statistic(np.ones(people)).tolist())
        return [Interval(0, 1)] * 4

    monkeypatch.setattr("bench.metrics.identification.rate_intervals", seen)
    assert rates == [] != identification(found)
    assert rates[0] == identification(found)["fnir_at_fpir"]["0.1"]["fnir"]
    assert rates[1] == identification(found)["fnir_at_fpir"]["0.03"]["fnir"]


def test_no_search_without_a_second_sample() -> None:
    assert searches([_made(5, 1, 1)]) is None


def test_subjects_add_up_to_the_rates() -> None:
    one = _made(20, 4, 7, spread=0.6)
    scores = scores_of([one])
    point = scores.at_fmr(0.05)
    rows = subject_table(one, point.threshold)
    assert sum(r["false_non_matches"] for r in rows) == 2 * point.false_non_matches  # both directions
    assert sum(r["false_matches"] for r in rows) == 2 * point.false_matches
    assert [r["subject"] for r in rows] == [f"p{i}" for i in range(20)]
    animals = zoo(rows)
    worst = max(r["fnmr"] for r in rows)
    assert animals["goats"][0]["fnmr"] == worst
    assert animals["lambs"][0]["as_reference"] == max(r["as_reference"] for r in rows)
    assert 0.1 < animals["share_of_false_matches_by_worst_tenth"] < 1


def test_a_planted_goat_and_a_planted_wolf_are_found() -> None:
    one = _made(20, 4, 8, spread=0.2)
    goat, wolf = np.flatnonzero(one.subjects == 3), np.flatnonzero(one.subjects == 11)
    one.scores[np.ix_(goat, goat)] = -9
    one.scores[wolf] = 0
    animals = zoo(subject_table(one, -0.5))
    assert animals["goats"][0]["subject"] == "p3"
    assert animals["wolves"][0]["subject"] == "p11"
    assert animals["wolves"][0]["as_probe"] == 1.0


def test_quality_quarters() -> None:
    one = _made(30, 4, 9)
    one.scores[one.quality < 25] = one.scores[:, one.quality < 25] = -9
    rows = quality_bins([one], -5.0)
    assert sum(r["genuine"] for r in rows) == 30 * 6
    assert rows[0]["fnmr"] > 0.9
    assert rows[-1]["fnmr"] == 0
    assert quality_bins([Comparisons("none", one.scores, one.subjects, one.samples)], -5.0) == []


def test_more_views_miss_less_and_match_more() -> None:
    one = _made(15, 6, 10, spread=0.5)
    threshold = scores_of([one]).at_fmr(0.05).threshold
    rows = view_effect([one], threshold, (1, 2, 4))
    assert [r["views"] for r in rows] == [1, 2, 4]
    assert rows[0]["fnmr"] >= rows[1]["fnmr"] >= rows[2]["fnmr"]
    assert rows[0]["fmr"] <= rows[1]["fmr"] <= rows[2]["fmr"]
    gallery, probes = np.arange(15) * 6, np.flatnonzero(np.arange(90) % 6 >= 4)
    matched = one.scores[np.ix_(probes, gallery)] >= threshold
    mates = one.subjects[probes][:, None] == np.arange(15)
    assert rows[0]["false_non_matches"] == np.sum(mates & ~matched)
    assert rows[0]["false_matches"] == np.sum(~mates & matched)


def test_users_with_several_fingers_are_matched_more_often() -> None:
    one = _made(40, 3, 11)
    point = scores_of([one]).at_fmr(0.05)
    rows = user_effect([one], point.threshold, point.fmr, (1, 2, 5), seed=3)
    assert [r["enrolled"] for r in rows] == [1, 2, 5]
    assert rows[0]["fmr"] < rows[1]["fmr"] < rows[2]["fmr"]
    assert rows[2]["independent"] == pytest.approx(1 - (1 - point.fmr) ** 5)
    assert rows == user_effect([one], point.threshold, point.fmr, (1, 2, 5), seed=3)


def test_failures_count() -> None:
    one = _made(6, 3, 12, unusable=(0, 1, 2, 7))
    found = figures([one], seed=1, replicates=20)
    assert found["failure_to_acquire"]["failed"] == 4
    enroll = found["failure_to_enroll"]
    assert (enroll["failed"], enroll["people"], enroll["rate"]) == (1, 6, 1 / 6)
    assert found["genuine"] == 4 * 3 + 1
    assert found["fnmr_at_fmr"]["1e-2"] == "not measurable"


def test_transactions_follow_the_standard() -> None:
    found = figures([_made(20, 4, 13, unusable=(0,))], seed=1, replicates=20)
    point, rates = found["fnmr_at_fmr"]["1e-2"], found["transaction_at_fmr"]["1e-2"]
    assert rates["far"] == pytest.approx(point["fmr"] * (1 - 1 / 80))
    assert rates["frr"] == pytest.approx(1 / 80 + point["fnmr"] * (1 - 1 / 80))
    assert rates["gfar"] == rates["far"]  # everybody could be enrolled


ATTACKS = """kind,species,decision,match
attack,gelatin,attack,0
attack,gelatin,bona_fide,1
attack,gelatin,bona_fide,0
attack,gelatin,attack,0
attack,print,attack,0
attack,print,attack,
bona_fide,,bona_fide,1
bona_fide,,attack,0
bona_fide,,bona_fide,1
"""


def test_presentation_attacks(tmp_path: Path) -> None:
    path = tmp_path / "attacks.csv"
    path.write_text(ATTACKS, encoding="utf-8")
    found = presentation_attacks(path)
    assert found["species"]["gelatin"]["apcer"]["rate"] == 0.5
    assert found["species"]["gelatin"]["iapar"] == {
        "rate": 0.25, "count": 1, "trials": 4, "interval_95": found["species"]["gelatin"]["iapar"]["interval_95"],
    }  # fmt: skip
    assert found["species"]["print"]["apcer"]["rate"] == 0
    assert found["species"]["print"]["iapar"]["trials"] == 1
    assert found["worst_apcer"] == {"species": "gelatin", "rate": 0.5}
    assert (found["bpcer"]["count"], found["bpcer"]["trials"]) == (1, 3)
    assert found["bona_fide_rejected"]["rate"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind,species\n", "line 1: the columns are not kind, species, decision, match"),
        ("kind,species,decision,match\nmask,x,attack,0\n", "line 2: unknown kind or decision"),
        ("kind,species,decision,match\nattack,,attack,0\n", "line 2: match is 0, 1 or empty; attacks, and only"),
        ("kind,species,decision,match\nbona_fide,,attack,2\n", "line 2: match is 0, 1 or empty; attacks, and only"),
    ],
)
def test_attack_files_are_refused_by_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "attacks.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused) as caught:
        presentation_attacks(path)
    assert message in caught.value.message
