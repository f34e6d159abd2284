"""Playing all attacks, each on a fresh target, and saying what came of it.

An attack that could not be played is UNKNOWN, never a pass.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, unique
from pathlib import Path

from bioguard.errors import BioguardError, InputRefused
from bioguard.evidence.attack import (
    any_application,
    climbing,
    clocks,
    dates,
    enrollment,
    erasure,
    guessing,
    keys,
    misuse,
    on_disk,
    owners,
    rates,
    samples,
    searches,
    stand_ins,
    tokens,
)
from bioguard.evidence.attack.device_kit import CommandLine, DeviceKit
from bioguard.evidence.attack.kit import Attack, Kit, SetupError, Stage
from bioguard.evidence.attack.target import Target
from tee_sim.shared.errors import TeeError
from tee_sim.shared.manifest import Manifest
from tee_sim.testing.attacks.world import AttackedWorld

ATTACKS: tuple[Attack, ...] = (
    *tokens.ATTACKS,
    *enrollment.ATTACKS,
    *owners.ATTACKS,
    *samples.ATTACKS,
    *erasure.ATTACKS,
    *guessing.ATTACKS,
    *dates.ATTACKS,
    *rates.ATTACKS,
    *searches.ATTACKS,
    *climbing.ATTACKS,
    *keys.ATTACKS,
    *on_disk.ATTACKS,
    *clocks.ATTACKS,
    *stand_ins.ATTACKS,
    *misuse.ATTACKS,
    *any_application.ATTACKS,
)


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


def select(patterns: Sequence[str]) -> tuple[Attack, ...]:
    """Attacks whose name starts with one of the patterns; all without patterns.

    Raises:
        InputRefused: a pattern selects nothing.
    """
    for pattern in patterns:
        if not any(a.name.startswith(pattern) for a in ATTACKS):
            raise InputRefused(
                f"no attack is called {pattern[:40]!r}", hint="run: bioguard attack --list", code="attack.name"
            )
    return tuple(a for a in ATTACKS if not patterns or any(a.name.startswith(p) for p in patterns))


def play(
    manifests: Sequence[Manifest],
    attacks: Sequence[Attack] = ATTACKS,
    target: Callable[[Sequence[Manifest]], Target] = Target,
    command_line: CommandLine | None = None,
) -> Iterator[Finding]:
    """Play attacks one by one, each against new instances on an empty store, or on a new device.

    command_line: as `DeviceKit`.
    """
    for attack in attacks:
        try:
            gained = _played(attack, manifests, target, command_line)
        except SetupError as error:
            yield Finding(attack, Verdict.UNKNOWN, str(error))
        except TeeError as error:
            yield Finding(attack, Verdict.UNKNOWN, f"the target answered {error.result.name}")
        except BioguardError as error:
            yield Finding(attack, Verdict.UNKNOWN, f"the device answered {error.code}: {error.message}")
        else:
            yield Finding(attack, Verdict.FOUND if gained else Verdict.HELD, gained or "")


def _played(
    attack: Attack,
    manifests: Sequence[Manifest],
    target: Callable[[Sequence[Manifest]], Target],
    command_line: CommandLine | None,
) -> str | None:
    if attack.stage is Stage.ANY:
        return attack.play(AttackedWorld(manifests))
    if attack.stage is Stage.CONTRACT:
        return attack.play(Kit(target(manifests)))
    with (
        tempfile.TemporaryDirectory(prefix="bioguard-attack-") as folder,
        DeviceKit(Path(folder), manifests, command_line=command_line) as kit,
    ):
        return attack.play(kit)
