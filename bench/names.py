"""Whose sample a file or a row is, by its name: `<subject>_<impression>`, perhaps with an extension."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bioguard.formats.files import MINUTIAE, SUFFIXES

_MINUTIAE_SUFFIXES = (*MINUTIAE, ".ist-fmr")
SUFFIX_RANK = {suffix: rank for rank, suffix in enumerate(_MINUTIAE_SUFFIXES)}
"""Which file is taken when an impression lies there in several formats: binary records tell more than text."""
_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".pgm", ".wsq", ".jp2", ".raw")
_OTHERS = (".dat", ".bin", ".txt", ".tmpl", ".template", ".min", ".json", ".jsonl")
_SUFFIXES = "|".join(re.escape(s) for s in dict.fromkeys((*_MINUTIAE_SUFFIXES, *SUFFIXES, *_PICTURES, *_OTHERS)))
MINUTIAE_FILE = re.compile(
    rf"(?P<finger>[^.].*)_(?P<impression>\d+)(?P<suffix>{'|'.join(map(re.escape, _MINUTIAE_SUFFIXES))})", re.IGNORECASE
)
"""A hidden file is none: macOS lays `._101_1.iso` beside `101_1.iso`."""
PICTURE_FILE = re.compile(
    r"(?P<finger>[^.].*)_(?P<impression>\d+)(?P<suffix>\.(?:png|bmp|tiff?|pgm|ppm|wsq))", re.IGNORECASE
)
"""What `bioguard.capture.pictures` decodes."""
_SAMPLE = re.compile(rf"(?P<subject>.+)_\d+(?:{_SUFFIXES})?", re.IGNORECASE)


def subject_of(name: str) -> str:
    """The subject of a sample's name: what stands before `_<impression>`; the whole name if it has no impression.

    Only known extensions are dropped: `j.doe_1` is an impression of `j.doe`.
    """
    found = _SAMPLE.fullmatch(name)
    return found["subject"] if found else name


def counted(subjects: int, samples: int) -> str:
    """For people, who see so whether names were split as they are meant."""
    return f"{subjects} subject{'s' * (subjects != 1)}, {samples} sample{'s' * (samples != 1)}"


def numbered(subjects: Sequence[str] | NDArray[np.generic]) -> NDArray[np.int64]:
    """Subjects as 0 .. people - 1, int64 [n]; equal ones are one."""
    return np.unique(np.asarray(subjects), return_inverse=True)[1].reshape(-1).astype(np.int64)
