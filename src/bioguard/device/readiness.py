"""What the first decision through a device uses, made while its secure world loads: nobody waits for it there."""

from bioguard.commands import biometric as commands
from bioguard.commands.configuration import Configured
from bioguard.commands.policy import Purged
from bioguard.commands.status import Done, Nothing
from bioguard.device.answers import RateCalibration, Verification
from tee_sim.shared.dataclass import make_methods
from tee_sim.shared.readiness import make_ready


def get_ready() -> None:
    """Work out how the commands around a decision are read and written."""
    make_methods(RateCalibration, Verification)
    make_ready(Nothing, Purged, commands.CheckLabel, Done, commands.Authenticate, commands.Decision)
    make_ready(Configured, commands.AskBasis, commands.RateBasis)
