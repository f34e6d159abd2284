"""Hold the sensor rules against what is stored: who may enroll, which attempt counts, what a match gives.

The TA asks at four points: before an enrollment, when an enrollment is stored, before a comparison, after one. Around
them are the commands of ISession.aidl.

Enforces, in this order for every decision, whatever it comes to (CDD 7.3.10, rate limit; docs/android-contract.md
section 2 and departure 23):
1. The attempt is charged as failed, durably, before anything is compared: a power cut gives no free guess
   (`lockout.power-cut`). Where somebody was here before, that was done with the end of the attempt before this one
   (`bioguard.trusted.sensor.charges_ahead`).
2. Its end, what was learned of each record, the log entry, and the next charge are stored in one transaction over the
   same objects of the same sizes (`disk.watch-decisions`).
3. Only then it is answered: a reply that outran its count would be a question for free.

Does not promise: any limit on who may ask. Locks are per user for 1:1 and per sensor for 1:N, so whoever holds the
device can lock people out of everything but their PIN.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from bioguard.commands import sensor as commands
from bioguard.commands.configuration import Configuration, LockoutChoice
from bioguard.commands.status import Done, ReplyStatus, SensorDone, SensorStatus
from bioguard.records.locks import AttemptOutcome, Lock, LockStatus
from bioguard.records.modality import Modality
from bioguard.records.tokens import AuthToken, TokenUnusable
from bioguard.trusted.biometric.vault import Vault
from bioguard.trusted.refusal import Refused
from bioguard.trusted.sensor.authorization import Attempt, SensorAuthorization
from bioguard.trusted.sensor.exposure import Exposures
from bioguard.trusted.sensor.lockout import ANDROID_11, ANDROID_13, APPLE, CLEAR, LockoutState
from bioguard.trusted.sensor.pins import GatekeeperPins
from bioguard.trusted.sensor.stored_objects import StoredStates, StoredTokens
from bioguard.trusted.sensor.tally import put_tally, read_tally, tally_object
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import Record
from tee_sim.shared.ta_api import Command, TaEnv, Transaction

_POLICIES = {
    LockoutChoice.ANDROID_13: ANDROID_13,
    LockoutChoice.ANDROID_11: ANDROID_11,
    LockoutChoice.APPLE: APPLE,
}

_SEARCHES = b""
"""In place of a user."""
Handler = Callable[[Any], Record]


@dataclass(frozen=True, slots=True)
class Search:
    """A search that is already counted as a miss in storage."""

    sensor_id: int
    before: LockoutState
    charged: LockoutState


class SensorCommands:
    """Rules and commands of the contract for one TA.

    Args:
        vault: who has how many records, and what the device was made as.
    """

    def __init__(self, env: TaEnv, vault: Vault) -> None:
        self._env = env
        self._vault = vault
        self.states = StoredStates(env.store)
        self.configure(vault.configuration)

    def configure(self, configuration: Configuration) -> None:
        """Go by this configuration."""
        self._lockout = _POLICIES[configuration.lockout]
        self.authority = SensorAuthorization(
            configuration.sensor_table,
            states=self.states,
            policy=self._lockout,
            clock=self._env.clock,
            rng=self._env.rng,
            boot_tokens=StoredTokens(self._env.keys),
            pins=GatekeeperPins(self._env.peers),
            allow_unbound=not configuration.require_pin,
            tokens=not configuration.for_testing,
            cascade=configuration.lockout_cascade,
        )

    def permit(self, user: bytes, sensor_id: int, token: bytes, *, enrollments: int) -> AuthToken | None:
        """Authorize an enrollment with a PIN token, or without one. Raises TokenUnusable."""
        return self.authority.allow_enrollment(sensor_id, user, token, enrollments=enrollments)

    def enrolled(self, transaction: Transaction, user: bytes, sensor_id: int, permit: AuthToken | None) -> None:
        """Store, with the new enrollment, the id that stands for it and the PIN that authorized it."""
        before = self._vault.count(user, sensor_id) or 0
        state = self.authority.enrolled(sensor_id, user, permit, enrollments=before)
        self.states.put(transaction, sensor_id, user, state)

    def owner(self, user: bytes) -> int:
        """Secure user id of the PIN that a user's present enrollments were authorized with; 0 if none was."""
        enrolled = (sensor_id for sensor_id in self._ids() if self._vault.count(user, sensor_id))
        return next(filter(None, (self.states.load(sensor_id, user).secure_user_id for sensor_id in enrolled)), 0)

    def _ids(self) -> Iterator[int]:
        return (props.sensor_id for props in self._vault.configuration.sensor_table)

    def objects(self, user: bytes, sensor_id: int) -> list[bytes]:
        """What is read to authorize, count and settle something of this user on this sensor."""
        return [*(self.states.object_id(other, user) for other in self._ids()), tally_object(sensor_id)]

    def begin(self, user: bytes, sensor_id: int) -> Attempt | LockStatus:
        """Count an attempt before it is compared."""
        return self.authority.begin_attempt(sensor_id, user)

    def settle(
        self,
        attempt: Attempt,
        outcome: AttemptOutcome,
        operation_id: int,
        *,
        near: Iterable[bytes],
        strong: bytes | None,
    ) -> bytes | None:
        """End an attempt; the token of a match. near, strong: as in `Exposures.after`."""
        settlement = self.authority.settlement(attempt, outcome, operation_id)
        sensor_id, state = attempt.sensor_id, settlement.state
        key, ahead = (sensor_id, attempt.user), self.authority.ahead
        charge = ahead.next(key, state.lockout, self._lockout, self._env.clock.boot_ms())
        tally = read_tally(self._env.store, sensor_id)
        with self._env.store.transaction() as transaction:
            self.states.put(transaction, *key, replace(state, lockout=charge.charged) if charge else state)
            put_tally(transaction, sensor_id, tally.with_counts(tally.exposures.after(near=near, strong=strong)))
        ahead.stored(key, charge)
        return settlement.token.to_bytes() if settlement.token else None

    def begin_search(self, sensor_id: int) -> Search | LockStatus:
        """Count a search as a miss before it is made. A LockStatus means: locked, nothing counted."""
        now_ms = self._env.clock.boot_ms()
        tally = read_tally(self._env.store, sensor_id)
        if self._lockout.status(tally.search, now_ms).lock is not Lock.NONE:
            return self.search_lock(sensor_id)
        ahead = self.authority.ahead.take((sensor_id, _SEARCHES), tally.search)
        if ahead is not None:
            return Search(sensor_id, ahead.before, ahead.charged)
        charged = self._lockout.charge(tally.search, now_ms)
        with self._env.store.transaction() as transaction:
            put_tally(transaction, sensor_id, replace(tally, search=charged))
        return Search(sensor_id, tally.search, charged)

    def settle_search(
        self, search: Search, *, found: bool, near: Iterable[bytes], strong: bytes | None, beaten: Iterable[bytes]
    ) -> None:
        """End a search. A match gives this search back and clears nothing: whoever is enrolled could else guess on."""
        sensor_id, now_ms = search.sensor_id, self._env.clock.boot_ms()
        tally = read_tally(self._env.store, sensor_id)
        ended = self._lockout.observed(search.before, now_ms) if found else search.charged
        key, ahead = (sensor_id, _SEARCHES), self.authority.ahead
        charge = ahead.next(key, ended, self._lockout, now_ms)
        exposures = tally.exposures.after(near=near, strong=strong, beaten=beaten)
        with self._env.store.transaction() as transaction:
            stored = replace(tally, search=charge.charged if charge else ended)
            put_tally(transaction, sensor_id, stored.with_counts(exposures))
        ahead.stored(key, charge)

    def give_back(self) -> None:
        """At an explicit end: give back the attempts that were charged ahead and not made, in one commit."""
        unused, store = self.authority.ahead.take_all(), self._env.store
        if not unused:
            return
        with store.transaction() as transaction:
            for (sensor_id, user), charge in unused.items():
                tally, state = read_tally(store, sensor_id), self.states.load(sensor_id, user)
                if user == _SEARCHES and tally.search == charge.charged:
                    put_tally(transaction, sensor_id, replace(tally, search=charge.before))
                elif user != _SEARCHES and state.lockout == charge.charged:
                    self.states.put(transaction, sensor_id, user, replace(state, lockout=charge.before))

    def erase(self, transaction: Transaction, user: bytes) -> None:
        """Forget a user, together with other changes."""
        self.states.erase(transaction, user)
        self.authority.forget(user)

    def doubt(self) -> None:
        """A request failed: what is held in memory may not be what is stored, and what is charged counts."""
        self.states.doubt()
        self.authority.ahead.take_all()

    def search_lock(self, sensor_id: int) -> LockStatus:
        """The lock of 1:N on a sensor. A wait that is over, or starts again after a reboot, is stored so."""
        now_ms = self._env.clock.boot_ms()
        tally = read_tally(self._env.store, sensor_id)
        seen = self._lockout.observed(tally.search, now_ms)
        if seen != tally.search:
            with self._env.store.transaction() as transaction:
                put_tally(transaction, sensor_id, replace(tally, search=seen))
        return self._lockout.status(seen, now_ms)

    def exposures(self, sensor_id: int) -> Exposures:
        """How often each record of a sensor came near."""
        return read_tally(self._env.store, sensor_id).exposures

    def barred(self, sensor_id: int) -> frozenset[bytes]:
        """Whom a search must not name: the sensor is locked for them. Stores nothing: it is a look at everybody."""
        now_ms = self._env.clock.boot_ms()
        return self.states.locked(
            self.authority.locking(sensor_id), lambda state: self._lockout.observed(state, now_ms)
        )

    def handlers(self) -> Iterator[tuple[Command[Any, Any], Handler]]:
        """The commands to bind."""
        yield commands.GENERATE_CHALLENGE, self._known(commands.Challenge, self._generate)
        yield commands.REVOKE_CHALLENGE, self._known(SensorDone, self._revoke)
        yield commands.GET_AUTHENTICATOR_ID, self._known(commands.AuthenticatorId, self._get_id)
        yield commands.INVALIDATE_AUTHENTICATOR_ID, self._known(commands.AuthenticatorId, self._invalidate)
        yield commands.RESET_LOCKOUT, self._known(SensorDone, self._reset)
        yield commands.LOCK_STATUS, self._known(commands.LockReply, self._status)
        yield commands.SEARCH_LOCK_STATUS, self._search_status
        yield commands.GET_FEATURES, self._features
        yield commands.SET_FEATURE, self._set_feature

    def _known(self, reply: Callable[..., Record], handler: Callable[[Any, int], Record]) -> Handler:
        def answer(request: Any) -> Record:
            if self._vault.configuration.props(request.sensor) is None:
                return reply(status=SensorStatus.UNKNOWN_SENSOR)
            count = self._vault.count(request.user, request.sensor)
            return reply(status=SensorStatus.UNKNOWN_USER) if count is None else handler(request, count)

        return answer

    def _generate(self, request: commands.SensorRequest, _count: int) -> commands.Challenge:
        challenge = self.authority.generate_challenge(request.sensor, request.user)
        return commands.Challenge(status=SensorStatus.OK, challenge=challenge)

    def _revoke(self, request: commands.RevokeChallenge, _count: int) -> SensorDone:
        self.authority.revoke_challenge(request.sensor, request.user, request.challenge)
        return SensorDone(status=SensorStatus.OK)

    def _get_id(self, request: commands.SensorRequest, count: int) -> commands.AuthenticatorId:
        value = self.authority.authenticator_id(request.sensor, request.user, enrollments=count)
        return commands.AuthenticatorId(status=SensorStatus.OK, authenticator_id=value)

    def _invalidate(self, request: commands.SensorRequest, count: int) -> commands.AuthenticatorId:
        value = self.authority.invalidate(request.sensor, request.user, enrollments=count)
        return commands.AuthenticatorId(status=SensorStatus.OK, authenticator_id=value)

    def _reset(self, request: commands.ResetLockout, _count: int) -> SensorDone:
        try:
            owned = self.authority.reset_lockout(request.sensor, request.user, request.token)
        except TokenUnusable:
            return SensorDone(status=SensorStatus.TOKEN_REFUSED)
        for sensor_id in owned:
            if self._vault.count(request.user, sensor_id):
                self._clear_search(sensor_id)
        return SensorDone(status=SensorStatus.OK)

    def _clear_search(self, sensor_id: int) -> None:
        tally = read_tally(self._env.store, sensor_id)
        if tally.search != CLEAR:
            with self._env.store.transaction() as transaction:
                put_tally(transaction, sensor_id, replace(tally, search=CLEAR))

    def _status(self, request: commands.SensorRequest, _count: int) -> commands.LockReply:
        return _lock_reply(self.authority.lock_status(request.sensor, request.user))

    def _search_status(self, request: commands.SearchRequest) -> commands.LockReply:
        if self._vault.configuration.props(request.sensor) is None:
            return commands.LockReply(status=SensorStatus.UNKNOWN_SENSOR)
        return _lock_reply(self.search_lock(request.sensor))

    def _features(self, request: commands.SensorRequest) -> commands.Features:
        self._require_face(request.sensor, request.user)
        on = self.authority.features(request.sensor, request.user)
        return commands.Features(status=ReplyStatus.OK, features=on)

    def _set_feature(self, request: commands.SetFeature) -> Done:
        self._require_face(request.sensor, request.user)
        try:
            self.authority.set_feature(
                request.sensor, request.user, request.token, request.feature, enabled=request.enabled
            )
        except TokenUnusable:
            raise Refused(ReplyStatus.TOKEN_REFUSED) from None
        return Done(status=ReplyStatus.OK)

    def _require_face(self, sensor_id: int, user: bytes) -> None:
        """Refused UNKNOWN_SENSOR, NO_FEATURE for a sensor of fingers, UNKNOWN_USER, NOT_ENROLLED."""
        if self._vault.sensor(sensor_id).kind is not Modality.FACE:
            raise Refused(ReplyStatus.NO_FEATURE)
        self._vault.require_user(user)
        if not self._vault.count(user, sensor_id):
            raise Refused(ReplyStatus.NOT_ENROLLED)


def _lock_reply(status: LockStatus) -> commands.LockReply:
    return commands.LockReply(status=SensorStatus.OK, lock=status.lock, remaining_ms=status.remaining_ms)
