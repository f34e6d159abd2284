"""Partial results of long runs: a run that was stopped goes on where it was, if no code that scores changed."""

import shutil
from collections.abc import Callable
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import matchers
from bench.environment import source_digest
from bench.load import FingerprintSet
from bioguard.simulate.people import FingerPopulation

Floats = NDArray[np.float32]
Say = Callable[[str], None]


def scoring_digest() -> str:
    """Digest of what makes the scores of fingerprints: the sources, and a small known answer.

    The answer sees what the sources do not: another NumPy, a comparator that was replaced.
    """
    touches = [touch for person in range(2) for touch in FingerPopulation(1).impressions(person, 2, 2)]
    known = matchers.fingerprint_scores(FingerprintSet("known", [""] * 4, ["0", "0", "1", "1"], touches))
    ours = Path(matchers.__file__).read_bytes()
    return blake2b(source_digest().encode() + known.tobytes() + ours, digest_size=16).hexdigest()


class Partial:
    """Arrays by content of their inputs, in a directory that is removed when the run is complete."""

    def __init__(self, directory: Path, say: Say = lambda _: None) -> None:
        """Nothing is read yet.

        Args:
            directory: has a folder for each code that made arrays.
            say: told why arrays that are kept are not taken up.
        """
        self._root, self._say = directory, say

    @cached_property
    def _directory(self) -> Path:
        own = self._root / scoring_digest()
        others = sorted(p for p in self._root.iterdir() if p != own) if self._root.is_dir() else []
        if others:
            self._say(f"{self._root}: what is kept there was made by other code: it is not used, those sets begin anew")
            for other in others:
                shutil.rmtree(other, ignore_errors=True)
        return own

    def array(self, parts: list[bytes], make: Callable[[], Floats]) -> Floats:
        """The stored array of these inputs, or a new one, stored before it is returned."""
        digest = blake2b(digest_size=16)
        for part in parts:
            digest.update(len(part).to_bytes(8, "little") + part)
        path = self._directory / f"{digest.hexdigest()}.npy"
        if path.exists():
            try:
                stored: Floats = np.load(path, allow_pickle=False)
            except (ValueError, EOFError):
                self._say(f"{path}: damaged: it is not used, its set begins anew")
            else:
                return stored
        made = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            np.save(file, made, allow_pickle=False)
        temporary.replace(path)
        return made

    def done(self) -> None:
        """The run is complete: forget what was stored."""
        shutil.rmtree(self._root, ignore_errors=True)
