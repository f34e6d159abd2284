"""Attacks that add answers up: from a look-alike to the enrolled face, and on at the threshold that is left.

The short form of `python -m bench.oracle`: directions around a face that passes are asked, and the average of those
that pass points to the enrolled face. The attacker is an insider with an own PIN, and time is no matter.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioguard.commands.status import ReplyStatus
from bioguard.evidence.attack.kit import Attack, Kit, Person, SetupError
from bioguard.records import FaceEmbedding

ORACLE = "ISO/IEC 30107, CWE-203"
WAIT_MS = 31_000
PROBES = 160
"""Answers that a climb takes: with half of them yes, they point within a cosine of 0.7 to a face of 128 numbers."""
AROUND = 0.3
"""How far from the look-alike a probe is laid: about half of them pass from just inside the border."""
INSIDE = 0.03
PATIENCE = 40
"""Answers without a yes after which nothing is told any more."""
GAINED = 0.1
"""Growth of the cosine that no ten answers bring about."""
SIEGE = 80
"""Searches near a face after which nobody should find it by searching."""

Array = NDArray[np.float64]


@dataclass(slots=True)
class _Insider:
    """Somebody on the device who opens with an own PIN what can be opened with it."""

    kit: Kit
    person: Person

    def open(self) -> None:
        """Wait, and give the PIN."""
        self.kit.target.clock.advance(WAIT_MS)
        self.kit.reset_lockout(self.person, self.kit.pin_token(self.person))

    def searched(self, victim: Person, sample: bytes) -> bool | None:
        """Whether a search names the victim; None if it is refused for good."""
        for _ in range(2):
            answer = self.kit.identify(sample)
            if answer.status is ReplyStatus.OK:
                return answer.user == victim.user
            self.open()
        return None

    def claimed(self, victim: Person, sample: bytes) -> bool | None:
        """Whether a claim is accepted; None if it is refused for good."""
        for _ in range(2):
            answer = self.kit.authenticate(victim, sample)
            if answer.status is ReplyStatus.OK:
                return answer.match
            self.open()
        return None


def _unit(vector: Array) -> Array:
    unit: Array = vector / np.linalg.norm(vector)
    return unit


def _look_alike(kit: Kit, victim: Person) -> Array:
    return FaceEmbedding.from_bytes(kit.near(victim.face, kit.border() + INSIDE)).vector.astype(np.float64)


def _climb(*doors: Callable[[_Insider, Person, bytes], bool | None]) -> Callable[[Kit], str | None]:
    """Ask at one door after the other."""

    def play(kit: Kit) -> str | None:
        victim, insider = kit.person(enrolled=True), _Insider(kit, kit.person(enrolled=True))
        start = _look_alike(kit, victim)
        if not insider.searched(victim, FaceEmbedding.from_features(start).to_bytes()):
            raise SetupError("a look-alike is not found")
        asked: list[Array] = []
        said: list[bool] = []
        for number in range(PROBES):
            probe = _unit(start + AROUND * kit.direction())
            answer = doors[number % len(doors)](insider, victim, FaceEmbedding.from_features(probe).to_bytes())
            if answer is None or (number > PATIENCE and not any(said[-PATIENCE:])):
                break
            asked.append(probe - (probe @ start) * start)
            said.append(answer)
        if 0 < sum(said) < len(said):
            told = np.array(said) - np.mean(said)
            towards = _unit(told @ np.stack(asked))
            rebuilt, before = float(_unit(start + towards) @ victim.face), float(start @ victim.face)
            if rebuilt > before + GAINED:
                return f"{len(said)} answers lead from a look-alike at a cosine of {before:.2f} to {rebuilt:.2f}"
        return None

    return play


def siege(kit: Kit) -> str | None:
    """Use a record's budget up, and go on searching at the threshold that is left, with an own PIN in between."""
    victim, insider = kit.person(enrolled=True), _Insider(kit, kit.person(enrolled=True))
    kit.need_search(victim)
    near = kit.border() + INSIDE
    for _ in range(SIEGE):
        if insider.searched(victim, kit.near(victim.face, near)) is None:
            return None
    named = insider.searched(victim, kit.sample(victim.face))
    return f"after {SIEGE} searches near a face, a search still tells a guess that is strong" if named else None


_TABLE: tuple[tuple[str, str, str, Callable[[Kit], str | None]], ...] = (
    ("climb.search", "climb from a look-alike by searches", ORACLE, _climb(_Insider.searched)),
    ("climb.claim", "climb from a look-alike by claims", ORACLE, _climb(_Insider.claimed)),
    ("climb.both", "climb by claims and searches in turn", ORACLE, _climb(_Insider.claimed, _Insider.searched)),
    ("exposure.siege", "search on when the budget of a record is spent", ORACLE, siege),
)
ATTACKS = tuple(Attack(*row) for row in _TABLE)
