"""The demo on real data does what a sensor does: it names what does not fit, takes the next sample, counts failures."""

import json
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from bioguard.cli import demo
from bioguard.cli.__main__ import run
from bioguard.cli.collection import Sample, find_faces, find_fingers
from bioguard.cli.demo_sensor import take
from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions, write_iso2005, write_xyt
from bioguard.records import FaceEmbedding, Features, FingerprintTemplate
from bioguard.simulate.people import face_views, finger_impressions
from tests.formats.test_embeddings import saved

DIFFERS = "does not look like the others"


def fingers(person: int, count: int = 6) -> list[FingerprintTemplate]:
    return list(finger_impressions(1, person=person, count=count))


def faces(person: int, count: int = 6) -> list[FaceEmbedding]:
    return list(face_views(1, person=person, count=count))


FEW = FingerprintTemplate.from_minutiae([9, 50], [9, 80], [0, 1], width_px500=99, height_px500=99)
CONSTANT = FaceEmbedding.from_features(np.full(512, 0.5))
UNREADABLE = None

CASES: dict[str, tuple[list[Features | None], list[int], list[tuple[int, str]]]] = {
    "all fit": (fingers(0), [1, 2, 3], []),
    "another finger third": ([*fingers(0)[:2], fingers(9)[0], *fingers(0)[3:]], [1, 2, 4], [(3, DIFFERS)]),
    "another finger first": ([fingers(9)[0], *fingers(0)[1:]], [2, 3, 4], [(1, DIFFERS)]),
    "two fingers in turn": (
        [f for pair in zip(fingers(0), fingers(1), strict=True) for f in pair],
        [1, 3, 5],
        [(2, DIFFERS), (4, DIFFERS)],
    ),
    "the same touch": ([fingers(0)[0], *fingers(0)], [1, 3, 4], [(2, "is the same touch again")]),
    "too few minutiae": ([FEW, *fingers(0)], [2, 3, 4], [(1, "has too few minutiae")]),
    "unreadable": ([fingers(0)[0], UNREADABLE, *fingers(0)[1:]], [1, 3, 4], [(2, "cannot be used: cut")]),
    "never": ([fingers(i)[0] for i in range(4)], [], [(2, DIFFERS), (3, DIFFERS)]),
    "views fit": (faces(0), [1, 2, 3], []),
    "somebody else's view": ([faces(0)[0], faces(5)[0], *faces(0)[1:]], [1, 3, 4], [(2, DIFFERS)]),
    "the same view": ([faces(0)[0], *faces(0)], [1, 3, 4], [(2, "is the same view again")]),
    "no face": ([CONSTANT, *faces(0)], [2, 3, 4], [(1, "is constant: all numbers are the same")]),
}


@pytest.mark.parametrize("name", CASES)
def test_what_does_not_fit_is_named_and_the_next_is_taken(name: str) -> None:
    given, chosen, passed_over = CASES[name]
    samples = [Sample(str(i), f, "" if f else "cut") for i, f in enumerate(given, 1)]
    told: list[tuple[str, str]] = []
    taken = take(samples, 3, lambda *what: told.append(what))
    assert told == taken.passed_over == [(str(i), fault) for i, fault in passed_over]
    if chosen:
        assert [s.name for s in taken.chosen] == [str(i) for i in chosen]
        last = max([*chosen, *(i for i, _ in passed_over)])
        assert [s.name for s in taken.left] == [str(i) for i in range(last + 1, len(given) + 1)]
        assert len(taken.probes) == sum(s.features is not None for s in taken.left)
    else:
        assert len(taken.chosen) < 3
        assert taken.left == []


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three people: one has a foreign touch and a repeated view, one cannot be enrolled by finger."""
    root = tmp_path / "data"
    (root / "db").mkdir(parents=True)
    (root / ".git").mkdir()
    touches = [fingers(0, 5), fingers(1, 5), [fingers(20 + i, 1)[0] for i in range(4)]]
    touches[1][1] = fingers(9, 1)[0]
    for number, own in enumerate(touches, 101):
        for touch, template in enumerate(own, 1):
            (root / "db" / f"{number}_{touch}.iso").write_bytes(write_iso2005(template))
    (root / "db" / "101_1.xyt").write_bytes(write_xyt(touches[0][0]))
    (root / "db" / "._101_1.iso").write_bytes(bytes(99))
    (root / ".git" / "1_1.iso").write_bytes(bytes(9))
    views = [[view.vector for view in faces(person, 5)] for person in range(3)]
    views[0][1] = views[0][0]
    labels = np.repeat(["j.doe_1", "j.doe_2", "k.roe_1"], 5)
    np.savez(root / "faces.npz", embeddings=np.concatenate(views), labels=labels)
    np.savez(root / "a-scores.npz", scores=np.eye(3))
    return root


def test_a_collection_is_read_as_it_lies_there(data: Path) -> None:
    found = find_fingers(data, people=9, impressions=4, options=ImportOptions())
    assert [(s.label, len(s.samples)) for s in found] == [("db/101", 5), ("db/102", 5), ("db/103", 4)]
    assert [s.name for s in found[0].samples] == [f"101_{i}.iso" for i in range(1, 6)]
    people = find_faces(data, people=9, views=4)
    assert [(s.label, len(s.samples)) for s in people] == [
        ("faces.npz/j.doe_1", 5),
        ("faces.npz/j.doe_2", 5),
        ("faces.npz/k.roe_1", 5),
    ]
    assert [len(find_faces(data, people=2, views=4)), find_faces(data, people=2, views=6)] == [2, []]


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_bytes(b"PK\x03\x04"),
        lambda path: np.savez(path, embeddings=np.ones((2, 64)), labels=np.ones(3)),
        lambda path: np.savez(path, embeddings=np.ones((2, 64)), labels=np.array([None, 1], object)),
        lambda path: np.savez(path, embeddings=np.ones((2, 64)), labels=np.array([np.nan, 1])),
        lambda path: np.savez(path, embeddings=np.ones((100_001, 64), "i1"), labels=np.zeros(100_001)),
        lambda path: path.write_bytes(saved(np.ones((2, 64)))),
    ],
    ids=["damaged", "lengths", "objects", "NaN", "many", "a single array"],
)
def test_faces_that_cannot_be_read_are_refused(tmp_path: Path, write: object) -> None:
    write(tmp_path / "f.npz")  # type: ignore[operator]
    with pytest.raises(InputRefused) as caught:
        find_faces(tmp_path, people=2, views=2)
    assert caught.value.code == "demo.data"


def test_faces_that_would_fill_the_memory_are_not_inflated(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "f.npz", embeddings=np.zeros((65_536, 128), "f4"), labels=np.zeros(65_536, "i4"))
    tracemalloc.start()
    with pytest.raises(InputRefused) as caught:
        find_faces(tmp_path, people=2, views=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (caught.value.code, peak < 4 << 20) == ("format.npz_ratio", True)
    assert caught.value.message.startswith(str(tmp_path / "f.npz"))


def test_a_row_number_beside_the_faces_is_refused(tmp_path: Path) -> None:
    rows = np.concatenate([[f.vector for f in faces(p, 4)] for p in range(2)])
    np.savez(tmp_path / "f.npz", embeddings=np.column_stack([np.arange(8), rows]), labels=np.repeat([0, 1], 4))
    with pytest.raises(InputRefused) as caught:
        find_faces(tmp_path, people=2, views=4)
    assert caught.value.code == "input.foreign_column"


def test_a_file_with_too_few_views_or_in_a_hidden_folder_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".old").mkdir()
    for name, count in ((".old/a.npz", 4), ("a.npz", 1), ("b.npz", 4)):
        rows = np.concatenate([[f.vector for f in faces(p, count)] for p in range(2)])
        np.savez(tmp_path / name, embeddings=rows, labels=np.repeat([0, 1], count))
    assert [s.label for s in find_faces(tmp_path, people=2, views=4)] == ["b.npz/0", "b.npz/1"]


def test_warnings_of_the_files_are_counted_by_code(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (data / "db").glob("101_*.iso"):
        octets = bytearray(path.read_bytes())
        octets[18:22] = b"\0\x63\0\x63"
        path.write_bytes(octets)
    run(["demo", "--data", str(data)])
    notes = [line for line in capsys.readouterr().err.splitlines() if line.endswith("[geometry.suspect_resolution]")]
    assert len(notes) == 1
    assert re.match(r"note: \d files, first 101_\d.iso: header has 99 px/cm, which is 250 dpi", notes[0])


def test_the_demo_names_what_does_not_fit_and_ends_with_the_tally(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["demo", "--data", str(data)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "capture  person-02 finger (db/102): 102_2.iso does not look like the others: not taken" in lines
    assert "capture  person-01 face (faces.npz/j.doe_1): view 2 is the same view again: not taken" in lines
    assert "enroll   person-03 finger (db/103): FAILURE TO ENROLL, of 4 samples no 3 fit together" in lines
    assert "enroll   2 fingers, 3 faces of 3 people" in lines
    assert lines[-5] == "finger       enrolled 2/3, failures to enroll 1, samples taken again 3"
    assert lines[-4].strip().startswith("genuine accepted ")
    assert lines[-3] == "face         enrolled 3/3, failures to enroll 0, samples taken again 1"
    assert "impostors rejected 6/6" in lines[-2]
    assert lines[-1].startswith("done in ")


def test_the_tally_in_json(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (data / "db").glob("103_*"):
        path.unlink()
    assert run(["demo", "--data", str(data), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["people"], answer["identified"]) == (2, 2)
    finger = answer["decisions"]["finger"]
    assert (finger["enrolled"], finger["failures_to_enroll"], finger["taken_again"]) == (2, 0, 1)
    assert finger["impostors_rejected"] == finger["impostors"] == 2


def test_fingers_are_pictures_where_a_sensor_can_see_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "finger_impressions", lambda *_args, count, **_rest: [FEW] * count)
    assert run(["demo"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("sensor   fingerprint nbis ")]
    tally = lines.index("finger       enrolled 2/2, failures to enroll 0, samples taken again 0")
    assert lines[tally + 1] == "             genuine accepted 2/2, impostors rejected 2/2"


def test_without_the_engine_or_its_thresholds_fingers_are_features(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "version_of", lambda *_: "0.1.2")
    assert not demo._can_see(), "no thresholds are known of that version"
    monkeypatch.setattr(demo.SensorChoice, "missing", lambda _: "nbis")
    monkeypatch.delattr(demo, "version_of")
    assert not demo._can_see()
    assert not any(person.pictures for person in demo._synthetic_people(pictures=False))
