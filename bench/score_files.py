"""Scores of any matcher: `.npz` of matrices as `scores` writes it, or text (score_lists.py)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.archive import MAX_SAMPLES, Archive, open_archive
from bench.metrics.comparisons import Comparisons, Scored
from bench.names import numbered, subject_of
from bench.score_lists import read_list
from bioguard.errors import InputRefused

_LAYOUT = "see docs/benchmarks.md for the layout"


def _refuse(what: str, hint: str = _LAYOUT) -> InputRefused:
    return InputRefused(what, hint=hint, code="bench.scores")


_ARRAYS = (b"PK", b"\x93N")


def read_score_files(path: Path, *, distance: bool = False, named: str | None = None) -> list[Scored]:
    """Scores of any matcher.

    `.npz`: for each set a matrix `<set>` [n, n] and `<set>:names` (`<finger>_<impression>...`), as `scores` writes it,
    or `<set>:labels` or `labels`: the subject of each sample, as it is. Everything else is text, see score_lists.py.

    Args:
        path: the file.
        distance: the file holds distances, lower is more alike.
        named: the format, `npz` or one of `score_lists.FORMATS`; without it the file tells.

    Raises:
        InputRefused: the layout is another one, or a score is none; with key or line.
    """
    with path.open("rb") as file:
        arrays = path.suffix.lower() == ".npz" or file.read(2) in _ARRAYS
    if named == "npz" or (named is None and arrays):
        sets: list[Scored] = list(_read_npz(path, distance))
    else:
        sets = read_list(path, distance=distance, named=named)
    if not sets:
        raise _refuse(f"{path} holds no scores")
    return sets


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


def _read_npz(path: Path, distance: bool) -> Iterator[Comparisons]:
    with open_archive(path) as archive:
        for key in archive.names:
            if key != "labels" and not key.endswith((":names", ":labels")):
                yield _matrix(archive, key, distance)


def _matrix(archive: Archive, key: str, distance: bool) -> Comparisons:
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
    if distance:
        scores = _of_distances(scores, where)
    return Comparisons(key, scores, subjects, samples, _never_compared(scores))


def _never_compared(scores: NDArray[np.float32]) -> list[int]:
    """Samples whose comparisons with two others or more all failed, whatever stands in the diagonal."""
    failed = np.isneginf(scores)
    enough = failed.diagonal() | (len(scores) > 2)  # of a file that could not be read `scores` writes the diagonal too
    np.fill_diagonal(failed, True)
    return [int(i) for i in np.flatnonzero(failed.all(axis=0) & failed.all(axis=1) & enough)]


def _who(archive: Archive, key: str) -> tuple[NDArray[np.generic] | None, NDArray[np.generic] | None]:
    """Names and labels of a matrix. Labels for all matrices do not stand above a matrix's own names."""
    names = archive.read(f"{key}:names") if f"{key}:names" in archive.names else None
    own = archive.read(f"{key}:labels") if f"{key}:labels" in archive.names else None
    if own is None and names is None and "labels" in archive.names:
        own = archive.read("labels")
    return names, own


def _of_distances(distances: NDArray[np.float32], where: str) -> NDArray[np.float32]:
    """Scores, higher is more alike: -inf where a comparison failed, whose distance is inf."""
    if np.isneginf(distances).any():
        i, j = (int(v[0]) for v in np.nonzero(np.isneginf(distances)))
        raise _refuse(f"{where}: the distance of samples {i} and {j} is -inf", "inf says that a comparison failed")
    return -distances


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
