"""What the session rules ask of the rules that a trusted application enforces.

The session rules are the framework's half of the contract and run in the normal world; challenges, lockout, tokens and
authenticator ids are the secure world's. The virtual HAL (`bioguard.simulate.virtual_hal`) puts the two together in the
open; a device keeps them apart, with the commands of `bioguard.commands.sensor` in between.
"""

from typing import Any, Protocol

from bioguard.records.locks import AttemptOutcome, LockStatus
from bioguard.records.modality import Modality
from bioguard.records.tokens import AuthToken


class SensorFacts(Protocol):
    """Properties of a sensor that the session rules look at (common/CommonProps.aidl)."""

    @property
    def kind(self) -> Modality: ...
    @property
    def max_enrollments(self) -> int: ...
    @property
    def detect_interaction(self) -> bool: ...


class SensorRules(Protocol):
    """The secure world's decisions about its sensors. An attempt and a state are handed back as they came."""

    def props(self, sensor_id: int) -> SensorFacts: ...
    def generate_challenge(self, sensor_id: int, user: bytes) -> int: ...
    def revoke_challenge(self, sensor_id: int, user: bytes, challenge: int) -> None: ...
    def allow_enrollment(self, sensor_id: int, user: bytes, token: bytes, *, enrollments: int) -> AuthToken | None:
        """Raises TokenUnusable."""
        ...

    def enrolled(self, sensor_id: int, user: bytes, token: AuthToken | None) -> Any: ...
    def authenticator_id(self, sensor_id: int, user: bytes, *, enrollments: int) -> int: ...
    def invalidate(self, sensor_id: int, user: bytes, *, enrollments: int) -> int: ...
    def lock_status(self, sensor_id: int, user: bytes) -> LockStatus: ...
    def begin_attempt(self, sensor_id: int, user: bytes) -> Any:
        """A counted attempt, or the LockStatus that refuses one."""
        ...

    def settle_attempt(self, attempt: Any, outcome: AttemptOutcome, operation_id: int) -> AuthToken | None: ...
    def reset_lockout(self, sensor_id: int, user: bytes, token: bytes) -> Any:
        """Raises TokenUnusable."""
        ...
