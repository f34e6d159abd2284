"""One set of comparisons of which not every pair was made: a list, as the protocol of FVC or of a trial gives."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bench.names import counted

Ints = NDArray[np.int64]
ROWS = 1 << 20


@dataclass(frozen=True, eq=False)
class PairList:
    """Comparisons one by one.

    Attributes:
        name: what was scored.
        scores: float32 [m], higher is more alike; -inf for a comparison that failed.
        probe, reference: int64 [m], indices of samples.
        subjects: int64 [n], 0 .. people - 1, of the samples; of an anonymous list [0, 1], which stand for nobody.
        samples: names of the samples; none of an anonymous list.
        unusable: indices of samples all of whose comparisons failed: failures to acquire.
        anonymous: the file says of each comparison only whether it is genuine: nothing is known over people.
        remarks: for people: what is to be known about the file.
        subject_names: by subject.
    """

    name: str
    scores: NDArray[np.float32]
    probe: Ints
    reference: Ints
    subjects: Ints
    samples: Sequence[str]
    unusable: Sequence[int] = ()
    anonymous: bool = False
    remarks: Sequence[str] = ()
    subject_names: Sequence[str] = ()
    quality_kind: str = ""

    @property
    def people(self) -> int:
        """Number of different subjects; 0 if nobody is named."""
        return 0 if self.anonymous else int(self.subjects.max()) + 1 if self.subjects.size else 0

    @property
    def usable(self) -> Ints:
        """Indices of the samples that could be compared."""
        return np.setdiff1d(np.arange(len(self.subjects)), np.asarray(self.unusable, np.int64))

    def lines(self) -> list[str]:
        """For people: how many subjects and samples, and what is to be known about the file."""
        counts = f"{self.scores.size} scores" if self.anonymous else counted(self.people, len(self.samples))
        return [f"{self.name}: {text}" for text in (counts, *self.remarks)]

    def blocks(self, rows: int = ROWS) -> Iterator[tuple[NDArray[np.float32], Ints, Ints]]:
        """Scores, subject of the probe and subject of the reference of each comparison, some rows at a time."""
        out = np.zeros(len(self.subjects), np.bool_)
        out[np.asarray(self.unusable, np.int64)] = True
        for start in range(0, self.scores.size, rows):
            probe, reference = self.probe[start : start + rows], self.reference[start : start + rows]
            kept = ~(out[probe] | out[reference])
            yield (
                self.scores[start : start + rows][kept],
                self.subjects[probe[kept]],
                self.subjects[reference[kept]],
            )

    def impostor_weight(self, weights: NDArray[np.float64]) -> float:
        """Sum over all impostor comparisons of the product of both people's weights, float64 [people]."""
        a, b, count = self.impostor_people
        return float((count * weights[a] * weights[b]).sum())

    @cached_property
    def impostor_people(self) -> Ints:
        """Whose sample was compared with whose, and how often, int64 [3, pairs]; both directions on their own."""
        people = max(self.people, 1)
        codes = [np.empty(0, np.int64)]
        for _, a, b in self.blocks():
            other = a != b
            codes.append(a[other] * people + b[other])
        code, count = np.unique(np.concatenate(codes), return_counts=True)
        return np.stack([code // people, code % people, count])
