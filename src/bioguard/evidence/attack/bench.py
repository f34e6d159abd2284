"""Playing all attacks, each on a fresh target, and saying what came of it.

An attack that could not be played is UNKNOWN, never a pass.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from bioguard.errors import BioguardError, InputRefused
from bioguard.evidence.attack import (
    any_application,
    climbing,
    clocks,
    cohorts,
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
    sensors,
    stand_ins,
    tokens,
)
from bioguard.evidence.attack.device_kit import CommandLine, DeviceKit
from bioguard.evidence.attack.kit import Attack, Kit, SetupError, Stage
from bioguard.evidence.attack.target import Target
from tee_sim.shared.manifest import Manifest
from tee_sim.testing.attacks import bench
from tee_sim.testing.attacks.bench import Finding, Verdict
from tee_sim.testing.attacks.world import AttackedWorld

__all__ = ["ATTACKS", "Finding", "Verdict", "play", "select"]

ATTACKS: tuple[Attack, ...] = (
    *tokens.ATTACKS,
    *enrollment.ATTACKS,
    *cohorts.ATTACKS,
    *owners.ATTACKS,
    *samples.ATTACKS,
    *erasure.ATTACKS,
    *guessing.ATTACKS,
    *dates.ATTACKS,
    *rates.ATTACKS,
    *searches.ATTACKS,
    *sensors.ATTACKS,
    *climbing.ATTACKS,
    *keys.ATTACKS,
    *on_disk.ATTACKS,
    *clocks.ATTACKS,
    *stand_ins.ATTACKS,
    *misuse.ATTACKS,
    *any_application.ATTACKS,
)


def select(patterns: Sequence[str]) -> tuple[Attack, ...]:
    """Attacks whose name starts with one of the patterns; all without patterns.

    Raises:
        InputRefused: a pattern selects nothing.
    """
    try:
        return bench.select(ATTACKS, patterns)
    except LookupError as error:
        raise InputRefused(str(error), hint="run: bioguard attack --list", code="attack.name") from None


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
        yield bench.judged(attack, partial(_played, attack, manifests, target, command_line))


def _played(
    attack: Attack,
    manifests: Sequence[Manifest],
    target: Callable[[Sequence[Manifest]], Target],
    command_line: CommandLine | None,
) -> str | None:
    try:
        if attack.stage is Stage.ANY:
            return attack.play(AttackedWorld(manifests))
        if attack.stage is Stage.CONTRACT:
            return attack.play(Kit(target(manifests)))
        with (
            tempfile.TemporaryDirectory() as folder,
            DeviceKit(Path(folder), manifests, command_line=command_line) as kit,
        ):
            return attack.play(kit)
    except BioguardError as error:
        raise SetupError(f"the device answered {error.code}: {error.message}") from error
