"""What the session rules ask of whatever decides: a device's secure world, or a list of ids in a virtual HAL.

The session rules are the half of the contract that Android's HAL process keeps, in the normal world. Challenges,
lockout, tokens and comparisons are the other half. A backend is one sensor for one user; each of its answers is one
decision, made when it is asked for.
"""

from typing import Protocol

from bioguard.errors import TeeUnavailable
from bioguard.records.acquired import AcquiredCode
from bioguard.records.locks import LockStatus
from bioguard.records.modality import Modality
from bioguard.records.tokens import AuthToken
from tee_sim.shared.dataclass import dataclass


class BackendDied(TeeUnavailable):
    """The secure world ended over a question. The session that asked is over, as after the death of a HAL."""

    code = "tee.dead"


class SensorFacts(Protocol):
    """Properties of a sensor that the session rules look at (common/CommonProps.aidl, SensorProps.aidl)."""

    @property
    def sensor_id(self) -> int: ...
    @property
    def kind(self) -> Modality: ...
    @property
    def detect_interaction(self) -> bool: ...
    @property
    def under_display(self) -> bool: ...
    @property
    def handles_display_touches(self) -> bool: ...
    @property
    def controls_illumination(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Matched:
    """Somebody who is enrolled. A token from a Class 3 sensor, none from others."""

    enrollment_id: int
    token: AuthToken | None = None


@dataclass(frozen=True, slots=True)
class NotMatched:
    """A good capture of somebody else: a failed attempt."""


@dataclass(frozen=True, slots=True)
class PoorCapture:
    """Nothing was compared, nothing was counted."""

    code: AcquiredCode


Outcome = Matched | NotMatched | PoorCapture | LockStatus
"""What came of one attempt; a LockStatus where none was allowed."""


class SensorBackend(Protocol):
    """One sensor for one user. Every method may raise BioguardError, a refusal, and BackendDied."""

    @property
    def facts(self) -> SensorFacts: ...

    def enrollment_ids(self) -> tuple[int, ...]:
        """From 1 to 2^31-1, in no order that means anything."""
        ...

    def generate_challenge(self) -> int: ...
    def revoke_challenge(self, challenge: int) -> None: ...

    def prepare_enrollment(self, token: bytes) -> int:
        """Refuse what `enroll` would refuse before a capture; the id that the enrollment will have, 0 if it is drawn
        only when it is stored."""
        ...

    def see(self, presented: object) -> object:
        """The sample that the sensor makes of what is presented; an AcquiredCode where it makes none of it."""
        ...

    def judge(self, earlier: tuple[object, ...], sample: object) -> AcquiredCode:
        """The quality of one more sample of an enrollment."""
        ...

    def enroll(self, token: bytes, samples: tuple[object, ...], position: int) -> int:
        """Store; return the id. The authenticator id is new then."""
        ...

    def authenticate(self, sample: object, operation_id: int) -> Outcome:
        """One attempt: counted, compared, settled."""
        ...

    def lock_status(self) -> LockStatus: ...
    def reset_lockout(self, token: bytes) -> None: ...
    def authenticator_id(self) -> int: ...
    def invalidate(self) -> int:
        """A new authenticator id; 0 where the sensor has none."""
        ...

    def remove(self, ids: tuple[int, ...]) -> tuple[int, ...]:
        """Erase; return what was really there."""
        ...

    def features(self) -> frozenset[int]: ...
    def set_feature(self, token: bytes, feature: int, enabled: bool) -> None: ...
