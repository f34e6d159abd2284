"""Faces: boxes out of a network's cells, how a head is turned, the square for the embedding, and two real models."""

import hashlib
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bioguard.capture.engine import Engine, Picture
from bioguard.capture.engines import load_engine, make_engine
from bioguard.capture.face_models import parse_models
from bioguard.capture.faces import detect, judge_pose, similarity
from bioguard.errors import InputRefused, WrongUsage
from bioguard.records import FaceEmbedding
from bioguard.records.acquired import AcquiredCode
from tests.capture.drawn import draw_face, face
from tests.capture.face_example import EXAMPLE, example_in

TEXT = EXAMPLE.read_bytes()
MODELS = parse_models(TEXT)
FRONT = np.array([[100, 100], [160, 100], [130, 136], [108, 170], [152, 170]], np.float64)


def outputs(*cells: tuple[int, int, int, float]) -> dict[str, NDArray[np.float32]]:
    """What the detector answers with a face of two strides' width at each stride, column, row, with a score."""
    made: dict[str, NDArray[np.float32]] = {}
    for stride in MODELS.detector.strides:
        count = (MODELS.detector.side // stride) ** 2
        for name, width in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            made[f"{name}_{stride}"] = np.zeros((1, count, width), np.float32)
    for stride, column, row, score in cells:
        cell = row * (MODELS.detector.side // stride) + column
        made[f"cls_{stride}"][0, cell] = score
        made[f"obj_{stride}"][0, cell] = score
        made[f"bbox_{stride}"][0, cell] = [0.5, 0.25, np.log(2), np.log(3)]
        made[f"kps_{stride}"][0, cell] = np.arange(10) / 10
    return made


def test_cells_become_boxes_of_the_picture() -> None:
    (found,) = detect(outputs((16, 3, 5, 0.9)), MODELS.detector, 0.5)
    assert found.score == pytest.approx(0.9)
    center = np.array([3.5, 5.25]) * 16 / 0.5
    assert found.box == pytest.approx((*(center - [32, 48]), 64, 96), rel=1e-5)
    assert found.points[1] == pytest.approx(np.array([3.2, 5.3]) * 16 / 0.5, rel=1e-5)


def test_one_face_is_found_once_and_a_faint_one_not() -> None:
    assert len(detect(outputs((16, 3, 5, 0.9), (16, 4, 5, 0.8), (8, 6, 10, 0.95)), MODELS.detector, 1)) == 2
    best, other = detect(outputs((16, 3, 5, 0.9), (16, 30, 5, 0.95)), MODELS.detector, 1)
    assert best.score > other.score
    assert detect(outputs((16, 3, 5, 0.69)), MODELS.detector, 1) == []


def test_outputs_of_another_network_are_refused() -> None:
    wrong = outputs()
    wrong["bbox_8"] = wrong["bbox_8"][:, :-1]
    nan = outputs((16, 3, 5, 0.9))
    nan["kps_16"][0, 0] = np.nan
    for answer in (wrong, nan):
        with pytest.raises(InputRefused) as refused:
            detect(answer, MODELS.detector, 1)
        assert refused.value.code == "engine.network"


def turned(degrees: float) -> NDArray[np.float64]:
    turn = np.exp(1j * np.radians(degrees))
    z = (FRONT @ (1, 1j) - (130 + 130j)) * turn
    return np.column_stack([z.real, z.imag]) + 130


def nose(x: float, y: float) -> NDArray[np.float64]:
    points = FRONT.copy()
    points[2] = x, y
    return points


@pytest.mark.parametrize(
    ("code", "points"),
    [
        (AcquiredCode.GOOD, FRONT),
        (AcquiredCode.GOOD, turned(29)),
        (AcquiredCode.ROLL_TOO_EXTREME, turned(31)),
        (AcquiredCode.ROLL_TOO_EXTREME, turned(-31)),
        (AcquiredCode.ROLL_TOO_EXTREME, turned(180)),
        (AcquiredCode.TOO_FAR, (FRONT - 130) * 0.53 + 130),
        (AcquiredCode.GOOD, nose(156, 136)),
        (AcquiredCode.PAN_TOO_EXTREME, nose(158, 136)),
        (AcquiredCode.PAN_TOO_EXTREME, nose(102, 136)),
        (AcquiredCode.TILT_TOO_EXTREME, nose(130, 113)),
        (AcquiredCode.TILT_TOO_EXTREME, nose(130, 159)),
    ],
)
def test_how_a_head_is_turned(code: AcquiredCode, points: NDArray[np.float64]) -> None:
    assert judge_pose(points) is code


def test_the_square_puts_the_points_where_the_model_wants_them() -> None:
    target = np.array(MODELS.embedder.landmarks)
    turn = np.exp(0.4j) * 1.7
    z = target @ (1, 1j) * turn + (30 - 12j)
    found = similarity(np.column_stack([z.real, z.imag]), target)
    assert np.column_stack([z.real, z.imag, np.ones(5)]) @ found.T == pytest.approx(target)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'name = "sface-int8"', b""),
        (b'name = "sface-int8"', b'name = "sface-int8"\nmore = 1'),
        (b"mean = [0, 0, 0]", b"mean = [0, 0]"),
        (b"scale = 1", b""),
        (b"scale = 1", b"scale = inf"),
        (b'channels = "bgr"', b'channels = "gray"'),
        (b"side = 640 ", b"side = 640000 "),
        (b"strides = [8, 16, 32]", b"strides = []"),
        (b"min_score = 0.7", b"min_score = 1"),
        (b"49f000ec", b"49f000"),
        (b"[38.2946, 51.6963], ", b""),
        (b"[detector]", b"[detectors]"),
        (b"[detector]", b"[detector"),
        (b"# A face", b"#" * 16384),
        (b"# A face", b"\xff"),
    ],
)
def test_a_description_is_complete_or_refused(old: bytes, new: bytes) -> None:
    assert old in TEXT
    with pytest.raises(InputRefused) as refused:
        parse_models(TEXT.replace(old, new, 1))
    assert refused.value.code == "capture.face_models"


def test_whatever_is_done_to_a_picture_is_part_of_the_identity() -> None:
    changed = TEXT.replace(b"scale = 1\n", b"scale = 0.5\n")
    assert parse_models(changed).digest != MODELS.digest
    assert parse_models(TEXT + b"\n# a comment\n").digest == MODELS.digest


@pytest.fixture(scope="session")
def toml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example beside the two files that it names."""
    return example_in(tmp_path_factory.mktemp("face"))


@cache
def engine(path: Path) -> Engine:
    return load_engine("face", str(path))


def test_a_drawn_face_becomes_an_embedding(toml: Path) -> None:
    found = engine(toml).extract(Picture(face(), 0))
    assert found.acquired is AcquiredCode.GOOD
    assert found.quality >= 70
    assert isinstance(found.sample, FaceEmbedding)
    assert found.sample.vector.shape == (128,)
    moved = engine(toml).extract(Picture(face(700, 900, at=(620, 330)), 0)).sample
    assert isinstance(moved, FaceEmbedding)
    assert float(found.sample.vector @ moved.vector) > 0.9, "the same face elsewhere in a larger picture"


def test_what_no_embedding_is_made_of(toml: Path) -> None:
    nobody = np.full((300, 300, 3), 120, np.uint8)
    two = face(360, 640)
    draw_face(two, (470, 180), 1.0)
    small = face(size=0.4)
    assert [engine(toml).extract(Picture(one, 0)).acquired for one in (nobody, two, small)] == [
        AcquiredCode.NOT_DETECTED,
        AcquiredCode.SEVERAL_FACES,
        AcquiredCode.TOO_FAR,
    ]
    assert engine(toml).extract(Picture(two, 0)).sample is None
    with pytest.raises(InputRefused, match="not RGB"):
        engine(toml).extract(Picture(nobody[:, :, 0], 0))


def test_files_are_those_of_the_description(toml: Path) -> None:
    assert engine(toml).identity.weights_sha256 == parse_models(toml.read_bytes()).digest
    files = {hashlib.sha256(path.read_bytes()).digest(): path.read_bytes() for path in toml.parent.glob("*.onnx")}
    detector, embedder = (files[model.sha256] for model in (MODELS.detector, MODELS.embedder))
    for contents in ((TEXT, embedder, detector), (TEXT, detector, detector), (TEXT, detector + b"\0", embedder)):
        with pytest.raises(InputRefused) as refused:
            make_engine("face", "", contents)
        assert refused.value.code == "capture.weights"


def test_a_file_that_is_not_there_comes_with_a_hint(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", Path(shutil.copy(EXAMPLE, tmp_path))):
        with pytest.raises(WrongUsage) as refused:
            load_engine("face", str(path))
        assert refused.value.code == "capture.missing"
        assert "docs/capture.md" in refused.value.hint
