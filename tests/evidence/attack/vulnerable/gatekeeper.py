"""Gatekeeper with one bug each. Every class says which attack must find it."""

import hmac
from dataclasses import replace

from bioguard.commands.status import GatekeeperStatus
from bioguard.records.password_handle import PasswordHandle
from bioguard.records.tokens import AuthToken
from bioguard.trusted.gatekeeper import app as ours
from bioguard.trusted.gatekeeper.app import GatekeeperApp
from bioguard.trusted.gatekeeper.gatekeeper import Gatekeeper
from bioguard.trusted.gatekeeper.throttle import FailureRecord
from tests.evidence.attack.vulnerable import token_key


class Buggy(GatekeeperApp):
    """Puts a buggy core into the application."""

    CORE: type[Gatekeeper] = Gatekeeper

    def create(self, env) -> None:
        super().create(env)
        self._gatekeeper.__class__ = self.CORE
        self._gatekeeper._env = env


class _RamRecords:
    """Failure counts in memory only: what is stored always says zero."""

    def __init__(self, inner) -> None:
        self.inner, self.counts = inner, {}

    def load(self, user):
        stored = self.inner.load(user)
        return stored and replace(stored, failure=self.counts.get(user, stored.failure))

    def save(self, user, record):
        if self.inner.load(user) is None or record.handle_digest != self.inner.load(user).handle_digest:
            self.inner.save(user, record)
        self.counts[user] = record.failure

    def delete(self, user):
        self.inner.delete(user)


class NoThrottle(Buggy):
    """Never waits."""

    FINDS = ("pin.wait", "pin.restart", "pin.reboot")

    class CORE(Gatekeeper):
        def _check(self, user, handle_bytes, pin, now_ms):
            record = self._records.load(user)
            cleared = FailureRecord(secure_user_id=FailureRecord.from_bytes(record.failure).secure_user_id)
            self._records.save(user, replace(record, failure=cleared.to_bytes()))
            return super()._check(user, handle_bytes, pin, now_ms)


class RamCounter(Buggy):
    """Counts failures in memory."""

    FINDS = ("pin.restart", "pin.reboot")

    def create(self, env) -> None:
        super().create(env)
        self._gatekeeper._records = _RamRecords(self._gatekeeper._records)


class RebootSkipsWait(Buggy):
    """Takes a clock that went back for the end of the wait."""

    FINDS = ("pin.reboot",)

    class CORE(Gatekeeper):
        def _check(self, user, handle_bytes, pin, now_ms):
            record = self._records.load(user)
            failure = FailureRecord.from_bytes(record.failure)
            if now_ms <= failure.last_checked_ms - 1:
                record = replace(record, failure=replace(failure, failures=0).to_bytes())
                self._records.save(user, record)
            return super()._check(user, handle_bytes, pin, now_ms)


class ComparesFirst(Buggy):
    """Answers a wrong PIN before it writes the failure."""

    FINDS = ("pin.power-cut",)

    def _verify(self, session, request):
        try:
            return super()._verify(session, request)
        except Exception:
            return ours.commands.PinVerified(status=GatekeeperStatus.GENERAL_FAILURE)


class CString(Buggy):
    """Takes a PIN for a C string of at most 32 characters."""

    FINDS = ("pin.truncated",)

    class CORE(Gatekeeper):
        def _sign(self, handle, pin):
            return super()._sign(handle, pin.split(b"\0")[0][:32])


class EmptyPin(Buggy):
    """An empty PIN is compared over its own length."""

    FINDS = ("pin.empty",)

    class CORE(Gatekeeper):
        def verify(self, request):
            if request.pin:
                return super().verify(request)
            user_id = PasswordHandle.from_bytes(request.handle).user_id
            token = AuthToken.sign(
                token_key(self._env.keys),
                challenge=0,
                user_id=user_id,
                authenticator_id=0,
                authenticator_type=1,
                timestamp_ms=1,
            )
            return ours.commands.PinVerified(status=GatekeeperStatus.OK, token=token.to_bytes())


class _AnyHandle(Gatekeeper):
    def _check(self, user, handle_bytes, pin, now_ms):
        handle = PasswordHandle.from_bytes(handle_bytes)
        if pin and hmac.compare_digest(handle.signature, self._sign(handle, pin)):
            return handle.user_id
        return super()._check(user, handle_bytes, pin, now_ms)


class OldHandle(Buggy):
    """Believes every handle this device ever signed, as AOSP's reference does."""

    FINDS = ("pin.rollback", "pin.other-handle")
    CORE = _AnyHandle


class KeepsId(Buggy):
    """A PIN reset keeps the secure user id."""

    FINDS = ("pin.reset-keeps-id",)

    class CORE(Gatekeeper):
        def _secure_user_id(self, request):
            known = self._records.load(request.user)
            if request.current_handle is None and known is not None:
                return FailureRecord.from_bytes(known.failure).secure_user_id
            return super()._secure_user_id(request)


class NoOldPin(Buggy):
    """A trusted change does not check the old PIN."""

    FINDS = ("pin.change-without-old",)

    class CORE(Gatekeeper):
        def _secure_user_id(self, request):
            if request.current_handle is not None:
                return PasswordHandle.from_bytes(request.current_handle).user_id
            return super()._secure_user_id(request)


VARIANTS = [c for c in list(globals().values()) if isinstance(c, type) and "FINDS" in vars(c)]
