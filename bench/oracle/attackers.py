"""Attackers: each asks what it likes through a `Caller` and returns its estimates of the victims' faces.

All know the thresholds (they are public), the population of faces, and the number of enrolled views.
"""

from collections.abc import Callable
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from bench.oracle.belief import Belief
from bench.oracle.people import VIEWS, Faces
from bench.oracle.traffic import traffic_reader
from bench.oracle.world import Caller, SpentError
from bioguard.commands.configuration import DEFAULT_FMR_INVERSE, DEFAULT_FPIR_INVERSE
from bioguard.match.thresholds import threshold_for_fmr, threshold_for_fpir

__all__ = ["ATTACKERS", "Attacker"]

Array = NDArray[np.float64]
Attacker = Callable[[Caller, Faces, np.random.Generator], list[Array]]

RATES = (2, 4, 10, 11, 20, 30, 50, 100, 200, 300, 500, *(m * 10**e for e in range(3, 7) for m in (1, 2, 3, 5)), 10**7)
CANDIDATES = 48
REACH = (0.0, 0.3, 0.6, 1.0, 1.5, 2.2)
"""How far from the estimate towards a possible face a probe is laid."""
PATIENCE = 400
"""Misses in a row after which a known hit is shown again, to see whether hits are still told."""


def search_threshold(faces: Faces, rate: int = DEFAULT_FPIR_INVERSE) -> float:
    """Of 1:N on the simulated device: all victims and the insider are enrolled."""
    return threshold_for_fpir(1 / rate, (len(faces.victims) + 1) * VIEWS, dimension=faces.victims.shape[-1])


def claim_threshold(faces: Faces, rate: int = DEFAULT_FMR_INVERSE) -> float:
    """Of 1:1."""
    return threshold_for_fmr(1 / (rate * VIEWS), dimension=faces.victims.shape[-1])


def guesser(caller: Caller, faces: Faces, _rng: np.random.Generator) -> list[Array]:
    """Show one face after the other and learn nothing."""
    with suppress(SpentError):
        for probe in faces.guesses(caller.budget):
            caller.identify(probe)
    return []


def score_bisection(caller: Caller, faces: Faces, rng: np.random.Generator) -> list[Array]:
    """Read the score of a probe between the rates that are offered, then solve for the face that gives those scores."""
    guesses = faces.guesses(caller.budget)
    rates = [r for r in RATES if _is_offered(caller, r, guesses[0])] or [DEFAULT_FPIR_INVERSE]
    thresholds = [search_threshold(faces, r) if r > 9 else 0.0 for r in rates]
    probes: dict[int, list[Array]] = {}
    scores: dict[int, list[float]] = {}
    with suppress(SpentError):
        for guess in guesses:
            victim = caller.identify(guess, rates[0])
            if victim is None:
                continue
            low, high = 0, len(rates)
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if caller.identify(guess, rates[middle]) == victim else (low, middle)
            upper = thresholds[high] if high < len(rates) else thresholds[low] + 0.1
            probes.setdefault(victim, []).append(guess)
            scores.setdefault(victim, []).append((thresholds[low] + upper) / 2)
    estimates = [_solved(np.stack(probes[v]), np.array(scores[v]), faces) for v in probes]
    with suppress(SpentError):
        for estimate in estimates:
            caller.identify(estimate)
    return estimates


def _is_offered(caller: Caller, rate: int, probe: Array) -> bool:
    try:
        return caller.offered(rate, probe)
    except SpentError:
        return False


def _solved(probes: Array, scores: Array, faces: Faces) -> Array:
    """The most likely face with these cosines to these probes, under a Gaussian population: a ridge regression."""
    rows = probes @ faces.basis.T
    people = faces.guesses(2_000, run=1) @ faces.basis.T
    prior = np.cov(people.T)
    gain = prior @ rows.T @ np.linalg.inv(rows @ prior @ rows.T + 0.02**2 * np.eye(len(rows)))
    mean = people.mean(axis=0)
    estimate: Array = (mean + gain @ (scores - rows @ mean)) @ faces.basis
    return estimate / np.linalg.norm(estimate)


def score_bisection_by_line(caller: Caller, faces: Faces, rng: np.random.Generator) -> list[Array]:
    """Read scores without any rate: mix a face that hits with a probe until it hits no more; the mixture tells."""
    threshold = search_threshold(faces)
    start = _first_hit(caller, faces)
    if start is None:
        return []
    victim, anchor = start
    probes, shares = [], []
    with suppress(SpentError):
        for guess in faces.guesses(caller.budget, run=2):
            low, high = 0.0, 1.0
            for _ in range(9):
                middle = (low + high) / 2
                mixed = (1 - middle) * anchor + middle * guess
                hit = caller.identify(mixed / np.linalg.norm(mixed)) == victim
                low, high = (middle, high) if hit else (low, middle)
            probes.append(guess)
            shares.append((low + high) / 2)
    if not probes:
        return [anchor]
    at_border = np.stack([(1 - s) * anchor + s * p for s, p in zip(shares, probes, strict=True)])
    at_border /= np.linalg.norm(at_border, axis=1, keepdims=True)
    return [_solved(at_border, np.full(len(at_border), threshold), faces)]


def _first_hit(caller: Caller, faces: Faces, run: int = 0) -> tuple[int, Array] | None:
    with suppress(SpentError):
        for guess in faces.guesses(caller.budget, run):
            victim = caller.identify(guess)
            if victim is not None:
                return victim, guess
    return None


class Walker:
    """Keeps a belief of every victim and shows the probe that tells most, at a wanted chance of a hit.

    Args:
        chance: how likely a hit should be. 1/2 learns most from an answer; where hits are scarce a rare one, which
            is a large jump, learns most from a hit.
        claims: whether to ask 1:1 as soon as there is a victim, at its stricter threshold.
    """

    def __init__(self, chance: float, *, claims: bool = False) -> None:
        self._chance = chance
        self._claims = claims

    def __call__(self, caller: Caller, faces: Faces, rng: np.random.Generator) -> list[Array]:
        people = faces.guesses(4_000, run=1) @ faces.basis.T
        beliefs = {v: Belief(people, rng) for v in range(len(faces.victims))}
        self._known: dict[int, Array] = {}
        with suppress(SpentError):
            self._guess(caller, faces, beliefs)
            self._walk(caller, faces, beliefs)
        found = [beliefs[v].estimate @ faces.basis for v in self._known]
        with suppress(SpentError):
            for estimate in found:
                caller.identify(estimate)
        return found

    def _guess(self, caller: Caller, faces: Faces, beliefs: dict[int, Belief]) -> None:
        threshold = search_threshold(faces)
        for guess in faces.guesses(caller.budget):
            victim = caller.identify(guess)
            if victim is not None:
                self._known[victim] = guess
                beliefs[victim].learn(guess @ faces.basis.T, threshold, yes=True)
                return

    def _walk(self, caller: Caller, faces: Faces, beliefs: dict[int, Belief]) -> None:
        threshold = claim_threshold(faces) if self._claims else search_threshold(faces)
        dry = 0
        while self._known:
            victim = max(self._known, key=lambda v: float(beliefs[v].mean @ beliefs[v].mean))
            for row in self._probes(beliefs[victim], threshold):
                probe = row @ faces.basis
                named = caller.authenticate(victim, probe) if self._claims else caller.identify(probe)
                for v in {victim} | ({named} if named is not None else set()):
                    beliefs[v].learn(row, threshold, yes=named == v)
                if named is not None:
                    self._known[named] = probe
                dry = 0 if named is not None else dry + 1
                if named is not None:
                    break
            if dry > PATIENCE / self._chance**0.5:
                dry = 0
                self._check(caller, victim)

    def _check(self, caller: Caller, victim: int) -> None:
        """Is a known hit still told? If not, do whatever may help; if that does not, give the victim up."""
        for attempt in range(2):
            if caller.identify(self._known[victim]) == victim:
                return
            if attempt == 0:
                caller.remedy_all()
        del self._known[victim]
        if not self._known:
            raise SpentError

    def _probes(self, belief: Belief, threshold: float) -> Array:
        possible = belief.samples(CANDIDATES)
        laid = np.concatenate([belief.mean + reach * (possible - belief.mean) for reach in REACH])
        laid /= np.linalg.norm(laid, axis=1, keepdims=True)
        chances, spread = belief.chances(laid, threshold)
        near = np.argsort(np.abs(np.log(np.maximum(chances, 1e-12)) - np.log(self._chance)))[: CANDIDATES // 2]
        best = near[np.argsort(-spread[near])[:8]]
        return laid[best]


def hop_skip(caller: Caller, faces: Faces, rng: np.random.Generator) -> list[Array]:
    """Without a model: find the border, ask random directions around it, step along their average, again."""
    start = _first_hit(caller, faces)
    if start is None:
        return []
    victim, point = start
    far = faces.guesses(256, run=3)
    with suppress(SpentError):
        step, round_ = 0.5, 0
        while True:
            away = far[round_ % len(far)]
            border = _border(caller, victim, point, away)
            directions = rng.normal(size=(40 + 20 * round_, len(faces.basis))) @ faces.basis
            directions /= np.linalg.norm(directions, axis=1, keepdims=True)
            width = max(0.3 / (1 + round_), 0.08)
            signs = np.array(
                [1.0 if caller.identify(_unit(border + width * d)) == victim else -1.0 for d in directions]
            )
            gradient = _unit((signs - signs.mean()) @ directions) if np.ptp(signs) else directions[0]
            step = max(step, 0.25)
            while step > 0.02 and caller.identify(_unit(border + step * gradient)) != victim:
                step /= 2
            point = _unit(border + step * gradient)
            step, round_ = step * 2, round_ + 1
    return [point]


def _unit(vector: Array) -> Array:
    unit: Array = vector / np.linalg.norm(vector)
    return unit


def _border(caller: Caller, victim: int, inside: Array, outside: Array) -> Array:
    low, high = 0.0, 1.0
    for _ in range(7):
        middle = (low + high) / 2
        hit = caller.identify(_unit((1 - middle) * inside + middle * outside)) == victim
        low, high = (middle, high) if hit else (low, middle)
    return _unit((1 - low) * inside + low * outside)


def evolution(caller: Caller, faces: Faces, rng: np.random.Generator) -> list[Array]:
    """Without a model: change the face a little, and keep the change if it still hits mixed with more of a stranger."""
    start = _first_hit(caller, faces)
    if start is None:
        return []
    victim, best = start
    handicap, size = 0.0, 0.6
    strangers = faces.guesses(256, run=3)
    with suppress(SpentError):
        while True:
            changed = _unit(best + size * _unit(rng.normal(size=len(faces.basis)) @ faces.basis))
            load = handicap + 0.02
            if caller.identify(_unit(changed + load * strangers[rng.integers(256)])) == victim:
                best, handicap, size = changed, load, min(size * 1.5, 1.0)
            else:
                size = max(size * 0.97, 0.05)
    return [best]


ATTACKERS: dict[str, Attacker] = {
    "guess": guesser,
    "bisect-rates": score_bisection,
    "bisect-line": score_bisection_by_line,
    "walk-1/2": Walker(0.5),
    "walk-1/10": Walker(0.1),
    "walk-1/100": Walker(0.01),
    "walk-1/1000": Walker(0.001),
    "claim-1/2": Walker(0.5, claims=True),
    "claim-1/10": Walker(0.1, claims=True),
    "hop-skip": hop_skip,
    "evolution": evolution,
    "traffic": traffic_reader,
}
