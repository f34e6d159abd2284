"""What QA brings: folders of minutiae files, embeddings, and score files of other matchers (score_files.py)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.archive import MAX_SAMPLES, open_archive
from bench.names import MINUTIAE_FILE, counted, numbered, one_an_impression
from bench.score_files import subjects_of_labels
from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions, load
from bioguard.formats.columns import check_columns
from bioguard.formats.views import check_dimension
from bioguard.records import FingerprintTemplate
from bioguard.records.centering import flaw_of


@dataclass(frozen=True, slots=True)
class Noted:
    """What was said about files of a set under one code: how many, the first of them, and what was said of it."""

    count: int
    first: str
    message: str

    def one_more(self) -> "Noted":
        return Noted(self.count + 1, self.first, self.message)


@dataclass(frozen=True, slots=True)
class FingerprintSet:
    """Templates of one directory, in order of finger and impression; None where a file could not be used.

    Attributes:
        name: relative directory.
        files, fingers: name and subject of each sample.
        templates: one a sample.
        refused, warnings: by stable code: files that could not be used, and files that were read with a warning.
        passed_over: files of an impression of which another format was taken.
    """

    name: str
    files: Sequence[str]
    fingers: Sequence[str]
    templates: Sequence[FingerprintTemplate | None]
    refused: Mapping[str, Noted] = field(default_factory=dict)
    warnings: Mapping[str, Noted] = field(default_factory=dict)
    passed_over: Sequence[str] = ()

    @property
    def subjects(self) -> NDArray[np.int64]:
        """Fingers as 0 .. fingers - 1, int64 [n]."""
        return numbered(self.fingers)

    @property
    def copies(self) -> list[tuple[str, str]]:
        """Files whose template is that of another one before: its name, and that one's."""
        first: dict[bytes, str] = {}
        found = []
        for file, template in zip(self.files, self.templates, strict=True):
            if template is not None and first.setdefault(template.to_bytes(), file) != file:
                found.append((file, first[template.to_bytes()]))
        return found

    def as_data(self) -> dict[str, object]:
        """Counts for the JSON of a run."""
        return {
            "refused": {code: noted.count for code, noted in sorted(self.refused.items())},
            "warnings": {code: noted.count for code, noted in sorted(self.warnings.items())},
            "same_impression_left_out": len(self.passed_over),
            "same_minutiae": len(self.copies),
        }

    def lines(self) -> list[str]:
        """For people: how many subjects and samples, and what is to be known about the files."""
        lines = [f"{self.name}: {counted(len(set(self.fingers)), len(self.files))}"]
        if self.passed_over:
            lines.append(
                f"{self.name}: {len(self.passed_over)} files are the same impression in another format and were left "
                f"out, the first is {self.passed_over[0]}"
            )
        copies = self.copies
        if copies:
            lines.append(
                f"{self.name}: {len(copies)} files hold the same minutiae as another, the first is {copies[0][0]}, as "
                f"{copies[0][1]}: each counts as an impression of its own"
            )
        for word, found in (("refused", self.refused), ("warning", self.warnings)):
            for code, noted in sorted(found.items()):
                files = "1 file" if noted.count == 1 else f"{noted.count} files"
                lines.append(f"{self.name}: {word} {code} in {files}, first {noted.first}: {noted.message}")
        return lines


def minutiae_files(root: Path) -> list[Path]:
    """All files at or below root that are named `<finger>_<impression>.iso`, or with another suffix that is read."""
    return [path for path in root.rglob("*_*.*") if MINUTIAE_FILE.fullmatch(path.name)]


def fingerprint_sets(root: Path, options: ImportOptions) -> Iterator[FingerprintSet]:
    """Every directory at or below root that holds `<finger>_<impression>.iso` files, by name; hidden ones are skipped.

    Raises:
        InputRefused: there is none.
    """
    found = False
    for directory in sorted({path.parent for path in minutiae_files(root)}):
        relative = directory.relative_to(root)
        if not any(part.startswith(".") for part in relative.parts):
            found = True
            yield _read_directory(directory, relative.as_posix(), options)
    if not found:
        raise InputRefused(
            f"no <finger>_<impression>.iso files below {root}", hint="give a folder in FVC style", code="bench.empty"
        )


def _read_directory(directory: Path, name: str, options: ImportOptions) -> FingerprintSet:
    matches = [m for path in directory.iterdir() if path.is_file() and (m := MINUTIAE_FILE.fullmatch(path.name))]
    taken, passed_over = one_an_impression(matches)
    templates: list[FingerprintTemplate | None] = []
    refused: dict[str, Noted] = {}
    warnings: dict[str, Noted] = {}
    for match in taken:
        templates.append(_read_template(directory / match.string, options, refused, warnings))
    files, fingers = [m.string for m in taken], [m["finger"] for m in taken]
    return FingerprintSet(name, files, fingers, templates, refused, warnings, passed_over)


def _note(found: dict[str, Noted], code: str, file: str, message: str) -> None:
    found[code] = found[code].one_more() if code in found else Noted(1, file, message)


def _read_template(
    path: Path, options: ImportOptions, refused: dict[str, Noted], warnings: dict[str, Noted]
) -> FingerprintTemplate | None:
    try:
        loaded = load(path, options)
    except InputRefused as error:
        _note(refused, error.code, path.name, error.message)
        return None
    except OSError as error:
        _note(refused, "input.unreadable", path.name, error.strerror or "cannot be read")
        return None
    if len(loaded.features) != 1 or not isinstance(loaded.features[0], FingerprintTemplate):
        _note(refused, "input.one_sample", path.name, f"{len(loaded.features)} views, expected one finger view")
        return None
    for code, message in {w.code: w.message for w in loaded.warnings}.items():
        _note(warnings, code, path.name, message)
    return loaded.features[0]


@dataclass(frozen=True, slots=True, eq=False)
class FaceRows:
    """Embeddings of a data set: unit rows float32 [n, d], and whose each is.

    Attributes:
        labels: [n], as they stand in the file.
        subjects: int64 [n], 0 .. people - 1.
    """

    rows: NDArray[np.float32]
    labels: NDArray[np.generic]
    subjects: NDArray[np.int64]

    def by_subject(self) -> "FaceRows":
        """The same samples, those of a subject in their order and after each other."""
        order = np.argsort(self.subjects, kind="stable")
        return FaceRows(self.rows[order], self.labels[order], self.subjects[order])

    def lines(self, name: str) -> list[str]:
        """For people: how many subjects and samples."""
        lines = [f"{name}: {counted(int(self.subjects.max()) + 1, self.subjects.size)}"]
        for flaw, count in sorted(Counter(flaw_of(row) for row in self.rows).items(), key=str):
            if flaw is not None:
                lines.append(
                    f"{name}: {count} of {len(self.rows)} vectors are {flaw}; a device refuses them, and its "
                    f"thresholds do not hold for them"
                )
        text = self.labels.astype(str)
        for unknown in ("-1", "", "unknown", "None", "nan"):
            count = int((np.char.lower(text) == unknown.lower()).sum())
            if count > 1:
                lines.append(
                    f"{name}: {count} samples have the label {unknown!r} and count as one person; leave them out if it "
                    f"says that nobody knows who they are"
                )
        return lines


def read_faces(path: Path) -> FaceRows:
    """`embeddings` [n, d] and `labels` [n] of an .npz file; labels may be numbers or text.

    Raises:
        InputRefused: a key is missing, shapes do not fit, a label says nothing, or a row is not usable.
    """
    with open_archive(path) as archive:
        missing = [name for name in ("embeddings", "labels") if name not in archive.names]
        if missing:
            raise InputRefused(
                f"{path} has no {' and no '.join(missing)}, it has {', '.join(archive.names[:6])}",
                hint="save embeddings [n, d], labels [n]",
                code="bench.keys",
            )
        embeddings, labels = archive.read("embeddings"), archive.read("labels")
    if embeddings.ndim != 2 or labels.shape != embeddings.shape[:1] or not 1 <= len(embeddings) <= MAX_SAMPLES:
        raise InputRefused(
            f"{path}: {embeddings.shape} embeddings, {labels.shape} labels",
            hint=f"one label a row, 1 to {MAX_SAMPLES} rows",
            code="bench.keys",
        )
    if embeddings.dtype.kind not in "fiu":
        raise InputRefused(
            f"{path}: embeddings are {embeddings.dtype}, expected real numbers", hint="save float32", code="bench.rows"
        )
    with np.errstate(invalid="ignore"):
        rows = embeddings.astype(np.float64)
    check_dimension(*rows.shape)
    scale = np.abs(rows).max(axis=1, keepdims=True)
    bad = np.flatnonzero(~np.isfinite(scale) | (scale == 0))
    if bad.size:
        raise InputRefused(
            f"{path}: row {int(bad[0])} is zero or holds infinity or NaN, {bad.size} rows do",
            hint="leave failures out",
            code="bench.rows",
        )
    check_columns(embeddings)
    rows /= scale
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return FaceRows(rows.astype(np.float32), labels, subjects_of_labels(labels, str(path)))
