"""What labs really bring: names with dots, string labels, companions of macOS, spreadsheets, sets without a figure.

Inputs of ../shared/cases are read where it lies beside the checkout; each is made here again.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from bench.__main__ import cli
from bench.load import fingerprint_sets, read_faces
from bench.names import subject_of
from bench.score_files import read_score_files
from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions, write_iso2005, write_xyt
from bioguard.simulate.people import EDGEFACE_XS, FacePopulation, FingerPopulation

CASES = Path(__file__).parents[3] / "shared" / "cases"
FINGERS, TOUCHES = 5, 3
PRINTS = [
    (person + 101, touch, template)
    for person in range(FINGERS)
    for touch, template in enumerate(FingerPopulation(1).impressions(person, 2, TOUCHES), 1)
]


def _accuracy(out: Path, *line: object) -> tuple[Any, dict[str, Any]]:
    words = ["accuracy", *map(str, line), "--out", str(out), "--replicates", "20"]
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert (out / "report.html").stat().st_size > 10_000

    def no_constant(name: str) -> Any:
        pytest.fail(f"{name} in accuracy.json")

    return done, json.loads((out / "accuracy.json").read_text("utf-8"), parse_constant=no_constant)


def _refused(*line: object) -> InputRefused:
    done = CliRunner().invoke(cli, ["accuracy", *map(str, line), "--out", "nowhere/out"])
    assert isinstance(done.exception, InputRefused), done.output
    return done.exception


def _write(path: Path, header: str, rows: Iterable[Iterable[object]], encoding: str = "utf-8") -> Path:
    lines = [header, *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding)
    return path


def _pairs(names: list[str], score: Callable[[bool, int], object]) -> list[tuple[object, ...]]:
    """All pairs of `<subject>_<n>` names with a score by whether they are of one subject and the pair's number."""
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    return [(a, b, score(a.rsplit("_", 1)[0] == b.rsplit("_", 1)[0], n)) for n, (a, b) in enumerate(pairs)]


def _names(*subjects: str, each: int = 4) -> list[str]:
    return [f"{subject}_{i}" for subject in subjects for i in range(1, each + 1)]


def _separated(same: bool, n: int) -> float:
    return (4 if same else -4) + n % 7 / 10


NUMBERS = [str(i) for i in range(101, 111)]


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("101_1.iso", "101"),
        ("101_1", "101"),
        ("j.doe_1", "j.doe"),
        ("j.doe_12.ISO", "j.doe"),
        ("left_index_03.fmr", "left_index"),
        ("Aaron_Eckhart_0001.jpg", "Aaron_Eckhart"),
        ("Aaron_Eckhart", "Aaron_Eckhart"),
        ("j.doe", "j.doe"),
        ("a_1_2", "a_1"),
        ("101_1.ist-fmr", "101"),
        ("person_a", "person_a"),
        ("_1", "_1"),
    ],
)
def test_the_subject_of_a_name(name: str, subject: str) -> None:
    assert subject_of(name) == subject


def test_names_with_dots_are_whole(tmp_path: Path) -> None:
    path = _write(
        tmp_path / "dots.csv", "probe,reference,score", _pairs(_names("j.doe", "j.smith", "k.roe"), _separated)
    )
    done, data = _accuracy(tmp_path / "out", "--scores", path)
    assert (data["sets"]["dots"]["people"], data["sets"]["dots"]["samples"], data["sets"]["dots"]["eer"]) == (3, 12, 0)
    assert "dots: 3 subjects, 12 samples" in done.stderr


@pytest.mark.parametrize("key", ["labels", "m:labels"])
@pytest.mark.parametrize(
    "labels",
    [
        np.repeat(["Aaron_Eckhart", "Aaron_Guiel", "Adam_Ant"], 4),
        np.repeat([f"person_{i}" for i in range(3)], 4),
        np.repeat(["a.b_1", "a.b_2", "a.c_1"], 4).astype("S"),
        np.repeat([0.0, 0.5, 1.0], 4),
        np.repeat([-1, 7, 10**12], 4),
        np.repeat(np.array([3, 200, 4], ">u2"), 4),
    ],
    ids=["names", "numbered", "bytes", "fractions", "numbers", "big-endian"],
)
def test_labels_are_taken_as_they_are(tmp_path: Path, labels: np.ndarray, key: str) -> None:
    same = labels[:, None] == labels
    matrix = np.where(same, 4.0, -4.0) + np.random.default_rng(1).normal(0, 0.1, (12, 12))
    np.savez(tmp_path / "s.npz", **{"m": (matrix + matrix.T) / 2, key: labels})
    _, data = _accuracy(tmp_path / "out", "--scores", tmp_path / "s.npz")
    found = data["sets"]["m"]
    assert (found["people"], found["samples"], found["genuine"], found["eer"]) == (3, 12, 18, 0)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_spreadsheets_are_read(tmp_path: Path, separator: str, encoding: str) -> None:
    path = _write(tmp_path / "s.csv", "probe,reference,score", _pairs(_names(*NUMBERS), _separated), encoding)
    path.write_text(path.read_text("utf-8").replace(",", separator).replace("\n", "\r\n"), "utf-8", newline="")
    (one,) = read_score_files(path)
    assert (one.people, len(one.samples), one.scores[0, 1]) == (10, 40, np.float32(4.0))


def test_subjects_may_stand_in_columns_of_their_own(tmp_path: Path) -> None:
    rows = [("x1", "x2", 5, "ann", "ann"), ("x1", "y1", 1, "ann", "bob"), ("x2", "y1", 2, "ann", "bob")]
    path = _write(tmp_path / "s.csv", "probe,reference,score,probe_subject,reference_subject", rows)
    (one,) = read_score_files(path)
    assert (one.samples, one.subjects.tolist()) == (["x1", "x2", "y1"], [0, 0, 1])


def test_scores_that_do_not_vary_are_measured_as_far_as_they_can_be(tmp_path: Path) -> None:
    header, names = "probe,reference,score", _names(*NUMBERS)
    const = _write(tmp_path / "const.csv", header, _pairs(names, lambda *_: 1.0))
    two = _write(tmp_path / "two.csv", header, _pairs(names, lambda same, _: int(same)))
    found = {p.stem: _accuracy(tmp_path / p.stem, "--scores", p)[1]["sets"][p.stem] for p in (const, two)}
    assert (found["const"]["d_prime"], found["const"]["eer"], found["const"]["auc"]) == (None, 0.5, 0.5)
    assert (found["two"]["d_prime"], found["two"]["eer"], found["two"]["auc"]) == (None, 0.0, 1.0)
    assert found["two"]["fnmr_at_fmr"]["1e-2"]["fnmr"] == 0
    assert found["const"]["fnmr_at_fmr"]["1e-2"]["threshold"] == "above every score"


@pytest.mark.parametrize("genuine", ["inf", "4"])
@pytest.mark.parametrize("impostor", ["-inf", "-4"])
def test_infinite_scores_are_ordered_like_others(tmp_path: Path, genuine: str, impostor: str) -> None:
    pairs = _pairs(
        _names(*NUMBERS), lambda same, n: (genuine if same else impostor) if n % 5 == 0 else _separated(same, n)
    )
    path = _write(tmp_path / "s.csv", "probe,reference,score", pairs)
    _, data = _accuracy(tmp_path / "out", "--scores", path)
    assert data["sets"]["s"]["eer"] == 0
    assert (data["sets"]["s"]["d_prime"] is None) == ("inf" in genuine + impostor)
    assert all(not isinstance(q, float) or abs(q) < 9 for q in data["sets"]["s"]["score_quantiles"]["genuine"])


NOT_MEASURED = ("eer", "eer_interval_95", "eer_bounds", "eer_interpolated", "zero_fmr", "fmr_at_zero_fnmr", "auc")


@pytest.mark.parametrize(
    ("names", "genuine", "impostor"),
    [(_names("101"), 6, 0), (_names(*NUMBERS, each=1), 0, 45), (["101_1"], 0, 0)],
    ids=["one finger", "one impression a finger", "one sample"],
)
def test_sets_with_comparisons_of_one_kind_are_not_measurable(
    tmp_path: Path, names: list[str], genuine: int, impostor: int
) -> None:
    rows = _pairs(names, _separated) or [("101_1", "101_1", 9)]
    path = _write(tmp_path / "s.csv", "probe,reference,score", rows)
    done, data = _accuracy(tmp_path / "out", "--scores", path)
    for found in (data["sets"]["s"], data["pooled"]):
        assert (found["genuine"], found["impostor"], found["samples"]) == (genuine, impostor, len(names))
        assert {found[name] for name in NOT_MEASURED} == {"not measurable"}
        assert set(found["fnmr_at_fmr"].values()) == {"not measurable"}
        assert (found["score_quantiles"]["genuine"] is None) == (genuine == 0)
        assert found["d_prime"] is None
    assert "n/m: not measurable" in done.stdout


BAD_CSV = {
    "empty score": ("101_1,102_1,", "line 3: the score reads '', which is no number"),
    "decimal comma": ('101_1,102_1,"5,98"', "line 3: the score reads '5,98', which is no number"),
    "split by its comma": ("101_1,102_1,5,98", "line 3: 4 cells, expected 3"),
    "word": ("101_1,102_1,abc", "line 3: the score reads 'abc', which is no number"),
    "short row": ("101_1,102_1", "line 3: 2 cells, expected 3"),
    "too large": ("101_1,102_1,1e300", "line 3: the score 1e300 does not fit into float32"),
    "no name": (",102_1,1", "line 3: a name is empty"),
    "twice": ("101_1,101_2,9", "line 3: 101_1 and 101_2 have another score in line 2"),
    "unclosed": ('101_1,102_1,"1', "line 3: unexpected end of data"),
}


@pytest.mark.parametrize("name", BAD_CSV)
def test_a_wrong_line_is_named(tmp_path: Path, name: str) -> None:
    line, message = BAD_CSV[name]
    path = tmp_path / "s.csv"
    path.write_text(f"probe,reference,score\n101_1,101_2,5\n{line}\n", "utf-8")
    error = _refused("--scores", path)
    assert error.code == "bench.scores"
    assert error.hint
    assert error.message in (f"{path} {message}", f"{path}: {message}")


HEADS: dict[bytes, str] = {
    b"a,b,c\n1,2,3\n": "has no columns probe, reference, score; the first line reads 'a,b,c'",
    b"probe,reference\n": "has no column score",
    b"probe,reference,score,score\n": "names a column twice",
    b"\xff\xfep\x00": "is UTF-16 text",
    b"probe,reference,score\n\xe9,b,1\n": "is no UTF-8 text",
    b"probe,reference,score\n": "holds no scores",
    b"": "has no columns probe",
}


@pytest.mark.parametrize("content", HEADS)
def test_another_table_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s.csv").write_bytes(content)
    error = _refused("--scores", tmp_path / "s.csv")
    assert error.message.startswith(f"{tmp_path / 's.csv'} {HEADS[content]}")
    assert error.code == "bench.scores"


def _npz(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "f.npz", **arrays)
    return folder / "f.npz"


SQUARE = np.eye(4, dtype=np.float32)
BAD_NPZ: dict[str, tuple[dict[str, Any], str]] = {
    "no names": ({"m": SQUARE}, "m has 4 samples and none names or labels"),
    "three names": ({"m": SQUARE, "m:names": np.array(["a_1", "a_2", "b_1"])}, "m has 4 samples and 3 names or labels"),
    "not square": ({"m": SQUARE[:3], "labels": np.arange(4)}, "m is float32 [3, 4], no square matrix of scores"),
    "complex": ({"m": SQUARE.astype("c8"), "labels": np.arange(4)}, "m is complex64 [4, 4], no square matrix"),
    "text": ({"m": SQUARE.astype(str), "labels": np.arange(4)}, "m is <U32 [4, 4], no square matrix of scores"),
    "objects": ({"m": SQUARE.astype(object), "labels": np.arange(4)}, "'m' holds Python objects, which are never unp"),
    "object labels": ({"m": SQUARE, "labels": np.array(["a", None, "b", 1], object)}, "'labels' holds Python objects"),
    "nan label": ({"m": SQUARE, "labels": np.array([0, np.nan, 1, 1])}, "m: label 1 is NaN"),
    "nan": ({"m": np.where(SQUARE == 1, 1, np.nan), "labels": np.arange(4)}, "m: the score of samples 0 and 1 is NaN"),
    "beyond": ({"m": np.full((4, 4), 1e300), "labels": np.arange(4)}, "m: the score of samples 0 and 1 does not fit"),
    "number names": ({"m": SQUARE, "m:names": np.arange(4)}, "m: names are int64, expected text"),
    "two labels each": ({"m": SQUARE, "labels": np.ones((4, 2))}, "m has 4 samples and 8 names or labels"),
}


@pytest.mark.parametrize("name", BAD_NPZ)
def test_an_archive_is_refused_for_the_true_reason(tmp_path: Path, name: str) -> None:
    arrays, message = BAD_NPZ[name]
    error = _refused("--scores", _npz(tmp_path, **arrays))
    assert error.message.startswith(f"{tmp_path / 'f.npz'}: {message}")
    assert error.code in ("bench.scores", "bench.npz", "bench.labels")


@pytest.mark.parametrize("option", ["--scores", "--faces"])
def test_what_is_no_archive_is_refused(tmp_path: Path, option: str) -> None:
    np.save(tmp_path / "array.npy", SQUARE)
    (tmp_path / "pickle.npz").write_bytes(b"\x80\x04N.")
    (tmp_path / "cut.npz").write_bytes(_npz(tmp_path, m=SQUARE, labels=np.arange(4)).read_bytes()[:-40])
    (tmp_path / "empty.npz").write_bytes(b"")
    for name in ("array.npy", "pickle.npz", "cut.npz", "empty.npz"):
        assert _refused(option, tmp_path / name).code == "bench.npz", name


def _faces(labels: Any, rows: np.ndarray | None = None) -> dict[str, Any]:
    if rows is None:
        population = FacePopulation(EDGEFACE_XS, 3)
        rows = np.concatenate([population.embeddings(0, len(labels) // 2, view) for view in range(2)])
    return {"embeddings": rows, "labels": np.asarray(labels)}


def test_face_labels_may_be_text(tmp_path: Path) -> None:
    people = [f"Aaron_{chr(65 + i)}" for i in range(11)]
    path = _npz(tmp_path, **_faces(people * 2))
    done, data = _accuracy(tmp_path / "out", "--faces", path)
    cosine = data["sets"]["cosine"]
    assert (cosine["people"], cosine["samples"], cosine["genuine"]) == (11, 22, 11)
    assert cosine["eer"] < 0.1
    assert "f.npz: 11 subjects, 22 samples" in done.stderr
    assert cosine["subjects"]["goats"] == []


def test_one_person_alone_is_not_measurable(tmp_path: Path) -> None:
    done, data = _accuracy(tmp_path / "out", "--faces", _npz(tmp_path, **_faces([7] * 6)))
    assert data["sets"]["cosine"]["eer"] == "not measurable"
    row = data["sets"]["cosine"]["threshold_check"][3]
    assert (row["label"], row["fmr"], row["ratio"], row["holds"]) == ("1/50000", *["not measurable"] * 3)
    assert 0 <= row["fnmr"] <= 1
    assert "f.npz: 1 subject, 6 samples" in done.stderr


def test_a_label_that_says_unknown_is_pointed_out(tmp_path: Path) -> None:
    for labels in ([-1, -1, 5, 5], ["unknown", "Unknown", "a", "b"], ["", "", "a", "b"]):
        lines = read_faces(_npz(tmp_path, **_faces(labels))).lines("f")
        assert any("2 samples have the label" in line and "count as one person" in line for line in lines), labels


def test_vectors_that_are_not_centered_are_pointed_out(tmp_path: Path) -> None:
    good = np.random.default_rng(2).normal(size=(3, 64))
    path = _npz(tmp_path, **_faces([0, 0, 1, 1, 2], np.concatenate([good, good[:1] + 3, np.ones((1, 64))])))
    assert read_faces(path).lines("f") == [
        "f: 3 subjects, 5 samples",
        "f: 1 of 5 vectors are constant: all numbers are the same; a device refuses them, and its thresholds do not "
        "hold for them",
        "f: 1 of 5 vectors are not centered, or quantized with a zero point; a device refuses them, and its thresholds "
        "do not hold for them",
    ]


def test_a_threshold_that_does_not_hold_is_pointed_out(tmp_path: Path) -> None:
    """Models whose zero point was left in make strangers alike: FMR 1 at a threshold labelled 1 in 50 000."""
    faces = _faces(list(range(8)) * 2)
    done, data = _accuracy(tmp_path / "good", "--faces", _npz(tmp_path, **faces))
    assert "does not hold" not in done.stderr
    assert data["sets"]["cosine"]["threshold_check"][3]["false_matches"] == 0
    done, _ = _accuracy(
        tmp_path / "bad", "--faces", _npz(tmp_path, **{**faces, "embeddings": faces["embeddings"] + 0.2})
    )
    assert (
        "cosine: the threshold for 1/50000 does not hold for these data: 112 of 112 impostor comparisons match, "
        "50000.0 times the label" in done.stderr
    )


ROWS = np.random.default_rng(1).normal(size=(4, 64))
BAD_FACES: dict[str, tuple[dict[str, Any], str]] = {
    "nan label": (_faces([0, np.nan, 1, 1], ROWS), "bench.labels"),
    "complex": (_faces([0, 0, 1, 1], ROWS.astype("c8")), "bench.rows"),
    "zero row": (_faces([0, 0, 1, 1], ROWS * [[1], [0], [1], [1]]), "bench.rows"),
    "nan row": (_faces([0, 0, 1, 1], ROWS * [[1], [np.nan], [1], [1]]), "bench.rows"),
    "index column": (_faces([0, 0, 1, 1], np.c_[np.arange(4), ROWS]), "input.foreign_column"),
    "short": (_faces([0, 0, 1, 1], ROWS[:, :63]), "input.dimension"),
    "no row": (_faces(np.empty(0, int), ROWS[:0]), "bench.keys"),
    "three labels": (_faces([0, 0, 1], ROWS), "bench.keys"),
    "no labels": ({"embeddings": ROWS, "names": ["a"]}, "bench.keys"),
}


@pytest.mark.parametrize("name", BAD_FACES)
def test_faces_are_refused_by_code(tmp_path: Path, name: str) -> None:
    arrays, code = BAD_FACES[name]
    assert _refused("--faces", _npz(tmp_path, **arrays)).code == code


def _folder(root: Path, *, suffix: str = ".iso", write: Callable[[Any], bytes] = write_iso2005) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for finger, touch, template in PRINTS:
        (root / f"{finger}_{touch}{suffix}").write_bytes(write(template))
    return root


def test_hidden_files_are_no_people(tmp_path: Path) -> None:
    """macOS writes AppleDouble companions; archives of it a folder __MACOSX."""
    root = _folder(tmp_path / "prints" / "a")
    plain = list(fingerprint_sets(tmp_path / "prints", ImportOptions()))
    companion = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(80)
    (tmp_path / "prints" / "__MACOSX" / "a").mkdir(parents=True)
    _folder(tmp_path / "prints" / ".git")
    for path in list(root.iterdir()):
        (root / f"._{path.name}").write_bytes(companion)
        (tmp_path / "prints" / "__MACOSX" / "a" / f"._{path.name}").write_bytes(companion)
    (root / "7_1.iso").mkdir()
    again = list(fingerprint_sets(tmp_path / "prints", ImportOptions()))
    assert [(s.name, s.files, s.refused) for s in again] == [(s.name, s.files, s.refused) for s in plain]
    assert again[0].lines() == ["a: 5 subjects, 15 samples"]


def test_one_impression_in_two_formats_is_one(tmp_path: Path) -> None:
    root = _folder(tmp_path / "a")
    _folder(root, suffix=".xyt", write=write_xyt)
    (root / "101_01.fmr").write_bytes((root / "101_1.iso").read_bytes())
    (root / "102_9.xyt").write_bytes((root / "102_1.xyt").read_bytes())
    done, data = _accuracy(tmp_path / "out", "--fingerprints", tmp_path)
    found = data["sets"]["a"]
    assert (found["people"], found["samples"]) == (5, 16)
    assert found["genuine"] == 4 * 3 + 6
    assert (
        "a: 16 files are the same impression in another format and were left out, the first is 101_01.fmr"
        in done.stderr
    )
    assert data["files"]["a"] == {
        "refused": {},
        "warnings": {"geometry.assumed_500_dpi": 1},
        "same_impression_left_out": 16,
        "same_minutiae": 0,
    }
    assert "a: warning geometry.assumed_500_dpi in 1 file, first 102_9.xyt: " in done.stderr


def test_a_copy_under_another_name_is_pointed_out(tmp_path: Path) -> None:
    """It is a genuine pair with itself, or, of another finger, an impostor that matches."""
    root = _folder(tmp_path / "a")
    (root / "101_9.iso").write_bytes((root / "101_2.iso").read_bytes())
    (root / "105_9.iso").write_bytes((root / "101_2.iso").read_bytes())
    (one,) = fingerprint_sets(tmp_path, ImportOptions())
    assert one.copies == [("101_9.iso", "101_2.iso"), ("105_9.iso", "101_2.iso")]
    assert one.as_data()["same_minutiae"] == 2
    assert one.lines()[1] == (
        "a: 2 files hold the same minutiae as another, the first is 101_9.iso, as 101_2.iso: each counts as an "
        "impression of its own"
    )


def test_a_set_that_cannot_be_measured_does_not_cost_the_figures_of_another(tmp_path: Path) -> None:
    _folder(tmp_path / "good")
    for name in ("one", "broken"):
        (tmp_path / name).mkdir()
    for finger, touch, template in PRINTS[:TOUCHES]:
        (tmp_path / "one" / f"{finger}_{touch}.iso").write_bytes(write_iso2005(template))
        (tmp_path / "broken" / f"{finger}_{touch}.iso").write_bytes(write_iso2005(template)[:-1])
    done, data = _accuracy(tmp_path / "out", "--fingerprints", tmp_path)
    assert isinstance(data["sets"]["good"]["eer"], float)
    assert data["sets"]["one"]["eer"] == data["sets"]["broken"]["eer"] == "not measurable"
    assert data["sets"]["broken"]["failure_to_acquire"]["rate"] == 1
    assert data["files"]["broken"]["refused"] == {"format.truncated": 3}
    assert "broken: refused format.truncated in 3 files, first 101_1.iso: " in done.stderr
    assert isinstance(data["pooled"]["eer"], float)


def test_a_folder_of_which_nothing_can_be_used_is_refused(tmp_path: Path) -> None:
    _folder(tmp_path / "a", write=lambda t: write_iso2005(t)[:-1])
    error = _refused("--fingerprints", tmp_path)
    assert (error.code, error.message) == ("bench.unusable", f"none of the 15 files below {tmp_path} can be used")


CASE_ANSWERS = {"dots.csv": (4, 16), "lfwlabels.npz": (5, 40), "strlabels.npz": (10, 40), "bom.csv": (10, 40)}


@pytest.mark.skipif(not CASES.is_dir(), reason="no ../shared/cases beside this checkout")
@pytest.mark.parametrize("name", [*CASE_ANSWERS, "const.csv", "twolevel.csv"])
def test_the_inputs_that_went_wrong(tmp_path: Path, name: str) -> None:
    _, data = _accuracy(tmp_path / "out", "--scores", CASES / name)
    (found,) = data["sets"].values()
    if name in CASE_ANSWERS:
        assert (found["people"], found["samples"], found["eer"] < 0.01) == (*CASE_ANSWERS[name], True)
    else:
        assert (found["d_prime"], found["eer"]) == (None, {"const.csv": 0.5, "twolevel.csv": 0.0}[name])


@pytest.mark.skipif(not CASES.is_dir(), reason="no ../shared/cases beside this checkout")
def test_the_finger_that_was_alone(tmp_path: Path) -> None:
    _, data = _accuracy(tmp_path / "out", "--scores", CASES / "onefinger.csv")
    assert data["sets"]["onefinger"]["eer"] == "not measurable"
    assert data["sets"]["onefinger"]["genuine"] == len((CASES / "onefinger.csv").read_text().splitlines()) - 1
