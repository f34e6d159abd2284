"""Who is attacked, and what the attacker knows of faces: never a photograph of a victim.

Victims and the attacker's faces are different people of one population. The attacker has real photographs where there
are any, and as many synthetic people as he likes, laid along the principal axes of his photographs.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.calibration.face_data import load_faces
from bioguard.simulate.people.faces import EDGEFACE_XS, FacePopulation

VIEWS = 3
"""Views of an enrollment."""
FIRST_STRANGER = 1_000_000
BLOCK = 4096
LOOK_ALIKES = 50_000
STEP = 0.002

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Faces:
    """One experiment's people.

    Attributes:
        name: of the population, for the report.
        victims: views of each victim, [victims, VIEWS, d], unit rows.
        genuine: another view of each victim, [victims, d]: what the owner shows. Not the attacker's.
        insider: views of the attacker's own enrollment and one more, [VIEWS + 1, d].
        photographs: real faces the attacker has, [n, d]; may be empty.
        basis: orthonormal rows that span the population as the attacker knows it, [rank, d].
        more: an endless supply of synthetic faces.
        head_start: a stranger's face that is known to pass for the first victim, found elsewhere; None for none.
    """

    name: str
    victims: Array
    genuine: Array
    insider: Array
    photographs: Array
    basis: Array
    more: FacePopulation
    head_start: Array | None = None

    def guesses(self, count: int, run: int = 0) -> Array:
        """Real-like faces of different people, [count, d]; photographs first. Other runs get other synthetic people."""
        known = self.photographs[: count if run == 0 else 0]
        left = count - len(known)
        made = [_strangers(self.more, run, left)] if left else []
        return np.concatenate([known, *made]).astype(np.float64)

    def nearest(self, probes: Array) -> float:
        """The best cosine of any of these unit vectors to any enrolled view of a victim."""
        views = self.victims.reshape(-1, self.victims.shape[-1])
        blocks = (probes[i : i + BLOCK] @ views.T for i in range(0, len(probes), BLOCK))
        return max((float(block.max()) for block in blocks), default=-1.0)


@lru_cache(maxsize=64)
def _strangers(people: FacePopulation, run: int, count: int) -> NDArray[np.float32]:
    """Made once: every attacker begins with the same."""
    made = people.embeddings(FIRST_STRANGER * (1 + run), count, 0)
    made.setflags(write=False)
    return made


def with_head_start(faces: Faces, cosine: float) -> Faces:
    """The attacker also has a look-alike of the first victim: the best of many guesses, moved to this cosine."""
    views = faces.victims[0]
    guesses = faces.guesses(LOOK_ALIKES, run=2)
    face = guesses[int((guesses @ views.T).max(axis=1).argmax())]
    towards = views[int((views @ face).argmax())]
    while float((views @ face).max()) < cosine:
        face = face + STEP * towards
        face /= np.linalg.norm(face)
    return replace(faces, head_start=face)


def _axes(rows: Array, rank: int) -> Array:
    _, _, axes = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    return np.ascontiguousarray(axes[:rank])


def synthetic(victims: int, seed: int) -> Faces:
    """Synthetic people only; the attacker has learned their subspace from 2 000 others."""
    world = FacePopulation(EDGEFACE_XS, seed)
    views = np.stack([world.embeddings(0, victims + 1, view) for view in range(VIEWS + 1)], axis=1).astype(np.float64)
    others = world.embeddings(FIRST_STRANGER // 2, 2_000, 0).astype(np.float64)
    return Faces(
        "synthetic", views[:victims, :VIEWS], views[:victims, VIEWS], views[victims],
        others[:0], _axes(others, EDGEFACE_XS.rank), world,
    )  # fmt: skip


def lfw(path: Path, victims: int, seed: int) -> Faces:
    """Victims and insider from the development half of LFW; all its other people are the attacker's photographs.

    Raises:
        ValueError: too few people with VIEWS + 1 photographs.
    """
    half = load_faces(path).half("development")
    people, counts = np.unique(half.labels, return_counts=True)
    able = np.random.default_rng(seed).permutation(people[counts > VIEWS])
    if len(able) <= victims:
        raise ValueError(f"only {len(able)} people have {VIEWS + 1} photographs")
    chosen = able[: victims + 1]
    rows = half.embeddings.astype(np.float64)
    views = np.stack([rows[half.labels == person][: VIEWS + 1] for person in chosen])
    others = rows[~np.isin(half.labels, chosen)]
    labels = half.labels[~np.isin(half.labels, chosen)]
    axes = _axes(others, EDGEFACE_XS.rank)
    world = FacePopulation(EDGEFACE_XS, seed, basis=np.ascontiguousarray(axes.T, dtype=np.float32))
    first = np.unique(labels, return_index=True)[1]
    return Faces("LFW", views[:victims, :VIEWS], views[:victims, VIEWS], views[victims], others[first], axes, world)
