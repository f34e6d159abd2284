"""`bioguard capture`: pictures in, records out, and what it says of those that give none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bioguard.capture import engines
from bioguard.cli.__main__ import run as command
from bioguard.evidence.engine_checks import engine_checks
from bioguard.formats import load_features
from bioguard.records import FaceEmbedding, FingerprintTemplate
from bioguard.report.model import Status
from tests.capture.drawn import dislocation, face, png, ridges

Run = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def one(*arguments: object) -> tuple[int, dict[str, Any]]:
        code = command(["--json", "capture", *map(str, arguments)])
        return code, json.loads(capsys.readouterr().out)

    return one


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_one_picture_becomes_one_record(run: Run, tmp_path: Path) -> None:
    picture, out = put(tmp_path / "f.png", png(dislocation())), tmp_path / "f.iso"
    code, said = run(picture, "--out", out, "--dpi", 500)
    assert (code, said["outcome"], said["captured"]) == (0, "captured", 1)
    template = load_features(out)
    assert isinstance(template, FingerprintTemplate)
    assert np.hypot(template.x_px500 - 127.5, template.y_px500 - 127.5).min() < 12
    (row,) = said["files"]
    assert row["features"] == len(template)
    assert said["engine"]["model"].startswith("nbis ")
    assert run(picture, "--out", out, "--dpi", 500)[1]["error"]["code"] == "capture.exists"


def test_several_pictures_become_a_directory_and_one_that_is_refused_ends_nothing(run: Run, tmp_path: Path) -> None:
    good = put(tmp_path / "good.png", png(dislocation(), dpi=500))
    empty = put(tmp_path / "empty.png", png(np.full((100, 100), 255, np.uint8), dpi=500))
    broken = put(tmp_path / "broken.png", b"GIF89a")
    out = tmp_path / "out"
    code, said = run(good, broken, empty, tmp_path / "none.png", "--out", out, "--to", "iso2011")
    assert (code, said["outcome"], said["captured"]) == (3, "not_all_captured", 1)
    rows = said["files"]
    assert [row["refused"] for row in rows] == [None, "picture.format", None, "picture.unreadable"]
    assert rows[2]["acquired"] == "insufficient"
    assert [path.name for path in out.iterdir()] == ["good.iso"]
    assert (out / "good.iso").read_bytes()[4:8] == b"030\0"


def test_two_pictures_of_one_name_are_refused_before_anything_is_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    one, two = put(tmp_path / "x.png", png(ridges())), put(tmp_path / "b" / "x.png", png(ridges()))
    code, said = run(one, two, "--out", tmp_path / "out", "--dpi", 500)
    assert (code, said["error"]["code"]) == (4, "capture.names")
    assert not (tmp_path / "out").exists()


def test_a_face_by_an_engine_of_ones_own_states_its_model(run: Run, tmp_path: Path) -> None:
    picture, out = put(tmp_path / "f.png", png(face())), tmp_path / "f.npz"
    code, said = run(picture, "--engine", "tests.capture.test_engine:Middle", "--argument", "7", "--out", out)
    assert code == 0, said
    assert isinstance(load_features(out), FaceEmbedding)
    with np.load(out) as archive:
        assert str(archive["model"]) == said["engine"]["model"] == "middle 7"


def test_the_doctor_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = {check.title: check for check in engine_checks()}
    assert set(lines) == {f"engine {entry.name}" for entry in engines.ENGINES}
    assert lines["engine nbis"].status is Status.PASS
    assert "nbis-py 0.1.3" in lines["engine nbis"].summary
    assert lines["engine face"].status is Status.NOT_APPLICABLE
    found = engines.importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "cv2" else found(name))
    for check in engine_checks():
        assert check.status is Status.NOT_APPLICABLE
        assert "pip install 'bioguard[capture]'" in check.summary
