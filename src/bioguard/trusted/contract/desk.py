"""The contract inside the biometric TA: stored states, the authority over both sensors, and its own commands.

The TA asks it at four points: before an enrollment, when an enrollment is stored, before a comparison, after one.
"""

from collections.abc import Callable, Iterator
from typing import Any

from bioguard.commands import sensor as commands
from bioguard.commands.biometric import Modality
from bioguard.commands.configuration import Configuration, LockoutChoice
from bioguard.commands.sensor import LockKind, SensorStatus
from bioguard.records.tokens import TOKEN_KEY_NAME, AuthToken
from bioguard.trusted.contract.authority import Attempt, SensorAuthority, SensorUserState, TokenUnusable
from bioguard.trusted.contract.lockout import ANDROID_11, ANDROID_13, APPLE, LockStatus, Outcome
from bioguard.trusted.contract.pins import GatekeeperPins
from bioguard.trusted.contract.sensors import FACE, FINGERPRINT
from tee_sim.errors import TeeError, TeeResult
from tee_sim.schema import Record
from tee_sim.ta_api import Command, Store, TaEnv, Transaction

__all__ = ["SENSOR_IDS", "ContractDesk", "StoredStates"]

SENSOR_IDS = {Modality.FINGERPRINT: FINGERPRINT.sensor_id, Modality.FACE: FACE.sensor_id}

_POLICIES = {
    LockoutChoice.ANDROID_13: ANDROID_13,
    LockoutChoice.ANDROID_11: ANDROID_11,
    LockoutChoice.APPLE: APPLE,
}

Handler = Callable[[Any], Record]
Change = Callable[[Transaction], None]


class StoredStates:
    """`SensorStates` over the TA's store: object `S` + sensor id + user."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @staticmethod
    def object_id(sensor_id: int, user: bytes) -> bytes:
        """Where the state of one sensor and user is."""
        return b"S" + bytes([sensor_id]) + user

    def load(self, sensor_id: int, user: bytes) -> SensorUserState:
        try:
            return SensorUserState.from_bytes(self._store.get(self.object_id(sensor_id, user)).body)
        except TeeError as error:
            if error.result is not TeeResult.ITEM_NOT_FOUND:
                raise
            return SensorUserState()

    def save(self, sensor_id: int, user: bytes, state: SensorUserState) -> None:
        with self._store.transaction() as transaction:
            self.put(transaction, sensor_id, user, state)

    def put(self, transaction: Transaction, sensor_id: int, user: bytes, state: SensorUserState) -> None:
        """Store a state together with other changes."""
        transaction.put(self.object_id(sensor_id, user), state.to_bytes(), kind="sensor", owner=user)

    def erase(self, transaction: Transaction, user: bytes) -> None:
        """Forget a user on both sensors, together with other changes."""
        for sensor_id in SENSOR_IDS.values():
            if self.load(sensor_id, user) != SensorUserState():
                transaction.erase(self.object_id(sensor_id, user))


class ContractDesk:
    """Rules and commands of the contract for one TA.

    Args:
        enrollments: how many records of a modality a user has; None for an unknown user.
        configuration: which lockout, and whether a PIN is required.
    """

    def __init__(
        self,
        env: TaEnv,
        enrollments: Callable[[bytes, Modality], int | None],
        configuration: Configuration,
    ) -> None:
        self._env = env
        self.states = StoredStates(env.store)
        self._enrollments = enrollments
        self.configure(configuration)

    def configure(self, configuration: Configuration) -> None:
        """Go by this configuration."""
        self.authority = SensorAuthority(
            [FINGERPRINT, FACE],
            states=self.states,
            policy=_POLICIES[configuration.lockout],
            clock=self._env.clock,
            rng=self._env.rng,
            token_key=lambda: self._env.keys.shared(TOKEN_KEY_NAME),
            pins=GatekeeperPins(self._env.peers),
            allow_unbound=not configuration.require_pin,
        )

    def permit(self, user: bytes, modality: Modality, token: bytes, *, enrollments: int) -> AuthToken | None:
        """Authorize an enrollment. Raises TokenUnusable."""
        return self.authority.allow_enrollment(SENSOR_IDS[modality], user, token, enrollments=enrollments)

    def enrolled(self, user: bytes, modality: Modality, permit: AuthToken | None) -> Change:
        """What must be stored together with the new enrollment."""
        sensor_id = SENSOR_IDS[modality]
        state = self.authority.enrolled(sensor_id, user, permit)
        return lambda transaction: self.states.put(transaction, sensor_id, user, state)

    def owner(self, user: bytes) -> int:
        """Secure user id of the PIN that a user's present enrollments were authorized with; 0 if none was."""
        enrolled = (sensor_id for modality, sensor_id in SENSOR_IDS.items() if self._enrollments(user, modality))
        return next(filter(None, (self.states.load(sensor_id, user).secure_user_id for sensor_id in enrolled)), 0)

    def forget(self, user: bytes) -> Change:
        """What must be erased together with a user."""
        return lambda transaction: self.states.erase(transaction, user)

    def begin(self, user: bytes, modality: Modality) -> Attempt | LockStatus:
        """Count an attempt before it is compared."""
        return self.authority.begin_attempt(SENSOR_IDS[modality], user)

    def settle(self, attempt: Attempt, outcome: Outcome, operation_id: int) -> bytes | None:
        """End an attempt; the token of a match."""
        token = self.authority.settle_attempt(attempt, outcome, operation_id)
        return token.to_bytes() if token else None

    def handlers(self) -> Iterator[tuple[Command[Any, Any], Handler]]:
        """The commands to bind."""
        yield commands.GENERATE_CHALLENGE, self._known(commands.Challenge, self._generate)
        yield commands.REVOKE_CHALLENGE, self._known(commands.SensorDone, self._revoke)
        yield commands.GET_AUTHENTICATOR_ID, self._known(commands.AuthenticatorId, self._get_id)
        yield commands.INVALIDATE_AUTHENTICATOR_ID, self._known(commands.AuthenticatorId, self._invalidate)
        yield commands.RESET_LOCKOUT, self._known(commands.SensorDone, self._reset)
        yield commands.LOCK_STATUS, self._known(commands.LockReply, self._status)

    def _known(self, reply: Callable[..., Record], handler: Callable[[Any, int], Record]) -> Handler:
        def answer(request: Any) -> Record:
            count = self._enrollments(request.user, request.modality)
            return reply(status=SensorStatus.UNKNOWN_USER) if count is None else handler(request, count)

        return answer

    def _generate(self, request: commands.SensorRequest, _count: int) -> commands.Challenge:
        challenge = self.authority.generate_challenge(SENSOR_IDS[request.modality], request.user)
        return commands.Challenge(status=SensorStatus.OK, challenge=challenge)

    def _revoke(self, request: commands.RevokeChallenge, _count: int) -> commands.SensorDone:
        self.authority.revoke_challenge(SENSOR_IDS[request.modality], request.user, request.challenge)
        return commands.SensorDone(status=SensorStatus.OK)

    def _get_id(self, request: commands.SensorRequest, count: int) -> commands.AuthenticatorId:
        value = self.authority.authenticator_id(SENSOR_IDS[request.modality], request.user, enrollments=count)
        return commands.AuthenticatorId(status=SensorStatus.OK, authenticator_id=value)

    def _invalidate(self, request: commands.SensorRequest, count: int) -> commands.AuthenticatorId:
        value = self.authority.invalidate(SENSOR_IDS[request.modality], request.user, enrollments=count)
        return commands.AuthenticatorId(status=SensorStatus.OK, authenticator_id=value)

    def _reset(self, request: commands.ResetLockout, _count: int) -> commands.SensorDone:
        try:
            self.authority.reset_lockout(SENSOR_IDS[request.modality], request.user, request.token)
        except TokenUnusable:
            return commands.SensorDone(status=SensorStatus.TOKEN_REFUSED)
        return commands.SensorDone(status=SensorStatus.OK)

    def _status(self, request: commands.SensorRequest, _count: int) -> commands.LockReply:
        status = self.authority.lock_status(SENSOR_IDS[request.modality], request.user)
        return commands.LockReply(
            status=SensorStatus.OK, lock=LockKind(int(status.lock)), remaining_ms=status.remaining_ms
        )
