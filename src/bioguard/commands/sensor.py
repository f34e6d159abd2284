"""Commands of the biometric trusted application around matching: challenges, authenticator ids, lockout.

They follow ISession.aidl; a sensor is named by its id in `Configuration.sensor_table`. Enrolling and authenticating are
in `bioguard.commands.biometric`.
"""

from typing import Annotated

from bioguard.commands.biometric import MAX_TOKEN_BYTES
from bioguard.commands.status import Done, ReplyStatus, SensorDone, SensorStatus
from bioguard.records.locks import Lock
from bioguard.records.sensor_props import MAX_SENSOR_ID
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import U64, AtMost, Fixed, Items, Record, UpTo
from tee_sim.shared.ta_api import Command

MAX_WAIT_MS = 1 << 45
MAX_FEATURE = 2
"""Of Android's Feature: 0 REQUIRE_ATTENTION, 1 REQUIRE_DIVERSE_POSES, 2 DEBUG."""
_USER = Fixed(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorRequest(Record):
    """A question about one sensor and user."""

    user: Annotated[bytes, _USER]
    sensor: Annotated[int, UpTo(MAX_SENSOR_ID)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge(Record):
    """onChallengeGenerated."""

    status: SensorStatus
    challenge: Annotated[int, U64] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeChallenge(Record):
    """revokeChallenge; an unknown one is no error."""

    user: Annotated[bytes, _USER]
    sensor: Annotated[int, UpTo(MAX_SENSOR_ID)]
    challenge: Annotated[int, U64]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatorId(Record):
    """0 when nothing is enrolled."""

    status: SensorStatus
    authenticator_id: Annotated[int, U64] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetLockout(Record):
    """resetLockout with a recent token of the owner's PIN."""

    user: Annotated[bytes, _USER]
    sensor: Annotated[int, UpTo(MAX_SENSOR_ID)]
    token: Annotated[bytes, AtMost(MAX_TOKEN_BYTES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockReply(Record):
    """The lock that applies now; remaining_ms for a timed one."""

    status: SensorStatus
    lock: Lock = Lock.NONE
    remaining_ms: Annotated[int, UpTo(MAX_WAIT_MS)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest(Record):
    """A question about 1:N on one sensor: it belongs to no user."""

    sensor: Annotated[int, UpTo(MAX_SENSOR_ID)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Features(Record):
    """Which features are on for this user."""

    status: ReplyStatus
    features: Annotated[tuple[int, ...], Items(MAX_FEATURE + 1, UpTo(MAX_FEATURE))] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFeature(Record):
    """Switch a feature, with a token as in `ResetLockout`."""

    user: Annotated[bytes, _USER]
    sensor: Annotated[int, UpTo(MAX_SENSOR_ID)]
    token: Annotated[bytes, AtMost(MAX_TOKEN_BYTES)]
    feature: Annotated[int, UpTo(MAX_FEATURE)]
    enabled: bool


GENERATE_CHALLENGE = Command(40, SensorRequest, Challenge)
REVOKE_CHALLENGE = Command(41, RevokeChallenge, SensorDone)
GET_AUTHENTICATOR_ID = Command(42, SensorRequest, AuthenticatorId)
INVALIDATE_AUTHENTICATOR_ID = Command(43, SensorRequest, AuthenticatorId)
RESET_LOCKOUT = Command(44, ResetLockout, SensorDone)
LOCK_STATUS = Command(45, SensorRequest, LockReply)
SEARCH_LOCK_STATUS = Command(46, SearchRequest, LockReply)
GET_FEATURES = Command(47, SensorRequest, Features)
SET_FEATURE = Command(48, SetFeature, Done)
"""Both of a face: NO_FEATURE on a fingerprint sensor, NOT_ENROLLED where the user has nothing on this one."""
