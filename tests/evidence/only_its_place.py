"""What a trial that runs beside others is given in place of a temporary device: another step is at work on that one."""

from pathlib import Path
from typing import cast

from bioguard.evidence.policy_trials import conduct
from bioguard.evidence.policy_trials.model import Trial
from bioguard.evidence.temporary_device import TemporaryDevice
from bioguard.report import Check
from tee_sim.normal.sandbox_verdict.verdict import Level


class _OnlyItsPlace:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.allow_level = Level.NOT_ENFORCED


def conduct_beside(trial: Trial, directory: Path, raw: Path | None = None) -> Check:
    """Conduct it beside the device in `directory`, which it cannot use: a trial that would ends in an error."""
    return conduct(trial, cast("TemporaryDevice", _OnlyItsPlace(directory)), raw)
