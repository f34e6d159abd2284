"""Failures to enroll and to acquire, generalized rates and transactions of several attempts, each counted by hand."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from bench.dataset import Groups
from bench.enrollment_gate import product_gate
from bench.metrics.comparisons import Comparisons, scores_of
from bench.metrics.computed import ComputedScores
from bench.metrics.failures import (
    Judge,
    enrollments,
    failure_to_acquire,
    failure_to_enroll,
    transactions,
)
from bench.metrics.groups import group_rates, only
from bench.metrics.people import each_person_equal, genuine_counts, largest_share
from bioguard.match.thresholds import builtin_profile
from bioguard.records.modality import Modality
from bioguard.simulate.people import FingerPopulation


def _set(people: int, each: int, *, unusable: tuple[int, ...] = (), seed: int = 1, name: str = "made") -> Comparisons:
    """Scores that are mostly right."""
    rng = np.random.default_rng(seed)
    subjects = np.arange(people).repeat(each)
    scores = rng.normal(0, 1, (people * each,) * 2) + 4 * (subjects[:, None] == subjects)
    scores = np.minimum(scores, scores.T).astype(np.float32)
    for i in unusable:
        scores[i] = scores[:, i] = -np.inf
    names = [f"p{p}_{i}" for p in range(people) for i in range(each)]
    return Comparisons(name, scores, subjects, names, unusable)


def _transactions(one: Comparisons, judge: Judge | None, fmr: float = 1e-2, attempts: int = 3) -> dict[str, Any]:
    point = scores_of([one]).at_fmr(fmr)
    points = {"t": {"threshold": point.threshold, "fmr": point.fmr}, "u": "not measurable"}
    found = transactions([one], [enrollments(one, judge, 3)], points, attempts)
    assert found["u"] == "not measurable"
    return {**found["t"], "threshold": point.threshold, "fmr": point.fmr, "fnmr": point.fnmr}


def test_one_failed_person_is_not_counted_twice() -> None:
    """10 people with 8 samples: one has none that can be used, 3 other samples cannot be used either."""
    one = _set(10, 8, unusable=(*range(16, 24), 0, 33, 70))
    found = _transactions(one, None)
    assert failure_to_acquire([one])["rate"] == pytest.approx(11 / 80)
    assert (found["fte"], found["fta"], found["fta_of_enrolled"]) == pytest.approx((1 / 10, 11 / 80, 3 / 72))
    assert found["fnmr_of_enrolled"] == found["fnmr"]  # the failed person has no comparison
    frr = 3 / 72 + (1 - 3 / 72) * found["fnmr"]
    assert found["frr"] == pytest.approx(frr)
    assert found["gfrr"] == pytest.approx(0.1 + 0.9 * frr)
    twice = 11 / 80 + (1 - 11 / 80) * found["fnmr"]
    assert found["gfrr"] < 0.1 + 0.9 * twice - 0.05
    assert found["far"] == pytest.approx((1 - 11 / 80) * found["fmr"])
    assert found["gfar"] == pytest.approx(0.9 * (1 - 11 / 80) * found["fmr"])


def test_whom_the_gate_refuses_makes_no_genuine_attempt() -> None:
    one = _set(6, 4)
    one.scores[np.ix_(range(8, 12), range(8, 12))] = -9  # person 2 never matches
    judge: Judge = lambda group: "samples differ" if one.subjects[group[0]] == 2 else ""  # noqa: E731
    found, everybody = _transactions(one, judge), _transactions(one, None)
    assert found["fte"] == pytest.approx(1 / 6)
    assert everybody["fnmr_of_enrolled"] == everybody["fnmr"] >= 1 / 6
    assert found["fnmr_of_enrolled"] == pytest.approx((everybody["fnmr"] * 36 - 6) / 30)
    assert found["gfrr"] == pytest.approx(1 / 6 + 5 / 6 * found["fnmr_of_enrolled"])
    several = found["several_attempts"]
    assert several["gfrr"] == pytest.approx(1 / 6 + 5 / 6 * several["frr"])
    assert several["gfar"] == pytest.approx(5 / 6 * several["far"])
    assert several["far"] > 0


def test_transactions_of_three_attempts_by_trying_each() -> None:
    one = _set(5, 7, unusable=(3, 20), seed=4)
    one.scores[0:7, 0:7] -= 4  # somebody who often needs a second attempt
    found = _transactions(one, None, fmr=0.05)
    limit, counts = found["threshold"], [0, 0, 0, 0]
    for reference in one.usable:
        own = one.subjects[reference]
        for person in range(5):
            samples = [i for i in np.flatnonzero(one.subjects == person) if i != reference]
            for start in range(0, len(samples) - 2, 3):
                passed = any(one.scores[i, reference] >= limit for i in samples[start : start + 3])
                if person == own:
                    counts[0], counts[1] = counts[0] + 1, counts[1] + (not passed)
                else:
                    counts[2], counts[3] = counts[2] + 1, counts[3] + passed
    several = found["several_attempts"]
    assert [several[k] for k in ("genuine", "refused", "impostor", "accepted")] == counts
    assert counts[1] > 0 < counts[3]
    assert several["frr"] == counts[1] / counts[0] < found["frr"]
    assert several["far"] == counts[3] / counts[2] > found["far"]
    assert several["gfrr"] == several["frr"]
    assert _transactions(_set(5, 3), None)["several_attempts"] == "not measurable"  # no three other samples


def test_an_attempt_at_the_threshold_passes() -> None:
    one = Comparisons("x", np.full((8, 8), 2, np.float32), np.arange(2).repeat(4), [f"p{i // 4}_{i}" for i in range(8)])
    found = transactions([one], [enrollments(one, None, 3)], {"t": {"threshold": 2.0, "fmr": 1.0}}, 3)
    several = found["t"]["several_attempts"]
    assert (several["refused"], several["accepted"]) == (0, several["impostor"])


def test_scores_made_on_demand_give_the_same_transactions() -> None:
    one = _set(60, 7, seed=6)
    made = dataclasses.replace(one, scores=ComputedScores(420, lambda rows: one.scores[rows]))
    points = {"t": {"threshold": scores_of([one]).at_fmr(1e-2).threshold, "fmr": 0.01}}
    found = [transactions([s], [enrollments(s, None, 3)], points, 3) for s in (one, made)]
    assert found[0] == found[1]
    half = np.arange(60) % 2 == 0
    kept, asked = only(one, half), only(made, half)
    assert np.array_equal(kept.scores[np.arange(210)], asked.scores[np.arange(210)])
    assert found[0]["t"]["several_attempts"]["impostor"] == 420 * 59 * 2


def test_the_gate_judges_the_first_usable_samples_of_who_gave_enough() -> None:
    one = _set(4, 4, unusable=(0, 13, 14))
    seen: list[list[int]] = []

    def judge(group: Any) -> str:
        seen.append(group.tolist())
        return "poor quality" if 5 in group else ""

    found = enrollments(one, judge, 3)
    assert seen == [[1, 2, 3], [4, 5, 6], [5, 6, 7], [8, 9, 10], [9, 10, 11]]
    assert found.refused == ("", "poor quality", "", "too few usable samples")
    assert found.windows == (5, 2)
    rate = failure_to_enroll([found])
    assert (rate["failed"], rate["people"], rate["not_judged"]) == (2, 4, 0)
    assert rate["reasons"] == {"poor quality": 1, "too few usable samples": 1}
    assert rate["every_samples_in_a_row"]["refused"] == 2
    mixed = Comparisons("mixed", one.scores[:9, :9], np.array([0, 0, 0, 0, 1, 1, 1, 2, 3]), one.samples[:9], (8,))
    found = enrollments(mixed, judge, 3)
    assert found.judged.tolist() == [True, True, False, False]
    assert found.enrolled.tolist() == [True, False, True, False]
    assert failure_to_enroll([found])["people"] == 2


def test_scores_alone_are_judged_by_nothing_and_say_so() -> None:
    rate = failure_to_enroll([enrollments(_set(4, 2, unusable=(2, 3)), None, 3)])
    assert (rate["failed"], rate["people"], rate["reasons"]) == (1, 4, {"no usable sample": 1})
    assert rate["gate"].startswith("none: scores only")
    assert "samples_together" not in rate


def test_the_gate_is_that_of_the_secure_world() -> None:
    touches = [t for person in (0, 1) for t in FingerPopulation(3).impressions(person, 2, 3)]
    judge = product_gate([*touches, None], builtin_profile(Modality.FINGERPRINT))
    assert judge(np.array([0, 1, 2])) == ""
    assert judge(np.array([0, 1, 5])) == "inconsistent samples"
    assert judge(np.array([0, 1, 1])) == "poor quality"  # the same touch again


def test_a_person_who_rules_the_pairs_is_named() -> None:
    sizes = [30, 2, 2, 2, 2, 2, 2]
    subjects = np.arange(7).repeat(sizes)
    n = subjects.size
    scores = np.where(subjects[:, None] == subjects, 1, 0).astype(np.float32)
    scores[30, 31] = scores[31, 30] = 0  # the second person's only pair is missed
    one = Comparisons("lfw", scores, subjects, [f"{s}_{i}" for i, s in enumerate(subjects)])
    top = largest_share([one])
    assert top == {"set": "lfw", "subject": "0", "genuine": 435, "share": 435 / 441, "large": True}
    genuine, missed = genuine_counts(one, [0.5, 2])
    assert genuine.tolist() == [435, 1, 1, 1, 1, 1, 1]
    assert missed.tolist() == [[0, 1, 0, 0, 0, 0, 0], genuine.tolist()]
    assert each_person_equal([one], [0.5]) == [pytest.approx(1 / 7)]
    assert scores_of([one]).at(0.5).fnmr == pytest.approx(1 / 441)
    equal = largest_share([_set(10, 4)])
    assert equal is not None
    assert not equal["large"]  # a tenth each
    one_of_many = Comparisons(
        "x", np.zeros((42, 42), np.float32), np.array([0, 0, 0, *range(20), *range(1, 20)]), [""] * 42
    )
    found = largest_share([one_of_many])
    assert found is not None
    assert (found["genuine"], found["share"], found["large"]) == (6, 6 / 25, True)
    twenty = np.repeat(np.arange(60), [3, *[2] * 59])
    found = largest_share([Comparisons("x", np.zeros((121, 121), np.float32), twenty, [""] * 121)])
    assert found is not None
    assert not found["large"]  # three of 62 pairs: three times an equal share, and yet a small one
    assert largest_share([_set(n, 1)]) is None


def test_groups_are_compared_among_themselves_under_the_threshold_of_all(tmp_path: Any) -> None:
    one = _set(6, 4, seed=9)
    values = {("", f"p{i}"): ("f" if i < 2 else "m", "young" if i % 2 else "old") for i in range(6)}
    groups = Groups(("sex", "age"), values, by_set=False, path=tmp_path)
    point = scores_of([one]).at_fmr(0.1)
    points = {"1e-1": {"threshold": point.threshold}, "1e-3": "not measurable"}
    rows = group_rates([one], groups, points, {"1e-1": 0.1, "1e-3": 1e-3})
    assert [(r["column"], r["value"], r["people"]) for r in rows] == [
        ("sex", "f", 2), ("sex", "m", 4), ("age", "old", 3), ("age", "young", 3),
    ]  # fmt: skip
    inside = only(one, np.array([1, 1, 0, 0, 0, 0], bool))
    i, j = np.triu_indices(8, 1)
    same, scores = inside.subjects[i] == inside.subjects[j], one.scores[:8, :8][i, j]
    found = rows[0]["at_fmr"]["1e-1"]
    assert (rows[0]["genuine"], rows[0]["impostor"]) == (same.sum(), (~same).sum()) == (12, 16)
    assert found["false_non_matches"] == np.sum(same & (scores < point.threshold))
    assert found["false_matches"] == np.sum(~same & (scores >= point.threshold))
    assert found["fmr"] == "not measurable"  # fewer than 3 / 0.1
    assert rows[1]["at_fmr"]["1e-1"]["fmr"] == rows[1]["at_fmr"]["1e-1"]["false_matches"] / rows[1]["impostor"]
    assert "1e-3" not in rows[0]["at_fmr"]


def test_a_group_at_its_boundaries_and_of_people_in_two_sets(tmp_path: Any) -> None:
    scores = np.zeros((52, 52), np.float32)
    scores[0, 1] = scores[1, 0] = 2  # genuine, and at the threshold: not missed
    subjects = np.array([0, *range(25), *range(25, 51)])
    one = Comparisons("one", scores, subjects, [f"p{s}_{i}" for i, s in enumerate(subjects)], (1,))
    two = dataclasses.replace(one, name="two", unusable=(51,))
    groups = Groups(("g",), {("", f"p{i}"): ("a" if i < 25 else "b",) for i in range(51)}, by_set=False, path=tmp_path)
    found = group_rates([one], groups, {"1e-2": {"threshold": 2.0}}, {"1e-2": 1e-2})
    assert [(r["people"], r["impostor"]) for r in found] == [(25, 300), (26, 325)]
    assert [r["at_fmr"]["1e-2"]["fmr"] for r in found] == [0, 0]
    who = {name: [str(i) for i in range(51)] for name in ("one", "two")}
    first, second = group_rates([one, two], groups, {"1e-2": {"threshold": 2.0}}, {"1e-2": 1e-2}, who)
    assert (first["people"], second["people"]) == (25, 26)  # the same people in both
    assert (first["genuine"], first["at_fmr"]["1e-2"]["false_non_matches"]) == (1, 0)


def test_a_group_keeps_its_failures() -> None:
    part = only(_set(4, 2, unusable=(3, 6)), np.array([0, 1, 0, 1], bool))
    assert (part.samples, part.unusable) == (["p1_0", "p1_1", "p3_0", "p3_1"], [1, 2])
    assert part.subjects.tolist() == [0, 0, 1, 1]
