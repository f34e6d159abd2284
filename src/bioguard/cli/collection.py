"""Collections of real samples below a directory, for the demo: found by form, not by name.

* fingers: every directory with files `<finger>_<impression>.<ext>` of a minutiae format is a database of fingers;
* faces: every `.npz` with `embeddings` [n, d] and `labels` [n], numbers or text.

Two databases with the same path below different first components (`rect/a/b`, `sa/a/b`) are the same fingers twice;
the first one is taken. Names that begin with a dot are skipped, and an impression in two formats is one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions, load
from bioguard.formats.files import MINUTIAE
from bioguard.formats.npz import ARCHIVE_FAULTS
from bioguard.records import FaceEmbedding, Features, FingerprintTemplate

__all__ = ["Sample", "Subject", "find_faces", "find_fingers"]

_SUFFIXES = tuple(MINUTIAE)
_FILE = re.compile(rf"(?P<finger>[^.].*)_(?P<impression>\d+)(?P<suffix>{'|'.join(map(re.escape, _SUFFIXES))})", re.I)
MAX_FACES_PER_FILE = 100_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of a collection: its name, and the features or why there are none."""

    name: str
    features: Features | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """One finger or face of a collection, with its samples in the order of capture."""

    label: str
    samples: Sequence[Sample]


def find_fingers(root: Path, *, people: int, impressions: int, options: ImportOptions) -> list[Subject]:
    """Up to `people` fingers with at least `impressions` impressions each, spread over the databases found."""
    databases: dict[tuple[str, ...], dict[str, list[Path]]] = {}
    for directory in sorted({path.parent for path in root.rglob("*_*.*") if _FILE.fullmatch(path.name)}):
        parts = directory.relative_to(root).parts
        if not any(part.startswith(".") for part in parts):
            databases.setdefault(parts[-2:] if len(parts) > 2 else parts, _impressions(directory))
    rounds = zip(*(sorted(fingers.items()) for fingers in databases.values()), strict=False)
    chosen = [(finger, paths) for row in rounds for finger, paths in row if len(paths) >= impressions][:people]
    return [
        Subject(f"{paths[0].parent.relative_to(root).as_posix()}/{finger}", [_sample(path, options) for path in paths])
        for finger, paths in chosen
    ]


def _impressions(directory: Path) -> dict[str, list[Path]]:
    """Files of each finger by impression; of several formats the one that tells most."""
    found = [m for path in directory.iterdir() if path.is_file() and (m := _FILE.fullmatch(path.name))]
    found.sort(key=lambda m: (int(m["impression"]), _SUFFIXES.index(m["suffix"].lower()), m.string))
    taken: dict[tuple[str, int], Path] = {}
    fingers: dict[str, list[Path]] = {}
    for match in found:
        path = directory / match.string
        if taken.setdefault((match["finger"], int(match["impression"])), path) is path:
            fingers.setdefault(match["finger"], []).append(path)
    return fingers


def _sample(path: Path, options: ImportOptions) -> Sample:
    try:
        features = load(path, options).features
    except InputRefused as error:
        return Sample(path.name, None, error.message)
    except OSError as error:
        return Sample(path.name, None, error.strerror or "it cannot be read")
    if len(features) != 1 or not isinstance(features[0], FingerprintTemplate):
        return Sample(path.name, None, f"{len(features)} views, expected one finger view")
    return Sample(path.name, features[0])


def find_faces(root: Path, *, people: int, views: int) -> list[Subject]:
    """Up to `people` people with at least `views` embeddings each, in label order, of the first file that has some.

    Raises:
        InputRefused: `demo.data`: embeddings and labels of a file do not fit.
    """
    for path in sorted(root.rglob("*.npz")):
        arrays = None if path.name.startswith(".") else _arrays(path)
        if arrays is None:
            continue
        embeddings, labels = arrays
        if embeddings.ndim != 2 or labels.shape != embeddings.shape[:1] or labels.size > MAX_FACES_PER_FILE:
            raise InputRefused(
                f"{path}: {embeddings.shape} embeddings and {labels.shape} labels do not fit",
                hint=f"one label a row, at most {MAX_FACES_PER_FILE} rows",
                code="demo.data",
            )
        names, number = np.unique(labels, return_inverse=True)
        rows = [np.flatnonzero(number == i) for i in np.flatnonzero(np.bincount(number) >= views)[:people]]
        return [
            Subject(
                f"{path.name}/{names[number[own[0]]]}",
                [_view(f"view {i + 1}", embeddings[row]) for i, row in enumerate(own)],
            )
            for own in rows
        ]
    return []


def _arrays(path: Path) -> tuple[NDArray[np.generic], NDArray[np.generic]] | None:
    """`embeddings` and `labels`; None if the file is another one."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as archive:
            return (archive["embeddings"], archive["labels"]) if {"embeddings", "labels"} <= set(archive) else None
    except ARCHIVE_FAULTS as error:
        raise InputRefused(
            f"{path} is no readable archive of numbers and labels", hint="write it with numpy.savez", code="demo.data"
        ) from error


def _view(name: str, row: NDArray[np.generic]) -> Sample:
    try:
        return Sample(name, FaceEmbedding.from_features(row))
    except InputRefused as error:
        return Sample(name, None, error.message)
