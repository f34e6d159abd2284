"""`python -m bench enrollment`: what the gate refuses of one person and of two, on people whose likeness is known."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from bench.__main__ import cli
from bench.enrollment_gate import face_gate, finger_gate
from bioguard.formats import write_iso2005
from bioguard.simulate.people import EDGEFACE_XS, FacePopulation, FingerPopulation

POPULATION = FacePopulation(EDGEFACE_XS, seed=5)
PEOPLE = 30


def by(found: dict, samples: int) -> dict[str, dict]:
    return {row["of"]: row for row in found["groups"] if row["samples"] == samples}


def test_faces_of_one_person_pass_and_of_two_do_not() -> None:
    rows = np.concatenate([POPULATION.embeddings(0, PEOPLE, view) for view in range(4)])
    subjects = np.tile(np.arange(PEOPLE), 4)
    found = face_gate(rows, subjects, seed=1, draws=200)
    assert (found["vectors"], found["flawed_vectors"]) == (4 * PEOPLE, {})
    assert {row["samples"] for row in found["groups"]} == {2, 3, 4}, "nobody has eight"
    assert set(by(found, 4)) == {"one person", "3 and 1 of two people", "2 and 2 of two people"}
    for samples in (2, 3, 4):
        own = by(found, samples).pop("one person")
        assert (own["groups"], own["refused"] <= 0.1) == (PEOPLE, True)
        others = [row for of, row in by(found, samples).items() if of != "one person"]
        assert all(row["groups"] == 200 and row["refused"] >= 0.97 for row in others)
        assert all(row["inconsistent"] == round(row["refused"] * 200) for row in others)
    assert found == face_gate(rows, subjects, seed=1, draws=200)


def test_copies_and_flawed_vectors_are_counted() -> None:
    twice = np.repeat(POPULATION.embeddings(0, 4, view=0), 2, axis=0)
    found = face_gate(twice, np.repeat(np.arange(4), 2), seed=1, draws=5)
    own = by(found, 2)["one person"]
    assert (own["equal"], own["refused"], own["interval_95"][1]) == (4, 1.0, 1.0)
    offset = twice + 1.5 / np.sqrt(512)
    offset = (offset / np.linalg.norm(offset, axis=1, keepdims=True)).astype(np.float32)
    assert face_gate(offset, np.repeat(np.arange(4), 2), seed=1, draws=5)["flawed_vectors"] == {"NOT_CENTERED": 8}


def test_touches_that_are_too_poor_are_not_in_the_rates() -> None:
    touches = [t for person in range(6) for t in FingerPopulation(1).impressions(person, 2, 3)]
    nothing = type(touches[0]).from_minutiae([], [], [], width_px500=300, height_px500=400)
    found = finger_gate([*touches, nothing, nothing], np.array([*np.repeat(np.arange(6), 3), 6, 6]), seed=1, draws=20)
    own = by(found, 2)["one person"]
    assert (own["groups"], own["poor"]) == (6, 1)
    assert by(found, 3)["2 and 1 of two people"]["refused"] > 0.7


def test_the_command_writes_both(tmp_path: Path) -> None:
    rows = np.concatenate([POPULATION.embeddings(0, 5, view) for view in range(3)])
    np.savez(tmp_path / "faces.npz", embeddings=rows, labels=np.tile(np.arange(5), 3))
    (tmp_path / "prints").mkdir()
    for person in range(3):
        for number, touch in enumerate(FingerPopulation(1).impressions(person, 2, 3), 1):
            (tmp_path / "prints" / f"{person}_{number}.iso").write_bytes(write_iso2005([touch]))
    out = tmp_path / "out"
    words = ["enrollment", "--faces", tmp_path / "faces.npz", "--fingerprints", tmp_path / "prints", "--out", out]
    done = CliRunner().invoke(cli, [*map(str, words), "--draws", "10"])
    assert done.exit_code == 0, done.output
    data = json.loads((out / "enrollment.json").read_text("utf-8"))
    assert (data["command"], data["faces"]["vectors"], data["fingerprints"]["touches"]) == ("enrollment", 15, 9)
    assert "one person" in done.stdout
    assert "vectors: 15, not usable: none" in done.stdout


@pytest.mark.parametrize("words", [["enrollment", "--out", "x"]])
def test_something_must_be_measured(words: list[str]) -> None:
    assert CliRunner().invoke(cli, words).exit_code == 2
