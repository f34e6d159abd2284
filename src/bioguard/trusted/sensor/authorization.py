"""Decide what a biometric TA must besides matching: challenges, lockout, authenticator ids, tokens.

Enforces the rules of ISession.aidl and CDD 7.3.10 for all sensors of a device (docs/android-contract.md sections 2, 3).
Does not promise: that a sensor is of the class it is called; no spoof acceptance was measured here.

Holds no template and no score. Persistent state goes through `SensorStates` as one small canonical record per sensor
and user; challenges live in memory and end with the secure world, as the contract allows.

Stricter than the contract's words (docs/android-contract.md section 5): enrollment and lockout reset want a token made
from the PIN (type PASSWORD) that this user has now, of the secure user id the enrollments belong to; tokens from the
future are refused.

Where `allow_unbound` is set, a user without a PIN may enroll without a token. Whether there is one is Gatekeeper's to
say: otherwise anybody could enroll in the name of a user who has a PIN and nothing enrolled yet. Such enrollments
belong to no secure user id: their matches make no token, and enrollments with and without a PIN never mix.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Annotated, Protocol

from bioguard.errors import InputRefused
from bioguard.records.locks import AttemptOutcome, Lock, LockStatus
from bioguard.records.sensor_props import SensorProps
from bioguard.records.strength import ABILITIES, cleared_with, locked_by
from bioguard.records.tokens import AuthToken, Denial, TokenUnusable
from bioguard.trusted.sensor.challenges import ChallengeTable
from bioguard.trusted.sensor.charges_ahead import ChargesAhead
from bioguard.trusted.sensor.lockout import CLEAR, LockoutPolicy, LockoutState, strictest
from bioguard.trusted.sensor.pins import Pins, check_pin_token
from tee_sim.shared.clock import Clock
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.rng import Rng, nonzero_u64
from tee_sim.shared.schema import Record, UpTo

RESET_TOKEN_AGE_MS = 600_000
"""resetLockout wants a recent token, "minutes, not hours"; AIDL gives no number. As long as a challenge lives."""
_U64 = 0xFFFF_FFFF_FFFF_FFFF


def new_authenticator_id(rng: Rng, old: int) -> int:
    """A random non-zero 64-bit id other than the old one: after an enrollment, and on invalidation.

    The id stands for "this set of enrollments" of one sensor and user. Keys bind to it, so it changes when someone is
    added and stays when someone is removed; random, never a counter, or a removed set could come back under its number
    (`authenticator-id.rules`).
    """
    return nonzero_u64(rng, {old})


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorUserState(Record):
    """What is stored per sensor and user.

    Attributes:
        lockout: failed attempts and lock.
        authenticator_id: 0 before the first enrollment and for sensors that are not Class 3.
        secure_user_id: from the token of the first enrollment; 0 before it.
        features: of a face, the set of numbers of Feature.aidl that are on, each as a bit.
    """

    lockout: LockoutState = CLEAR
    authenticator_id: Annotated[int, UpTo(_U64)] = 0
    secure_user_id: Annotated[int, UpTo(_U64)] = 0
    features: Annotated[int, UpTo(7)] = 0


class SensorStates(Protocol):
    """Durable storage of one state per sensor and user."""

    def load(self, sensor_id: int, user: bytes) -> SensorUserState: ...

    def save(self, sensor_id: int, user: bytes, state: SensorUserState) -> None: ...


class BootTokens(Protocol):
    """The tokens of this boot. Who makes them has the key; the rules here never do."""

    def check(self, data: bytes) -> bool:
        """Whether the MAC of a token is that of this boot."""
        ...

    def make(self, sensor_id: int, user: bytes, challenge: int) -> bytes:
        """The token of a match, with the ids of the stored state of this sensor and user."""
        ...


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that is already counted as failed in storage."""

    sensor_id: int
    user: bytes
    before: LockoutState
    charged: LockoutState


@dataclass(frozen=True, slots=True)
class Settlement:
    """How an attempt ends: what must be stored before it is answered, and the token of a match."""

    state: SensorUserState
    token: AuthToken | None


class SensorAuthorization:
    """The rules for all sensors of a device.

    Args:
        sensors: their properties; ids must differ.
        states: durable storage.
        policy: lockout limits.
        boot_tokens: makes and checks the tokens of this boot.
        pins: which users have a PIN, and which one.
        allow_unbound: whether a user without a PIN may enroll.
        tokens: False for a device for testing, whose matches make no token.
        cascade: whether the lock of a sensor is that of those no stronger as well, and is cleared with them.
    """

    def __init__(
        self,
        sensors: Collection[SensorProps],
        *,
        states: SensorStates,
        policy: LockoutPolicy,
        clock: Clock,
        rng: Rng,
        boot_tokens: BootTokens,
        pins: Pins,
        allow_unbound: bool = False,
        tokens: bool = True,
        cascade: bool = False,
    ) -> None:
        self._sensors = {s.sensor_id: s for s in sensors}
        if len(self._sensors) != len(sensors):
            raise InputRefused("two sensors share an id", hint="number them from 0", code="sensor.props")
        self._states = states
        self._policy = policy
        self._clock = clock
        self._rng = rng
        self._boot_tokens = boot_tokens
        self._pins = pins
        self._allow_unbound = allow_unbound
        self._tokens = tokens
        self._cascade = cascade
        self.ahead = ChargesAhead()
        self._challenges: dict[tuple[int, bytes], ChallengeTable] = {}

    def props(self, sensor_id: int) -> SensorProps:
        """A sensor's properties. Raises InputRefused for an unknown id."""
        try:
            return self._sensors[sensor_id]
        except KeyError:
            hint = f"a device has {', '.join(map(str, sorted(self._sensors)))}"
            raise InputRefused(f"there is no sensor {sensor_id}", hint=hint, code="sensor.unknown") from None

    def generate_challenge(self, sensor_id: int, user: bytes) -> int:
        """A new live challenge of this sensor and user."""
        self.props(sensor_id)
        table = self._challenges.get((sensor_id, user), ChallengeTable())
        self._challenges[sensor_id, user], challenge = table.generate(self._rng, self._clock.boot_ms())
        return challenge

    def revoke_challenge(self, sensor_id: int, user: bytes, challenge: int) -> None:
        """End a challenge; an unknown one is no error."""
        table = self._challenges.get((sensor_id, user), ChallengeTable())
        self._challenges[sensor_id, user] = table.revoke(challenge)

    def forget(self, user: bytes) -> None:
        """A user is erased: no challenge and no charge is for whoever has the id next."""
        self._challenges = {key: table for key, table in self._challenges.items() if key[1] != user}
        for sensor_id in self._sensors:
            self.ahead.forget((sensor_id, user))

    def allow_enrollment(self, sensor_id: int, user: bytes, token: bytes, *, enrollments: int) -> AuthToken | None:
        """Check the token of an enrollment, before any capture. None stands for an unbound enrollment.

        Raises:
            TokenUnusable: with the reason.
        """
        self.props(sensor_id)
        # 1. Without a token: only for a user who has no PIN and never showed one (`enroll.pin-deleted`).
        if not token:
            self._refuse_owned(user)
            return None
        # 2. A token of this user's present PIN. All that is wrong with it is one answer (`enroll.oracle`).
        seen = self._pin_token(user, token)
        # 3. Over a live challenge of this sensor and user: the PIN was shown for this enrollment, not for another user
        #    or sensor, nor before a boot (`challenge.cross-user`, `challenge.cross-sensor`, `challenge.reboot`).
        table = self._challenges.get((sensor_id, user), ChallengeTable())
        if not table.holds(seen.challenge, self._clock.boot_ms()):
            raise TokenUnusable
        # 4. Of the owner of what is enrolled: a PIN that was reset adds nothing to it (`enroll.reset-pin`). Last,
        #    because its answer says more than "token refused", and only the PIN's holder may hear that.
        owner = self._states.load(sensor_id, user).secure_user_id
        if enrollments and owner != seen.user_id:
            raise TokenUnusable(Denial.OTHER_PIN if owner else Denial.WITHOUT_PIN)
        return seen

    def _refuse_owned(self, user: bytes) -> None:
        """Raises TokenUnusable unless this user may enroll without a token."""
        if self._pins(user).has_pin:
            raise TokenUnusable
        # A user who has shown a PIN once is not one without: whoever deletes the PIN gets no enrollment for it.
        owned = any(self._states.load(sensor_id, user).secure_user_id for sensor_id in self._sensors)
        if owned or not self._allow_unbound:
            raise TokenUnusable(Denial.NO_PIN)

    def enrolled(
        self, sensor_id: int, user: bytes, token: AuthToken | None, *, enrollments: int = 0
    ) -> SensorUserState:
        """The state to store with a new enrollment: new authenticator id, owner's secure user id, no lockout change.

        Args:
            enrollments: how many there were before; with the first one no feature is on.
        """
        state = self._states.load(sensor_id, user)
        strong = ABILITIES[self.props(sensor_id).strength].tokens
        return replace(
            state,
            authenticator_id=new_authenticator_id(self._rng, state.authenticator_id) if strong else 0,
            secure_user_id=token.user_id if token else 0,
            features=state.features if enrollments else 0,
        )

    def authenticator_id(self, sensor_id: int, user: bytes, *, enrollments: int) -> int:
        """What may be reported: 0 without enrollments and for every sensor that is not Class 3."""
        stored = self._states.load(sensor_id, user).authenticator_id
        return stored if ABILITIES[self.props(sensor_id).strength].tokens and enrollments else 0

    def invalidate(self, sensor_id: int, user: bytes, *, enrollments: int) -> int:
        """Make keys bound to the present enrollments useless; return what is reported now."""
        state = self._states.load(sensor_id, user)
        if ABILITIES[self.props(sensor_id).strength].tokens and enrollments:
            fresh = new_authenticator_id(self._rng, state.authenticator_id)
            self._states.save(sensor_id, user, replace(state, authenticator_id=fresh))
        return self.authenticator_id(sensor_id, user, enrollments=enrollments)

    def lock_status(self, sensor_id: int, user: bytes) -> LockStatus:
        """The lock that applies: the sensor's own, or with the cascade that of a sensor at least as strong."""
        now_ms = self._clock.boot_ms()
        locking = self.locking(sensor_id)
        return strictest(tuple(self._policy.status(self._observed(o, user, now_ms), now_ms) for o in locking))

    def locking(self, sensor_id: int) -> list[int]:
        """The sensors whose lock applies to this one: itself, and with the cascade every sensor at least as strong."""
        lockers = locked_by(self.props(sensor_id).strength)
        if not self._cascade:
            return [sensor_id]
        return [s.sensor_id for s in self._sensors.values() if s.strength in lockers]

    def _observed(self, sensor_id: int, user: bytes, now_ms: int) -> LockoutState:
        """The lockout as time has made it; a wait that is over, or starts again after a reboot, is stored so."""
        state = self._states.load(sensor_id, user)
        seen = self._policy.observed(state.lockout, now_ms)
        if seen != state.lockout:
            self._states.save(sensor_id, user, replace(state, lockout=seen))
        return seen

    def begin_attempt(self, sensor_id: int, user: bytes) -> Attempt | LockStatus:
        """Count an attempt as failed, durably, before it is compared. A LockStatus means: locked, nothing counted.

        One write, also when a wait is just over: the number of writes must not say so. None if it was charged ahead.
        """
        now_ms = self._clock.boot_ms()
        # 1. Locked, by this sensor or by one that locks it: refused without a count, or asking alone would make a
        #    timed lock permanent.
        states = {other: self._states.load(other, user) for other in self.locking(sensor_id)}
        status = strictest(tuple(self._policy.status(state.lockout, now_ms) for state in states.values()))
        if status.lock is not Lock.NONE:
            return self.lock_status(sensor_id, user)
        # 2. Charged and stored before the caller compares: with the end of the last attempt, or now. The state before
        #    it is kept, to give the charge back after a capture that was no trial (CDD 7.3.10: only a good capture that
        #    does not match is one).
        state = states[sensor_id]
        ahead = self.ahead.take((sensor_id, user), state.lockout)
        if ahead is not None:
            return Attempt(sensor_id, user, ahead.before, ahead.charged)
        charged = self._policy.charge(state.lockout, now_ms)
        self._states.save(sensor_id, user, replace(state, lockout=charged))
        return Attempt(sensor_id, user, state.lockout, charged)

    def settle_attempt(self, attempt: Attempt, outcome: AttemptOutcome, operation_id: int) -> AuthToken | None:
        """End an attempt and store its end."""
        settlement = self.settlement(attempt, outcome, operation_id)
        self._states.save(attempt.sensor_id, attempt.user, settlement.state)
        return settlement.token

    def settlement(self, attempt: Attempt, outcome: AttemptOutcome, operation_id: int) -> Settlement:
        """How an attempt ends; storing it is the caller's. A match on a Class 3 sensor gives the token."""
        state = self._states.load(attempt.sensor_id, attempt.user)
        now_ms = self._clock.boot_ms()
        settled = replace(state, lockout=self._policy.settle(attempt.charged, attempt.before, outcome, now_ms))
        strong = ABILITIES[self.props(attempt.sensor_id).strength].tokens
        # The token names the owner and the set of enrollments that were stored with the last one, and nobody else.
        gives = outcome is AttemptOutcome.MATCH and strong and self._tokens and state.secure_user_id != 0
        if not gives:
            return Settlement(settled, None)
        token = self._boot_tokens.make(attempt.sensor_id, attempt.user, operation_id)
        return Settlement(settled, AuthToken.from_bytes(token))

    def reset_lockout(self, sensor_id: int, user: bytes, token: bytes) -> tuple[int, ...]:
        """Clear the lockout of this sensor, and with the cascade of those no stronger; return the ids of those the PIN
        speaks for.

        Raises:
            TokenUnusable: not a recent token from the PIN of the user the enrollments belong to. No challenge is asked.
        """
        seen = self._owner_token(sensor_id, user, token)
        # This sensor, or with the cascade those no stronger too (framework MultiBiometricLockoutState), as far as they
        # are the same owner's.
        cleared = cleared_with(self.props(sensor_id).strength) if self._cascade else frozenset()
        owned = []
        for other in self._sensors.values():
            state = self._states.load(other.sensor_id, user)
            clears = other.sensor_id == sensor_id or other.strength in cleared
            if not clears or state.secure_user_id != seen.user_id:
                continue
            owned.append(other.sensor_id)
            if state.lockout != CLEAR:
                self._states.save(other.sensor_id, user, replace(state, lockout=CLEAR))
        return tuple(owned)

    def features(self, sensor_id: int, user: bytes) -> tuple[int, ...]:
        """The features that are on, ascending."""
        kept = self._states.load(sensor_id, user).features
        return tuple(number for number in range(kept.bit_length()) if kept >> number & 1)

    def set_feature(self, sensor_id: int, user: bytes, token: bytes, feature: int, *, enabled: bool) -> None:
        """Switch a feature. Raises TokenUnusable as `reset_lockout`."""
        self._owner_token(sensor_id, user, token)
        state, bit = self._states.load(sensor_id, user), 1 << feature
        kept = state.features | bit if enabled else state.features & ~bit
        self._states.save(sensor_id, user, replace(state, features=kept))

    def _owner_token(self, sensor_id: int, user: bytes, token: bytes) -> AuthToken:
        """A recent token of the PIN that the enrollments of this sensor belong to. Raises TokenUnusable."""
        # 1. A token of this user's present PIN: a finger must not end its own lockout (`lockout.biometric-reset`).
        seen = self._pin_token(user, token)
        # 2. Recent, as no challenge ties it to this moment (`lockout.old-token`), and of the owner of the enrollments.
        owner = self._states.load(sensor_id, user).secure_user_id
        if self._clock.boot_ms() - seen.timestamp_ms > RESET_TOKEN_AGE_MS or owner != seen.user_id:
            raise TokenUnusable
        return seen

    def _pin_token(self, user: bytes, data: bytes) -> AuthToken:
        """A token of the PIN that this user has now. Raises TokenUnusable."""
        return check_pin_token(
            data, user=user, check=self._boot_tokens.check, now_ms=self._clock.boot_ms(), pins=self._pins
        )
