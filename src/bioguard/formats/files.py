"""From a path to features. The only part of `bioguard.formats` that touches a file.

The extension names the parser; without a known extension the first bytes do. A file whose content contradicts its
extension is refused by that parser, not tried with others.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.formats.csvtext import read_csv
from bioguard.formats.errors import refuse
from bioguard.formats.fmr import parse_minutiae
from bioguard.formats.limits import MAX_EMBEDDINGS_BYTES, MAX_MINUTIAE_BYTES, MAX_VIEWS
from bioguard.formats.minutiae import MAGIC
from bioguard.formats.normalize import ImportWarning, normalize_record
from bioguard.formats.npy import NPY_MAGIC, read_npy
from bioguard.formats.npz import ZIP_MAGIC, read_npz
from bioguard.formats.options import ImportOptions
from bioguard.formats.xyt import XytRecord, normalize_xyt
from bioguard.records import FaceEmbedding, Features
from bioguard.records.features import MAX_DIMENSION, MIN_DIMENSION

__all__ = ["LoadResult", "load", "load_bytes", "load_features"]


@dataclass(frozen=True, slots=True)
class LoadResult:
    """All views of a file in file order, and what a person should look at."""

    features: tuple[Features, ...]
    warnings: tuple[ImportWarning, ...] = ()


def _fmr(octets: bytes, options: ImportOptions) -> LoadResult:
    templates, warnings = normalize_record(parse_minutiae(octets), options)
    return LoadResult(tuple(templates), tuple(warnings))


def _xyt(octets: bytes, options: ImportOptions) -> LoadResult:
    template, warnings = normalize_xyt(XytRecord.read(octets), options)
    return LoadResult((template,), tuple(warnings))


def _faces(read: Callable[[bytes], NDArray[np.generic]]) -> Callable[[bytes, ImportOptions], LoadResult]:
    def parse(octets: bytes, options: ImportOptions) -> LoadResult:
        array = read(octets)
        rows = array.reshape(1, -1) if array.ndim == 1 else array
        if rows.shape[0] == 0:
            raise refuse("no_views", "array has no rows", "one row per view")
        if rows.shape[0] > MAX_VIEWS:
            raise refuse("too_many_views", f"{rows.shape[0]} views, at most {MAX_VIEWS} are read", "split the file")
        if not MIN_DIMENSION <= rows.shape[1] <= MAX_DIMENSION:
            raise InputRefused(
                f"embeddings have dimension {rows.shape[1]}, expected {MIN_DIMENSION} to {MAX_DIMENSION}",
                hint="one row per view",
                code="input.dimension",
            )
        # Before the cast to float64, which warns of a signaling NaN.
        if not np.isfinite(rows).all():
            raise InputRefused(
                "embeddings hold NaN or infinity", hint="check the model that made them", code="input.not_finite"
            )
        return LoadResult(tuple(FaceEmbedding.from_features(row) for row in rows))

    return parse


Parser = Callable[[bytes, ImportOptions], LoadResult]
_NPY, _NPZ, _CSV = _faces(read_npy), _faces(read_npz), _faces(read_csv)
PARSERS: dict[str, tuple[Parser, int]] = {
    ".iso": (_fmr, MAX_MINUTIAE_BYTES),
    ".fmr": (_fmr, MAX_MINUTIAE_BYTES),
    ".ist": (_fmr, MAX_MINUTIAE_BYTES),
    ".ansi": (_fmr, MAX_MINUTIAE_BYTES),
    ".xyt": (_xyt, MAX_MINUTIAE_BYTES),
    ".npy": (_NPY, MAX_EMBEDDINGS_BYTES),
    ".npz": (_NPZ, MAX_EMBEDDINGS_BYTES),
    ".csv": (_CSV, MAX_EMBEDDINGS_BYTES),
}
BY_CONTENT = {MAGIC: ".fmr", NPY_MAGIC: ".npy", ZIP_MAGIC: ".npz"}


def _suffix(name: str, head: bytes) -> str:
    suffix = Path(name).suffix.lower()
    if suffix in PARSERS:
        return suffix
    for magic, known in BY_CONTENT.items():
        if head.startswith(magic):
            return known
    raise refuse(
        "unknown",
        "not a feature file this program knows",
        f"give one of {' '.join(PARSERS)}; text formats need their extension",
    )


def load_bytes(octets: bytes, name: str, options: ImportOptions | None = None) -> LoadResult:
    """Parse the content of a file called `name` (only its extension matters).

    Raises:
        InputRefused: `format.*` for the file, `input.*` for its values.
    """
    parser, limit = PARSERS[_suffix(name, octets)]
    if len(octets) > limit:
        raise refuse(
            "too_large", f"file has {len(octets)} bytes, at most {limit} are read", "split it into several files"
        )
    return parser(octets, options or ImportOptions())


def load(path: str | Path, options: ImportOptions | None = None) -> LoadResult:
    """Read a feature file with its warnings.

    Raises:
        InputRefused: as `load_bytes`.
        OSError: the file cannot be opened or read.
    """
    path = Path(path)
    with path.open("rb") as stream:
        head = stream.read(8)
        limit = PARSERS[_suffix(path.name, head)][1]
        # The size of a pipe or a growing file is not known beforehand, so the read is bounded as well.
        too_large = os.fstat(stream.fileno()).st_size > limit
        rest = b"" if too_large else stream.read(limit + 1 - len(head))
    if too_large or len(head) + len(rest) > limit:
        raise refuse("too_large", f"file has more than {limit} bytes", "split it into several files")
    return load_bytes(head + rest, path.name, options)


def load_features(path: str | Path, options: ImportOptions | None = None) -> Features | list[Features]:
    """Read a feature file: one record, or a list when the file has several views. Warnings: use `load`.

    Raises:
        InputRefused: as `load_bytes`.
        OSError: the file cannot be opened or read.
    """
    features = load(path, options).features
    return features[0] if len(features) == 1 else list(features)
