"""Commands of the Gatekeeper trusted application (android.hardware.gatekeeper IGatekeeper, GateKeeper 1.0).

A PIN only travels in a request. Replies hold a status, a wait, ids, the 58-byte handle and the 69-byte token.
"""

from typing import Annotated
from uuid import UUID

from bioguard.commands.status import GatekeeperDone, GatekeeperStatus
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import U64, AtMost, Fixed, Record, Stated, UpTo
from tee_sim.shared.ta_api import Command

GATEKEEPER_UUID = UUID("3b7a01c2-1d52-5c6e-9a41-8d0c2c7c2f02")

HANDLE_BYTES = 58
MAX_PIN_BYTES = 256
"""Longer than any PIN or password people type; Argon2id has no limit of its own."""
MAX_WAIT_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollPin(Record):
    """Set a PIN. With the current handle and PIN the secure user id stays; without, a new one is made."""

    user: Annotated[bytes, Fixed(16)]
    desired: Annotated[bytes, AtMost(MAX_PIN_BYTES)]
    current_handle: Annotated[bytes, Fixed(HANDLE_BYTES)] | None = None
    current: Annotated[bytes, AtMost(MAX_PIN_BYTES)] = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinEnrolled(Record):
    """timeout_ms with RETRY_TIMEOUT; the rest with OK."""

    status: GatekeeperStatus
    timeout_ms: Annotated[int, UpTo(MAX_WAIT_MS)] = 0
    secure_user_id: Annotated[int, U64] = 0
    handle: Annotated[bytes, Fixed(HANDLE_BYTES)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyPin(Record):
    """Check a PIN and, if it is right, get a token for this challenge."""

    user: Annotated[bytes, Fixed(16)]
    challenge: Annotated[int, U64]
    handle: Annotated[bytes, Fixed(HANDLE_BYTES)]
    pin: Annotated[bytes, AtMost(MAX_PIN_BYTES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PinVerified(Record):
    """timeout_ms with RETRY_TIMEOUT; the token with OK."""

    status: GatekeeperStatus
    timeout_ms: Annotated[int, UpTo(MAX_WAIT_MS)] = 0
    token: Annotated[bytes, Stated(69, "auth-token")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteUser(Record):
    """Forget a user; no handle of theirs verifies any more. An absent user is no error."""

    user: Annotated[bytes, Fixed(16)]


@dataclass(frozen=True, slots=True, kw_only=True)
class HasPin(Record):
    """Whether a user has a PIN, and whether its secure user id is this one.

    For the other trusted applications, who must not believe their callers about it. The normal world may ask as well:
    it holds the handles, which name the ids, so it learns nothing.
    """

    user: Annotated[bytes, Fixed(16)]
    secure_user_id: Annotated[int, U64] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PinHeld(Record):
    """is_current: the user has a PIN, and this is the id of the present one, not of one that was reset."""

    status: GatekeeperStatus
    has_pin: bool = False
    is_current: bool = False


ENROLL_PIN = Command(1, EnrollPin, PinEnrolled)
VERIFY_PIN = Command(2, VerifyPin, PinVerified)
DELETE_USER = Command(3, DeleteUser, GatekeeperDone)
HAS_PIN = Command(4, HasPin, PinHeld)
