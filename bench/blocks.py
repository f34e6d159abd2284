"""What is done for a block of a campaign. These functions travel by value: who runs them needs the wheel and NumPy."""

from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import bioguard
from bioguard.match import CodeGallery
from bioguard.match.protected import CODE_BITS, CodeContext, SignCoder
from bioguard.simulate.people import EDGEFACE_XS, FacePopulation
from bioguard.simulate.people.counter_rng import words

Counts = NDArray[np.int64]
Codes = NDArray[np.uint8]
KNOWN_PEOPLE = 64


def codes_of(seed: int, people: int, size: int, block: int, view: int) -> Codes:
    """Codes of the people of one side of a block, uint8 [size, CODE_BITS / 8]; the last block may have fewer."""
    population = FacePopulation(EDGEFACE_XS, seed)
    secret = words(seed, 0x501, 0, 0, 8)[0].astype("<u4").tobytes()
    context = CodeContext(secret=secret, dimension=population.dimension, model_id="bench", epoch=0)
    first = block * size
    return SignCoder(context).encode(population.embeddings(first, min(size, people - first), view))


def histograms(rows: Codes, columns: Codes, same_people: bool, threads: int = 1) -> Counts:
    """Counts by distance of one block, int64 [2, CODE_BITS + 1]: genuine, impostor.

    Args:
        rows: enrolled.
        columns: seen again.
        same_people: row i and column i are of one person; else all are of different people.
        threads: of this process.
    """
    counts = np.zeros((2, CODE_BITS + 1), np.int64)
    counts[1] = CodeGallery(rows).histogram(columns, threads=threads)
    if same_people:
        distances = np.bitwise_count(rows ^ columns).sum(axis=1, dtype=np.int64)
        counts[0] = np.bincount(distances, minlength=CODE_BITS + 1)
        counts[1] -= counts[0]
    return counts


def code_digest() -> str:
    """Digest of what counts here: the sources in the wheel that make codes and distances, and a small known answer.

    The answer sees what the sources do not: another kernel, another NumPy, a comparator that was replaced.
    """
    digest = blake2b(digest_size=16)
    package = Path(bioguard.__file__).parent
    for path in sorted(p for folder in ("match", "simulate/people") for p in (package / folder).rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    rows, columns = (codes_of(1, KNOWN_PEOPLE, KNOWN_PEOPLE, 0, view) for view in range(2))
    digest.update(rows.tobytes() + columns.tobytes() + histograms(rows, columns, True).tobytes())
    return digest.hexdigest()
