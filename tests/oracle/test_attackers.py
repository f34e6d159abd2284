"""The attackers learn from a device that answers freely, whatever little it says, and nothing where nothing is said.

A campaign that finds no hole means something only if its attackers are strong: these worlds have the holes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from bench.oracle.attackers import ATTACKERS, search_levels
from bench.oracle.experiment import told_bits
from bench.oracle.people import Faces, synthetic, with_head_start
from bench.oracle.world import Answer, Caller, Insider, Remedy
from bioguard.commands.status import ReplyStatus
from bioguard.match.thresholds import builtin_profile, threshold_for_fmr, threshold_for_fpir
from bioguard.records.modality import Modality
from bioguard.records.scores import Score

VICTIMS = 2


@dataclass
class FreeWorld:
    """Answers everything, at one rate."""

    faces: Faces
    rates: Sequence[int] = ()
    misses: int = 0
    asked: list = field(default_factory=list)

    def identify(self, probe, rate):
        if rate not in (None, 0, *self.rates):
            return Answer(ReplyStatus.RATE_NOT_OFFERED)
        views = self.faces.victims.reshape(-1, probe.size)
        scores = views @ probe
        best = int(np.argmax(scores))
        hit = scores[best] >= search_levels(self.faces, rate or 0).accept
        self.misses += not hit
        return Answer(ReplyStatus.OK, best // 3 if hit else None)

    def authenticate(self, victim, probe, rate):
        return Answer(ReplyStatus.LOCKED_PERMANENT)

    def remedies(self, insider):
        return []

    def traffic(self):
        return []

    def owners_day(self):
        pass


class Counting(FreeWorld):
    """Locks for good after 20 misses; the insider's PIN opens it, if `pin_clears`."""

    pin_clears = False

    def identify(self, probe, rate):
        return Answer(ReplyStatus.LOCKED_PERMANENT) if self.misses >= 20 else super().identify(probe, rate)

    def remedies(self, insider):
        def clear():
            self.misses = 0

        return [Remedy("own PIN", clear, 1)] if self.pin_clears and insider is Insider.PIN else []


class Ordered(FreeWorld):
    """Says no to all, but reads the records nearest first."""

    def identify(self, probe, rate):
        self.asked = list(np.argsort(-(self.faces.victims @ probe).max(axis=1)))
        return Answer(ReplyStatus.OK)

    def traffic(self):
        return [("READ", b"record %d" % i, 2052) for i in self.asked]


class Silent(FreeWorld):
    """Says no to all."""

    def identify(self, probe, rate):
        return Answer(ReplyStatus.OK)


@pytest.fixture(scope="module")
def faces() -> Faces:
    """With a look-alike: a device that names nobody whom 1:1 would refuse gives none away for 50 000 guesses."""
    return with_head_start(synthetic(VICTIMS, 3), 0.43)


def best(name: str, world: FreeWorld, calls: int, insider: Insider = Insider.NOBODY, seed: int = 1) -> Caller:
    caller = Caller(world, insider, calls, world.faces.nearest)
    estimates = ATTACKERS[name](caller, world.faces, np.random.default_rng(seed))
    caller.settle(*estimates)
    return caller


@pytest.mark.parametrize(
    ("name", "calls", "reaches"),
    [
        ("walk-1/2", 500, 0.6),
        ("walk-1/10", 1000, 0.6),
        ("walk-1/100", 1000, 0.5),
        ("bisect-line", 1000, 0.5),
        ("hop-skip", 1500, 0.5),
    ],
)
def test_a_yes_or_no_is_enough_for_them(faces: Faces, name: str, calls: int, reaches: float) -> None:
    assert best(name, FreeWorld(faces), calls).best > reaches > faces.nearest(faces.guesses(calls)) + 0.1


def test_rates_are_read_as_scores(faces: Faces) -> None:
    free = FreeWorld(faces, rates=(11, 20, 50, 100, 500, 1_000, 5_000, 10_000, 100_000, 10_000_000))
    assert best("bisect-rates", free, 1_500).best > best("bisect-rates", FreeWorld(faces), 1_500).best + 0.1


def test_the_order_of_reading_is_read(faces: Faces) -> None:
    assert best("traffic", Ordered(faces), 1_000).best > 0.55
    assert best("traffic", Silent(faces), 1_000).best < 0.45


@pytest.mark.parametrize("name", ["walk-1/2", "walk-1/100", "bisect-rates", "evolution", "hop-skip"])
def test_a_count_of_misses_ends_who_has_to_guess_first(faces: Faces, name: str) -> None:
    caller = best(name, Counting(replace(faces, head_start=None)), 2_000)
    assert caller.world.misses == 20
    assert caller.best < 0.3


def test_a_count_of_misses_does_not_end_who_has_a_look_alike(faces: Faces) -> None:
    """How far twenty misses last is luck: one run of six gets past 0.5."""
    callers = [best("walk-1/2", Counting(faces), 2_000, seed=seed) for seed in range(1, 7)]
    reached = [caller.best for caller in callers]
    assert {caller.world.misses for caller in callers} == {20}
    assert max(reached) > 0.5
    assert np.mean(reached) > faces.nearest(faces.head_start[np.newaxis]) + 0.02


def test_an_insider_whose_pin_clears_the_count_goes_on(faces: Faces) -> None:
    world = Counting(faces)
    world.pin_clears = True
    caller = best("walk-1/10", world, 1_500, Insider.PIN)
    assert caller.opened["own PIN"] > 2
    assert caller.best > 0.6
    assert best("walk-1/10", world, 1_500, Insider.NOBODY).best < 0.45


def test_guessing_learns_nothing(faces: Faces) -> None:
    caller = best("guess", FreeWorld(faces), 300)
    assert caller.compared == 300
    assert caller.best == pytest.approx(faces.nearest(faces.guesses(300)), abs=1e-6)


def test_the_budget_is_of_calls_and_is_kept(faces: Faces) -> None:
    for name in ATTACKERS:
        caller = best(name, FreeWorld(faces), 120)
        assert caller.calls <= 120, name


def test_what_answers_can_have_told_is_counted_in_bits() -> None:
    assert told_bits(0, 0) == 0
    assert told_bits(20, 0) == 0
    assert told_bits(20, 1) == pytest.approx(np.log2(20))
    assert told_bits(4, 2) == pytest.approx(np.log2(6))


def test_the_thresholds_are_those_of_the_product(faces: Faces) -> None:
    edgeface = builtin_profile(Modality.FACE, 512)
    assert search_levels(faces).accept == threshold_for_fmr(1 / 150_000, profile=edgeface, score=Score.COSINE)
    assert search_levels(faces, 11).accept == threshold_for_fpir(
        1 / 11, (VICTIMS + 1) * 3, profile=edgeface, score=Score.COSINE
    )
    assert search_levels(faces).near < search_levels(faces).accept < search_levels(faces).strong


def test_a_head_start_is_a_strangers_face_as_near_as_asked_for(faces: Faces) -> None:
    assert faces.head_start is not None
    assert 0.43 <= faces.nearest(faces.head_start[np.newaxis]) < 0.44
