"""From a path to features. The only part of `bioguard.formats` that touches a file.

The extension names the parser; without a known extension the first bytes do. A file whose content contradicts its
extension is refused and named for what it is (`recognize`), not tried with other parsers.
"""

import io
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.formats.cbeff import is_wrapped, unwrap
from bioguard.formats.columns import check_columns
from bioguard.formats.csvtext import read_csv
from bioguard.formats.deviations import Deviations
from bioguard.formats.errors import CUT, ImportWarning, refuse
from bioguard.formats.fmr import read_minutiae_file
from bioguard.formats.limits import (
    MAX_ARCHIVE_BYTES,
    MAX_ARRAY_BYTES,
    MAX_MINUTIAE_BYTES,
    MAX_PIPE_BYTES,
    MAX_TEXT_BYTES,
    MAX_VIEWS,
    MAX_XYT_BYTES,
)
from bioguard.formats.minutiae import MAGIC, MinutiaeRecord
from bioguard.formats.normalize import normalize_record
from bioguard.formats.npy import NPY_MAGIC, read_npy
from bioguard.formats.npz import ZIP_MAGIC, read_npz
from bioguard.formats.options import ImportOptions
from bioguard.formats.recognize import HEAD_BYTES, card_record, other_kind
from bioguard.formats.stated_model import model_of_archive, model_of_record
from bioguard.formats.views import TooManyViews
from bioguard.formats.xyt import XytRecord, normalize_xyt
from bioguard.records import FaceEmbedding, Features
from bioguard.records.centering import Flaw, flaw_of
from bioguard.user_files import open_input
from tee_sim.shared.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class LoadResult:
    """All views of a file in file order, and what a person should look at.

    Attributes:
        features: one a view.
        warnings: see docs/formats/minutiae.md sections 7 and 8.
        positions: finger position of each view as the file says it (ISO/IEC 19794-2 table 2; 0 unknown); empty for
            formats without one.
        format: of the file, for instance `iso19794-2:2005`, `xyt`, `npy`.
        model: which embedding model or extractor the file says that it is of; empty if it says nothing.
        record: minutiae as the file has them, before they were brought to 500 dpi.
        rows: embeddings as the file has them [views, dimension], before they were brought to unit length.
    """

    features: tuple[Features, ...]
    warnings: tuple[ImportWarning, ...] = ()
    positions: tuple[int, ...] = ()
    format: str = ""
    model: str = ""
    record: MinutiaeRecord | XytRecord | None = field(default=None, compare=False, repr=False)
    rows: NDArray[np.generic] | None = field(default=None, compare=False, repr=False)


def _fmr(octets: bytes, options: ImportOptions) -> LoadResult:
    outside = Deviations()
    inside, envelope = unwrap(octets, outside)
    if inside is octets and not octets.startswith(MAGIC) and (refusal := card_record(octets)):
        raise refusal
    record, deviations = read_minutiae_file(inside) if inside is octets else _enveloped(inside)
    # Brought to 500 dpi before anything is refused that an option accepts: then that option does read the file.
    templates, warnings = normalize_record(record, options)
    return LoadResult(
        tuple(templates),
        (*outside.judged(options), *envelope, *deviations.judged(options), *warnings),
        tuple(view.position for view in record.views),
        record.format.value,
        model_of_record(record),
        record,
    )


def _enveloped(block: bytes) -> tuple[MinutiaeRecord, Deviations]:
    """Read the data block of a CBEFF header; a refusal says so, and counts from its start."""
    other = other_kind(block[:HEAD_BYTES], wanted=MAGIC)
    if other is not None:
        raise refuse("envelope", f"in the CBEFF data block: {other.message}", other.hint)
    try:
        return read_minutiae_file(block)
    except InputRefused as fault:
        hint = _BLOCK_CUT if fault.hint == CUT else fault.hint
        raise InputRefused(f"in the CBEFF data block: {fault.message} of it", hint=hint, code=fault.code) from fault


_BLOCK_CUT = "the record is longer than its CBEFF header says: export it again from its source"


def _xyt(octets: bytes, options: ImportOptions) -> LoadResult:
    record = XytRecord.read(octets)
    template, warnings = normalize_xyt(record, options)
    return LoadResult((template,), tuple(warnings), format="xyt", record=record)


def _faces(rows: NDArray[np.generic], suffix: str, model: str) -> LoadResult:
    # Before anything is cast to float64, which warns of a signaling NaN.
    if not np.isfinite(rows).all():
        raise InputRefused(
            "embeddings hold NaN or infinity", hint="check the model that made them", code="input.not_finite"
        )
    check_columns(rows)
    features = tuple(FaceEmbedding.from_features(row) for row in rows)
    warnings = tuple(flaw_warnings(features))
    return LoadResult(features, warnings, format=suffix.removeprefix("."), model=model, rows=rows)


_FLAWS = {
    Flaw.CONSTANT: "embedding.constant",
    Flaw.NOT_CENTERED: "embedding.not_centered",
    Flaw.ONE_COMPONENT: "embedding.one_component",
}


def flaw_warnings(faces: Sequence[FaceEmbedding]) -> Iterator[ImportWarning]:
    """What makes vectors useless for a centered model, once a flaw. Named here; enrollment refuses them."""
    flaws = [flaw_of(face.vector) for face in faces]
    for flaw, code in _FLAWS.items():
        count = flaws.count(flaw)
        if count:
            which = "the vector is" if len(faces) == 1 else f"{count} of {len(faces)} vectors are"
            yield ImportWarning(code, f"{which} {flaw}")


MINUTIAE: dict[str, tuple[Callable[[bytes, ImportOptions], LoadResult], int]] = {
    ".iso": (_fmr, MAX_MINUTIAE_BYTES),
    ".fmr": (_fmr, MAX_MINUTIAE_BYTES),
    ".ist": (_fmr, MAX_MINUTIAE_BYTES),
    ".ansi": (_fmr, MAX_MINUTIAE_BYTES),
    ".xyt": (_xyt, MAX_XYT_BYTES),
}
"""Small files, read as a whole."""
EMBEDDINGS: dict[str, tuple[Callable[[BinaryIO, int, int], NDArray[np.generic]], int]] = {
    ".npy": (read_npy, MAX_ARRAY_BYTES),
    ".npz": (read_npz, MAX_ARCHIVE_BYTES),
    ".csv": (read_csv, MAX_TEXT_BYTES),
}
"""Files that may be large: a reader takes the stream, its size and the number of views it may return."""
SUFFIXES = (*MINUTIAE, *EMBEDDINGS)
BY_CONTENT = {MAGIC: ".fmr", NPY_MAGIC: ".npy", ZIP_MAGIC: ".npz"}
TEXT = (".xyt", ".csv")
BINARY_MINUTIAE = (".iso", ".fmr", ".ist", ".ansi")
FIRST_BYTES = {**dict.fromkeys(BINARY_MINUTIAE, MAGIC), ".npy": NPY_MAGIC, ".npz": ZIP_MAGIC}


def _suffix(name: str, head: bytes) -> str:
    suffix = Path(name).suffix.lower()
    if suffix in SUFFIXES:
        return suffix
    for magic, known in BY_CONTENT.items():
        if head.startswith(magic):
            return known
    if is_wrapped(head):
        return ".fmr"
    if not head:
        raise refuse("truncated", "the file is empty", CUT)
    raise other_kind(head) or refuse(
        "unknown",
        "not a feature file this program knows",
        f"give one of {' '.join(SUFFIXES)}; text formats need their extension",
    )


def _parse(stream: BinaryIO, name: str, options: ImportOptions | None, max_views: int) -> LoadResult:
    """Parse a seekable stream."""
    head = stream.read(HEAD_BYTES)
    suffix = _suffix(name, head)
    if not (suffix in BINARY_MINUTIAE and is_wrapped(head)):
        refusal = other_kind(head, wanted=FIRST_BYTES.get(suffix, b""), text=suffix in TEXT)
        if refusal is not None:
            raise refusal
    limit = (MINUTIAE[suffix] if suffix in MINUTIAE else EMBEDDINGS[suffix])[1]
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if size > limit:
        raise refuse("too_large", f"file has {size} bytes, at most {limit} are read", "split it into several files")
    if suffix in EMBEDDINGS:
        rows = EMBEDDINGS[suffix][0](stream, size, max_views)
        return _faces(rows, suffix, model_of_archive(stream) if suffix == ".npz" else "")
    result = MINUTIAE[suffix][0](stream.read(), options or ImportOptions())
    if len(result.features) > max_views:
        positions = ", ".join(map(str, result.positions))
        raise TooManyViews(
            f"{len(result.features)} views (finger positions {positions}), at most {max_views} "
            f"{'is' if max_views == 1 else 'are'} read here",
            hint="take one out: bioguard convert FILE OUT.iso --view 0",
        )
    return result


def load_bytes(
    octets: bytes, name: str, options: ImportOptions | None = None, *, max_views: int = MAX_VIEWS
) -> LoadResult:
    """Parse the content of a file called `name` (only its extension matters).

    Args:
        max_views: what the caller can use; a file of more is refused before its numbers are read.

    Raises:
        InputRefused: `format.*` for the file, `input.*` for its values.
    """
    return _parse(io.BytesIO(octets), name, options, max_views)


def load(path: str | Path, options: ImportOptions | None = None, *, max_views: int = MAX_VIEWS) -> LoadResult:
    """Read a feature file with its warnings.

    Args:
        max_views: what the caller can use; a file of more is refused before its numbers are read.

    Raises:
        InputRefused: as `load_bytes`.
        OSError: the file cannot be opened or read.
    """
    path = Path(path)
    with open_input(path) as stream:
        if stream.seekable():
            return _parse(stream, path.name, options, max_views)
        octets = stream.read(MAX_PIPE_BYTES + 1)
    if len(octets) > MAX_PIPE_BYTES:
        raise refuse("too_large", f"more than {MAX_PIPE_BYTES} bytes come through a pipe", "give a file")
    return load_bytes(octets, path.name, options, max_views=max_views)


def load_features(path: str | Path, options: ImportOptions | None = None) -> Features | list[Features]:
    """Read a feature file: one record, or a list when the file has several views. Warnings: use `load`.

    Raises:
        InputRefused: as `load_bytes`.
        OSError: the file cannot be opened or read.
    """
    features = load(path, options).features
    return features[0] if len(features) == 1 else list(features)
