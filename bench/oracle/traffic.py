"""An attacker who does not read the answers but the disk: which objects a search reads, in which order, how large."""

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from bench.oracle.people import Faces
from bench.oracle.world import Caller, SpentError, Traffic

Array = NDArray[np.float64]


def traffic_reader(caller: Caller, faces: Faces, _rng: np.random.Generator) -> list[Array]:
    """Regress everything that varies in the traffic on the faces shown: what follows a face points to it.

    Features: for each object named, whether and at which place it was named; the number of requests; each size.
    """
    probes: list[Array] = []
    notes: list[dict[object, float]] = []
    with suppress(SpentError):
        for guess in faces.guesses(caller.budget):
            caller.identify(guess)
            probes.append(guess)
            notes.append(_features(caller.world.traffic()))
    varying = _varying(notes)
    if not varying:
        return []
    rows = np.stack(probes) - np.mean(probes, axis=0)
    whiten = np.linalg.pinv(np.cov((rows @ faces.basis.T).T))
    estimates = [(values - values.mean()) @ rows @ faces.basis.T @ whiten @ faces.basis for values in varying]
    return [sign * e / np.linalg.norm(e) for e in estimates if np.linalg.norm(e) > 0 for sign in (1.0, -1.0)]


def _features(traffic: Traffic) -> dict[object, float]:
    """Numbers by what they are of."""
    found: dict[object, float] = {"requests": float(len(traffic))}
    place = 0
    for operation, names, *sizes in traffic:
        for name in (names,) if isinstance(names, bytes) else names:
            found[operation, name] = 1.0
            found.setdefault((operation, name, "place"), float(place))
            place += 1
        for i, size in enumerate(sizes):
            found[operation, i] = found.get((operation, i), 0.0) + size
    return found


def _varying(notes: list[dict[object, float]]) -> list[Array]:
    """Features that are not the same in every search, and not of one search only."""
    keys = {key for note in notes for key in note}
    columns = (np.array([note.get(key, 0.0) for note in notes]) for key in keys)
    return [column for column in columns if len(np.unique(column)) > 1 and np.count_nonzero(column) > 3]
