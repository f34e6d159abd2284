"""The commands that others measure us with: layouts, reproducibility, refusals, and the page."""

import csv
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from bench.__main__ import cli
from bench.commands import accuracy
from bench.load import fingerprint_sets
from bench.matchers import code_similarities
from bench.score_files import read_score_files
from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions, write_iso2005
from bioguard.match import FingerprintGallery
from bioguard.simulate.people import EDGEFACE_XS, FacePopulation, FingerPopulation

PEOPLE, TOUCHES = 11, 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sets of synthetic fingers; one file of the second is broken."""
    root = tmp_path_factory.mktemp("prints")
    for name, seed in (("x/DB1", 1), ("DB2", 2)):
        (root / name).mkdir(parents=True)
        for person in range(PEOPLE):
            for touch, template in enumerate(FingerPopulation(seed).impressions(person, 2, TOUCHES), 1):
                (root / name / f"{person + 1}_{touch}.iso").write_bytes(write_iso2005([template]))
    broken = root / "DB2" / "3_2.iso"
    broken.write_bytes(broken.read_bytes()[:-3])
    (root / "DB2" / "notes.txt").write_text("not a print", encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    population = FacePopulation(EDGEFACE_XS, 3)
    rows = np.concatenate([population.embeddings(0, 60, view) for view in range(2)])
    path = tmp_path_factory.mktemp("faces") / "faces.npz"
    np.savez(path, embeddings=rows.astype(np.float16), labels=np.tile(np.arange(500, 560), 2))
    return path


def _run(*line: object) -> Any:
    return CliRunner().invoke(cli, [str(part) for part in line], catch_exceptions=False)


def test_scores_of_fingerprints_have_the_published_layout(folder: Path, tmp_path: Path) -> None:
    done = _run("scores", "--fingerprints", folder, "--out", tmp_path / "f.npz", "--json")
    assert done.exit_code == 0
    n = PEOPLE * TOUCHES
    told = json.loads(done.stdout)
    assert told["arrays"]["x/DB1"] == [n, n]
    assert (told["dataset"], len(told["inputs"]["files"])) == (None, 2 * n)
    with np.load(tmp_path / "f.npz", allow_pickle=False) as file:
        assert sorted(file.files) == ["DB2", "DB2:names", "x/DB1", "x/DB1:names"]
        matrix, names = file["x/DB1"], file["x/DB1:names"]
        other = file["DB2"]
    assert (matrix.dtype, matrix.shape) == (np.float32, (n, n))
    assert names[:4].tolist() == ["1_1.iso", "1_2.iso", "1_3.iso", "2_1.iso"]
    assert names[-1] == "11_3.iso"
    one = next(s for s in fingerprint_sets(folder, ImportOptions()) if s.name == "x/DB1")
    gallery = FingerprintGallery([t for t in one.templates if t is not None])
    assert np.array_equal(matrix[5], gallery.scores(gallery.template(5)))
    broken = 2 * TOUCHES + 1
    assert np.isneginf(other[broken]).all()
    assert np.isneginf(other[:, broken]).all()
    assert np.isfinite(np.delete(np.delete(other, broken, 0), broken, 1)).all()
    assert not list(tmp_path.glob("*.partial"))


def test_scores_of_faces_have_the_published_layout(faces: Path, tmp_path: Path) -> None:
    assert _run("scores", "--faces", faces, "--out", tmp_path / "f.npz").exit_code == 0
    with np.load(tmp_path / "f.npz", allow_pickle=False) as file, np.load(faces) as source:
        assert sorted(file.files) == ["code", "cosine", "labels"]
        rows = source["embeddings"].astype(np.float64)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        assert np.allclose(file["cosine"], rows @ rows.T, atol=1e-5)
        assert np.array_equal(file["labels"], source["labels"])
        code = file["code"]
        assert np.array_equal(code, code_similarities(rows.astype(np.float32), seed=1))
    assert np.array_equal(code.diagonal(), np.ones(120, np.float32))
    assert np.corrcoef(code.ravel(), (rows @ rows.T).ravel())[0, 1] > 0.95


def test_accuracy_is_reproducible_and_counts_failures(folder: Path, tmp_path: Path) -> None:
    results = []
    for run in ("a", "b"):
        done = _run("accuracy", "--fingerprints", folder, "--out", tmp_path / run, "--replicates", 30, "--seed", 7)
        assert done.exit_code == 0
        results.append((tmp_path / run / "accuracy.json").read_bytes())
    assert results[0] == results[1]
    data = json.loads(results[0])
    assert set(data["sets"]) == {"x/DB1", "DB2"}
    assert data["sets"]["DB2"]["failure_to_acquire"]["failed"] == 1
    pooled = data["pooled"]
    assert (pooled["people"], pooled["samples"]) == (22, 66)
    assert pooled["genuine"] == 11 * 3 + 10 * 3 + 1
    point = pooled["fnmr_at_fmr"]["1e-2"]
    assert point["false_matches"] <= 0.01 * pooled["impostor"]
    assert point["interval_95"][0] <= point["fnmr"] <= point["interval_95"][1]
    assert pooled["fnmr_at_fmr"]["1e-3"] == pooled["fnmr_at_fmr"]["1e-5"] == "not measurable"
    assert pooled["eer_bounds"][0] <= pooled["eer"] <= pooled["eer_bounds"][1]
    assert 0 <= pooled["zero_fmr"]["fnmr"] <= 1
    assert not (tmp_path / "a" / "partial").exists()
    listed = (tmp_path / "a" / "inputs.sha256").read_bytes()
    assert data["inputs"]["sha256"] == hashlib.sha256(listed).hexdigest()
    assert subprocess.run(["sha256sum", "-c", "--quiet"], input=listed, cwd=folder, check=False).returncode == 0
    assert data["dataset"] is None
    enroll = data["sets"]["DB2"]["failure_to_enroll"]
    assert (enroll["gate"], enroll["samples_together"], enroll["people"]) == ("the product's", 3, 11)
    assert enroll["reasons"]["too few usable samples"] == 1


def test_an_interrupted_run_takes_stored_sets_up(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, made = accuracy.fingerprint_scores, []

    def counting(one: Any, advance: Any) -> Any:
        if len(made) == 1:
            raise KeyboardInterrupt
        made.append(one.name)
        return real(one, advance)

    monkeypatch.setattr(accuracy, "fingerprint_scores", counting)
    line = ("accuracy", "--fingerprints", folder, "--out", tmp_path / "run", "--replicates", 20)
    assert _run(*line).exit_code != 0
    assert made == ["DB2"]
    made.clear()
    monkeypatch.setattr(
        accuracy, "fingerprint_scores", lambda one, advance: (made.append(one.name), real(one, advance))[1]
    )
    assert _run(*line).exit_code == 0
    assert made == ["x/DB1"]


def test_scores_of_others_come_back_as_our_own(folder: Path, tmp_path: Path) -> None:
    _run("scores", "--fingerprints", folder, "--out", tmp_path / "f.npz")
    for source, out in ((("--fingerprints", folder), "ours"), (("--scores", tmp_path / "f.npz"), "theirs")):
        assert _run("accuracy", *source, "--out", tmp_path / out, "--replicates", 20).exit_code == 0
    ours, theirs = (json.loads((tmp_path / n / "accuracy.json").read_text("utf-8")) for n in ("ours", "theirs"))
    for name in ("x/DB1", "DB2"):
        assert ours["sets"][name]["eer"] == theirs["sets"][name]["eer"]
        assert ours["sets"][name]["fnmr_at_fmr"] == theirs["sets"][name]["fnmr_at_fmr"]


def test_distances_in_csv_are_turned_around(tmp_path: Path) -> None:
    names = [f"{finger}_{touch}" for finger in "abc" for touch in (1, 2)]
    with (tmp_path / "d.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["probe", "reference", "score"])
        for i, a in enumerate(names):
            for b in names[i + 1 :]:
                writer.writerow([a, b, 1 if a[0] == b[0] else 5 + i])
    (one,) = read_score_files(tmp_path / "d.csv", distance=True)
    assert one.subjects.tolist() == [0, 0, 1, 1, 2, 2]
    assert one.scores[0, 1] == one.scores[1, 0] == -1
    assert one.scores[0, 2] == -5
    assert (
        _run(
            "accuracy", "--scores", tmp_path / "d.csv", "--distance", "--out", tmp_path / "o", "--replicates", 20
        ).exit_code
        == 0
    )
    assert json.loads((tmp_path / "o" / "accuracy.json").read_text("utf-8"))["pooled"]["eer"] == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "has no columns probe, reference, score"),
        ("probe,reference,score\n", "holds no scores"),
    ],
)
def test_score_files_that_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "s.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused) as caught:
        read_score_files(path)
    assert message in caught.value.message


def test_an_empty_folder_ends_in_one_line_and_exit_4(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "scores", "--fingerprints", str(tmp_path), "--out", str(tmp_path / "f.npz")],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 4
    assert done.stderr.startswith("bench: error[bench.empty]: no <finger>_<impression>.iso files below ")
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize("line", [("scores", "--out", "x.npz"), ("accuracy", "--out", "x")])
def test_a_source_must_be_named(line: tuple[str, ...]) -> None:
    assert _run(*line).exit_code == 2


def test_the_page_stands_alone(faces: Path, tmp_path: Path) -> None:
    attacks = tmp_path / "attacks.csv"
    attacks.write_text(
        "kind,species,decision,match\nattack,<b>mask</b>,bona_fide,1\nbona_fide,,attack,0\n", encoding="utf-8"
    )
    done = _run("accuracy", "--faces", faces, "--attacks", attacks, "--out", tmp_path, "--replicates", 20)
    assert done.exit_code == 0
    page = (tmp_path / "report.html").read_text("utf-8")
    assert page.count("<svg") == 2
    assert "<script" not in page
    assert "&lt;b&gt;mask&lt;/b&gt;" in page
    assert not re.search(r"""(?:src|href)=["'](?!#|data:,)""", page)
    assert not re.search(r"https?://(?!www\.w3\.org/)", page)
    assert "currentColor" in page
    assert json.loads((tmp_path / "accuracy.json").read_text("utf-8"))["pooled"] is None
