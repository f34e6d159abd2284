"""Which files a result was made from: a SHA-256 of each, and one of all.

The one of all is that of `inputs.sha256`, which a run writes: a line a file as `sha256sum` writes it, in the order of
the paths. `sha256sum -c` in the folder of the data checks it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from os import fstat
from pathlib import Path
from typing import Any

from bench.load import FingerprintSet, minutiae_files
from bioguard.errors import InputRefused
from bioguard.report import Table

NAME = "inputs.sha256"
LISTED = 64
"""Files that a page names one by one; of more it names the folders."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Path, size and SHA-256 in hex of each file, in the order of the paths."""

    files: tuple[tuple[str, int, str], ...]

    @property
    def lines(self) -> str:
        """The text of `inputs.sha256`."""
        return "".join(map(_line, self.files))

    @property
    def digest(self) -> str:
        """SHA-256 of that text."""
        return hashlib.sha256(self.lines.encode("utf-8", "surrogateescape")).hexdigest()

    def as_data(self) -> dict[str, Any]:
        """For the JSON of a run."""
        files = [{"path": p, "bytes": size, "sha256": digest} for p, size, digest in self.files]
        return {"sha256": self.digest, "files": files}


def inputs_of(files: Mapping[str, Path]) -> Inputs:
    """Digests of files, where each lies by its name in the list; what cannot be read is left out."""
    found = []
    for name, path in sorted(files.items()):
        with suppress(OSError), path.open("rb") as file:
            found.append((name, fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()))
    return Inputs(tuple(found))


class Reading:
    """The files of a run: digests from before they are read, which must be those after it."""

    def __init__(self, files: Iterable[Path | None], root: Path | None = None) -> None:
        """Nothing may have been read yet.

        Args:
            files: single ones; None for one that was not given.
            root: of folders of minutiae.
        """
        self._single = _named(path for path in files if path is not None)
        self._root = root
        self._before = inputs_of(self._single | _minutiae(root))

    def done(self, sets: Iterable[FingerprintSet] = ()) -> Inputs:
        """Digests of the single files, and of those of the folders that were read.

        Raises:
            InputRefused: `bench.changed`: a file is not what it was, or was not there.
        """
        names = [name if one.name == "." else f"{one.name}/{name}" for one in sets for name in one.files]
        taken = self._single | {name: self._root / name for name in names if self._root is not None}
        before = Inputs(tuple(file for file in self._before.files if file[0] in taken))
        after = inputs_of(taken)
        changed = sorted({file[0] for file in set(before.files) ^ set(after.files)})
        if changed:
            raise InputRefused(
                f"{changed[0]} changed while it was read, {len(changed)} of {len(taken)} files did",
                hint="run again when nobody writes there",
                code="bench.changed",
            )
        return after


def _minutiae(root: Path | None) -> dict[str, Path]:
    return {} if root is None else {path.relative_to(root).as_posix(): path for path in minutiae_files(root)}


def _named(paths: Iterable[Path]) -> dict[str, Path]:
    """Files by their names, with so many folders before them that no two are alike."""
    files = list(dict.fromkeys(path.absolute() for path in paths))
    depth, found = 0, dict[str, Path]()
    while len(found) < len(files):
        depth += 1
        found = {Path(*path.parts[-depth:]).as_posix(): path for path in files}
    return found


def _line(file: tuple[str, int, str]) -> str:
    """As GNU `sha256sum`: a name with a backslash or a line feed is escaped, and the line begins with a backslash."""
    name, _, digest = file
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n")
    return f"{'' if escaped == name else chr(92)}{digest}  {escaped}\n"


def inputs_table(found: dict[str, Any]) -> Table:
    """The input files of a page, from what the JSON holds: each, or each folder."""
    files = found["files"]
    note = f"SHA-256 of all: {found['sha256']}, which is that of {NAME}."
    if len(files) <= LISTED:
        return Table(
            title="Input files",
            columns=("file", "bytes", "SHA-256"),
            rows=tuple((f["path"], f"{f['bytes']:,}", f["sha256"]) for f in files),
            numeric=frozenset({1}),
            note=note,
        )
    folders: dict[str, list[tuple[str, int, str]]] = {}
    for f in files:
        folders.setdefault(f["path"].rpartition("/")[0] or ".", []).append((f["path"], f["bytes"], f["sha256"]))
    return Table(
        title="Input files, by folder",
        columns=("folder", "files", "bytes", "SHA-256 of its lines"),
        rows=tuple(
            (name, f"{len(held):,}", f"{sum(f[1] for f in held):,}", Inputs(tuple(held)).digest)
            for name, held in folders.items()
        ),
        numeric=frozenset({1, 2}),
        note=f"{note} Each of the {len(files):,} files stands there and in accuracy.json.",
    )
