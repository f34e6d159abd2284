"""Attackers: each asks what it likes through a `Caller` and returns its estimates of the victims' faces.

All know what is public: the thresholds, the exposure budget, the population of faces, the number of enrolled views.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bench.oracle.belief import Belief
from bench.oracle.people import VIEWS, Faces
from bench.oracle.traffic import traffic_reader
from bench.oracle.world import Caller, SpentError
from bioguard.commands.configuration import DEFAULT_FMR_INVERSE, Configuration
from bioguard.match.thresholds import builtin_profile
from bioguard.records.modality import Modality
from bioguard.trusted.biometric.levels import Kind, Levels, levels
from bioguard.trusted.biometric.rates import claim_terms, search_terms
from bioguard.trusted.sensor.exposure import LIMIT

Array = NDArray[np.float64]
Attacker = Callable[[Caller, Faces, np.random.Generator], list[Array]]

RATES = (2, 4, 10, 11, 20, 30, 50, 100, 200, 300, 500, *(m * 10**e for e in range(3, 7) for m in (1, 2, 3, 5)), 10**7)
CANDIDATES = 48
REACH = (0.0, 0.15, 0.3, 0.6, 1.0, 1.5, 2.2)
"""How far from the estimate towards a possible face a probe is laid."""
PROBES = 8
PATIENCE = 200
"""Rounds without a hit after which a known hit is shown again, to see whether hits are still told."""


def search_levels(faces: Faces, rate: int = 0) -> Levels:
    """Of 1:N on the simulated device, for one victim: all victims and the insider are enrolled. rate: 0 for its own."""
    searched = (len(faces.victims) + 1) * VIEWS
    return levels(
        _kind(faces.victims.shape[-1]), search_terms(Configuration(for_testing=rate > 0), rate), VIEWS, searched
    )


def claim_levels(faces: Faces) -> Levels:
    """Of 1:1."""
    return levels(_kind(faces.victims.shape[-1]), claim_terms(Configuration(), 0), VIEWS)


@cache
def _kind(dimension: int) -> Kind:
    return Kind(builtin_profile(Modality.FACE, dimension), protected=False)


def guesser(caller: Caller, faces: Faces, _rng: np.random.Generator) -> list[Array]:
    """Show one face after the other and learn nothing."""
    with suppress(SpentError):
        for probe in faces.guesses(caller.budget):
            caller.identify(probe)
    return []


def score_bisection(caller: Caller, faces: Faces, rng: np.random.Generator) -> list[Array]:
    """Read the score of a probe between the rates that are offered, then solve for the face that gives those scores."""
    guesses = faces.guesses(caller.budget)
    rates = [r for r in RATES if _is_offered(caller, r, guesses[0])] or [0]
    thresholds = [search_levels(faces, r).accept for r in rates]
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
    threshold = search_levels(faces).accept
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
        known = [] if faces.head_start is None else [faces.head_start]
        for guess in (*known, *faces.guesses(caller.budget, run)):
            victim = caller.identify(guess)
            if victim is not None:
                return victim, guess
    return None


class Walker:
    """Keeps a belief of every victim and shows the probe that tells most, at a wanted chance of a hit.

    When the budget of near decisions must be spent, only strong scores are accepted: it goes on at that threshold.

    Args:
        chance: how likely a hit should be. 1/2 learns most from an answer; where hits are scarce a rare one, which
            is a large jump, learns most from a hit.
        siege: the same once only strong scores are accepted.
        claims: whether to ask 1:1 as soon as there is a victim.
    """

    def __init__(self, chance: float, *, siege: float = 0.0, claims: bool = False) -> None:
        self._chance = chance
        self._siege = siege or chance
        self._claims = claims

    def __call__(self, caller: Caller, faces: Faces, rng: np.random.Generator) -> list[Array]:
        walk = _Walk(self._chance, self._siege, claims=self._claims, caller=caller, faces=faces, rng=rng)
        with suppress(SpentError):
            walk.guess()
            walk.go()
        found = walk.estimates()
        with suppress(SpentError):
            for estimate in found:
                caller.identify(estimate)
        return found


class _Walk:
    def __init__(
        self, chance: float, siege: float, *, claims: bool, caller: Caller, faces: Faces, rng: np.random.Generator
    ) -> None:
        self._chance, self._siege, self._claims = chance, siege, claims
        self._caller, self._faces = caller, faces
        people = faces.guesses(4_000, run=1) @ faces.basis.T
        self._beliefs = {v: Belief(people, rng) for v in range(len(faces.victims))}
        self._levels = claim_levels(faces) if claims else search_levels(faces)
        self._known: dict[int, Array] = {}
        self._exposed = dict.fromkeys(self._beliefs, 0.0)

    def estimates(self) -> list[Array]:
        """The faces it believes in."""
        return [self._beliefs[v].estimate @ self._faces.basis for v in self._known]

    def guess(self) -> None:
        """Until somebody is named."""
        first = _first_hit(self._caller, self._faces)
        if first is not None:
            victim, face = first
            self._known[victim] = face
            self._beliefs[victim].learn(face @ self._faces.basis.T, self._levels.accept, yes=True)

    def go(self) -> None:
        """Until nothing is answered any more."""
        dry = 0
        while self._known:
            victim = max(self._known, key=lambda v: float(self._beliefs[v].mean @ self._beliefs[v].mean))
            hit = self._round(victim)
            dry = 0 if hit else dry + 1
            if dry > PATIENCE:
                dry = 0
                self._check(victim)

    def _round(self, victim: int) -> bool:
        """A few probes of one kind; whether one of them hit."""
        spent = self._exposed[victim] >= LIMIT
        threshold = self._levels.strong if spent else self._levels.accept
        belief = self._beliefs[victim]
        for row in self._probes(belief, threshold, self._siege if spent else self._chance):
            near, _ = belief.chances(row[np.newaxis], self._levels.near)
            probe = row @ self._faces.basis
            named = self._caller.authenticate(victim, probe) if self._claims else self._caller.identify(probe)
            belief.learn(row, threshold, yes=named == victim)
            self._exposed[victim] += float(near[0])
            if named is None:
                continue
            self._known[named] = probe
            if named != victim:
                self._beliefs[named].learn(row, self._levels.accept, yes=True)
            if spent:
                self._exposed[named] = 0.0
            return True
        return False

    def _check(self, victim: int) -> None:
        """Is a known hit still told? If not, do whatever may help; if that does not, only strong scores count."""
        for _ in range(2):
            if self._caller.identify(self._known[victim]) == victim:
                self._exposed[victim] = 1.0
                return
            self._caller.remedy_all()
        self._exposed[victim] = float(LIMIT)

    def _probes(self, belief: Belief, threshold: float, chance: float) -> Array:
        possible = belief.samples(CANDIDATES)
        laid = np.concatenate([belief.mean + reach * (possible - belief.mean) for reach in REACH])
        laid /= np.linalg.norm(laid, axis=1, keepdims=True)
        chances, spread = belief.chances(laid, threshold)
        near = np.argsort(np.abs(np.log(np.maximum(chances, 1e-12)) - np.log(chance)))[: CANDIDATES // 2]
        return laid[near[np.argsort(-spread[near])[:PROBES]]]


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


def loose_claims(caller: Caller, faces: Faces, _rng: np.random.Generator) -> list[Array]:
    """Guess by claims, every other one at a rate at which strangers pass, which clears the counter."""
    guesses = iter(faces.guesses(caller.budget))
    with suppress(SpentError):
        loose = next((r for r in RATES if _is_offered_claim(caller, r, next(guesses))), None)
        for number, guess in enumerate(guesses):
            caller.authenticate(0, guess, loose if number % 2 else None)
    return []


def _is_offered_claim(caller: Caller, rate: int, probe: Array) -> bool:
    return rate < DEFAULT_FMR_INVERSE and caller.offered_claim(rate, probe)


ATTACKERS: dict[str, Attacker] = {
    "guess": guesser,
    "bisect-rates": score_bisection,
    "bisect-line": score_bisection_by_line,
    "walk-1/2": Walker(0.5),
    "walk-1/10": Walker(0.1),
    "walk-1/100": Walker(0.01),
    "walk-1/1000": Walker(0.001),
    "siege-1/50": Walker(0.5, siege=0.02),
    "siege-1/500": Walker(0.5, siege=0.002),
    "claim-1/2": Walker(0.5, claims=True),
    "claim-1/10": Walker(0.1, claims=True),
    "loose-claims": loose_claims,
    "hop-skip": hop_skip,
    "evolution": evolution,
    "traffic": traffic_reader,
}
