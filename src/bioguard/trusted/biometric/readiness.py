"""What the first decision would make, made before anybody asks for one: after the first answer of a start."""

from typing import Final

from bioguard.commands import biometric as commands
from bioguard.commands.configuration import Configured
from bioguard.commands.status import Done
from bioguard.records.consent import ConsentState
from bioguard.records.features import FaceEmbedding
from bioguard.records.locks import LockStatus
from bioguard.trusted.biometric.decision import ReadyRecord, Sighting, Verdict
from bioguard.trusted.biometric.levels import Kind, Levels
from bioguard.trusted.biometric.rates import Terms
from bioguard.trusted.biometric.stored_objects import StoredRecord, UserState
from bioguard.trusted.biometric.vault import Vault
from bioguard.trusted.sensor.authorization import Attempt, SensorUserState, Settlement
from bioguard.trusted.sensor.charges_ahead import Charge
from bioguard.trusted.sensor.exposure import Exposures
from bioguard.trusted.sensor.lockout import LockoutState
from bioguard.trusted.sensor.tally import Part, Tally, TallyHead
from tee_sim.shared.dataclass import make_methods
from tee_sim.shared.readiness import make_ready

RECORDS: Final = (
    commands.CheckLabel, commands.Authenticate, commands.Decision, commands.AskBasis, commands.RateBasis,
    commands.RecordSummary, Configured, Done, ConsentState, LockoutState, StoredRecord, TallyHead, UserState,
)  # fmt: skip
PARTS: Final = (
    Attempt, Charge, Exposures, FaceEmbedding, Kind, Levels, LockStatus, Part, ReadyRecord, SensorUserState, Settlement,
    Sighting, Tally, Terms, Verdict,
)  # fmt: skip


def get_ready(vault: Vault) -> None:
    """Make methods and layouts of the classes of a decision, and parse the comparison profiles."""
    make_methods(*PARTS)
    make_ready(*RECORDS)
    vault.calibration  # noqa: B018 - parsed when it is first asked for
