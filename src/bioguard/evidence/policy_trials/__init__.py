"""Trials on a temporary device: what each promise looks like from outside."""

from bioguard.evidence.policy_trials import consent, de_identification, lifecycle, rights, storage
from bioguard.evidence.policy_trials.model import Observation, Trial, conduct

__all__ = ["TRIALS", "Observation", "Trial", "conduct"]

TRIALS: tuple[Trial, ...] = tuple(
    sorted(
        (*lifecycle.TRIALS, *consent.TRIALS, *rights.TRIALS, *storage.TRIALS, *de_identification.TRIALS),
        key=lambda t: t.id,
    )
)
