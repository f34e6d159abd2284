"""Carry out a fault plan on a machine: `die-before` and `die-after` cut its power, `delay` takes its time.

faults = MachineFaults("commit@2: die-before")
Machine.open(path, applications, MachineOptions(faults=faults))
faults.set("read: flip(40) objects")
"""

import time

from tee_sim.normal.machine.options import PowerCut
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.testing.faults.hostile import HostileDisk
from tee_sim.testing.faults.plan import FaultPlan


def _plan(text: str) -> FaultPlan:
    """A plan for a machine. Raises TeeError BAD_PARAMETERS with the rule that is wrong."""
    try:
        plan = FaultPlan.parse(text)
    except TeeError as error:  # the caller's words: no secure world has seen them
        hint = "a rule is point[@when]: action[(number)] [selector], for instance commit@2: die-before"
        raise TeeError(error.result, error.message, origin=Origin.API, hint=hint) from None

    def die() -> None:
        fault = plan.fired[-1]
        raise PowerCut(f"at {fault.point} {plan.passed[fault.point]}, by the fault plan")

    plan.die = die
    plan.sleep_ms = lambda ms: time.sleep(ms / 1000)
    return plan


class MachineFaults(HostileDisk):
    """The faults of one machine, over all its boots; the plan can be changed while it runs.

    Args:
        text: in the fault language; empty for none.

    Raises:
        TeeError: BAD_PARAMETERS, with the rule that is wrong.
    """

    def __init__(self, text: str = "") -> None:
        super().__init__(_plan(text))

    def set(self, text: str, *, at_start: bool = False) -> None:
        """Replace the plan; passages are counted from one again. Raises TeeError as the class, and changes nothing.

        Args:
            at_start: the machine was started with it. Only then may it be about native applications.
        """
        plan = _plan(text)
        if plan.is_of_native and not at_start:
            raise TeeError(
                TeeResult.BAD_PARAMETERS,
                "faults of native applications are set when a machine starts",
                origin=Origin.API,
                hint="give them to --fault",
            )
        self.replace(plan)
