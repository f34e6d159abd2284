"""The engine `face`: a detector and an embedding model of your own, run by OpenCV, described in a TOML file."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bioguard.capture.engine import Extraction, Picture
from bioguard.capture.engine_files import checked
from bioguard.capture.face_files import HINT
from bioguard.capture.face_models import Model, parse_models
from bioguard.capture.faces import Face, detect, judge_pose, similarity
from bioguard.capture.networks import network_of
from bioguard.capture.opencv import cv2
from bioguard.capture.refusals import refuse_picture
from bioguard.errors import InputRefused
from bioguard.records import FaceEmbedding
from bioguard.records.acquired import AcquiredCode
from bioguard.records.extractor import ExtractorIdentity
from bioguard.records.modality import Modality

MIN_SHARPNESS: Final = 3.0
"""Standard deviation of the Laplacian of the aligned face, gray levels at a contrast of 64. Chosen on drawn faces."""
_FULL_CONTRAST: Final = 64.0
Pixels = NDArray[np.uint8]


def _input(picture: Pixels, model: Model) -> NDArray[np.float32]:
    """A square picture in RGB as the model takes it, float32 [1, 3, side, side]."""
    ordered = picture[:, :, ::-1] if model.channels == "bgr" else picture
    leveled = (ordered.astype(np.float32) - np.array(model.mean, np.float32)) * np.float32(model.scale)
    return np.ascontiguousarray(leveled.transpose(2, 0, 1)[None])


class FaceEngine:
    """Faces.

    Args:
        toml, detector, embedder: the bytes of `files`.

    Raises:
        InputRefused: `capture.face_models`, `capture.weights`, or as `ExtractorIdentity`.
    """

    modality: Final = Modality.FACE

    def __init__(self, toml: bytes, detector: bytes, embedder: bytes) -> None:
        self._models = parse_models(toml)
        self._detector, self._embedder = (
            network_of(checked(data, model.sha256, model.file, HINT), model.file, HINT)
            for data, model in ((detector, self._models.detector), (embedder, self._models.embedder))
        )
        self.identity = ExtractorIdentity(
            name=self._models.name, version=self._models.version, weights_sha256=self._models.digest
        )
        self._target = np.array(self._models.embedder.landmarks, np.float64)
        side = self._models.embedder.side
        self._faces(np.zeros((64, 64, 3), np.uint8))
        self._vector(np.arange(side * side * 3, dtype=np.uint8).reshape(side, side, 3))

    @staticmethod
    def _answers(network: Any, model: Model, picture: Pixels, names: list[str]) -> dict[str, NDArray[np.float32]]:
        """Raises InputRefused `engine.network` where the description does not fit the network."""
        try:
            network.setInput(_input(picture, model), model.input)
            return dict(zip(names, network.forward(names), strict=True))
        except cv2.error as error:
            raise InputRefused(
                f"{model.file} does not take what its description says", hint=HINT, code="engine.network"
            ) from error

    def _faces(self, pixels: Pixels) -> list[Face]:
        """In a picture that is put into a corner of the detector's square."""
        model = self._models.detector
        factor = min(model.side / max(pixels.shape[:2]), 1.0)
        small = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) if factor < 1 else pixels
        square = np.zeros((model.side, model.side, 3), np.uint8)
        square[: small.shape[0], : small.shape[1]] = small
        names = [
            name.format(stride=stride) for name in (*model.scores, model.box, model.points) for stride in model.strides
        ]
        return detect(self._answers(self._detector, model, square, names), model, factor)

    def _vector(self, aligned: Pixels) -> FaceEmbedding:
        model = self._models.embedder
        answer = self._answers(self._embedder, model, aligned, [model.output])[model.output]
        return FaceEmbedding.from_features(answer.reshape(-1))

    def extract(self, picture: Picture) -> Extraction:
        if picture.pixels.ndim != 3:
            raise refuse_picture("channels", "the picture of a face is not RGB")
        faces = self._faces(picture.pixels)
        if len(faces) != 1:
            return Extraction(acquired=AcquiredCode.SEVERAL_FACES if faces else AcquiredCode.NOT_DETECTED)
        (face,) = faces
        side = self._models.embedder.side
        turn = similarity(face.points, self._target)
        aligned = cv2.warpAffine(picture.pixels, turn, (side, side), flags=cv2.INTER_LINEAR)
        acquired = judge_pose(face.points)
        if acquired is AcquiredCode.GOOD and sharpness(aligned) < MIN_SHARPNESS:
            acquired = AcquiredCode.TOO_FAST
        return Extraction(acquired=acquired, sample=self._vector(aligned), quality=round(100 * min(face.score, 1.0)))


def sharpness(aligned: Pixels) -> float:
    """How much of an aligned face, [side, side, 3], is edges: of a moved or unfocused one little."""
    gray = cv2.cvtColor(aligned, cv2.COLOR_RGB2GRAY).astype(np.float32)
    contrast = float(gray.std())
    return float(cv2.Laplacian(gray, cv2.CV_32F).std()) * _FULL_CONTRAST / max(contrast, 1.0)
