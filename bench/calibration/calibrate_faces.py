"""Fit the face thresholds and write them to src/bioguard/match/profiles/.

    python -m bench.calibration.calibrate_faces --faces FILE.npz [--out FOLDER] [--people 60000]

Real points: all pairs of different people of the development half, at most five photographs each; the interval
resamples people. A rate is measured only where at least 30 false matches lie beyond it. Below that a synthetic
population of the same model takes over, shifted up to the upper end of the interval of the last measured point if it
lies below that (never down): what cannot be measured errs on the strict side.
The false match rates the finished thresholds give on the test half are printed and are not used.
"""

import argparse
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.calibration.face_data import FaceSet, load_faces
from bench.calibration.threshold_file import FOLDER, path_of, write_tables
from bioguard.match.protected import CodeContext, ScalarCoder
from bioguard.records.comparison_profile import CalibrationData, RatePoint, ScoreTable
from bioguard.records.scores import Basis, Score
from bioguard.simulate.people.faces import EDGEFACE_XS, MOBILEFACENET, FacePopulation, FacePreset

RATES = (1e-1, 1e-2, 1e-3, 1e-4, 2e-5, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12)
BINS = 20_000
"""Scores from -1 to 1 in steps of 1e-4: far below the confidence interval of any point."""
MIN_ERRORS = 30
REPLICATES = 200
VIEWS = 5
SEED = 20240611

Scorer = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def bins_of(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Bin numbers; bin b holds scores from b / 10000 - 1 up."""
    bins: NDArray[np.int64] = np.clip(np.floor((scores + 1) * (BINS / 2)), 0, BINS - 1).astype(np.int64)
    return bins


def threshold_at(counts: NDArray[np.float64], rate: float) -> float:
    """The smallest bin edge at and above which at most this share of the counts lies."""
    above = np.concatenate([np.cumsum(counts[::-1])[::-1], [0.0]])
    return int(np.argmax(above <= rate * above[0])) / (BINS / 2) - 1


def impostors(faces: FaceSet, vectors: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Histogram of the scores of all pairs of different people; a pair counts the product of its people's weights."""
    counts = np.zeros(BINS)
    for start in range(0, len(faces), 512):
        rows = slice(start, start + 512)
        scores = vectors[rows] @ vectors.T
        pair_weights = weights[rows, np.newaxis] * weights[np.newaxis]
        pair_weights[faces.labels[rows, np.newaxis] == faces.labels[np.newaxis]] = 0
        counts += np.bincount(bins_of(scores).ravel(), pair_weights.ravel(), BINS)
    return counts / 2


def bootstrap(faces: FaceSet, vectors: NDArray[np.float32]) -> list[NDArray[np.float64]]:
    """Histograms with people drawn again with replacement."""
    rng = np.random.default_rng(SEED)
    people, person_of = np.unique(faces.labels, return_inverse=True)
    tail = (vectors @ vectors.T).astype(np.float32)
    i, j = np.triu_indices(len(faces), 1)
    other = person_of[i] != person_of[j]
    i, j = person_of[i[other]].astype(np.int32), person_of[j[other]].astype(np.int32)
    bins = bins_of(tail[np.triu_indices(len(faces), 1)][other]).astype(np.int32)
    histograms = []
    for _ in range(REPLICATES):
        weights = np.bincount(rng.integers(0, people.size, people.size), minlength=people.size).astype(np.float32)
        histograms.append(np.bincount(bins, weights[i] * weights[j], BINS).astype(np.float64))
    return histograms


def synthetic_histogram(preset: FacePreset, people: int, scorer: Scorer) -> NDArray[np.float64]:
    """Histogram of all pairs of a population, one view each, block by block."""
    population = FacePopulation(preset, SEED)
    vectors = np.concatenate([scorer(population.embeddings(a, b - a, 0)) for a, b in spans(people, 4096)])
    counts = np.zeros(BINS)
    for a, b in spans(people, 256):
        scores = vectors[a:b] @ vectors[a:].T
        scores[np.tril_indices(b - a)] = -1  # each pair once, nobody with himself
        counts += np.bincount(bins_of(scores).ravel(), minlength=BINS)
    counts[0] = 0
    return counts


def spans(n: int, step: int) -> Iterator[tuple[int, int]]:
    """Cut 0..n into pieces."""
    return ((start, min(n, start + step)) for start in range(0, n, step))


def fit(
    real: NDArray[np.float64] | None, replicates: list[NDArray[np.float64]], synthetic: NDArray[np.float64]
) -> tuple[RatePoint, ...]:
    """Points at all rates: measured, then synthetic, then a straight line."""
    points: list[RatePoint] = []
    shift = 0.0
    for rate in RATES:
        if real is not None and rate * real.sum() >= MIN_ERRORS:
            low, high = np.quantile([threshold_at(counts, rate) for counts in replicates], [0.025, 0.975])
            threshold = threshold_at(real, rate)
            hits = int(real[round((threshold + 1) * BINS / 2) :].sum())
            points.append(
                RatePoint.of(
                    rate, threshold, Basis.MEASURED, low=float(low), high=float(high),
                    false_matches=hits, impostors=int(real.sum()),
                )
            )  # fmt: skip
            shift = max(0.0, float(high) - threshold_at(synthetic, rate))
        elif rate * synthetic.sum() >= MIN_ERRORS:
            points.append(RatePoint.of(rate, threshold_at(synthetic, rate) + shift, Basis.SYNTHETIC))
        else:
            (a, b) = points[-2:]
            slope = (b.threshold - a.threshold) / math.log(b.rate / a.rate)
            value = b.threshold + slope * math.log(rate / b.rate)
            points.append(RatePoint.of(rate, min(1.0, value), Basis.EXTRAPOLATED))
    return tuple(points)


def scalar_scorer(dimension: int) -> Scorer:
    """Scores of the digest-only profile: products of decoded scalar codes."""
    coder = ScalarCoder(CodeContext(secret=bytes(range(32)), dimension=dimension, model_id="calibration"))
    return lambda rows: coder.decode(coder.encode(rows))


def calibrate(faces: FaceSet, people: int, folder: Path) -> None:
    """Fit and write all tables; print what the test half says."""
    real_tables, drawn_tables = [], []
    development, test = faces.half("development").capped(VIEWS), faces.half("test").capped(VIEWS)
    pairs = 0
    for score, real_scorer, synthetic_scorer in (
        (Score.COSINE, lambda rows: rows, lambda rows: rows),
        (Score.SCALAR, scalar_scorer(512), scalar_scorer(128)),
    ):
        vectors = real_scorer(development.embeddings)
        real = impostors(development, vectors, np.ones(len(development)))
        points = fit(real, bootstrap(development, vectors), synthetic_histogram(EDGEFACE_XS, people, real_scorer))
        pairs = int(real.sum())
        real_tables.append(ScoreTable(score=score, points=points))
        check = impostors(test, real_scorer(test.embeddings), np.ones(len(test)))
        print(f"{score.word}: test half, {test.people} people, {int(check.sum())} impostor pairs")
        for p in points:
            errors = int(check[round((p.threshold + 1) * BINS / 2) :].sum())
            rate = errors / check.sum()
            print(f"  target {p.rate:g} {p.basis.word}: threshold {p.threshold:.4f}, test FMR {rate:.3g} ({errors})")
        drawn = fit(None, [], synthetic_histogram(MOBILEFACENET, people, synthetic_scorer))
        drawn_tables.append(ScoreTable(score=score, points=drawn))
    source = f"LFW development half, {development.people} people, {pairs} pairs; {people} synthetic people"
    data = CalibrationData(
        description=source, people=development.people, samples=len(development), impostors=pairs
    )  # fmt: skip
    write_tables(path_of(folder, "edgeface-xs-512"), real_tables, data)
    nobody = f"{people} synthetic people of the calibrated population, no real pair"
    data = CalibrationData(description=nobody, people=0, samples=0, impostors=0)
    write_tables(path_of(folder, "mobilefacenet-128"), drawn_tables, data)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.calibration.calibrate_faces", description=__doc__)
    parser.add_argument("--faces", type=Path, required=True, help="embeddings and labels of an EdgeFace-XS face set")
    parser.add_argument("--people", type=int, default=60_000, help="size of the synthetic population")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of the profiles of faces")
    options = parser.parse_args()
    calibrate(load_faces(options.faces), options.people, options.out)


if __name__ == "__main__":
    main()
