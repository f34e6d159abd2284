"""Fingerprint sets for the benches: directories of `<finger>_<impression>.iso`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.load import fingerprint_sets
from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions
from bioguard.records import FingerprintTemplate


@dataclass(frozen=True, slots=True)
class FingerSet:
    """One database: templates, finger numbers int64 [n], name ("rect/fvc2002/DB1_B"), extractor and database."""

    name: str
    extractor: str
    database: str
    templates: list[FingerprintTemplate]
    fingers: NDArray[np.int64]


def load_sets(root: Path, options: ImportOptions) -> list[FingerSet]:
    """The sets that `bench.load.fingerprint_sets` finds below root; the first level is the extractor.

    Raises:
        InputRefused: there is none, or a file cannot be used: what is trained or timed must be whole.
    """
    found = []
    for one in fingerprint_sets(root, options):
        for code, noted in one.refused.items():
            raise InputRefused(f"{one.name}/{noted.first}: {noted.message}", hint="leave the file out", code=code)
        extractor, _, database = one.name.partition("/")
        whole = all(finger.isdigit() for finger in one.fingers)
        fingers = np.array([int(f) for f in one.fingers], np.int64) if whole else one.subjects
        found.append(FingerSet(one.name, extractor, database, [t for t in one.templates if t is not None], fingers))
    return found


def pairs(fingers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """All pairs i < j of a set and whether they are of one finger."""
    i, j = np.triu_indices(fingers.size, 1)
    return i, j, fingers[i] == fingers[j]
