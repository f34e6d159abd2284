"""Comparisons of one set while a list of them is read, and what comes of them: a matrix, or a list."""

from array import array
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.archive import MAX_SAMPLES
from bench.metrics.comparisons import Comparisons, Scored
from bench.metrics.pair_lists import PairList
from bioguard.errors import InputRefused

MAX_ROWS = 1 << 26
"""Rows of a set: 40 bytes each while they are read, 2.5 GiB."""
LARGEST = float(np.finfo(np.float32).max)
FAILED = float("nan")
"""Stands for the score of a comparison that failed, until it is known in which direction scores grow."""


def refused(what: str, hint: str) -> InputRefused:
    """A score file that cannot be used."""
    return InputRefused(what, hint=hint, code="bench.scores")


def score_of(where: str, text: str, *, distance: bool) -> float:
    """A score as it is written; FAILED for nan, and for the infinity that is least alike.

    Raises:
        InputRefused: `bench.scores`: it is no number, does not fit into float32, or says of a distance -inf.
    """
    try:
        if "_" in text:  # which Python takes as 8_0.5 for 80.5
            raise ValueError
        score = float(text)
    except ValueError:
        hint = "write a decimal point" if "," in text else "-inf or nan says that a comparison failed"
        raise refused(f"{where}: the score reads {text[:20]!r}, which is no number", hint) from None
    if abs(score) > LARGEST and "inf" not in text.lower():  # 1e400 is read as infinity
        raise refused(f"{where}: the score {text[:20]} does not fit into float32", "scale the scores")
    if distance and score == -np.inf:
        raise refused(f"{where}: the distance is -inf", "inf or nan says that a comparison failed")
    if np.isnan(score) or score == (np.inf if distance else -np.inf):
        return FAILED
    return score


def counted_failures(lines: NDArray[np.int64], failed: NDArray[np.bool_]) -> tuple[str, ...]:
    """For people: how many comparisons failed, and where the first stands."""
    if not failed.any():
        return ()
    return (f"{int(failed.sum())} comparisons failed, the first in line {int(lines[failed][0])}: they match nobody",)


class PairsRead:
    """Comparisons of one set in the order of their lines."""

    def __init__(self, path: Path, name: str) -> None:
        """Nothing read yet; file and set are for refusals."""
        self._path, self._name = path, name
        self._places: dict[str, int] = {}
        self._subjects: list[str] = []
        self._first_lines = array("q")
        self._probe, self._reference, self._lines = array("q"), array("q"), array("q")
        self._scores = array("d")

    def add(self, line: int, names: tuple[str, str], subjects: tuple[str, str], score: float) -> None:
        """One comparison: probe and reference.

        Raises:
            InputRefused: a name is empty, a sample is of another subject above, or there are too many rows.
        """
        if not (all(names) and all(subjects)):
            raise refused(f"{self._path} line {line}: a name is empty", "name every sample and its subject")
        if len(self._lines) == MAX_ROWS:
            raise refused(f"{self._path} line {line}: more than {MAX_ROWS} rows", "give parts of it as sets")
        probe, reference = (self._place(line, n, s) for n, s in zip(names, subjects, strict=True))
        self._probe.append(probe)
        self._reference.append(reference)
        self._lines.append(line)
        self._scores.append(score)

    def _place(self, line: int, name: str, subject: str) -> int:
        place = self._places.setdefault(name, len(self._subjects))
        if place == len(self._subjects):
            self._subjects.append(subject)
            self._first_lines.append(line)
        elif self._subjects[place] != subject:
            raise refused(
                f"{self._path} line {line}: {name} is of {subject}, in line {self._first_lines[place]} of "
                f"{self._subjects[place]}",
                "give each sample one subject",
            )
        return place

    def scored(self, *, distance: bool) -> Scored:
        """A matrix if everybody was compared with everybody, else the list.

        Samples are put in order of their names. Comparisons of a sample with itself are left out. Where both
        directions of a pair are listed, rates count it once: the one whose probe comes first in that order.

        Raises:
            InputRefused: a pair is scored twice and differently, with both lines.
        """
        names = sorted(self._places)
        order = np.empty(len(names), np.int64)
        order[[self._places[name] for name in names]] = np.arange(len(names))
        who, subjects = np.unique([self._subjects[self._places[n]] for n in names], return_inverse=True)
        probe, reference = (order[np.frombuffer(a, np.int64)] for a in (self._probe, self._reference))
        lines, scores = np.frombuffer(self._lines, np.int64), np.frombuffer(self._scores, np.float64)
        kept = self._once(names, probe, reference, lines, scores)
        own, remarks = probe[kept] == reference[kept], []
        if own.any():
            remarks.append(f"{int(own.sum())} comparisons of a sample with itself are left out")
        if kept.size < scores.size:
            remarks.append(f"{scores.size - kept.size} lines repeat a comparison with the same score and are left out")
        kept = kept[~own]
        probe, reference, lines, failed = probe[kept], reference[kept], lines[kept], np.isnan(scores[kept])
        values = np.where(failed, -np.inf, -scores[kept] if distance else scores[kept]).astype(np.float32)
        remarks += counted_failures(lines, failed)
        unusable = _never_compared(len(names), probe, reference, failed)
        n = len(names)
        low, high = np.minimum(probe, reference), np.maximum(probe, reference)
        pairs = np.unique(low * n + high).size
        numbers, people = subjects.reshape(-1).astype(np.int64), tuple(who.tolist())
        if pairs == n * (n - 1) // 2 and n <= MAX_SAMPLES:
            matrix = np.zeros((n, n), np.float32)
            matrix[reference, probe] = values
            matrix[probe, reference] = values
            return Comparisons(
                self._name, matrix, numbers, names, unusable, remarks=tuple(remarks), subject_names=people
            )
        both = np.isin(high * n + low, probe * n + reference) & (probe > reference)
        both &= np.isin(low * n + high, probe * n + reference)
        if both.any():
            remarks.append(f"{int(both.sum())} pairs are listed in both directions and count once")
        return PairList(
            self._name, values[~both], probe[~both], reference[~both], numbers, names, unusable,
            remarks=(*remarks, f"{int((~both).sum())} comparisons, not all pairs: no rates of identification"),
            subject_names=people,
        )  # fmt: skip

    def _once(
        self, names: list[str], probe: NDArray[np.int64], reference: NDArray[np.int64], lines: NDArray[np.int64],
        scores: NDArray[np.float64],
    ) -> NDArray[np.int64]:  # fmt: skip
        """Indices of the first line of each pair."""
        code = probe * len(names) + reference
        order = np.argsort(code, kind="stable")
        again = np.append(False, code[order][1:] == code[order][:-1])
        first = order[np.maximum.accumulate(np.where(again, 0, np.arange(order.size)))]
        other = (scores[order] != scores[first]) & ~(np.isnan(scores[order]) & np.isnan(scores[first]))
        if other.any():
            at = np.flatnonzero(other)[np.argmin(lines[order[other]])]
            one, two = order[at], first[at]
            who = f"{names[probe[one]]} and {names[reference[one]]}"
            raise refused(
                f"{self._path} line {lines[one]}: {who} have another score in line {lines[two]}",
                "score each pair once; several attempts need names of their own",
            )
        return np.sort(order[~again])


def _never_compared(
    n: int, probe: NDArray[np.int64], reference: NDArray[np.int64], failed: NDArray[np.bool_]
) -> list[int]:
    """Samples that were tried against two others or more, and all comparisons failed: failures to acquire."""
    tried = np.unique(np.concatenate([probe * n + reference, reference * n + probe])) // max(n, 1)
    partners = np.bincount(tried, minlength=n)
    good = np.zeros(n, np.bool_)
    good[probe[~failed]] = good[reference[~failed]] = True
    found: list[int] = np.flatnonzero(~good & (partners > 1)).tolist()
    return found
