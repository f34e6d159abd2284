"""Folders of pictures in FVC style: every directory that holds `<finger>_<impression>.png`, or another format."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from bench.names import PICTURE_FILE, counted, one_an_impression
from bioguard.errors import InputRefused


@dataclass(frozen=True, slots=True)
class PictureSet:
    """Pictures of one directory, in order of finger and impression.

    Attributes:
        name: relative directory.
        paths, fingers: where each picture lies, and its subject.
        passed_over: files of an impression of which another format was taken.
    """

    name: str
    paths: Sequence[Path]
    fingers: Sequence[str]
    passed_over: Sequence[str] = ()

    @property
    def files(self) -> list[str]:
        """The names of the pictures."""
        return [path.name for path in self.paths]

    @property
    def impressions(self) -> list[str]:
        """The names without what says the format: `101_1`."""
        return [path.stem for path in self.paths]


def picture_files(root: Path) -> list[Path]:
    """All files at or below root that are named as a picture of an impression is; hidden ones are skipped."""
    found = [path for path in root.rglob("*_*.*") if PICTURE_FILE.fullmatch(path.name) and path.is_file()]
    return [p for p in found if not any(part.startswith(".") for part in p.relative_to(root).parts)]


def picture_sets(root: Path, note: Callable[[str], None]) -> list[PictureSet]:
    """The sets below root, by name.

    Raises:
        InputRefused: `bench.empty`: there is none.
    """
    folders: dict[Path, list[Path]] = {}
    for path in picture_files(root):
        folders.setdefault(path.parent, []).append(path)
    if not folders:
        raise InputRefused(
            f"no <finger>_<impression>.png files below {root}",
            hint="give a folder in FVC style; bmp, tif, pgm and wsq are read as well",
            code="bench.empty",
        )
    sets = [_set(root, folder, paths) for folder, paths in sorted(folders.items())]
    for one in sets:
        note(f"{one.name}: {counted(len(set(one.fingers)), len(one.paths))}")
        if one.passed_over:
            note(f"{one.name}: {len(one.passed_over)} pictures are an impression in another format and were left out")
        for line in _copies(one):
            note(line)
    return sets


def _set(root: Path, folder: Path, paths: Sequence[Path]) -> PictureSet:
    taken, passed_over = one_an_impression(m for path in paths if (m := PICTURE_FILE.fullmatch(path.name)))
    name = folder.relative_to(root).as_posix()
    return PictureSet(name, [folder / m.string for m in taken], [m["finger"] for m in taken], passed_over)


def _copies(one: PictureSet) -> list[str]:
    """A line if files are the same bytes: a pair that matches itself makes a rate too good."""
    first: dict[bytes, str] = {}
    copies = [
        (path.name, known)
        for path in one.paths
        if (known := first.setdefault(sha256(path.read_bytes()).digest(), path.name)) != path.name
    ]
    return (
        [f"{one.name}: {len(copies)} pictures are copies of another, the first is {copies[0][0]}, as {copies[0][1]}"]
        if copies
        else []
    )
