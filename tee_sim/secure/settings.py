"""What is fixed when a device is made and never asked for again: its clock and its randomness.

Sealed in the core's own namespace, so that the normal world can neither change nor withhold it. A later start may
repeat what was fixed; one that claims something else is refused, and no claim has an effect on a device that exists.
"""

from typing import Annotated

from tee_sim.shared.clock import MAX_WALL_MS, ClockKind
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.rng import RandomnessKind
from tee_sim.shared.schema import Fixed, Record, UpTo
from tee_sim.shared.ta_api import Store, find_record

SETTINGS_OBJECT = b"settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Record):
    """Clock and randomness of a device.

    Attributes:
        stepped_from_ms: wall time at which its stepped clock began; None for the host's clocks.
        seed: its seeded randomness; None for the kernel's.
    """

    stepped_from_ms: Annotated[int, UpTo(MAX_WALL_MS)] | None = None
    seed: Annotated[bytes, Fixed(32)] | None = None

    @property
    def clock(self) -> ClockKind:
        """Whose time the device lives in."""
        return ClockKind.HOST if self.stepped_from_ms is None else ClockKind.STEPPED

    @property
    def randomness(self) -> RandomnessKind:
        """Where its keys come from."""
        return RandomnessKind.SYSTEM if self.seed is None else RandomnessKind.SEEDED

    def allows(self, claim: "Settings") -> bool:
        """Whether a start that says `claim` may go on: what it does not mention is not claimed."""
        pairs = ((claim.stepped_from_ms, self.stepped_from_ms), (claim.seed, self.seed))
        return all(said is None or said == fixed for said, fixed in pairs)


def fixed_settings(store: Store, claim: Settings, *, create: bool) -> Settings:
    """The settings of the device; a new one takes them from `claim`.

    Args:
        store: the core's namespace.
        create: whether this start may make the device.

    Raises:
        TeeError: ACCESS_CONFLICT for a claim that is not what was fixed; ITEM_NOT_FOUND if the device was never
            finished: a power cut, as nobody can take a sealed object out of a store.
    """
    fixed = find_record(store, SETTINGS_OBJECT, Settings)
    if fixed is None:
        if not create:
            raise TeeError(TeeResult.ITEM_NOT_FOUND, "the making of this device was interrupted")
        with store.transaction() as transaction:
            transaction.put(SETTINGS_OBJECT, claim.to_bytes(), kind="settings")
        return claim
    if not fixed.allows(claim):
        raise TeeError(TeeResult.ACCESS_CONFLICT, "the device was made with another clock or another seed")
    return fixed
