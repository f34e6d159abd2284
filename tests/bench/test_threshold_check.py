"""Labelled thresholds against counting by hand: what holds, what does not, and what cannot be known."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from bench.__main__ import cli
from bench.accuracy_report import label_lines
from bench.load import FingerprintSet
from bench.metrics.comparisons import Comparisons
from bench.metrics.pair_lists import PairList
from bench.metrics.resampling import proportion, rule_of_3
from bench.metrics.threshold_check import LABELS, Labelled, threshold_check
from bench.sections.threshold_check import threshold_check as section
from bench.threshold_check import across, across_rows, labelled
from bioguard.match.thresholds import builtin_profile, threshold_for_fmr
from bioguard.records.modality import Modality
from bioguard.records.scores import Score
from bioguard.report import Report, render


def _set(name: str, people: int, seed: int) -> Comparisons:
    rng = np.random.default_rng(seed)
    subjects = np.arange(people).repeat(4)
    scores = np.triu(rng.normal(0, 1, (subjects.size,) * 2), 1)
    scores += scores.T + np.where(subjects[:, None] == subjects, 4, 0)
    names = [f"{p}_{i}" for p in range(people) for i in range(4)]
    return Comparisons(name, scores.astype(np.float32), subjects, names)


def _at(threshold: float, label: str = "1e-3") -> Labelled:
    return Labelled(label, LABELS[label], threshold, "measured")


def test_counts_and_ratio_by_hand() -> None:
    one = _set("one", 30, 1)
    (row,) = threshold_check([one], [_at(3.0902)], seed=1)
    i, j = np.triu_indices(120, 1)
    same = one.subjects[i] == one.subjects[j]
    matched = one.scores[i, j] >= np.float32(3.0902)
    assert (row["false_matches"], row["impostors"]) == (int((matched & ~same).sum()), 6960)
    assert (row["false_non_matches"], row["genuine"]) == (int((~matched & same).sum()), 180)
    assert row["ratio"] == pytest.approx(row["false_matches"] / 6.96)
    low, high = row["interval_95"]
    assert low < row["ratio"] < high
    assert row["fmr_interval_95"] == pytest.approx([low / 1000, high / 1000])
    assert row["holds"] is True
    exact = proportion(row["false_matches"], 6960)
    assert row["fmr_interval_95"][0] <= exact[0]  # never surer than independent comparisons would be
    assert row["fmr_interval_95"][1] >= exact[1]


@pytest.mark.parametrize(
    ("threshold", "label", "holds"),
    [
        (2.0, "1e-3", False),
        (2.0, "1e-6", False),  # too few comparisons to show the rate, and far too many of them match
        (9.0, "1e-3", True),
        (9.0, "1e-4", "not measurable"),
        (1.0, "1e-2", False),
    ],
)
def test_a_label_fails_below_its_interval_whatever_was_counted(threshold: float, label: str, holds: bool | str) -> None:
    (row,) = threshold_check([_set("one", 30, 1)], [_at(threshold, label)], seed=1, replicates=50)
    assert row["holds"] is holds or row["holds"] == holds


def _nobody(genuine: list[float], impostor: list[float]) -> PairList:
    scores = np.array([*genuine, *impostor], np.float32)
    kind = np.arange(scores.size) >= len(genuine)
    zeros = np.zeros(scores.size, np.int64)
    return PairList("x", scores, zeros, kind.astype(np.int64), np.arange(2), (), anonymous=True)


def test_verdicts_at_their_boundaries() -> None:
    """A score at the threshold matches; 3 / rate comparisons are enough; a label at the end of its interval holds."""
    (row,) = threshold_check([_nobody([2.0, 2.5, 1.75], [2.0, 2.5, 1.75, 0])], [_at(2.0)], seed=1)
    assert (row["false_matches"], row["false_non_matches"]) == (2, 1)
    for impostors, holds in ((299, "not measurable"), (300, True), (301, True)):
        (row,) = threshold_check([_nobody([], [0.0] * impostors)], [_at(2.0, "1e-2")], seed=1)
        assert row["holds"] == holds, impostors
    low, _ = proportion(40, 1000)
    for rate, fails in ((low, False), (np.nextafter(low, 1), False), (np.nextafter(low, 0), True)):
        one = _nobody([], [3.0] * 40 + [0.0] * 960)
        (row,) = threshold_check([one], [Labelled("", float(rate), 2.0, "measured")], seed=1)
        assert (row["holds"] is False) == fails
        assert row["fmr_interval_95"][0] == low


def test_no_false_match_is_bounded_over_pairs_of_people() -> None:
    one = _set("one", 30, 1)
    (row,) = threshold_check([one, _twice(one)], [_at(9)], who=_same(one), seed=1, replicates=20)
    assert row["fmr_interval_95"] == [0, rule_of_3(30 * 29 // 2)]  # the second extractor brings no new people
    assert row["basis_of_interval"] == "rule of 3 over pairs of people"
    assert row["fnmr_interval_95"] == [1 - rule_of_3(30), 1]  # everybody is missed: over people


def test_a_pair_of_people_counts_once_however_many_sets_hold_it() -> None:
    """Sets that share some of their people, a list between two of them, and one that repeats pairs of a set."""
    one, two = _set("one", 10, 1), _set("two", 8, 2)
    who = {"one": list("abcdefghij"), "two": list("hijklmno"), "list": list("abchkx")}  # h, i, j are in both
    probe, reference = np.array([0, 1, 3, 3, 4, 0, 5]), np.array([1, 0, 4, 0, 3, 4, 5])  # ab ba hk ha kh ak xx
    more = PairList("list", np.zeros(7, np.float32), probe, reference, np.arange(6), [""] * 6)
    (row,) = threshold_check([one, two, more], [_at(9)], who=who, seed=1, replicates=20)
    assert row["fmr_interval_95"] == [0, rule_of_3(45 + 28 - 3 + 1)]  # of the list only a and k are new


def test_an_interval_is_never_narrower_than_of_as_many_independent_comparisons() -> None:
    """One of four comparisons of every two people matches: no draw of people moves the rate."""
    one = _set("one", 12, 1)
    first = np.arange(48) % 2 == 0
    scores = np.where(first[:, None] & first, 5, 0).astype(np.float32)
    (row,) = threshold_check([Comparisons("x", scores, one.subjects, one.samples)], [_at(1)], seed=1, replicates=20)
    assert row["basis_of_interval"] == "Clopper-Pearson over comparisons"
    assert tuple(row["fmr_interval_95"]) == proportion(66 * 4, 66 * 16)


def test_very_many_false_matches_have_the_interval_of_as_many_with_their_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    one = _set("one", 60, 2)
    (row,) = threshold_check([one], [_at(1.0)], seed=1)
    monkeypatch.setattr("bench.metrics.threshold_check.MOST_PAIRS", 10)
    (without,) = threshold_check([one], [_at(1.0)], seed=1)
    assert without["false_matches"] == row["false_matches"] > 1000
    assert without["interval_95"] == pytest.approx(row["interval_95"], rel=0.02)


def _twice(one: Comparisons) -> Comparisons:
    return Comparisons("two", one.scores, one.subjects, one.samples)


def _same(one: Comparisons) -> dict[str, list[str]]:
    return {name: [str(i) for i in range(one.people)] for name in ("one", "two")}


def test_scores_of_nobody_known_have_an_interval_over_comparisons() -> None:
    pairs = np.array([0, 0, 0, 1])
    one = PairList(
        "x", np.array([5, 1, 4, 0], np.float32), np.zeros(4, np.int64), pairs, np.array([0, 1]), (), anonymous=True
    )
    (row,) = threshold_check([one], [_at(0.5)], seed=1)
    assert (row["false_matches"], row["impostors"], row["genuine"]) == (0, 1, 3)
    assert row["basis_of_interval"] == "Clopper-Pearson over comparisons"


def _fingers(name: str, templates: list[Any], people: int) -> FingerprintSet:
    files = [f"{k:02}_{i}.iso" for k in range(people) for i in range(2)]
    return FingerprintSet(name, files, [f.split("_")[0] for f in files], templates)


def test_sets_of_one_extractor_are_compared_and_one_person_in_two_is_left_out() -> None:
    limits = labelled(builtin_profile(Modality.FINGERPRINT), Score.LIKELIHOOD_RATIO)
    a, b, other = (_fingers(n, [object()] * 24, 12) for n in ("x/a/1", "x/b/1", "y/a/1"))  # type: ignore[list-item]
    who = {"x/a/1": [f"a{i}" for i in range(12)], "x/b/1": [f"b{i}" for i in range(12)]} | {
        "y/a/1": [f"a{i}" for i in range(12)]
    }
    matrix = np.full((24, 24), -3, np.float32)
    matrix[:2, 4:6] = 9  # a0 is b2
    matrix[5, 9] = 9
    (found,) = across([a, b, other], who, limits, lambda *_: matrix)
    assert [one.name for one in found.lists] == ["x/a/1 x b/1"]
    assert (found.extractor, found.one_person) == ("x", [("a0", "b2")])
    rows = across_rows(found, [], limits, seed=1, replicates=20)
    assert {(r["false_matches"], r["impostors"]) for r in rows["x: all across"]} == {(1, 24 * 24 - 4)}


def test_one_person_is_who_matches_in_more_than_half_and_one_pair_is_always_left_out() -> None:
    limits = labelled(builtin_profile(Modality.FINGERPRINT), Score.LIKELIHOOD_RATIO)
    a, b = (_fingers(n, [object()] * 6, 3) for n in ("a", "b"))  # type: ignore[list-item]
    who = {n: [f"{n}{i}" for i in range(3)] for n in ("a", "b")}
    matrix = np.full((6, 6), -3, np.float32)
    matrix[0, :2] = matrix[2, 2:4] = matrix[3, 2] = np.float32(np.nextafter(limits[2].threshold, 99))
    (found,) = across([a, b], who, [*limits], lambda *_: matrix)
    assert found.one_person == [("a1", "b1")]  # three of four; a0 and b0 match in two
    exact = [replace(t, threshold=2.0) for t in limits]
    (found,) = across([a, b], who, exact, lambda *_: np.where(matrix > 0, 2, -3).astype(np.float32))
    assert found.one_person == [("a1", "b1")]


def test_a_broken_threshold_leaves_nobody_out() -> None:
    """Else a matcher that takes everybody for one person would pass its check."""
    limits = labelled(builtin_profile(Modality.FINGERPRINT), Score.LIKELIHOOD_RATIO)
    a, b = (_fingers(n, [object()] * 24, 12) for n in ("a", "b"))  # type: ignore[list-item]
    who = {n: [f"{n}{i}" for i in range(12)] for n in ("a", "b")}
    (found,) = across([a, b], who, limits, lambda *_: np.full((24, 24), 9, np.float32))
    assert found.one_person == []
    rows = across_rows(found, [], limits, seed=1, replicates=20)["all across"]
    assert [r["holds"] for r in rows] == [False] * 6
    assert rows[0]["ratio"] == pytest.approx(100)


def test_the_profile_in_use_is_checked(tmp_path: Path) -> None:
    """Thresholds are those of the file, and its digest is in the result; a profile of something else is refused."""
    face = builtin_profile(Modality.FACE, 128)
    (tmp_path / "p.profile").write_bytes(face.to_bytes())
    rng = np.random.default_rng(3)
    people = rng.normal(size=(20, 128)).repeat(2, axis=0)
    np.savez(tmp_path / "f.npz", embeddings=people + rng.normal(0, 0.3, people.shape), labels=np.arange(20).repeat(2))
    line = ["accuracy", "--faces", str(tmp_path / "f.npz"), "--out", str(tmp_path / "out"), "--replicates", "20"]
    done = CliRunner().invoke(cli, [*line, "--comparison-profile", str(tmp_path / "p.profile")])
    assert done.exit_code == 0, done.output
    data = json.loads((tmp_path / "out" / "accuracy.json").read_text())
    assert data["comparison_profile"]["sha256"] == face.digest.hex()
    rows = data["sets"]["cosine"]["threshold_check"]
    assert [row["threshold"] for row in rows] == [
        threshold_for_fmr(rate, profile=face, score=Score.COSINE) for rate in LABELS.values()
    ]
    assert data["sets"]["code"]["threshold_check"] == []  # the code is an index, nothing is decided on it
    (tmp_path / "p.profile").write_bytes(builtin_profile(Modality.FINGERPRINT).to_bytes())
    done = CliRunner().invoke(cli, [*line, "--comparison-profile", str(tmp_path / "p.profile")])
    assert "bench.profile" in done.output or getattr(done.exception, "code", "") == "bench.profile"


def test_only_what_was_compared_across_sets_is_sensor_against_sensor() -> None:
    impostors, both = (threshold_check([_nobody(g, [0.0] * 400)], [_at(2.0, "1e-2")], seed=1) for g in ([], [3.0]))
    rows = {"list": impostors, "a x b": impostors, "within and across": both}
    shown = section(rows, None, (), ("a x b", "within and across"))
    assert [(t.title, [row[0] for row in t.rows]) for t in shown.tables] == [
        ("Threshold check", ["list", "within and across"]), ("Sensor against sensor", ["a x b"]),
    ]  # fmt: skip


def test_what_does_not_hold_is_red_and_says_so() -> None:
    rows = {"one": threshold_check([_set("one", 30, 1)], [_at(2.0), _at(9.0, "1e-4")], seed=1, replicates=50)}
    shown = section(rows, {"name": "p", "model": "m", "site": [], "sha256": "ab"}, [("a", "b")])
    assert shown.text[0] == "These labels do not hold: one at 1e-3."
    assert "a and b are probably one person" in shown.text[2]
    assert shown.tables[0].failing == {0}
    assert len(shown.tables[0].rows) == 1  # nothing to see and nothing to know at 1e-4: the note says so
    assert "1e-4 in one" in shown.tables[0].note
    page = render(
        Report(kind="bench", title="t", headline="h", tool="t", created="2026-01-01T00:00:00Z", sections=(shown,)),
        "html",
    )
    assert '<tr class="failing">' in page


def test_one_set_is_one_row_on_the_page_and_several_labels_one_line(tmp_path: Path) -> None:
    """All of one set is that set: its figures are not made, listed and failed twice."""
    rng = np.random.default_rng(2)
    pairs = [(f"{i}_{a}", f"{j}_{b}") for i in range(12) for j in range(12) for a in (1, 2) for b in (1, 2)]
    rows = [f"{p},{q},{rng.normal(7, 1) if p[:-2] == q[:-2] else rng.normal(3, 1)}" for p, q in pairs if p < q]
    (tmp_path / "s.csv").write_text("\n".join(["probe,reference,score", *rows[1:]]), "utf-8")
    (tmp_path / "p.profile").write_bytes(builtin_profile(Modality.FINGERPRINT).to_bytes())
    line = ["accuracy", "--scores", str(tmp_path / "s.csv"), "--comparison-profile", str(tmp_path / "p.profile")]
    done = CliRunner().invoke(cli, [*line, "--out", str(tmp_path), "--replicates", "20"])
    assert done.exit_code == 0, done.output
    assert [text.split()[0] for text in done.stdout.splitlines()] == ["set", "s", "n/m:", "labels"]
    assert done.stderr.count("does not hold for these data") == 6
    page = (tmp_path / "report.html").read_text("utf-8")
    assert page.count('<tr class="failing">') == 6
    assert "These labels do not hold: s at 1e-2, 1e-3, 1e-4, 1/50000, 1e-5, 1e-6." in page
    assert "the comparisons that are listed; zero-effort" in page
    data = json.loads((tmp_path / "accuracy.json").read_text("utf-8"))
    assert data["pooled"] == data["sets"]["s"]


@pytest.mark.parametrize(
    ("verdicts", "line"),
    [
        ([True, True], "labels of thresholds: 2 checked, none is exceeded; 0 not measurable"),
        ([True, "not measurable"], "labels of thresholds: 1 checked, none is exceeded; 1 not measurable"),
        ([True, False], "labels of thresholds that do NOT hold here, 1 of 2: 1e-3 x4.3 (door)"),
    ],
)
def test_the_terminal_says_whether_labels_hold(verdicts: list[bool | str], line: str) -> None:
    rows = [
        {"label": label, "ratio": ratio, "holds": holds}
        for label, ratio, holds in zip(("1e-2", "1e-3"), (0.9, 4.26), verdicts, strict=True)
    ]
    assert label_lines({"sets": {"door": {"threshold_check": rows}}}) == [line]
    assert label_lines({"sets": {"door": {"threshold_check": []}}}) == []
