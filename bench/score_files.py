"""Scores of any matcher, as matrices: `.npz` as `scores` writes it, or a `.csv` of pairs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.archive import MAX_SAMPLES, Archive, open_archive
from bench.metrics.comparisons import Comparisons
from bench.names import numbered, subject_of
from bench.tables import rows_of
from bioguard.errors import InputRefused

_COLUMNS = ("probe", "reference", "score")
LARGEST = float(np.finfo(np.float32).max)
_LAYOUT = "see docs/benchmarks.md for the layout"


def _refuse(what: str, hint: str = _LAYOUT) -> InputRefused:
    return InputRefused(what, hint=hint, code="bench.scores")


def read_score_files(path: Path, *, distance: bool = False) -> list[Comparisons]:
    """Scores of any matcher.

    `.npz`: for each set a matrix `<set>` [n, n] and `<set>:names` (`<finger>_<impression>...`), as `scores` writes it,
    or `<set>:labels` or `labels`: the subject of each sample, as it is. `.csv` with columns probe, reference, score and
    perhaps set, names as above; or with the subjects in columns probe_subject and reference_subject.

    Args:
        path: the file.
        distance: the file holds distances, lower is more alike.

    Raises:
        InputRefused: the layout is another one, or a score is none; with key or line.
    """
    sets = list(_read_csv(path) if path.suffix.lower() == ".csv" else _read_npz(path))
    if not sets:
        raise _refuse(f"{path} holds no scores")
    return [Comparisons(s.name, -s.scores, s.subjects, s.samples) for s in sets] if distance else sets


def subjects_of_labels(labels: NDArray[np.generic], where: str) -> NDArray[np.int64]:
    """Subjects 0 .. people - 1 of labels as they are: numbers or text.

    Raises:
        InputRefused: `bench.labels`: not one label a sample, or one that says nothing (NaN).
    """
    if labels.ndim != 1 or labels.dtype.kind not in "biufUS":
        raise InputRefused(
            f"{where}: labels {labels.dtype} {list(labels.shape)}, expected [n] of numbers or text",
            hint="one label a sample",
            code="bench.labels",
        )
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise InputRefused(
            f"{where}: label {int(np.flatnonzero(np.isnan(labels))[0])} is NaN",
            hint="leave out samples whose subject is not known",
            code="bench.labels",
        )
    return numbered(labels)


def _read_npz(path: Path) -> Iterator[Comparisons]:
    with open_archive(path) as archive:
        for key in archive.names:
            if key != "labels" and not key.endswith((":names", ":labels")):
                yield _matrix(archive, key)


def _matrix(archive: Archive, key: str) -> Comparisons:
    where = f"{archive.path}: {key}"
    matrix = archive.read(key)
    if matrix.dtype.kind not in "fiu" or matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise _refuse(f"{where} is {matrix.dtype} {list(matrix.shape)}, no square matrix of scores")
    names, labels = _who(archive, key)
    given = labels if names is None else names
    if given is None or given.shape != matrix.shape[:1]:
        count = "none" if given is None else str(given.size)
        raise _refuse(f"{where} has {len(matrix)} samples and {count} names or labels", f"add {key}:names, or labels")
    if names is not None and names.dtype.kind not in "US":
        raise _refuse(f"{where}: names are {names.dtype}, expected text", f"numbers are labels: call them {key}:labels")
    text = [n.decode("utf-8", "replace") if isinstance(n, bytes) else str(n) for n in given.tolist()]
    if labels is not None:
        subjects = subjects_of_labels(labels, where)
        samples = text if names is not None else [f"{label}_{i}" for i, label in enumerate(text)]
    else:
        subjects, samples = numbered([subject_of(name) for name in text]), text
    scores = _checked(matrix, where)
    unusable = np.flatnonzero(np.isneginf(scores).all(axis=1)).tolist()
    return Comparisons(key, scores, subjects, samples, unusable)


def _who(archive: Archive, key: str) -> tuple[NDArray[np.generic] | None, NDArray[np.generic] | None]:
    """Names and labels of a matrix. Labels for all matrices do not stand above a matrix's own names."""
    names = archive.read(f"{key}:names") if f"{key}:names" in archive.names else None
    own = archive.read(f"{key}:labels") if f"{key}:labels" in archive.names else None
    if own is None and names is None and "labels" in archive.names:
        own = archive.read("labels")
    return names, own


def _checked(matrix: NDArray[np.generic], where: str) -> NDArray[np.float32]:
    if len(matrix) > MAX_SAMPLES:
        raise _refuse(f"{where} has {len(matrix)} samples", f"at most {MAX_SAMPLES} are compared at once")
    with np.errstate(over="ignore"):
        scores = matrix.astype(np.float32)
    lost = np.isnan(scores) | (np.isinf(scores) & np.isfinite(matrix))
    np.fill_diagonal(lost, False)  # a sample is not compared with itself
    if lost.any():
        i, j = (int(v[0]) for v in np.nonzero(lost))
        what = "is NaN" if np.isnan(scores[i, j]) else "does not fit into float32"
        raise _refuse(f"{where}: the score of samples {i} and {j} {what}", "-inf says that a comparison failed")
    return scores


@dataclass(slots=True)
class _Pairs:
    """Scores of one set of a CSV file while it is read."""

    scores: dict[tuple[str, str], float] = field(default_factory=dict)
    subjects: dict[str, str] = field(default_factory=dict)

    def add(self, where: str, names: tuple[str, str], subjects: tuple[str, str], score: float) -> None:
        if self.scores.setdefault(names, score) != score:
            raise _refuse(f"{where}: {names[0]} and {names[1]} have another score above", "score each pair once")
        for name, subject in zip(names, subjects, strict=True):
            if self.subjects.setdefault(name, subject) != subject:
                raise _refuse(f"{where}: {name} is of {self.subjects[name]} above", "give each sample one subject")


def _read_csv(path: Path) -> Iterator[Comparisons]:
    sets: dict[str, _Pairs] = {}
    for line, row in rows_of(path, _COLUMNS, "bench.scores"):
        where = f"{path} line {line}"
        names = row["probe"], row["reference"]
        if not all(names):
            raise _refuse(f"{where}: a name is empty")
        subjects = tuple(row.get(f"{role}_subject") or subject_of(row[role]) for role in ("probe", "reference"))
        one = sets.setdefault(row.get("set") or path.stem, _Pairs())
        one.add(where, names, (subjects[0], subjects[1]), _score(where, row["score"]))
    for name, pairs in sets.items():
        yield _square(path, name, pairs)


def _score(where: str, text: str) -> float:
    try:
        if "_" in text:  # which Python takes as 8_0.5 for 80.5
            raise ValueError
        score = float(text)
    except ValueError:
        hint = "write a decimal point" if "," in text else "-inf says that a comparison failed"
        raise _refuse(f"{where}: the score reads {text[:20]!r}, which is no number", hint) from None
    if np.isnan(score):
        raise _refuse(f"{where}: the score is NaN", "-inf says that a comparison failed")
    if np.isfinite(score) and abs(score) > LARGEST:
        raise _refuse(f"{where}: the score {text[:20]} does not fit into float32")
    return score


def _square(path: Path, name: str, pairs: _Pairs) -> Comparisons:
    names = sorted(pairs.subjects)
    if len(names) > MAX_SAMPLES:
        raise _refuse(f"{path}: {name} has {len(names)} samples", f"at most {MAX_SAMPLES} are compared at once")
    at = {n: i for i, n in enumerate(names)}
    matrix = np.full((len(names),) * 2, np.nan, np.float32)
    for (a, b), score in pairs.scores.items():
        matrix[at[a], at[b]] = score
        if (b, a) not in pairs.scores:
            matrix[at[b], at[a]] = score
    missing = np.isnan(matrix)
    np.fill_diagonal(missing, False)
    if missing.any():
        i, j = (int(v[0]) for v in np.nonzero(missing))
        raise _refuse(
            f"{path}: {int(missing.sum() // 2)} pairs of {name} have no score, the first is {names[i]} and {names[j]}",
            "score all pairs of a set",
        )
    return Comparisons(name, matrix, numbered([pairs.subjects[n] for n in names]), names)
