"""Plays attacks on any application, each against new instances on an empty store, and says what came of it.

An attack that could not be played is UNKNOWN, never a pass.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, unique

from tee_sim.shared.errors import TeeError
from tee_sim.shared.manifest import Manifest
from tee_sim.testing.attacks import channel, leaks, sessions, survival
from tee_sim.testing.attacks.attack import Attack
from tee_sim.testing.attacks.world import AttackedWorld

ATTACKS: tuple[Attack, ...] = (*channel.ATTACKS, *leaks.ATTACKS, *sessions.ATTACKS, *survival.ATTACKS)


@unique
class Verdict(Enum):
    """What came of an attack."""

    HELD = "held"
    FOUND = "found"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One attack and its outcome; detail says what was gained, or why it could not be played."""

    attack: Attack
    verdict: Verdict
    detail: str = ""


def play(manifests: Sequence[Manifest], attacks: Sequence[Attack] = ATTACKS) -> Iterator[Finding]:
    """Play attacks one by one. The applications' code must be importable, and runs in this process."""
    for attack in attacks:
        try:
            gained = attack.play(AttackedWorld(manifests))
        except TeeError as error:
            yield Finding(attack, Verdict.UNKNOWN, f"the target answered {error.result.name}")
        else:
            yield Finding(attack, Verdict.FOUND if gained else Verdict.HELD, gained or "")
