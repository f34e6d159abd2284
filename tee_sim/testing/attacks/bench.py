"""Plays attacks on any application, each against new instances on an empty store, and says what came of it.

An attack that could not be played is UNKNOWN, never a pass.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, unique
from functools import partial
from typing import TypeVar

from tee_sim.shared.errors import TeeError
from tee_sim.shared.manifest import Manifest
from tee_sim.testing.attacks import channel, leaks, sessions, survival
from tee_sim.testing.attacks.attack import Attack, UnplayedError
from tee_sim.testing.attacks.natives import Natives
from tee_sim.testing.attacks.world import AttackedWorld

ATTACKS: tuple[Attack, ...] = (*channel.ATTACKS, *leaks.ATTACKS, *sessions.ATTACKS, *survival.ATTACKS)
A = TypeVar("A", bound=Attack)


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


def play(
    manifests: Sequence[Manifest], attacks: Sequence[Attack] = ATTACKS, natives: Natives | None = None
) -> Iterator[Finding]:
    """Play attacks one by one. The applications' code must be importable, and runs in this process.

    Args:
        natives: where native applications are found, which run in processes of their own; None if there are none.
    """
    for attack in attacks:
        yield judged(attack, partial(_played, attack, manifests, natives))


def _played(attack: Attack, manifests: Sequence[Manifest], natives: Natives | None) -> str | None:
    with AttackedWorld(manifests, natives=natives) as world:
        return attack.play(world)


def judged(attack: Attack, play_it: Callable[[], str | None]) -> Finding:
    """What came of an attack that `play_it` plays."""
    try:
        gained = play_it()
    except UnplayedError as error:
        return Finding(attack, Verdict.UNKNOWN, str(error))
    except TeeError as error:
        return Finding(attack, Verdict.UNKNOWN, f"the target answered {error.result.name}")
    return Finding(attack, Verdict.FOUND if gained else Verdict.HELD, gained or "")


def select(attacks: Sequence[A], prefixes: Sequence[str]) -> tuple[A, ...]:
    """Attacks whose names begin with one of the prefixes; all without prefixes.

    Raises:
        LookupError: a prefix begins no name; the text is for people.
    """
    for prefix in prefixes:
        if not any(attack.name.startswith(prefix) for attack in attacks):
            raise LookupError(f"no attack is called {prefix[:40]!r}")
    return tuple(attack for attack in attacks if not prefixes or attack.name.startswith(tuple(prefixes)))
