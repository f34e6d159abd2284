"""Our comparators over whole sets: the score matrices that `scores` writes and `accuracy` reads."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from bench.load import FingerprintSet
from bench.metrics.comparisons import Comparisons
from bench.metrics.computed import ROWS, ComputedScores
from bioguard.match import CodeGallery, FaceGallery, FingerprintGallery
from bioguard.match.protected import CodeContext, SignCoder
from bioguard.simulate.people.counter_rng import words

Progress = Callable[[int], None]


def _silent(_: int) -> None:
    return


def fingerprint_scores(one: FingerprintSet, advance: Progress = _silent) -> NDArray[np.float32]:
    """Scores float32 [n, n], row = probe; -inf in rows and columns of files that could not be used."""
    usable = [i for i, t in enumerate(one.templates) if t is not None]
    gallery = FingerprintGallery([t for t in one.templates if t is not None])
    matrix = np.full((len(one.files),) * 2, -np.inf, np.float32)
    for row, i in enumerate(usable):
        matrix[i, usable] = gallery.scores(gallery.template(row))
        advance(len(usable))
    return matrix


def cross_scores(a: FingerprintSet, b: FingerprintSet) -> NDArray[np.float32]:
    """Scores float32 [samples of a, samples of b]; -inf where a file could not be used."""
    usable = [i for i, template in enumerate(b.templates) if template is not None]
    gallery = FingerprintGallery([template for template in b.templates if template is not None])
    matrix = np.full((len(a.files), len(b.files)), -np.inf, np.float32)
    for row, template in enumerate(a.templates):
        if template is not None:
            matrix[row, usable] = gallery.scores(template)
    return matrix


def fingerprint_comparisons(one: FingerprintSet, matrix: NDArray[np.float32]) -> Comparisons:
    """The set with its scores. Samples are ordered by their number of minutiae for the quality table."""
    unusable = [i for i, t in enumerate(one.templates) if t is None]
    minutiae = np.array([0 if t is None else len(t) for t in one.templates], np.float64)
    return Comparisons(one.name, matrix, one.subjects, one.files, unusable, minutiae, "minutiae")


def cosines(embeddings: NDArray[np.float32], advance: Progress = _silent) -> NDArray[np.float32]:
    """Cosine of all pairs, float32 [n, n]."""
    return _by_rows(FaceGallery(embeddings).scores, embeddings, advance)


def computed_cosines(embeddings: NDArray[np.float32]) -> ComputedScores:
    """The same scores, made when they are asked for."""
    gallery = FaceGallery(embeddings)
    return ComputedScores(len(embeddings), lambda rows: gallery.scores(embeddings[rows]))


def code_similarities(
    embeddings: NDArray[np.float32], *, seed: int, epoch: int = 0, n_bits: int = 1024, advance: Progress = _silent
) -> NDArray[np.float32]:
    """1 - 2 h / b of all pairs of protected codes under a secret made from the seed, float32 [n, n]."""
    codes, similarity = _coded(embeddings, seed, epoch, n_bits)
    return _by_rows(similarity, codes, advance)


def computed_code_similarities(embeddings: NDArray[np.float32], *, seed: int) -> ComputedScores:
    """The same scores, made when they are asked for."""
    codes, similarity = _coded(embeddings, seed, 0, 1024)
    return ComputedScores(len(codes), lambda rows: similarity(codes[rows]))


def _coded(
    embeddings: NDArray[np.float32], seed: int, epoch: int, n_bits: int
) -> tuple[NDArray[np.uint8], Callable[[NDArray[np.generic]], NDArray[np.float32]]]:
    """Codes, and what scores some of them against all."""
    secret = words(seed, 0x501, epoch, 0, 8)[0].astype("<u4").tobytes()
    context = CodeContext(secret=secret, dimension=embeddings.shape[1], model_id="bench", epoch=epoch)
    codes = SignCoder(context, n_bits=n_bits).encode(embeddings)
    gallery = CodeGallery(codes)
    return codes, lambda rows: 1 - gallery.distances(rows) * np.float32(2 / n_bits)


def _by_rows(
    score: Callable[[NDArray[np.generic]], NDArray[np.float32]],
    probes: Sequence[object] | NDArray[np.generic],
    advance: Progress,
) -> NDArray[np.float32]:
    rows = np.asarray(probes)
    matrix = np.empty((len(rows),) * 2, np.float32)
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        matrix[start : start + len(part)] = score(part)
        advance(len(part) * len(rows))
    return matrix
