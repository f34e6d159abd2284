"""The biometric application with one bug each. Every class says which attack must find it."""

from dataclasses import replace
from random import Random
from typing import ClassVar

from bioguard.commands.gatekeeper import PinHeld
from bioguard.commands.status import GatekeeperStatus, ReplyStatus
from bioguard.errors import InputRefused
from bioguard.records import FaceEmbedding
from bioguard.records.locks import AttemptOutcome, Lock, LockStatus
from bioguard.records.tokens import AuthToken, TokenUnusable, verified_token
from bioguard.trusted.biometric.app import BiometricApp
from bioguard.trusted.biometric.samples import decode
from bioguard.trusted.refusal import Refused
from bioguard.trusted.sensor import authorization
from bioguard.trusted.sensor.authorization import Attempt, SensorAuthorization
from bioguard.trusted.sensor.challenges import ChallengeTable
from bioguard.trusted.sensor.lockout import ANDROID_11, CLEAR
from tests.evidence.attack.vulnerable import token_key


class Buggy(BiometricApp):
    """Puts a buggy authority into the application."""

    AUTHORITY: type[SensorAuthorization] = SensorAuthorization

    def create(self, env) -> None:
        super().create(env)
        self.plant()

    def _configure(self, request):
        reply = super()._configure(request)
        self.plant()
        return reply

    def plant(self) -> None:
        """Put the bug in: at a start, and when the device has been configured."""
        self._sensors.authority.__class__ = self.AUTHORITY


class TokenForEverybody(Buggy):
    """Makes the token before the comparison (path 2)."""

    FINDS = ("token.no-match",)

    def _authenticate(self, request):
        reply = super()._authenticate(request)
        attempt = Attempt(request.sensor, request.user, CLEAR, CLEAR)
        made = self._sensors.settle(attempt, AttemptOutcome.MATCH, request.operation_id, near=(), strong=None)
        return replace(reply, token=reply.token or made)


class ScoreInReply(Buggy):
    """Tells how near a miss was, in a field that is free then."""

    FINDS = ("match.hill-climbing",)

    def _authenticate(self, request):
        reply = super()._authenticate(request)
        if reply.match or reply.status is not ReplyStatus.OK:
            return reply
        ref = self._vault.user(request.user).records[0]
        probe = decode(request.sample).vector
        views = [FaceEmbedding.from_bytes(v).vector for v in self._vault.open_record(ref.record_id)[1].views]
        near = max(float(probe @ view) for view in views)
        return replace(reply, record_id=int(1e6 * (1 + near)).to_bytes(16, "big"))


class _AnyMac(SensorAuthorization):
    def _pin_token(self, user, data):
        self._boot_tokens.check(data)  # and does not look at the answer
        try:
            return AuthToken.from_bytes(data)
        except InputRefused:
            raise TokenUnusable from None


class OnlyNotEmpty(Buggy):
    """Checks that a MAC is there, as the virtual HALs do."""

    FINDS = ("token.bit-flip-lockout", "token.unsigned-lockout")
    CONTAINED = ("token.unsigned-enrollment",)
    AUTHORITY = _AnyMac


class _AnyLength(SensorAuthorization):
    def _pin_token(self, user, data):
        return super()._pin_token(user, data[:69])


class LongTokens(Buggy):
    """Reads the first 69 bytes of whatever comes."""

    FINDS = ("token.truncated-enrollment", "token.truncated-lockout")
    AUTHORITY = _AnyLength


class _ShortMac(SensorAuthorization):
    def _pin_token(self, user, data):
        if len(data) == 69 and data[0] == 0:
            fields = {f: getattr(AuthToken.from_bytes(data), f) for f in AuthToken.__slots__ if f != "mac"}
            real = AuthToken.sign(token_key(self._boot_tokens.keys), **fields).to_bytes()
            data = real if data[37:41] == real[37:41] else data
        return super()._pin_token(user, data)


class FourBytes(Buggy):
    """Compares four bytes of the MAC."""

    FINDS = ("token.bit-flip-enrollment", "token.bit-flip-lockout")
    AUTHORITY = _ShortMac


class _OneTable(SensorAuthorization):
    def generate_challenge(self, sensor_id, user):
        return super().generate_challenge(0, b"")

    def allow_enrollment(self, sensor_id, user, token, *, enrollments):
        self._challenges[sensor_id, user] = self._challenges.get((0, b""), ChallengeTable())
        return super().allow_enrollment(sensor_id, user, token, enrollments=enrollments)


class GlobalChallenges(Buggy):
    """One global list of challenges, as the virtual HALs have."""

    FINDS = ("challenge.cross-user", "challenge.cross-sensor")
    AUTHORITY = _OneTable


class _AnyChallenge(SensorAuthorization):
    def allow_enrollment(self, sensor_id, user, token, *, enrollments):
        seen = self._pin_token(user, token)
        owner = self._states.load(sensor_id, user).secure_user_id
        if enrollments and owner != seen.user_id:
            raise TokenUnusable
        return seen


class NoChallenge(Buggy):
    """Does not look at the challenge."""

    FINDS = ("challenge.unknown", "challenge.revoked", "challenge.stale", "challenge.reboot", "challenge.cross-user")
    AUTHORITY = _AnyChallenge


class _NoRevoke(SensorAuthorization):
    def revoke_challenge(self, sensor_id, user, challenge):
        pass


class RevokeDoesNothing(Buggy):
    """Revoking only calls back."""

    FINDS = ("challenge.revoked",)
    AUTHORITY = _NoRevoke


class _Eternal(SensorAuthorization):
    kept: ClassVar[dict] = {}

    def generate_challenge(self, sensor_id, user):
        challenge = super().generate_challenge(sensor_id, user)
        self.kept.setdefault((sensor_id, user), set()).add(challenge)
        return challenge

    def allow_enrollment(self, sensor_id, user, token, *, enrollments):
        live = tuple((c, self._clock.boot_ms()) for c in self.kept.get((sensor_id, user), ()))
        self._challenges[sensor_id, user] = ChallengeTable(live)
        return super().allow_enrollment(sensor_id, user, token, enrollments=enrollments)


class EternalChallenges(Buggy):
    """Challenges never end, not even with the boot."""

    FINDS = ("challenge.stale", "challenge.reboot")
    AUTHORITY = _Eternal


class _Seeded(SensorAuthorization):
    def generate_challenge(self, sensor_id, user):
        if not hasattr(self, "_twister"):
            self._twister = Random(5489)
        value = self._twister.getrandbits(63) | 1
        self._challenges[sensor_id, user] = ChallengeTable(((value, self._clock.boot_ms()),))
        return value


class DefaultSeed(Buggy):
    """Challenges from a generator with its default seed, as the virtual HALs make them."""

    FINDS = ("challenge.predictable",)
    AUTHORITY = _Seeded


class _Counting(SensorAuthorization):
    def generate_challenge(self, sensor_id, user):
        self._last = getattr(self, "_last", int.from_bytes(self._rng.bytes(8), "little") >> 1) + 1
        self._challenges[sensor_id, user] = ChallengeTable(((self._last, self._clock.boot_ms()),))
        return self._last


class CountingChallenges(Buggy):
    """Challenges count up from a random start."""

    FINDS = ("challenge.predictable",)
    AUTHORITY = _Counting


class _AnyType(SensorAuthorization):
    def _pin_token(self, user, data):
        try:
            return verified_token(data, self._boot_tokens.check, now_ms=self._clock.boot_ms())
        except InputRefused:
            raise TokenUnusable from None


class AnyType(Buggy):
    """Takes every valid token for a PIN's."""

    FINDS = ("enroll.biometric-token", "lockout.biometric-reset")
    AUTHORITY = _AnyType


def _anybody(_user, _secure_user_id=0):
    return PinHeld(status=GatekeeperStatus.OK, has_pin=True, is_current=True)


class _AnyOwner(SensorAuthorization):
    def allow_enrollment(self, sensor_id, user, token, *, enrollments):
        return super().allow_enrollment(sensor_id, user, token, enrollments=0)

    def _pin_token(self, user, data):
        self._pins = _anybody
        return super()._pin_token(user, data)

    def reset_lockout(self, sensor_id, user, token):
        self._pin_token(user, token)
        self._states.save(sensor_id, user, replace(self._states.load(sensor_id, user), lockout=CLEAR))
        return (sensor_id,)


class AnyOwner(Buggy):
    """Does not compare the secure user id with the enrollments' owner."""

    FINDS = ("enroll.other-user", "enroll.reset-pin", "lockout.other-reset", "lockout.old-token")
    AUTHORITY = _AnyOwner


class _Unbound(SensorAuthorization):
    def allow_enrollment(self, sensor_id, user, token, *, enrollments):
        return None if not token else super().allow_enrollment(sensor_id, user, token, enrollments=enrollments)


class TokenOptional(Buggy):
    """A missing token is as good as one."""

    FINDS = ("enroll.no-token",)
    AUTHORITY = _Unbound


class TalkativeRefusals(Buggy):
    """Says which check failed."""

    FINDS = ("enroll.oracle",)

    def _permit(self, request, **enrolled):
        try:
            return super()._permit(request, **enrolled)
        except Refused:
            if len(request.token) == 69 and request.token[37:] == bytes(32):
                raise Refused(ReplyStatus.BAD_REQUEST) from None
            raise


class NoLimit(Buggy):
    """Never full."""

    FINDS = ("enroll.limit",)

    def plant(self) -> None:
        super().plant()
        self._vault.room_for = lambda *args, **kwargs: None


class _CountingId(SensorAuthorization):
    def enrolled(self, sensor_id, user, token, **more):
        state = super().enrolled(sensor_id, user, token, **more)
        return replace(state, authenticator_id=self._states.load(sensor_id, user).authenticator_id + 1)


class CountingIds(Buggy):
    """The authenticator id counts up, as in the virtual HALs."""

    FINDS = ()
    CONTAINED = ("authenticator-id.rules",)
    AUTHORITY = _CountingId


class _KeptId(SensorAuthorization):
    def enrolled(self, sensor_id, user, token, **more):
        state, old = super().enrolled(sensor_id, user, token, **more), self._states.load(sensor_id, user)
        return replace(state, authenticator_id=old.authenticator_id or state.authenticator_id)


class KeptIds(Buggy):
    """The authenticator id stays when somebody is added."""

    FINDS = ("authenticator-id.rules",)
    AUTHORITY = _KeptId


class _SameId(SensorAuthorization):
    def enrolled(self, sensor_id, user, token, **more):
        old = self._states.load(sensor_id, user).authenticator_id
        state = super().enrolled(sensor_id, user, token, **more)
        return replace(state, authenticator_id=old or state.authenticator_id)


class SameId(Buggy):
    """The authenticator id does not change with an enrollment."""

    FINDS = ("authenticator-id.rules", "authenticator-id.key-survives")
    AUTHORITY = _SameId


class _Unlimited(SensorAuthorization):
    def begin_attempt(self, sensor_id, user):
        return Attempt(sensor_id, user, CLEAR, CLEAR)


class NoLockout(Buggy):
    """Does not count."""

    FINDS = ("lockout.none", "lockout.while-locked", "lockout.never-permanent", "lockout.restart", "lockout.reboot")
    AUTHORITY = _Unlimited


class TimedOnly(Buggy):
    """Never needs the PIN."""

    FINDS = ("lockout.never-permanent",)

    def plant(self) -> None:
        super().plant()
        self._sensors.authority._policy = ANDROID_11


class _AnswersLocked(SensorAuthorization):
    def begin_attempt(self, sensor_id, user):
        attempt = super().begin_attempt(sensor_id, user)
        state = self._states.load(sensor_id, user).lockout
        return Attempt(sensor_id, user, state, state) if isinstance(attempt, LockStatus) else attempt


class AnswersWhileLocked(Buggy):
    """Compares while locked and only shows the lock."""

    FINDS = ("lockout.while-locked",)
    AUTHORITY = _AnswersLocked


class _Ram:
    def __init__(self, inner) -> None:
        self.inner, self.lockouts = inner, {}

    def load(self, sensor_id, user):
        return replace(self.inner.load(sensor_id, user), lockout=self.lockouts.get((sensor_id, user), CLEAR))

    def save(self, sensor_id, user, state):
        self.lockouts[sensor_id, user] = state.lockout


class RamLockout(Buggy):
    """Counts in memory, as the virtual HALs do."""

    FINDS = ("lockout.restart", "lockout.reboot", "lockout.power-cut")

    def plant(self) -> None:
        super().plant()
        self._sensors.authority._states = _Ram(self._sensors.states)


class _RebootOpens(SensorAuthorization):
    def _observed(self, sensor_id, user, now_ms):
        state = self._states.load(sensor_id, user)
        if state.lockout.lock is Lock.TIMED and now_ms < state.lockout.since_ms:
            return CLEAR
        return super()._observed(sensor_id, user, now_ms)


class RebootOpens(Buggy):
    """Takes a clock that went back for the end of the lock."""

    FINDS = ("lockout.reboot",)
    AUTHORITY = _RebootOpens


class _OneCounter(SensorAuthorization):
    def settlement(self, attempt, outcome, operation_id):
        settlement = super().settlement(attempt, outcome, operation_id)
        for user in self.users:
            if outcome is AttemptOutcome.MATCH:
                state = self._states.load(attempt.sensor_id, user)
                self._states.save(attempt.sensor_id, user, replace(state, lockout=CLEAR))
        self.users.add(attempt.user)
        return settlement


class OneCounter(Buggy):
    """A match clears everybody's failures."""

    FINDS = ("lockout.other-success",)
    AUTHORITY = _OneCounter

    def plant(self) -> None:
        super().plant()
        self._sensors.authority.users = set()


class _NoAge(SensorAuthorization):
    def reset_lockout(self, sensor_id, user, token):
        limit, authorization.RESET_TOKEN_AGE_MS = authorization.RESET_TOKEN_AGE_MS, 1 << 40
        try:
            return super().reset_lockout(sensor_id, user, token)
        finally:
            authorization.RESET_TOKEN_AGE_MS = limit


class OldTokens(Buggy):
    """A PIN token ends a lockout hours later."""

    FINDS = ("lockout.old-token",)
    AUTHORITY = _NoAge


class AnybodyErases(Buggy):
    """Takes whoever asks for the person."""

    FINDS = ("erase.without-pin", "erase.remove-user", "erase.relabel")

    def plant(self) -> None:
        super().plant()
        self._policy.identified = lambda user, *_: self._policy.objects.consent(user)


VARIANTS = [c for c in list(globals().values()) if isinstance(c, type) and "FINDS" in vars(c)]
