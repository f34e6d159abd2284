"""What protected fingerprint codes cost and link: accuracy with stolen and with own keys, linkage across epochs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.linkage import equal_bins, linkage
from bench.metrics.rates import Scores, minimum_comparisons
from bioguard.match.fingerprint import PreparedTemplate
from bioguard.match.protected.finger_codes import FingerCoder, protected_scores
from bioguard.simulate.people.counter_rng import words

DOMAIN = 0x504
Prints = Sequence[tuple[str, PreparedTemplate]]


def measure(sets: Sequence[Prints], *, seed: int, shuffles: int) -> dict[str, Any]:
    """Figures over sets of (finger, print): impostors are compared within a set.

    * key stolen: one key for everybody, as seen by an impostor who knows it;
    * own key: every finger has its own, an impostor presents a code under another: a second factor is counted too;
    * linkage: two prints, one code in each of two epochs;
    * renewal: the same print in both epochs, against other fingers' prints with equally many minutiae, because the
      number of minutiae shows in the length of a code. What that number alone gives away has its own row.
    """
    stolen = _pair_scores(sets, lambda finger: 0, lambda finger: 0, seed)
    own = _pair_scores(sets, lambda finger: finger, lambda finger: finger, seed)
    across = _pair_scores(sets, lambda finger: 0, lambda finger: 1, seed)
    renewed = _renewal(sets, seed)
    people = sum(len({finger for finger, _ in one}) for one in sets)
    return {
        "key stolen (one key for all)": _rates(*stolen),
        "own key for each finger (two factors)": _rates(*own),
        "linkage across epochs": _linkage(*across, people, seed, shuffles),
        "renewal, the same print in two epochs": _linkage(*renewed, people, seed, shuffles),
        "number of minutiae alone": _linkage(*_counts(sets), people, seed, shuffles),
        "linkage within one epoch": _linkage(*stolen, people, seed, shuffles),
    }


def _coder(seed: int, key: int) -> FingerCoder:
    return FingerCoder(words(seed, DOMAIN, key, 0, 8)[0].astype("<u4").tobytes(), epoch=0)


def _pair_scores(sets: Sequence[Prints], probe_key: Any, stored_key: Any, seed: int) -> tuple[Any, Any]:
    """Genuine and impostor scores of all pairs i < j, probe and stored print each coded under a key of its own."""
    genuine: list[float] = []
    impostor: list[float] = []
    coders: dict[int, FingerCoder] = {}

    def code(key: int, ready: PreparedTemplate) -> bytes:
        coders.setdefault(key, _coder(seed, key))
        return coders[key].encode(ready)

    for one in sets:
        numbers = {finger: i for i, finger in enumerate(sorted({finger for finger, _ in one}))}
        probes = [code(probe_key(numbers[finger]), ready) for finger, ready in one]
        stored = [code(stored_key(numbers[finger]), ready) for finger, ready in one]
        for i, probe in enumerate(probes):
            row = protected_scores(probe, stored[i + 1 :])
            for (finger, _), score in zip(one[i + 1 :], row, strict=True):
                (genuine if finger == one[i][0] else impostor).append(float(score))
    return np.array(genuine), np.array(impostor)


def _renewal(sets: Sequence[Prints], seed: int) -> tuple[Any, Any]:
    old, new = _coder(seed, 0), _coder(seed, 1)
    mated: list[float] = []
    other: list[float] = []
    for one in sets:
        renewed = [new.encode(ready) for _, ready in one]
        for i, (finger, ready) in enumerate(one):
            code = old.encode(ready)
            alike = [j for j, (f, _) in enumerate(one) if f != finger and len(renewed[j]) == len(code)]
            mated.append(float(protected_scores(code, [renewed[i]])[0]))
            other += protected_scores(code, [renewed[j] for j in alike]).tolist()
    return np.array(mated), np.array(other)


def _counts(sets: Sequence[Prints]) -> tuple[Any, Any]:
    """Minus the difference of the numbers of minutiae of two prints."""
    mated: list[float] = []
    other: list[float] = []
    for one in sets:
        for i, (finger, ready) in enumerate(one):
            for f, that in one[i + 1 :]:
                (mated if f == finger else other).append(-float(abs(len(ready) - len(that))))
    return np.array(mated), np.array(other)


def _rates(genuine: NDArray[np.float64], impostor: NDArray[np.float64]) -> dict[str, Any]:
    scores = Scores(genuine, impostor)
    enough = impostor.size >= minimum_comparisons(1e-2)
    return {
        "genuine": int(genuine.size),
        "impostor": int(impostor.size),
        "eer": scores.eer().value,
        "fnmr_at_fmr_1e-2": scores.at_fmr(1e-2).fnmr if enough else "not measurable",
    }


def _linkage(
    mated: NDArray[np.float64], other: NDArray[np.float64], people: int, seed: int, shuffles: int
) -> dict[str, Any]:
    with np.errstate(invalid="ignore"):  # infinite ratios in bins without non-mated scores
        found = linkage(mated, other, equal_bins(mated, other), seed=seed, shuffles=shuffles)
    return {
        "people": people,
        "mated": int(mated.size),
        "non_mated": int(other.size),
        "d_sys": found.d_sys,
        "floor_mean": found.floor_mean,
        "floor_95": found.floor_95,
        "linkable": found.linkable,
    }
