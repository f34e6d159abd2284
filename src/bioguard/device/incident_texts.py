"""Incidents: what the policy (VI.3) says a report must hold, written for the four things this product can detect."""

from bioguard.records.audit_events import Cause
from tee_sim.shared.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class IncidentText:
    """The four parts."""

    situation: str
    measures: str
    advice: str
    remedy: str


TEXTS: dict[Cause, IncidentText] = {
    Cause.TAMPERED: IncidentText(
        situation="stored bytes of this device were changed from outside; the damaged record was not used, "
        "and nothing was disclosed: stored records are sealed under keys that are not in the store",
        measures="the damaged data are refused on every use; this incident is kept until it is acknowledged",
        advice="use the PIN; find out who can write to the device directory",
        remedy="erase the damaged record and enroll again; if the store does not open, wipe the device",
    ),
    Cause.ROLLED_BACK: IncidentText(
        situation="an older copy of this device's store, or another device's, was put in place; "
        "erased records or spent attempts could have come back, so the store was not opened",
        measures="the secure world does not start on it; this incident is kept until it is acknowledged",
        advice="use the PIN of the real device; find out who restored a backup",
        remedy="put the newest store back, or wipe the device and enroll again",
    ),
    Cause.OVER_BUDGET: IncidentText(
        situation="a trusted application tried to send more than it may: a reply, with the results, storage requests "
        "and times that came with it, could have told more bits than its manifest allows",
        measures="the reply was withheld and the application's process ended; the bits that it came to stand in the "
        "log; what it had sent before within its budget cannot be called back",
        advice="use the PIN; do not use this build of the application, and find out where it comes from",
        remedy="compare the measurements with those of a release (bioguard audit verify --reference), install that "
        "one, and if they differ wipe the device and enroll again",
    ),
    Cause.CLOCK_MOVED: IncidentText(
        situation="the clock of this device moved by more than 40 days between two starts; records or log entries seem "
        "to be past their time, and may only seem so",
        measures="nothing was erased; what seems over is not used for any decision",
        advice="look at the clock of this host; find out who set it, or for how long the device was off",
        remedy="if the time is right, run: bioguard purge --confirm; if it is wrong, set it and enroll again",
    ),
}


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident of a device. scripted: faults were played when it was found, or are scripted for the device: what
    was found may come of them, and is as open as any other."""

    number: int
    cause: Cause
    code: str
    opened_ms: int
    acknowledged: bool = False
    scripted: bool = False

    @property
    def text(self) -> IncidentText:
        """The four parts."""
        return TEXTS[self.cause]
