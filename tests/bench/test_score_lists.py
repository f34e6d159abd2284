"""Scores as labs have them: lists of some of the pairs, claims of bob and BEAT, genuine and impostor scores alone."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bench.__main__ import cli
from bench.accuracy import figures
from bench.metrics.comparisons import Comparisons, Scored, pair_scores
from bench.metrics.pair_lists import PairList
from bench.metrics.rates import Scores
from bench.metrics.subjects import subject_table
from bench.score_files import read_score_files
from bench.score_lists import FORMATS
from bioguard.errors import InputRefused

FINGERS, TOUCHES = 12, 4
NAMES = [f"{101 + f}_{t}" for f in range(FINGERS) for t in range(1, TOUCHES + 1)]
SUBJECT = np.repeat(np.arange(FINGERS), TOUCHES)
RNG = np.random.default_rng(5)
MATRIX = (RNG.normal(0, 1, (len(NAMES),) * 2) + 2.5 * (SUBJECT[:, None] == SUBJECT)).round(3)


def _write(path: Path, rows: Iterable[Iterable[object]], header: str = "probe,reference,score") -> Path:
    lines = ([header] if header else []) + [",".join(map(str, row)) for row in rows]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def _listed(wanted: Callable[[int, int], bool]) -> list[tuple[int, int]]:
    return [(i, j) for i in range(len(NAMES)) for j in range(len(NAMES)) if i != j and wanted(i, j)]


def _fvc(i: int, j: int) -> bool:
    """All genuine pairs; impostors: first impressions with each other."""
    return i < j and (SUBJECT[i] == SUBJECT[j] or (i % TOUCHES == 0 and j % TOUCHES == 0))


def _enrolled(i: int, j: int) -> bool:
    """The last touches against the first ones, which are enrolled."""
    return i % TOUCHES >= TOUCHES // 2 > j % TOUCHES


def _sides(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    i, j = np.array(pairs).T
    same, scores = SUBJECT[i] == SUBJECT[j], MATRIX[i, j].astype(np.float32)
    return scores[same], scores[~same]


def _agrees(one: Scored, pairs: list[tuple[int, int]]) -> None:
    for found, expected in zip(pair_scores([one]), _sides(pairs), strict=True):
        assert np.array_equal(np.sort(found), np.sort(expected))


def _figures(one: Scored) -> dict[str, Any]:
    return json.loads(json.dumps(figures([one], seed=1, replicates=20), allow_nan=False))


@pytest.mark.parametrize("protocol", [_fvc, _enrolled])
def test_lists_of_some_pairs_are_measured(tmp_path: Path, protocol: Callable[[int, int], bool]) -> None:
    pairs = _listed(protocol)
    path = _write(tmp_path / "s.csv", ((NAMES[i], NAMES[j], MATRIX[i, j]) for i, j in pairs))
    (one,) = read_score_files(path)
    assert isinstance(one, PairList)
    _agrees(one, pairs)
    found, expected = _figures(one), Scores(*_sides(pairs))
    assert (found["people"], found["samples"]) == (FINGERS, len(NAMES))
    assert found["eer"] == expected.eer().value
    assert found["identification"] == "not measurable"
    low, high = found["eer_interval_95"]
    assert 0 <= low <= found["eer"] <= high <= 1
    assert f"s: {len(pairs)} comparisons, not all pairs: no rates of identification" in one.lines()


def test_a_list_of_all_pairs_has_the_figures_of_the_matrix(tmp_path: Path) -> None:
    """Counted as a list, every figure that both have is the same to the last digit."""
    pairs = _listed(lambda i, j: i < j)
    (matrix,) = read_score_files(_write(tmp_path / "s.csv", ((NAMES[i], NAMES[j], MATRIX[i, j]) for i, j in pairs)))
    assert isinstance(matrix, Comparisons)
    i, j = np.array(pairs).T
    listed = PairList("s", matrix.scores[i, j], i, j, matrix.subjects, matrix.samples)
    ours, theirs = _figures(matrix), _figures(listed)
    for key in ("eer", "eer_bounds", "eer_interval_95", "fnmr_at_fmr", "zero_fmr", "auc", "d_prime", "score_quantiles"):
        if key == "fnmr_at_fmr":  # of a person's rates a matrix knows both directions
            for row in (ours[key], theirs[key]):
                del row["1e-2"]["fnmr_each_person_equal"]
        assert ours[key] == theirs[key], key
    weights = np.arange(FINGERS, dtype=np.float64)
    assert matrix.impostor_weight(weights) == listed.impostor_weight(weights)


def test_subjects_of_a_list_add_up_to_the_rates_at_a_threshold_that_is_a_score(tmp_path: Path) -> None:
    pairs = _listed(_fvc)
    (one,) = read_score_files(
        _write(tmp_path / "s.csv", ((NAMES[i], NAMES[j], MATRIX[i, j].round()) for i, j in pairs))
    )
    point, rows = Scores(*pair_scores([one])).at(2.0), subject_table(one, 2.0)
    assert sum(row["false_non_matches"] for row in rows) == point.false_non_matches > 0
    assert sum(row["false_matches"] for row in rows) == point.false_matches > 0


def test_who_is_compared_may_stand_in_columns_of_their_own(tmp_path: Path) -> None:
    rows = [(f"a{i}", f"b{j}", MATRIX[i, j], f"p.{SUBJECT[i]}", f"p.{SUBJECT[j]}") for i, j in _listed(_fvc)]
    header = "probe;reference;score;probe_subject;reference_subject"
    path = _write(tmp_path / "s.csv", rows)
    path.write_text(f"\ufeff{header}\n" + path.read_text("utf-8").split("\n", 1)[1].replace(",", ";"), "utf-8")
    (one,) = read_score_files(path)
    _agrees(one, _listed(_fvc))
    assert set(one.subject_names) == {f"p.{f}" for f in range(FINGERS)}
    assert _figures(one)["subjects"]["goats"][0]["subject"].startswith("p.")


def test_columns_may_be_aligned_with_blanks(tmp_path: Path) -> None:
    text = "\n".join(f"{NAMES[i]:<10} {NAMES[j]:<10} {MATRIX[i, j]:>9}" for i, j in _listed(_fvc))
    (tmp_path / "s.txt").write_text(f"probe      reference  score\n{text}\n", "utf-8")
    _agrees(read_score_files(tmp_path / "s.txt")[0], _listed(_fvc))


@pytest.mark.filterwarnings("error")
def test_scores_that_all_failed_are_drawn_without_a_warning(tmp_path: Path) -> None:
    path = _write(tmp_path / "s.csv", [("1", "nan"), ("0", "nan")], "label,score")
    done = CliRunner().invoke(cli, ["accuracy", "--scores", str(path), "--out", str(tmp_path / "o")])
    assert done.exit_code == 0, done.output
    row = next(line for line in done.stdout.splitlines() if line.startswith("s "))
    assert row.split()[1:6] == ["not", "stated", "not", "stated", "50.0"]


def test_the_index_column_of_pandas_is_no_score_and_no_name(tmp_path: Path) -> None:
    rows = [(n, NAMES[i], NAMES[j], MATRIX[i, j]) for n, (i, j) in enumerate(_listed(_fvc))]
    for header in (",probe,reference,score", "Unnamed: 0,Probe,REFERENCE,Score"):
        (one,) = read_score_files(_write(tmp_path / "s.csv", rows, header))
        _agrees(one, _listed(_fvc))


@pytest.mark.parametrize("separator", [" ", "\t", ";"])
@pytest.mark.parametrize("columns", [4, 5])
@pytest.mark.parametrize("file", ["scores-dev", "s.txt", "s.csv"])
def test_claims_of_bob_and_beat(tmp_path: Path, separator: str, columns: int, file: str) -> None:
    """Claimed identity, (its template,) real identity, file, score; also without a suffix."""
    pairs = _listed(lambda i, j: i % TOUCHES > 0 and j % TOUCHES == 0)
    rows = [
        (101 + SUBJECT[j], f"t{101 + SUBJECT[j]}", 101 + SUBJECT[i], f"x/{NAMES[i]}", MATRIX[i, j]) for i, j in pairs
    ]
    text = "\n".join(separator.join(map(str, row[:1] + row[6 - columns :])) for row in rows)
    (tmp_path / file).write_text(text + "\n", "utf-8")
    (one,) = read_score_files(tmp_path / file)
    _agrees(one, pairs)
    assert (one.people, len(one.samples)) == (FINGERS, FINGERS + FINGERS * (TOUCHES - 1))


@pytest.mark.parametrize(("genuine", "impostor"), [("genuine", "impostor"), ("1", "0"), ("Mated", "Non-mated")])
def test_genuine_and_impostor_scores_alone(tmp_path: Path, genuine: str, impostor: str) -> None:
    sides = _sides(_listed(_fvc))
    rows = [(word, s) for word, side in zip((genuine, impostor), sides, strict=True) for s in side]
    path = _write(tmp_path / "s.csv", rows, "label,score")
    (one,) = read_score_files(path)
    found = _figures(one)
    assert found["eer"] == Scores(*sides).eer().value
    assert (found["eer_interval_95"], found["people"], found["samples"]) == (
        "not measurable",
        "not stated",
        "not stated",
    )
    assert found["fnmr_at_fmr"]["1e-2"] == "not measurable"
    done = CliRunner().invoke(cli, ["accuracy", "--scores", str(path), "--out", str(tmp_path / "o")])
    assert done.exit_code == 0, done.output
    assert "nobody is named: no interval over people" in " ".join(done.stderr.split())
    assert (tmp_path / "o" / "report.html").exists()


@pytest.mark.parametrize(
    ("impostors", "measured", "note"), [(299, 0, True), (300, 1, True), (2999, 1, True), (3000, 2, False)]
)
def test_rates_are_measured_from_three_over_the_rate_on(
    tmp_path: Path, impostors: int, measured: int, note: bool
) -> None:
    rows = [("genuine", 9), *(("impostor", i) for i in range(impostors))]
    (one,) = read_score_files(_write(tmp_path / "s.csv", rows, "label,score"))
    points = _figures(one)["fnmr_at_fmr"]
    assert [point != "not measurable" for point in points.values()] == [True] * measured + [False] * (4 - measured)
    assert not measured or ("note" in points["1e-2"]) == note  # 29 false matches, and 30


def test_a_column_of_genuine_and_one_of_impostor_scores(tmp_path: Path) -> None:
    genuine, impostor = _sides(_listed(_fvc))
    longer = max(genuine.size, impostor.size)
    cells = [[*map(str, side), *[""] * (longer - side.size)] for side in (genuine, impostor)]
    (one,) = read_score_files(_write(tmp_path / "s.csv", zip(*cells, strict=True), "genuine,impostor"))
    assert _figures(one)["eer"] == Scores(genuine, impostor).eer().value


@pytest.mark.parametrize(("failed", "distance"), [("nan", False), ("-inf", False), ("nan", True), ("inf", True)])
def test_a_comparison_that_failed_matches_nobody(tmp_path: Path, failed: str, distance: bool) -> None:
    """One of them is an error of the comparison; all of a sample's are a failure to acquire."""
    pairs, sign = _listed(_fvc), -1 if distance else 1
    lost = NAMES.index("103_2")
    rows = [
        (NAMES[i], NAMES[j], failed if lost in (i, j) or n == 0 else sign * MATRIX[i, j])
        for n, (i, j) in enumerate(pairs)
    ]
    (one,) = read_score_files(_write(tmp_path / "s.csv", rows), distance=distance)
    assert [one.samples[i] for i in one.unusable] == ["103_2"]
    genuine, impostor = pair_scores([one])
    assert np.isneginf(genuine).sum() == 1
    assert genuine.size == FINGERS * 6 - 3
    assert np.isfinite(impostor).all()
    found = _figures(one)
    assert found["failure_to_acquire"]["failed"] == 1
    assert found["zero_fmr"]["false_non_matches"] >= 1
    assert "s: 4 comparisons failed, the first in line 2: they match nobody" in one.lines()


IN_ALL_FORMATS = {  # two genuine and two impostor comparisons, of each the second failed
    "pairs": "probe,reference,score\na_1,a_2,7\na_1,a_3,F\na_1,b_1,3\na_2,b_1,F\n",
    "labels": "label,score\n1,7\n1,F\n0,3\n0,F\n",
    "columns": "genuine,impostor\n7,3\nF,F\n",
    "four-column": "a a x_1 7\na a x_2 F\na b y_1 3\na b y_2 F\n",
    "five-column": "a t a x_1 7\na t a x_2 F\na t b y_1 3\na t b y_2 F\n",
}


@pytest.mark.parametrize("distance", [False, True])
@pytest.mark.parametrize("name", [*IN_ALL_FORMATS, "npz"])
def test_every_format_turns_distances_and_keeps_failures(tmp_path: Path, name: str, distance: bool) -> None:
    sign = -1 if distance else 1
    if name == "npz":
        matrix = np.full((4, 4), -sign * np.inf)
        matrix[0, 1], matrix[0, 3] = 7, 3
        matrix[2, 3] = matrix[3, 2] = 5
        np.savez(tmp_path / "s", s=matrix, labels=list("aaab"))
    else:
        (tmp_path / "s.npz").write_text(IN_ALL_FORMATS[name].replace("F", "inf" if distance else "-inf"), "utf-8")
    (one,) = read_score_files(tmp_path / "s.npz", distance=distance, named=name)
    genuine, impostor = (sorted(side.tolist()) for side in pair_scores([one]))
    assert genuine == ([-np.inf] * (1 + (name == "npz")) + [sign * 7])
    assert impostor == sorted([-np.inf, sign * 3, *[sign * 5] * (name == "npz")])


@pytest.mark.parametrize("diagonal", [-np.inf, np.nan, 0.0, 99.0])
def test_a_sample_of_a_matrix_that_always_failed_was_not_acquired(tmp_path: Path, diagonal: float) -> None:
    """As in a list, whatever a lab writes for a sample against itself; one that failed as probe only is usable."""
    matrix, lost = MATRIX.copy(), NAMES.index("103_2")
    matrix[lost] = matrix[:, lost] = -np.inf
    matrix[7] = -np.inf
    np.fill_diagonal(matrix, diagonal)
    np.savez(tmp_path / "s.npz", s=matrix, **{"s:names": NAMES}, t=matrix[lost:, lost:][:2, :2], **{"t:labels": [1, 2]})
    one, two = read_score_files(tmp_path / "s.npz")
    assert list(one.unusable) == [lost]
    assert list(two.unusable) == ([0, 1] if diagonal == -np.inf else [])  # tried against one other: nobody knows
    assert _figures(one)["failure_to_acquire"]["failed"] == 1


def test_a_sample_that_was_tried_once_and_failed_is_an_error_of_the_comparison(tmp_path: Path) -> None:
    """Whether the sample or its partner was at fault nobody knows; a second partner tells."""
    rows = [("a_1", "b_1", 1), ("a_1", "c_1", 1), ("a_2", "a_1", "nan"), ("d_1", "a_1", "nan"), ("d_1", "b_1", "nan")]
    (one,) = read_score_files(_write(tmp_path / "s.csv", rows))
    assert [one.samples[i] for i in one.unusable] == ["d_1"]


def test_both_directions_count_once_and_a_sample_against_itself_never(tmp_path: Path) -> None:
    pairs = _listed(_fvc)
    rows = [(NAMES[i], NAMES[j], MATRIX[i, j]) for i, j in pairs]
    more = [(NAMES[j], NAMES[i], 99) for i, j in pairs[:5]] + [(NAMES[0], NAMES[0], 99), rows[7]]
    (one,) = read_score_files(_write(tmp_path / "s.csv", rows + more))
    _agrees(one, pairs)
    assert one.lines()[1:4] == [
        "s: 1 comparisons of a sample with itself are left out",
        "s: 1 lines repeat a comparison with the same score and are left out",
        "s: 5 pairs are listed in both directions and count once",
    ]


PAIRS = "probe,reference,score\n"
REFUSED: dict[str, tuple[str, str]] = {
    "another score": (PAIRS + "a_1,a_2,5\nb_1,a_1,1\na_1,a_2,6\n", "line 4: a_1 and a_2 have another score in line 2"),
    "failed, then not": (PAIRS + "a_1,a_2,nan\na_1,a_2,6\n", "line 3: a_1 and a_2 have another score in line 2"),
    "another subject": (
        "probe,reference,score,probe_subject,reference_subject\nx,y,1,a,b\ny,z,2,c,b\n",
        "line 3: y is of c, in line 2 of b",
    ),
    "empty score": (PAIRS + "a_1,a_2,\n", "line 2: the score reads '', which is no number"),
    "empty subject": (
        "probe,reference,score,probe_subject,reference_subject\nx,y,1,a,\n",
        "line 2: a name is empty",
    ),
    "too large": (PAIRS + "a_1,a_2,-1e400\n", "line 2: the score -1e400 does not fit into float32"),
    "label": ("label,score\nimpostor,1\nperhaps,2\n", "line 3: the label reads 'perhaps'"),
    "claim without a file": ("a a f 1.5\na b 2\n", "line 2: 3 cells, expected 4"),
    "claim without a score": ("a a f 1.5\na b g x\n", "line 2: the score reads 'x', which is no number"),
    "claim scored twice": ("a b f 1.5\na b f 2.5\n", "line 2: f and enrolled a have another score in line 1"),
    "two formats": ("probe,reference,score,label\na,b,1,1\n", "may be pairs or labels by its columns"),
    "three cells": ("a_1 a_2 0.5\n", "has no columns that are named; the first line reads 'a_1 a_2 0.5'"),
    "words": ("to be or not to be\n", "has no columns probe, reference, score"),
    "zero": ("\x00\x00", "has no columns probe, reference, score"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_names_its_line(tmp_path: Path, name: str) -> None:
    text, message = REFUSED[name]
    (tmp_path / "s").write_text(text, "utf-8")
    with pytest.raises(InputRefused) as caught:
        read_score_files(tmp_path / "s")
    assert message in caught.value.message
    assert (caught.value.code, bool(caught.value.hint)) == ("bench.scores", True)


def test_a_distance_of_minus_infinity_is_no_match(tmp_path: Path) -> None:
    (tmp_path / "s").write_text(PAIRS + "a_1,a_2,-inf\n", "utf-8")
    with pytest.raises(InputRefused, match="line 2: the distance is -inf"):
        read_score_files(tmp_path / "s", distance=True)
    np.savez(tmp_path / "s.npz", m=np.array([[0, -np.inf], [1, 0]]), labels=[1, 2])
    with pytest.raises(InputRefused, match="m: the distance of samples 0 and 1 is -inf"):
        read_score_files(tmp_path / "s.npz", distance=True)


def test_a_format_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("probe,reference,score,label\na_1,a_2,7,1\nb_1,a_1,3,0\n", "utf-8")
    listed, anonymous = (read_score_files(path, named=name)[0] for name in ("pairs", "labels"))
    assert (listed.people, anonymous.people) == (2, 0)
    assert [side.tolist() for side in pair_scores([anonymous])] == [[7], [3]]
    path.write_text("a_1 a_2 7\nb_1 a_1 3\n", "utf-8")
    assert [side.tolist() for side in pair_scores(read_score_files(path, named="pairs"))] == [[7], [3]]
    path.write_text("1\t7\n0\t3\n", "utf-8")
    assert [side.tolist() for side in pair_scores(read_score_files(path, named="labels"))] == [[7], [3]]


CELL = st.sampled_from(["101_1", "101_2", "102_1", "x", "", "1", "0", "-inf", "inf", "nan", "2.5", "1e300", '"', "é"])
HEADER = st.sampled_from([
    "probe,reference,score", "label,score", "genuine,impostor", "probe,reference,score,set", ",score,label", "1,2,f,3",
    "probe,reference,score,probe_subject,reference_subject", "score,score", "",
])  # fmt: skip
TEXT = st.builds(
    lambda head, rows, sep, end: end.join([head, *(",".join(row) for row in rows)]).replace(",", sep).encode(),
    HEADER,
    st.lists(st.lists(CELL, min_size=1, max_size=5), max_size=12),
    st.sampled_from([",", ";", "\t", " "]),
    st.sampled_from(["\n", "\r\n", "\n\n"]),
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=TEXT | st.binary(max_size=60), distance=st.booleans(), named=st.sampled_from([None, *FORMATS]))
@example(data=b"PK\x03\x04", distance=False, named="pairs")
@example(data=b"\xff\xfea", distance=False, named=None)
@example(data=b"genuine,impostor\n,\n", distance=False, named=None)
def test_any_file_has_rates_or_our_error(tmp_path: Path, data: bytes, distance: bool, named: str | None) -> None:
    path = tmp_path / "s"
    path.write_bytes(data)
    try:
        sets = read_score_files(path, distance=distance, named=named)
    except InputRefused as error:
        assert error.hint
        return
    for group in ([one] for one in sets):
        with np.errstate(all="ignore"):
            assert _figures(group[0])["genuine"] >= 0
