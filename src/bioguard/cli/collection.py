"""Collections of real samples below a directory, for the demo: found by form, not by name.

* fingers: every directory with files `<finger>_<impression>.<ext>` of a minutiae format is a database of fingers;
* faces: every `.npz` with `embeddings` [n, d] and `labels` [n], numbers or text.

Two databases with the same path below different first components (`rect/a/b`, `sa/a/b`) are the same fingers twice;
the first one is taken. Names that begin with a dot are skipped, and an impression in two formats is one.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions, load
from bioguard.formats.columns import check_columns
from bioguard.formats.errors import ImportWarning
from bioguard.formats.files import MINUTIAE
from bioguard.formats.npz import ARCHIVE_FAULTS, ZIP_MAGIC, check_ratio
from bioguard.records import FaceEmbedding, Features, FingerprintTemplate
from tee_sim.shared.dataclass import dataclass

_SUFFIXES = tuple(MINUTIAE)
_FILE = re.compile(rf"(?P<finger>[^.].*)_(?P<impression>\d+)(?P<suffix>{'|'.join(map(re.escape, _SUFFIXES))})", re.I)
MAX_FACES_PER_FILE = 100_000
MAX_FACES_BYTES = 64 << 20
"""Of one array. LFW as float64, 13 233 pictures at 512 dimensions, has 54 MB."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of a collection: its name, and the features or why there are none, and what the reader warned of."""

    name: str
    features: Features | None
    reason: str = ""
    warnings: tuple[ImportWarning, ...] = ()


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
    """Files of each finger by impression; of several formats the one that holds most."""
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
        loaded = load(path, options)
    except InputRefused as error:
        return Sample(path.name, None, error.message)
    except OSError as error:
        return Sample(path.name, None, error.strerror or "it cannot be read")
    features = loaded.features
    if len(features) != 1 or not isinstance(features[0], FingerprintTemplate):
        return Sample(path.name, None, f"{len(features)} views, expected one finger view")
    return Sample(path.name, features[0], warnings=loaded.warnings)


def find_faces(root: Path, *, people: int, views: int) -> list[Subject]:
    """Up to `people` people with at least `views` embeddings each, in label order, of the first file that has some.

    Raises:
        InputRefused: `demo.data`: embeddings and labels of a file do not fit; `input.foreign_column`: the embeddings
            have a column that is none; `format.npz_ratio`.
    """
    for path in sorted(root.rglob("*.npz")):
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        arrays = None if hidden else _arrays(path)
        if arrays is None:
            continue
        embeddings, labels = arrays
        if embeddings.ndim != 2 or labels.shape != embeddings.shape[:1]:
            raise _refuse(
                path, f"{embeddings.shape} embeddings and {labels.shape} labels do not fit", "one label a row"
            )
        if labels.size > MAX_FACES_PER_FILE:
            raise _refuse(path, f"{labels.size} embeddings", f"at most {MAX_FACES_PER_FILE} are read: take a part")
        if labels.dtype.kind == "f" and np.isnan(labels).any():
            raise _refuse(path, "a label is NaN", "leave out samples whose subject is not known")
        names, number = np.unique(labels, return_inverse=True)
        number = number.reshape(-1)
        rows = [np.flatnonzero(number == i) for i in np.flatnonzero(np.bincount(number) >= views)[:people]]
        if not rows:
            continue
        if embeddings.dtype.kind in "fiu":
            _check_columns(path, embeddings[np.concatenate(rows)])
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
        with path.open("rb") as raw:
            if raw.read(len(ZIP_MAGIC)) != ZIP_MAGIC:
                raise _refuse(path, "no archive", "write it with numpy.savez")
            raw.seek(0)
            return _read_arrays(path, raw)
    except ARCHIVE_FAULTS as error:
        raise _refuse(path, "no readable archive of numbers and labels", "write it with numpy.savez") from error


def _read_arrays(path: Path, raw: BinaryIO) -> tuple[NDArray[np.generic], NDArray[np.generic]] | None:
    with np.load(raw, allow_pickle=False) as archive:
        if not {"embeddings", "labels"} <= set(archive.files):
            return None
        for member in archive.zip.infolist():
            name = member.filename.removesuffix(".npy")
            if name == "embeddings":
                check_ratio(member, f"{path}: ")
            if name in ("embeddings", "labels") and member.file_size > MAX_FACES_BYTES:
                message = f"{name} have {member.file_size} bytes"
                raise _refuse(path, message, f"at most {MAX_FACES_BYTES} are read: take a part, as float32")
        return archive["embeddings"], archive["labels"]


def _refuse(path: Path, what: str, hint: str) -> InputRefused:
    return InputRefused(f"{path}: {what}", hint=hint, code="demo.data")


def _check_columns(path: Path, rows: NDArray[np.generic]) -> None:
    """Raises InputRefused as the reader of single files does; rows that are no numbers are named one by one."""
    finite = rows[np.isfinite(rows).all(axis=1)]
    try:
        if finite.size:
            check_columns(finite)
    except InputRefused as error:
        raise InputRefused(f"{path}: {error.message}", hint=error.hint, code=error.code) from error


def _view(name: str, row: NDArray[np.generic]) -> Sample:
    try:
        return Sample(name, FaceEmbedding.from_features(row))
    except InputRefused as error:
        return Sample(name, None, error.message)
