"""Arrays of a lab's `.npz` file, by name: nothing is unpickled, nothing larger than stated is inflated."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.formats.npz import ARCHIVE_FAULTS, check_ratio

MAX_ARRAY_BYTES = 16 << 30
"""One array: a score matrix float32 of MAX_SAMPLES."""
MAX_SAMPLES = 65_536
"""Samples of one set: all pairs are held as a matrix, which has 16 GiB at this size."""


def _refuse(path: Path, what: str, hint: str) -> InputRefused:
    return InputRefused(f"{path}: {what}", hint=hint, code="bench.npz")


class Archive:
    """An open `.npz` file."""

    def __init__(self, path: Path, file: NpzFile) -> None:
        self.path, self._file = path, file
        self.names: tuple[str, ...] = tuple(file.files)

    def read(self, name: str) -> NDArray[Any]:
        """One array of numbers or text.

        Raises:
            InputRefused: `bench.npz`: there is none, it is damaged, too large, or holds Python objects.
        """
        zipped: Any = self._file.zip
        try:
            size = max(
                (zipped.getinfo(n).file_size for n in (f"{name}.npy", name) if n in zipped.namelist()), default=0
            )
            if size > MAX_ARRAY_BYTES:
                raise _refuse(self.path, f"{name!r} has {size} bytes", f"at most {MAX_ARRAY_BYTES} are read")
            if name == "embeddings":  # scores and labels may well be all alike
                for member in (zipped.getinfo(n) for n in (f"{name}.npy", name) if n in zipped.namelist()):
                    check_ratio(member, f"{self.path}: ")
            array = self._file[name]
        except ARCHIVE_FAULTS as error:
            objects = "allow_pickle" in str(error)
            what = "holds Python objects, which are never unpickled" if objects else "is no readable array"
            hint = "save it as numbers or as text: np.array(values, dtype=str)" if objects else "write the file again"
            raise _refuse(self.path, f"{name!r} {what}", hint) from error
        if not isinstance(array, np.ndarray):
            raise _refuse(self.path, f"{name!r} is no array", "write it with numpy.savez")
        return array


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open `path`.

    Raises:
        InputRefused: `bench.npz`: it is no archive of arrays.
    """
    with path.open("rb") as raw:  # NumPy leaves a file open that it opened and cannot read
        try:
            file = np.load(raw, allow_pickle=False)
        except ARCHIVE_FAULTS as error:
            raise _refuse(path, "is no .npz archive", "write it with numpy.savez; scores also as .csv") from error
        if not isinstance(file, NpzFile):
            raise _refuse(path, "is a single array", "write it with numpy.savez and its labels")
        with file:
            yield Archive(path, file)
