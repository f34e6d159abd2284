"""One attacker against one device, judged against guessing."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from bench.oracle.attackers import ATTACKERS, search_levels
from bench.oracle.enrolled import EnrolledWorld
from bench.oracle.people import Faces
from bench.oracle.places import PLACES
from bench.oracle.world import Caller, Insider
from bioguard.device.applications import manifests
from bioguard.trusted.sensor.lockout import ANDROID_13
from tee_sim.shared.manifest import Manifest

GUESS_RUNS = 20
MARGIN = 0.02
"""The best of 20 runs of guessing is passed by chance once in 20; the best of many guesses scatters by about this."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        calls: commands sent; compared: those in which something was compared; hits: answers that named a victim.
        best: best cosine shown or concluded; guess: best of as many guesses, middle of the runs; limit: what `best`
            may be. With a head start `best` is of what the attacker knows, and the limit is the strong threshold:
            nobody gets from a look-alike to where the budget of near decisions starts anew.
        allowed: misses of an outsider until only a PIN helps, in 1:N and for each victim; None for insiders.
        bits: hits and misses weighed as an ideal observer would: an upper bound on what the answers told, in bits.
        remedies: what opened locks, and how often.
    """

    attacker: str
    insider: str
    calls: int
    compared: int
    hits: int
    best: float
    guess: float
    limit: float
    allowed: int | None
    bits: float
    remedies: str

    @property
    def within(self) -> bool:
        """Whether guessing does as well, in as many attempts as the counters allow."""
        counted = self.allowed is None or self.compared - self.hits <= self.allowed
        return self.best <= self.limit and counted

    @staticmethod
    def header() -> str:
        """Of the table."""
        return (
            f"{'attacker':14}{'as':14}{'calls':>8}{'compared':>9}{'hits':>6}{'bits':>8}"
            f"{'best':>7}{'guess':>7}{'limit':>7}  verdict"
        )

    def row(self) -> str:
        """One line of it."""
        verdict = "within guessing" if self.within else "TOLD"
        return (
            f"{self.attacker:14}{self.insider:14}{self.calls:8}{self.compared:9}{self.hits:6}{self.bits:8.0f}"
            f"{self.best:7.3f}{self.guess:7.3f}{self.limit:7.3f}  {verdict}  {self.remedies}"
        )


FIELDS = (*(f.name for f in fields(Outcome)), "within")


def baseline(faces: Faces, guesses: int) -> tuple[float, float]:
    """Best cosine of this many guesses: the middle of the runs, and the best of them with a margin."""
    best = [faces.nearest(faces.guesses(max(guesses, 1), run)) for run in (0, *range(10, 9 + GUESS_RUNS))]
    return float(np.median(best)), max(best) + MARGIN


def told_bits(compared: int, hits: int) -> float:
    """log2 of the number of ways in which that many answers can have held that many hits."""
    ways = np.arange(1, compared + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log2(ways))]) if compared else np.zeros(1)
    return float(logs[compared] - logs[hits] - logs[compared - hits])


def run(
    name: str,
    insider: Insider,
    faces: Faces,
    *,
    calls: int,
    place: str = "target",
    hosted: Sequence[Manifest] = (),
    owner_every: int = 0,
    seed: int = 1,
) -> Outcome:
    """Play one attacker on a fresh world. hosted: applications in the place of ours, for mutants."""
    with PLACES[place](hosted or manifests()) as opened:
        caller = Caller(EnrolledWorld(faces, opened), insider, calls, faces.nearest, owner_every)
        estimates = ATTACKERS[name](caller, faces, np.random.default_rng(seed))
        caller.settle(*estimates)
    middle, limit = baseline(faces, caller.compared)
    best = caller.best
    if faces.head_start is not None:
        best, limit = caller.known, search_levels(faces).strong
    allowed = (
        None if insider is not Insider.NOBODY or owner_every else ANDROID_13.permanent_at * (1 + len(faces.victims))
    )
    remedies = ", ".join(f"{what} {count}" for what, count in caller.opened.most_common())
    return Outcome(
        name, insider.value, caller.calls, caller.compared, caller.hits, best, middle, limit, allowed,
        told_bits(caller.compared, caller.hits), remedies,
    )  # fmt: skip
