"""The interface of an engine: what a picture and an extraction are, and which engine a word means."""

import numpy as np
import pytest

from bioguard.capture.engine import Extraction, Picture
from bioguard.capture.engines import entry_of, load_engine
from bioguard.errors import InputRefused, WrongUsage
from bioguard.records import FaceEmbedding
from bioguard.records.acquired import AcquiredCode
from bioguard.records.extractor import ExtractorIdentity
from bioguard.records.modality import Modality


class Middle:
    """An engine that takes the pixels in the middle for an embedding."""

    modality = Modality.FACE

    def __init__(self, version: str = "1") -> None:
        self.identity = ExtractorIdentity(name="middle", version=version, weights_sha256=bytes(32))

    def extract(self, picture: Picture) -> Extraction:
        row = picture.pixels[picture.height // 2, :64].reshape(-1)[:64]
        return Extraction(acquired=AcquiredCode.GOOD, sample=FaceEmbedding.from_features(row + 1.0), quality=50)


def test_an_engine_of_ones_own_is_named_by_module_and_class() -> None:
    word = f"{__name__}:Middle"
    assert entry_of(word).packages == ("tests",)
    engine = load_engine(word, "2.0")
    assert engine.identity.version == "2.0"
    found = engine.extract(Picture(np.zeros((80, 80), np.uint8), 500))
    assert isinstance(found.sample, FaceEmbedding)
    assert load_engine(word).identity.version == "1"


@pytest.mark.parametrize(
    "word", ["", "none", "a:", ":B", "a b:C", "a.b", "../x:C", "bioguard.nowhere:Engine", "json:No"]
)
def test_what_is_no_engine_is_refused_with_a_hint(word: str) -> None:
    with pytest.raises(WrongUsage) as refused:
        load_engine(word)
    assert refused.value.code == "capture.engine"
    assert refused.value.hint


@pytest.mark.parametrize(
    ("pixels", "dpi"),
    [
        (np.zeros((80, 80), np.float32), 500),
        (np.zeros((80, 80, 4), np.uint8), 500),
        (np.zeros((80,), np.uint8), 500),
        (np.zeros((0, 80), np.uint8), 500),
        (np.zeros((80, 80), np.uint8), -1),
    ],
)
def test_a_picture_is_what_it_says(pixels: np.ndarray, dpi: int) -> None:
    with pytest.raises(InputRefused) as refused:
        Picture(pixels, dpi)
    assert refused.value.code == "engine.picture"


def test_good_has_features_and_a_quality_is_a_percentage() -> None:
    for wrong in ({"acquired": AcquiredCode.GOOD}, {"acquired": AcquiredCode.PARTIAL, "quality": 101}):
        with pytest.raises(InputRefused) as refused:
            Extraction(**wrong)
        assert refused.value.code == "engine.extraction"
