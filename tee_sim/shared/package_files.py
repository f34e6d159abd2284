"""What a Python package is made of: each of its files by name and SHA-256, and a digest over them.

The listing is what `sha256sum` writes: a line a file, 64 hexadecimal digits, two spaces, the name from the package on
("tee_sim/secure/core.py"), sorted by name. So everybody can make it with other tools.

Two kinds of files: *compiled* ones differ from compiler to compiler and are measured one by one; all others, among them
the sources of those, are the same on every machine, and together they are the digest of the package.

Left out: the cache of compiled Python (`__pycache__/NAME.TAG.pyc` of a `NAME.py` that is there), which every machine
makes for itself. Whoever can write it can change what runs while every digest stays: `audit` compares it with its
sources, the start of the secure world does not.
"""

import hashlib
import io
import os
import re
import stat
from collections.abc import Iterator, Mapping
from enum import Enum, unique
from pathlib import Path
from typing import Self

from tee_sim.shared.dataclass import dataclass

NO_FILE = "0" * 64
"""In place of a digest: a link that leads to no file, a pipe, a socket, a device. Reading from these need not end."""
CACHE = "__pycache__"
_LINE = re.compile(r"([0-9a-f]{64})  ([!-~]+(?: [!-~]+)*)")
_COMPILED = re.compile(r"\.(so(\.\d+)*|pyd|dylib|dll)$")


@unique
class FileKind(Enum):
    """Of a file, by its name alone."""

    SAME = "same on every machine"
    COMPILED = "compiled"

    @classmethod
    def of(cls, name: str) -> Self:
        """The kind of a file."""
        return cls.COMPILED if _COMPILED.search(name) else cls.SAME


@dataclass(frozen=True, slots=True)
class Listing:
    """Files by name, sorted; SHA-256 in hexadecimal digits."""

    files: Mapping[str, str]

    @classmethod
    def of(cls, folders: Mapping[str, Path]) -> Self:
        """Read the packages that lie in `folders`, by name.

        Raises:
            OSError: a folder or a file cannot be read.
        """
        found = {name: digest for package, folder in folders.items() for name, digest in _files(package, folder)}
        return cls(dict(sorted(found.items())))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read strictly.

        Raises:
            ValueError: it is not exactly what `to_text` writes.
        """
        lines = [_LINE.fullmatch(line) for line in text.split("\n")[:-1]]
        listing = cls(dict(sorted((match[2], match[1]) for match in lines if match)))
        if listing.to_text() != text:
            raise ValueError("not a listing of files: a line a file, as sha256sum writes, sorted by name")
        return listing

    def to_text(self) -> str:
        """A line a file."""
        return "".join(f"{digest}  {name}\n" for name, digest in self.files.items())

    def only(self, kind: FileKind) -> "Listing":
        """The files of one kind."""
        return Listing({name: digest for name, digest in self.files.items() if FileKind.of(name) is kind})

    def components(self) -> tuple[tuple[str, bytes], ...]:
        """Name and SHA-256 of each package, over the listing of its files of kind SAME, then of each compiled file."""
        packages = dict[str, dict[str, str]]()
        for name, digest in self.only(FileKind.SAME).files.items():
            packages.setdefault(name.partition("/")[0], {})[name] = digest
        whole = ((name, hashlib.sha256(Listing(files).to_text().encode()).digest()) for name, files in packages.items())
        compiled = ((name, bytes.fromhex(digest)) for name, digest in self.only(FileKind.COMPILED).files.items())
        return (*whole, *compiled)


def _files(package: str, folder: Path) -> Iterator[tuple[str, str]]:
    # Paths as text: every start that attests reads some hundred files, and `Path` takes longer than reading them.
    for place, folders, files in os.walk(folder, onerror=_refuse):
        here = Path(place)
        inner = "/".join((package, *here.relative_to(folder).parts))
        above = str(here.parent) if here.name == CACHE else ""
        linked = [name for name in folders if (here / name).is_symlink()]  # not walked, and Python would follow it
        for name in (*files, *linked):
            if not above or not _is_cached(above, place, name):
                yield _written(f"{inner}/{name}"), _digest(f"{place}{os.sep}{name}")


def _refuse(error: OSError) -> None:
    raise error


def is_cache(path: Path) -> bool:
    """Whether Python would take this file for a cached form of a source that is there."""
    return path.parent.name == CACHE and _is_cached(str(path.parent.parent), str(path.parent), path.name)


def _is_cached(above: str, place: str, name: str) -> bool:
    """`is_cache` of a file of the folder of caches in `above`."""
    if not name.endswith(".pyc") or name == ".pyc" or stat.S_ISLNK(os.lstat(f"{place}{os.sep}{name}").st_mode):
        return False
    return stat.S_ISREG(_mode(f"{above}{os.sep}{name.partition('.')[0]}.py"))


def _mode(path: str) -> int:
    """Of the file that a path leads to; 0 for a link that leads nowhere, or in a circle, and where there is none."""
    try:
        mode = os.lstat(path).st_mode
        return Path(path).stat().st_mode if stat.S_ISLNK(mode) else mode
    except OSError:
        return 0


def _written(name: str) -> str:
    """A name on one line of ASCII, whatever it holds."""
    escaped = name.encode("unicode_escape").decode("ascii")
    return escaped if _LINE.fullmatch(f"{NO_FILE}  {escaped}") else escaped.replace(" ", "\\x20")


def _digest(path: str) -> str:
    if not stat.S_ISREG(_mode(path)):
        return NO_FILE
    with io.FileIO(path) as file:
        return hashlib.sha256(file.readall()).hexdigest()
