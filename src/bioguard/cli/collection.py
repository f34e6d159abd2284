"""Collections of real samples below a directory, for the demo: found by form, not by name.

* fingers: every directory with files `<finger>_<impression>.<ext>` of a minutiae format is a database of fingers;
* faces: every `.npz` with `embeddings` [n, d] and `labels` [n].

Two databases with the same path below different first components (`rect/a/b`, `sa/a/b`) are the same fingers twice;
the first one is taken.
"""

import re
from pathlib import Path

import numpy as np

from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions, load
from bioguard.records import FaceEmbedding, FingerprintTemplate

__all__ = ["find_faces", "find_fingers"]

_FILE = re.compile(r"(?P<finger>[A-Za-z0-9]+)_(?P<impression>\d+)\.(iso|fmr|ist|ansi|xyt)")
MAX_FACES_PER_FILE = 100_000


def find_fingers(
    root: Path, *, people: int, impressions: int, options: ImportOptions
) -> list[list[FingerprintTemplate]]:
    """Up to `people` fingers with at least `impressions` impressions each, spread over the databases found."""
    databases: dict[tuple[str, ...], dict[str, list[Path]]] = {}
    for directory in sorted({path.parent for path in root.rglob("*_*.*") if _FILE.fullmatch(path.name)}):
        fingers: dict[str, list[Path]] = {}
        for path in sorted(directory.iterdir()):
            found = _FILE.fullmatch(path.name)
            if found:
                fingers.setdefault(found["finger"], []).append(path)
        parts = directory.relative_to(root).parts
        key = parts[-2:] if len(parts) > 2 else parts
        databases.setdefault(key, fingers)
    chosen: list[list[Path]] = []
    rounds = zip(*(sorted(f.items()) for f in databases.values()), strict=False)
    for paths in (paths for row in rounds for _, paths in row if len(paths) >= impressions):
        chosen.append(sorted(paths, key=_impression))
    return [[_template(path, options) for path in paths] for paths in chosen[:people]]


def _impression(path: Path) -> int:
    found = _FILE.fullmatch(path.name)
    return int(found["impression"]) if found else 0


def _template(path: Path, options: ImportOptions) -> FingerprintTemplate:
    sample = load(path, options).features[0]
    if not isinstance(sample, FingerprintTemplate):
        raise InputRefused(f"{path}: not minutiae", hint="give a directory of fingerprint files", code="demo.data")
    return sample


def find_faces(root: Path, *, people: int, views: int) -> list[list[FaceEmbedding]]:
    """Up to `people` people with at least `views` embeddings each, in label order."""
    for path in sorted(root.rglob("*.npz")):
        with np.load(path, allow_pickle=False) as archive:
            if not {"embeddings", "labels"} <= set(archive.files):
                continue
            embeddings, labels = archive["embeddings"], archive["labels"]
        if embeddings.ndim != 2 or labels.shape != embeddings.shape[:1] or labels.size > MAX_FACES_PER_FILE:
            raise InputRefused(f"{path}: embeddings and labels do not fit", hint="see the README", code="demo.data")
        order = np.argsort(labels, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
        chosen = [rows for rows in groups if rows.size >= views][:people]
        return [[FaceEmbedding.from_features(embeddings[i]) for i in rows] for rows in chosen]
    return []
