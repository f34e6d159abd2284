"""Partial results of long runs: a run that was stopped goes on where it was, if no code that scores changed."""

import shutil
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.environment import source_digest


class Partial:
    """Arrays by content of their inputs, in a directory that is removed when the run is complete."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._code = source_digest()

    def array(self, parts: list[bytes], make: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
        """The stored array of these inputs, or a new one, stored before it is returned."""
        digest = blake2b(self._code.encode(), digest_size=16)
        for part in parts:
            digest.update(len(part).to_bytes(8, "little") + part)
        path = self._directory / f"{digest.hexdigest()}.npy"
        if path.exists():
            stored: NDArray[np.float32] = np.load(path, allow_pickle=False)
            return stored
        made = make()
        self._directory.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            np.save(file, made, allow_pickle=False)
        temporary.replace(path)
        return made

    def done(self) -> None:
        """The run is complete: forget what was stored."""
        shutil.rmtree(self._directory, ignore_errors=True)
