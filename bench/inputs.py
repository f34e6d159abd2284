"""Which files a result was made from: a SHA-256 of each, and one of all.

The one of all is that of `inputs.sha256`, which a run writes: a line a file as `sha256sum` writes it, in the order of
the paths. `sha256sum -c` in the folder of the data checks it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.load import FingerprintSet
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


def inputs_of(files: Iterable[tuple[str, Path]]) -> Inputs:
    """Digests of files.

    Args:
        files: the name in the list, and where it lies.
    """
    return Inputs(tuple((name, path.stat().st_size, _sha256(path)) for name, path in sorted(dict(files).items())))


def finger_files(root: Path, sets: Iterable[FingerprintSet]) -> list[tuple[str, Path]]:
    """The files of folders of minutiae that were read, named from the root."""
    names = (name if one.name == "." else f"{one.name}/{name}" for one in sets for name in one.files)
    return [(name, root / name) for name in names]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
