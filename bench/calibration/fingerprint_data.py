"""Fingerprint sets for the benches: directories of `<finger>_<impression>.iso`."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.load import fingerprint_sets
from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions
from bioguard.records import FingerprintTemplate


@dataclass(frozen=True, slots=True)
class FingerSet:
    """One database: templates, finger numbers int64 [n], name ("rect/fvc2002/DB1_B"), extractor and database.

    Of a path with three parts or more the first is the extractor: the same database below two extractors holds the
    same fingers twice. A shorter path is a database, its extractor is "".
    """

    name: str
    extractor: str
    database: str
    templates: list[FingerprintTemplate]
    fingers: NDArray[np.int64]


def load_sets(root: Path, options: ImportOptions) -> list[FingerSet]:
    """The sets that `bench.load.fingerprint_sets` finds below root.

    Raises:
        InputRefused: there is none, or a file cannot be used: what is trained or timed must be whole.
    """
    found = []
    for one in fingerprint_sets(root, options):
        for code, noted in one.refused.items():
            raise InputRefused(f"{one.name}/{noted.first}: {noted.message}", hint="leave the file out", code=code)
        whole = all(finger.isdigit() for finger in one.fingers)
        fingers = np.array([int(f) for f in one.fingers], np.int64) if whole else one.subjects
        found.append(FingerSet(one.name, *origin_of(one.name), [t for t in one.templates if t is not None], fingers))
    return found


def origin_of(name: str) -> tuple[str, str]:
    """Extractor and database of a set's name, see `FingerSet`."""
    extractor, _, database = name.partition("/")
    return (extractor, database) if "/" in database else ("", name)


@dataclass(frozen=True, slots=True, eq=False)
class UsableSets:
    """What can be used of the sets below a folder.

    Attributes:
        sets: sets without a usable template are left out.
        people: of each set the fingers of its templates, "database/finger".
        sha256: over "option=value, NUL" of each option that is not the default, and "path, NUL, SHA-256 of the file" of
            every file that was used, in order.
    """

    sets: list[FingerSet]
    people: list[list[str]]
    sha256: bytes

    @property
    def samples(self) -> int:
        """Number of templates."""
        return sum(map(len, self.people))


def usable_sets(root: Path, options: ImportOptions, note: Callable[[str], None]) -> UsableSets:
    """The sets below root with the files that can be used; what is to be known of the others is noted.

    Raises:
        InputRefused: as `bench.load.fingerprint_sets`.
    """
    digest = hashlib.sha256()
    for option in fields(options):
        if (value := getattr(options, option.name)) != option.default:
            digest.update(f"{option.name}={value!r}\0".encode())
    sets, people = [], []
    for one in fingerprint_sets(root, options):
        for line in one.lines():
            note(line)
        at = [i for i, template in enumerate(one.templates) if template is not None]
        for i in at:
            name = f"{one.name}/{one.files[i]}"
            digest.update(name.encode() + b"\0" + hashlib.sha256((root / name).read_bytes()).digest())
        if at:
            extractor, database = origin_of(one.name)
            templates = [t for t in one.templates if t is not None]
            sets.append(FingerSet(one.name, extractor, database, templates, one.subjects[at]))
            people.append([f"{database}/{one.fingers[i]}" for i in at])
    return UsableSets(sets, people, digest.digest())


def pairs(fingers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """All pairs i < j of a set and whether they are of one finger."""
    i, j = np.triu_indices(fingers.size, 1)
    return i, j, fingers[i] == fingers[j]
