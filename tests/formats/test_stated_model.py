"""Which model or extractor a file says that it is of."""

import io

import numpy as np
import pytest

from bioguard.errors import InputRefused
from bioguard.formats import load_bytes
from bioguard.formats.stated_model import model_of_record

ROWS = np.random.default_rng(1).normal(size=(2, 128)).astype(np.float32)


def archive(**members: object) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, embeddings=ROWS, **members)
    return stream.getvalue()


@pytest.mark.parametrize("model", ["edgeface_xs", "m", "x" * 64, "ArcFace r100 (v2)"])
def test_an_archive_states_its_model(model: str) -> None:
    assert load_bytes(archive(model=model), "a.npz").model == model


def test_most_files_state_none() -> None:
    assert load_bytes(archive(labels=np.arange(2)), "a.npz").model == ""
    stream = io.BytesIO()
    np.save(stream, ROWS)
    assert load_bytes(stream.getvalue(), "a.npy").model == ""


@pytest.mark.parametrize(
    "model", ["", "x" * 65, " x", "a\nb", "näh", b"bytes", 7, ["a", "b"], np.array([1.0, 2.0])], ids=repr
)
def test_a_model_that_is_no_text_is_refused(model: object) -> None:
    with pytest.raises(InputRefused) as caught:
        load_bytes(archive(model=model), "a.npz")
    assert caught.value.code == "format.npz_model"


class _Record:
    def __init__(self, owner: int, product: int) -> None:
        self.owner, self.product = owner, product


def test_a_record_of_incits_378_states_its_product() -> None:
    assert model_of_record(_Record(0x31, 0x103)) == "cbeff:0031:0103"  # type: ignore[arg-type]
    assert model_of_record(_Record(0, 0x103)) == ""  # type: ignore[arg-type]
