"""Scores of all comparisons of fingerprint sets, within and across databases, extractor by extractor.

The product's projection and regression were trained on the development sets. Their own scores on those sets would be
too good, so there every comparison is made by models that have not seen the probe's database (`unseen_blocks`).
Anybody else's data are scored by what the product ships (`shipped_blocks`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce

import numpy as np
from numpy.typing import NDArray

from bench.calibration.fingerprint_data import FingerSet, UsableSets
from bench.calibration.fingerprint_training import Material, discriminants, train
from bench.calibration.impostors import PairScores
from bench.calibration.train_projection import evidence_of, fit_score, scored
from bench.names import numbered
from bioguard.match.fingerprint.backends import gallery_rows, pick
from bioguard.match.fingerprint.calibration import calibrated
from bioguard.match.fingerprint.prepared import PreparedTemplate, prepare_all
from bioguard.match.fingerprint.projection import Projection, projection
from bioguard.match.protected.finger_codes import FingerCoder, protected_scores

Evidence = NDArray[np.float32]
Numbers = NDArray[np.int64]
Progress = Callable[[int], None]
KEY = bytes(range(32))
"""Protected codes are calibrated with one key for everybody: the case of a stolen key."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Prepared templates of one extractor, of which the first `probes` are compared with all that follow them.

    Attributes:
        prepared: n templates.
        people, sets: int64 [n], finger and set of each.
        extractor: number of the extractor.
        score: evidence [m, 6] to scores [m].
    """

    prepared: Sequence[PreparedTemplate]
    people: Numbers
    sets: Numbers
    extractor: int
    probes: int
    score: Callable[[Evidence], NDArray[np.float32]]

    def rows(self) -> Iterator[Evidence]:
        """Evidence of each probe against all templates after it."""
        gallery = gallery_rows(pick(None), self.prepared[0].codes.shape[1], 1)
        gallery.add(self.prepared)
        for i in range(self.probes):
            yield gallery.evidence(self.prepared[i])[i + 1 :]

    def protected_rows(self, key: bytes) -> Iterator[NDArray[np.float32]]:
        """Scores of the protected codes of each probe against all after it."""
        coder = FingerCoder(key)
        codes = [coder.encode(template) for template in self.prepared]
        for i in range(self.probes):
            yield protected_scores(codes[i], codes[i + 1 :])


@dataclass(frozen=True, slots=True, eq=False)
class ScoreMatrix:
    """Scores of all samples of one extractor against each other.

    Attributes:
        scores: float32 [n, n], symmetric: the earlier sample was the probe; the diagonal means nothing.
        people, sets: int64 [n], finger and set of each sample.
        extractor: number of the extractor.
    """

    scores: NDArray[np.float32]
    people: Numbers
    sets: Numbers
    extractor: int

    def only(self, samples: Numbers | NDArray[np.bool_]) -> "ScoreMatrix":
        """Return some of the samples."""
        at = np.flatnonzero(samples) if samples.dtype == bool else samples
        return ScoreMatrix(self.scores[np.ix_(at, at)], self.people[at], self.sets[at], self.extractor)

    def pairs(self, names: Sequence[str]) -> PairScores:
        """The comparisons with their people."""
        i, j = np.triu_indices(len(self.people), 1)
        extractor = np.full(i.size, self.extractor)
        return PairScores(
            names, self.scores[i, j], self.people[i], self.people[j], self.sets[i], self.sets[i] == self.sets[j],
            extractor,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Samples:
    """Templates of all sets with their numbers."""

    names: Sequence[str]
    people: list[Numbers]
    extractors: Numbers
    sets: Sequence[FingerSet]

    @classmethod
    def of(cls, data: UsableSets) -> "_Samples":
        flat = [name for people in data.people for name in people]
        numbers = numbered(flat)
        ends = np.cumsum([len(people) for people in data.people])[:-1]
        extractors = numbered([one.extractor for one in data.sets])
        return cls(sorted(set(flat)), np.split(numbers, ends), extractors, data.sets)

    def block(
        self, which: Sequence[int], templates: Sequence[PreparedTemplate], probes: int,
        score: Callable[[Evidence], NDArray[np.float32]],
    ) -> Block:  # fmt: skip
        return Block(
            templates,
            np.concatenate([self.people[i] for i in which]),
            np.concatenate([np.full(self.people[i].size, i) for i in which]),
            int(self.extractors[which[0]]),
            probes,
            score,
        )


def shipped_blocks(data: UsableSets) -> tuple[Sequence[str], list[Block]]:
    """Names of the fingers, and one block an extractor, with the projection and regression of the product."""
    samples = _Samples.of(data)
    blocks = []
    for extractor in np.unique(samples.extractors):
        which = np.flatnonzero(samples.extractors == extractor).tolist()
        templates = prepare_all([t for i in which for t in data.sets[i].templates], projection())
        blocks.append(samples.block(which, templates, len(templates), calibrated))
    return samples.names, blocks


def unseen_blocks(data: UsableSets, learned: Sequence[FingerSet] = ()) -> tuple[Sequence[str], list[Block]]:
    """Names of the fingers, and a block for each database and extractor, by models trained without that database.

    The templates of later databases were in the training of its projection; both sides need the same one.

    Args:
        data: what is compared.
        learned: what the models are trained on, where it is not the same: the shipped ones were through extractors of
            their own, and a database of this name holds the same fingers.
    """
    samples = _Samples.of(data)
    databases = sorted({one.database for one in data.sets})
    parts, _ = train(learned or data.sets)
    known = {database: _without(parts, database) for database in {*databases, *(p.source.database for p in parts)}}
    evidence = [(p.source.database, *evidence_of(p, known[p.source.database])) for p in _by_database(parts)]
    blocks = []
    for database in databases:
        fit = fit_score([(found, same) for other, found, same in evidence if other != database])
        for extractor in np.unique(samples.extractors):
            at = np.flatnonzero(samples.extractors == extractor).tolist()
            which = sorted((i for i in at if data.sets[i].database >= database), key=lambda i: data.sets[i].database)
            if which and data.sets[which[0]].database == database:
                templates = prepare_all([t for i in which for t in data.sets[i].templates], known[database])
                probes = len(data.sets[which[0]].templates)
                blocks.append(samples.block(which, templates, probes, partial(scored, fitted=fit)))
    return samples.names, blocks


def _without(parts: Sequence[Material], database: str) -> Projection:
    return discriminants([part for part in parts if part.source.database != database])


def _by_database(parts: Sequence[Material]) -> list[Material]:
    return sorted(parts, key=lambda part: (part.source.database, part.source.extractor))


def full_scores(blocks: Sequence[Block], advance: Progress) -> list[ScoreMatrix]:
    """Scores of the full comparison, one matrix an extractor."""
    return _matrices(blocks, lambda block: map(block.score, block.rows()), advance)


def protected_scores_of(blocks: Sequence[Block], advance: Progress) -> list[ScoreMatrix]:
    """Scores of protected codes under one key, one matrix an extractor."""
    return _matrices(blocks, lambda block: block.protected_rows(KEY), advance)


def pairs_of(names: Sequence[str], matrices: Sequence[ScoreMatrix]) -> PairScores:
    """All comparisons of all extractors."""
    return reduce(PairScores.joined, (matrix.pairs(names) for matrix in matrices))


def comparisons_of(blocks: Sequence[Block]) -> int:
    """Number of comparisons of one score."""
    return sum(block.probes * len(block.prepared) - block.probes * (block.probes + 1) // 2 for block in blocks)


def _matrices(
    blocks: Sequence[Block], rows_of: Callable[[Block], Iterator[NDArray[np.float32]]], advance: Progress
) -> list[ScoreMatrix]:
    """The blocks of an extractor follow each other; each holds the samples of its probes and all later ones."""
    found: dict[int, ScoreMatrix] = {}
    for block in blocks:
        matrix = found.get(block.extractor)
        if matrix is None:
            n = len(block.prepared)
            matrix = ScoreMatrix(np.zeros((n, n), np.float32), block.people, block.sets, block.extractor)
            found[block.extractor] = matrix
        first = len(matrix.people) - len(block.prepared)
        for i, row in enumerate(rows_of(block), first):
            matrix.scores[i, i + 1 :] = matrix.scores[i + 1 :, i] = row
            advance(len(row))
    return list(found.values())
