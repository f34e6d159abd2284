"""The kernels under pytest-benchmark: `python -m pytest bench --benchmark-only`."""

from typing import Any

import numpy as np
import pytest

from bioguard.match import CodeGallery, FaceGallery, FingerprintGallery
from bioguard.match.fingerprint import prepare, prepare_all
from bioguard.match.kernels import available
from bioguard.match.protected import CodeContext, SignCoder
from bioguard.simulate.people import EDGEFACE_XS, FacePopulation, FingerPopulation

PEOPLE = 10_000
FACES = FacePopulation(EDGEFACE_XS, 1)
CODER = SignCoder(CodeContext(secret=bytes(32), dimension=FACES.dimension, model_id="bench", epoch=0))


@pytest.fixture(scope="module")
def gallery() -> Any:
    """Embeddings float32 [PEOPLE, 512]."""
    return FACES.embeddings(0, PEOPLE, 0)


@pytest.fixture(scope="module")
def codes(gallery: Any) -> Any:
    """Their codes uint8 [PEOPLE, 128]."""
    return CODER.encode(gallery)


def bench_face_search(benchmark: Any, gallery: Any) -> None:
    """Exact cosine, one probe, 64 best of 10 000."""
    index, probe = FaceGallery(gallery), FACES.embeddings(3, 1, 1)
    _, found = benchmark(index.search, probe, 64)
    assert found[0, 0] == 3


@pytest.mark.parametrize("kernel", available())
def bench_code_search(benchmark: Any, codes: Any, kernel: str) -> None:
    """Hamming distance, one probe, 64 best of 10 000."""
    index, probe = CodeGallery(codes, kernel=kernel), CODER.encode(FACES.embeddings(3, 1, 1))
    _, found = benchmark(index.search, probe, 64)
    assert found[0, 0] == 3


@pytest.mark.parametrize("kernel", available())
def bench_code_histogram(benchmark: Any, codes: Any, kernel: str) -> None:
    """32 probes against 10 000 rows, counted by distance."""
    index = CodeGallery(codes, kernel=kernel)
    counts = benchmark(index.histogram, codes[:32])
    assert counts.sum() == 32 * PEOPLE


def bench_code_encoding(benchmark: Any, gallery: Any) -> None:
    """Codes of 64 embeddings."""
    assert benchmark(CODER.encode, gallery[:64]).shape == (64, 128)


def bench_fingerprint_search(benchmark: Any) -> None:
    """One probe, 10 best of 1000."""
    rows = prepare_all(list(FingerPopulation(1).stream((person, 2, 0) for person in range(250))))
    index = FingerprintGallery([rows[i % 250] for i in range(1000)])
    probe = prepare(FingerPopulation(1).impression(3, 2, 1))
    _, found = benchmark(index.search, probe, 10)
    assert found[0] % 250 == 3


def bench_fingerprint_preparation(benchmark: Any) -> None:
    """Descriptors of one print."""
    touch = FingerPopulation(1).impression(3, 2, 1)
    assert len(benchmark(prepare, touch)) == len(touch)


def bench_synthetic_faces(benchmark: Any) -> None:
    """512 embeddings."""
    rows = benchmark(FACES.embeddings, 0, 512, 0)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
