"""Comparisons of all faces of a set, streamed: the highest scores, thinned where there are too many to draw again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.calibration.impostors import Impostors
from bioguard.match.protected import CodeContext, ScalarCoder
from bioguard.records.scores import Score

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]
Progress = Callable[[int], None]

LOOSEST = 0.15
"""Share of comparisons above which nothing is kept: a rate of 0.1 lies well within it."""
KEPT = 1_000_000
"""Of the rarest scores all are kept, and of the others this many, each standing for several."""
BLOCK = 512
SEED = 20240611


@dataclass(frozen=True, slots=True, eq=False)
class FaceScores:
    """Impostor comparisons, and the score and weight of each genuine one: those of a person weigh 1 together."""

    impostors: Impostors
    genuine: Rows
    genuine_weights: Floats


def vectors_of(rows: Rows, score: Score) -> Rows:
    """Vectors whose products are the score: the rows, or what scalar codes decode to."""
    if score is Score.COSINE:
        return rows
    coder = ScalarCoder(CodeContext(secret=bytes(range(32)), dimension=rows.shape[1], model_id="calibration"))
    return coder.decode(coder.encode(rows))


def face_scores(vectors: Rows, people: NDArray[np.int64], advance: Progress) -> FaceScores:
    """Compare every row with every later one.

    Args:
        vectors: float32 [n, d].
        people: int64 [n], 0 .. people - 1.
    """
    n, rng = len(people), np.random.default_rng(SEED)
    counts = np.bincount(people)
    share = 1 / counts[people]
    comparisons = int((n * n - (counts.astype(np.int64) ** 2).sum()) // 2)
    low, rare = _limits(vectors, people, rng, KEPT / max(comparisons, 1))
    chance = min(1.0, KEPT / max(LOOSEST * comparisons, 1))
    kept: list[list[NDArray[np.generic]]] = [[], [], [], []]
    genuine, genuine_person = [], []
    for start, scores, first, second in _blocks(vectors, people):
        same = first == second
        genuine.append(scores[same])
        genuine_person.append(first[same])
        high = ~same & (scores >= low)
        high[high] = (scores[high] >= rare) | (rng.random(int(high.sum())) < chance)
        stands_for = np.where(scores[high] >= rare, 1.0, 1 / chance)
        for column, part in zip(kept, (scores[high], first[high], second[high], stands_for), strict=True):
            column.append(part)
        advance(min(BLOCK, n - start))
    scores, first, second, stands_for = (np.concatenate(column) for column in kept)
    order = np.argsort(-scores, kind="stable")
    by_count = 1 / counts
    person = np.concatenate(genuine_person)
    return FaceScores(
        Impostors(
            counts.size, comparisons, scores[order], (stands_for * by_count[first] * by_count[second])[order],
            first[order], second[order], _total, stands_for[order],
        ),
        np.concatenate(genuine),
        1 / np.bincount(person, minlength=counts.size)[person] if person.size else share[:0],
    )  # fmt: skip


def _total(person: Floats) -> float:
    """Every two people weigh 1."""
    return float((person.sum() ** 2 - (person**2).sum()) / 2)


def _limits(
    vectors: Rows, people: NDArray[np.int64], rng: np.random.Generator, rare_share: float
) -> tuple[float, float]:
    """Scores that the shares LOOSEST and `rare_share` of impostor comparisons reach, by a sample of rows."""
    rows = rng.permutation(len(people))[:BLOCK]
    scores = (vectors[rows] @ vectors.T)[people[rows, None] != people[None]]
    if not scores.size:
        return -np.inf, -np.inf
    low, rare = np.quantile(scores, [1 - LOOSEST, 1 - min(rare_share, LOOSEST)])
    return (-np.inf, -np.inf) if rare_share >= 1 else (float(low), float(rare))


def _blocks(
    vectors: Rows, people: NDArray[np.int64]
) -> Iterator[tuple[int, Rows, NDArray[np.int64], NDArray[np.int64]]]:
    """Scores and both people of each row against all later ones, some rows at a time."""
    for start in range(0, len(people), BLOCK):
        rows = vectors[start : start + BLOCK]
        i, j = np.triu_indices(len(rows), 1, len(people) - start)
        scores = (rows @ vectors[start:].T)[i, j]
        yield start, scores, people[start + i], people[start + j]
