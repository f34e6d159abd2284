"""What QA brings: folders of minutiae files, embeddings, and score files of other matchers."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.sets import Comparisons
from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions, load
from bioguard.records import FaceEmbedding, FingerprintTemplate

__all__ = ["FingerprintSet", "fingerprint_sets", "read_faces", "read_score_files"]

SAMPLE = re.compile(r"(?P<finger>.+)_(?P<impression>\d+)\.(?:iso|fmr|ansi|ist-fmr|xyt)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FingerprintSet:
    """Templates of one directory, in order of finger and impression; None where a file could not be used."""

    name: str
    files: Sequence[str]
    fingers: Sequence[str]
    templates: Sequence[FingerprintTemplate | None]
    refused: Sequence[str]


def fingerprint_sets(root: Path, options: ImportOptions) -> Iterator[FingerprintSet]:
    """Every directory at or below root that holds `<finger>_<impression>.iso` files, by name.

    Raises:
        InputRefused: there is none.
    """
    found = False
    for directory in sorted({path.parent for path in root.rglob("*_*.*") if SAMPLE.fullmatch(path.name)}):
        found = True
        yield _read_directory(directory, directory.relative_to(root).as_posix(), options)
    if not found:
        raise InputRefused(
            f"no <finger>_<impression>.iso files below {root}", hint="give a folder in FVC style", code="bench.empty"
        )


def _read_directory(directory: Path, name: str, options: ImportOptions) -> FingerprintSet:
    matches = [m for path in directory.iterdir() if (m := SAMPLE.fullmatch(path.name))]
    matches.sort(key=lambda m: (_natural(m["finger"]), int(m["impression"]), m.string))
    templates: list[FingerprintTemplate | None] = []
    refused = []
    for match in matches:
        template, reason = _read_template(directory / match.string, options)
        templates.append(template)
        if reason:
            refused.append(f"{match.string}: {reason}")
    return FingerprintSet(name, [m.string for m in matches], [m["finger"] for m in matches], templates, refused)


def _natural(text: str) -> tuple[int, str]:
    return (int(text), "") if text.isdigit() else (1 << 62, text)


def _read_template(path: Path, options: ImportOptions) -> tuple[FingerprintTemplate | None, str]:
    try:
        features = load(path, options).features
    except (InputRefused, OSError) as error:
        return None, str(error)
    if len(features) != 1 or not isinstance(features[0], FingerprintTemplate):
        return None, f"{len(features)} views, expected one finger view"
    return features[0], ""


def read_faces(path: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """`embeddings` [n, d] and `labels` [n] of an .npz file; unit rows float32, labels as they are.

    Raises:
        InputRefused: a key is missing, shapes do not fit, or a row is not usable.
    """
    with np.load(path, allow_pickle=False) as file:
        missing = {"embeddings", "labels"} - set(file.files)
        if missing:
            raise InputRefused(
                f"{path} has no {' and no '.join(sorted(missing))}",
                hint="save embeddings [n, d], labels [n]",
                code="bench.keys",
            )
        embeddings, labels = file["embeddings"], file["labels"]
    if embeddings.ndim != 2 or labels.shape != embeddings.shape[:1]:
        raise InputRefused(
            f"{path}: {embeddings.shape} embeddings, {labels.shape} labels", hint="one label a row", code="bench.keys"
        )
    rows = embeddings.astype(np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(norms).all() or not norms.all():
        raise InputRefused(f"{path} holds a zero, infinite or NaN row", hint="leave failures out", code="bench.rows")
    FaceEmbedding.from_features(rows[0])  # the dimension is one the product takes
    return (rows / norms).astype(np.float32), labels.astype(np.int64)


def read_score_files(path: Path, *, distance: bool = False) -> list[Comparisons]:
    """Scores of any matcher.

    `.npz`: for each set a matrix `<set>` [n, n] and `<set>:names` (`<finger>_<impression>...`), as `scores` writes it,
    or `labels`; `.csv` with columns probe, reference, score and perhaps set, names as above.

    Args:
        path: the file.
        distance: the file holds distances, lower is more alike.

    Raises:
        InputRefused: the layout is another one.
    """
    sets = list(_read_csv(path) if path.suffix.lower() == ".csv" else _read_npz(path))
    if not sets:
        raise InputRefused(f"{path} holds no scores", hint="see docs/benchmarks.md for the layout", code="bench.scores")
    return [Comparisons(s.name, -s.scores, s.subjects, s.samples) for s in sets] if distance else sets


def _read_npz(path: Path) -> Iterator[Comparisons]:
    with np.load(path, allow_pickle=False) as file:
        shared = file["labels"] if "labels" in file.files else None
        for key in file.files:
            matrix = file[key]
            if key == "labels" or key.endswith(":names"):
                continue
            names = file[f"{key}:names"] if f"{key}:names" in file.files else shared
            if names is None or matrix.ndim != 2 or matrix.shape != (len(names),) * 2:
                raise InputRefused(
                    f"{path}: {key} is no square matrix with names", hint="see docs/benchmarks.md", code="bench.scores"
                )
            fingers = [_finger(str(name)) for name in names]
            subjects = np.unique(fingers, return_inverse=True)[1].astype(np.int64)
            unusable = np.flatnonzero(np.isneginf(matrix).all(axis=1)).tolist()
            yield Comparisons(key, matrix.astype(np.float32), subjects, [str(n) for n in names], unusable)


def _read_csv(path: Path) -> Iterator[Comparisons]:
    sets: dict[str, dict[tuple[str, str], float]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if not {"probe", "reference", "score"} <= set(reader.fieldnames or ()):
            raise InputRefused(
                f"{path} has no columns probe, reference, score",
                hint="name them in the first line",
                code="bench.scores",
            )
        for row in reader:
            sets.setdefault(row.get("set") or path.stem, {})[row["probe"], row["reference"]] = float(row["score"])
    for name, pairs in sets.items():
        names = sorted({n for pair in pairs for n in pair})
        at = {n: i for i, n in enumerate(names)}
        matrix = np.full((len(names),) * 2, np.nan, np.float32)
        for (a, b), score in pairs.items():
            matrix[at[a], at[b]] = score
            if (b, a) not in pairs:
                matrix[at[b], at[a]] = score
        missing = np.isnan(matrix) & ~np.eye(len(names), dtype=bool)
        if missing.any():
            raise InputRefused(
                f"{path}: {int(missing.sum() // 2)} pairs of {name} have no score",
                hint="score all pairs of a set",
                code="bench.scores",
            )
        subjects = np.unique([_finger(n) for n in names], return_inverse=True)[1].astype(np.int64)
        yield Comparisons(name, matrix, subjects, names)


def _finger(name: str) -> str:
    stem = name.rsplit(".", 1)[0]
    return stem.rsplit("_", 1)[0] if "_" in stem else stem
