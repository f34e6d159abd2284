"""Whose sample a file or a row is, by its name: `<subject>_<impression>`, perhaps with an extension."""

import re
from collections.abc import Iterable, Sequence
from re import Match

import numpy as np
from numpy.typing import NDArray

from bioguard.formats.files import MINUTIAE, SUFFIXES

_MINUTIAE_SUFFIXES = (*MINUTIAE, ".ist-fmr")
_PICTURE_SUFFIXES = (".bmp", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".wsq")
_SUFFIX_RANK = {suffix: rank for rank, suffix in enumerate((*_MINUTIAE_SUFFIXES, *_PICTURE_SUFFIXES))}
"""Which file is taken when an impression lies there in several formats: binary records tell more than text, and WSQ
loses what the others keep."""
_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".pgm", ".wsq", ".jp2", ".raw")
_OTHERS = (".dat", ".bin", ".txt", ".tmpl", ".template", ".min", ".json", ".jsonl")
_SUFFIXES = "|".join(re.escape(s) for s in dict.fromkeys((*_MINUTIAE_SUFFIXES, *SUFFIXES, *_PICTURES, *_OTHERS)))


def _file_of(suffixes: Iterable[str]) -> re.Pattern[str]:
    """A hidden file is none: macOS lays `._101_1.iso` beside `101_1.iso`."""
    names = "|".join(map(re.escape, suffixes))
    return re.compile(rf"(?P<finger>[^.].*)_(?P<impression>\d+)(?P<suffix>{names})", re.IGNORECASE)


MINUTIAE_FILE = _file_of(_MINUTIAE_SUFFIXES)
PICTURE_FILE = _file_of(_PICTURE_SUFFIXES)
"""What `bioguard.capture.pictures` decodes."""
_SAMPLE = re.compile(rf"(?P<subject>.+)_\d+(?:{_SUFFIXES})?", re.IGNORECASE)


def subject_of(name: str) -> str:
    """The subject of a sample's name: what stands before `_<impression>`; the whole name if it has no impression.

    Only known extensions are dropped: `j.doe_1` is an impression of `j.doe`.
    """
    found = _SAMPLE.fullmatch(name)
    return found["subject"] if found else name


def one_an_impression(matches: Iterable[Match[str]]) -> tuple[list[Match[str]], list[str]]:
    """Files of one directory in order of finger and impression, each impression once, and the names of those left out.

    Args:
        matches: of `MINUTIAE_FILE` or `PICTURE_FILE`.
    """
    ordered = sorted(matches, key=lambda m: (*_impression(m), _SUFFIX_RANK[m["suffix"].lower()], m.string))
    taken: dict[object, Match[str]] = {}
    passed_over = [m.string for m in ordered if taken.setdefault(_impression(m), m) is not m]
    return list(taken.values()), passed_over


def _impression(match: Match[str]) -> tuple[int, str, int]:
    finger = match["finger"]
    return (int(finger) if finger.isdecimal() else 1 << 62, finger, int(match["impression"]))


def counted(subjects: int, samples: int) -> str:
    """For people, who see so whether names were split as they are meant."""
    return f"{subjects} subject{'s' * (subjects != 1)}, {samples} sample{'s' * (samples != 1)}"


def numbered(subjects: Sequence[str] | NDArray[np.generic]) -> NDArray[np.int64]:
    """Subjects as 0 .. people - 1, int64 [n]; equal ones are one."""
    return np.unique(np.asarray(subjects), return_inverse=True)[1].reshape(-1).astype(np.int64)
