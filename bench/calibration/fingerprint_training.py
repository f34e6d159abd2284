"""Linear discriminants for minutia descriptors, learned from minutiae that correspond in impressions of one finger."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from bench.calibration.fingerprint_data import FingerSet
from bioguard.match.fingerprint.alignment import align, group_motion, match
from bioguard.match.fingerprint.cylinders import N_VALUES, cylinders
from bioguard.match.fingerprint.pairing import Block, relax, select_pairs, similarities, starting_weights, support
from bioguard.match.fingerprint.prepared import PreparedTemplate, prepare_all
from bioguard.match.fingerprint.projection import Projection

DIMENSIONS = 96
RIDGE = 0.3
"""Share of the mean within-variance added to every direction: 0.1 and 1 measure the same or worse."""
TOLERANCE_PX500 = 14.0
"""Wider than in the comparison, so that displaced minutiae are learned from as well."""
MIN_MATCHED = 6
"""A genuine pair with fewer aligned minutiae teaches nothing certain."""


@dataclass(slots=True)
class Material:
    """What one set contributes: cell values and validity of every template, in the order of its prepared minutiae."""

    source: FingerSet
    values: list[NDArray[np.float32]]
    valid: list[NDArray[np.float32]]
    matched: list[tuple[int, int, NDArray[np.int64], NDArray[np.int64]]]


def _sorted(source: FingerSet) -> FingerSet:
    from bioguard.match.fingerprint.prepared import canonical  # noqa: PLC0415

    templates = [canonical(t) for t in source.templates]
    return FingerSet(source.name, source.extractor, source.database, templates, source.fingers)


def material(source: FingerSet) -> Material:
    ordered = _sorted(source)
    values: list[NDArray[np.float32]] = [np.zeros(0, np.float32)] * len(ordered.templates)
    valid = list(values)
    for indices, batch, mask in cylinders(ordered.templates):
        for row, index in enumerate(indices):
            n = len(ordered.templates[index])
            values[index], valid[index] = batch[row, :n].copy(), mask[row, :n].copy()
    return Material(ordered, values, valid, [])


def _mean(parts: Sequence[Material]) -> NDArray[np.float32]:
    seen = sum(m.sum(axis=0) for part in parts for m in part.valid)
    total = sum((v * m[..., None]).sum(axis=0) for part in parts for v, m in zip(part.values, part.valid, strict=True))
    mean: NDArray[np.float32] = (total / np.maximum(seen, 1)[:, None]).reshape(N_VALUES).astype(np.float32)
    return mean


def _centered(part: Material, mean: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    out = []
    for v, m in zip(part.values, part.valid, strict=True):
        flat = v.reshape(len(v), N_VALUES) - mean
        out.append((flat.reshape(v.shape) * m[..., None]).reshape(len(v), N_VALUES))
    return out


def principal(parts: Sequence[Material]) -> Projection:
    """A start that needs no correspondences: principal components, moderately whitened."""
    mean = _mean(parts)
    rows = np.concatenate([f for part in parts for f in _centered(part, mean)])
    variance, axes = np.linalg.eigh(rows.T @ rows / len(rows))
    matrix = axes[:, ::-1][:, :DIMENSIONS] / variance[::-1][:DIMENSIONS] ** 0.25
    return Projection(mean, matrix.astype(np.float32))


def correspondences(part: Material, using: Projection) -> None:
    """Find which minutiae correspond in every genuine pair, with the comparator itself. Sets `part.matched`."""
    prepared = prepare_all(part.source.templates, using)
    fingers, part.matched = part.source.fingers, []
    for i, probe in enumerate(prepared):
        mates = [j for j in range(i + 1, len(prepared)) if fingers[j] == fingers[i] and len(prepared[j])]
        if mates and len(probe):
            for j, matched in zip(mates, _matched(probe, [prepared[j] for j in mates]), strict=True):
                own, other = np.nonzero(matched)
                if own.size >= MIN_MATCHED:
                    part.matched.append((i, j, own, other))


def _matched(probe: PreparedTemplate, mates: list[PreparedTemplate]) -> NDArray[np.bool_]:
    one, block = Block.of([probe]), Block.of(mates)
    table = similarities(one, block)
    pairs = select_pairs(table.copy())
    agreement = support(one, block, pairs)
    weight = relax(agreement, starting_weights(pairs), pairs.count)
    motion = align(one, block, table, group_motion(one, block, pairs, agreement, weight))[2]
    return match(motion, one.places[0][: len(probe)], block, TOLERANCE_PX500)[0]


def discriminants(parts: Sequence[Material], dimensions: int = DIMENSIONS) -> Projection:
    """Directions in which different minutiae differ most and impressions of one least, weighted as a likelihood ratio.

    With within-variance 1 and between-variance b along a direction, the cross term of the Gaussian log likelihood
    ratio of "same" against "different" is x y b / (1 + 2 b).
    """
    mean = _mean(parts)
    total, within, rows, n_pairs = np.zeros((N_VALUES, N_VALUES)), np.zeros((N_VALUES, N_VALUES)), 0, 0
    for part in parts:
        centered = _centered(part, mean)
        stacked = np.concatenate(centered)
        total += stacked.T @ stacked
        rows += len(stacked)
        for i, j, own, other in part.matched:
            difference = centered[i][own] - centered[j][other]
            within += difference.T @ difference
            n_pairs += len(own)
    within /= 2 * n_pairs
    within += RIDGE * np.trace(within) / N_VALUES * np.eye(N_VALUES)
    ratio, axes = eigh(total / rows, within)
    ratio, axes = ratio[::-1][:dimensions], axes[:, ::-1][:, :dimensions]
    between = np.maximum(ratio - 1, 1e-3)
    return Projection(mean, (axes * np.sqrt(between / (1 + 2 * between))).astype(np.float32))


def train(sets: Sequence[FingerSet]) -> tuple[list[Material], Projection]:
    """Learn from sets: their material, with what corresponds in it, and the projection."""
    parts = [material(one) for one in sets]
    using = principal(parts)
    for _ in range(2):
        for part in parts:
            correspondences(part, using)
        using = discriminants(parts)
    return parts, using


def unseen(parts: Sequence[Material]) -> Iterator[tuple[Material, Projection]]:
    """Each part, database by database, with a projection that was learned without its database."""
    for database in sorted({part.source.database for part in parts}):
        others = discriminants([part for part in parts if part.source.database != database])
        yield from ((part, others) for part in parts if part.source.database == database)
