"""Keystore with one bug each. Every class says which attack must find it."""

import logging
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from bioguard.commands import keystore as commands
from bioguard.commands.keystore import Authorizations
from bioguard.commands.status import KeystoreError
from bioguard.records.tokens import AuthToken
from bioguard.trusted.keystore.app import KeystoreApp
from tee_sim.shared.codec import decode
from tee_sim.shared.errors import TeeError
from tee_sim.shared.params import Param
from tee_sim.shared.schema import AtMost, Fixed, Record
from tee_sim.shared.ta_api import Command
from tests.evidence.attack.vulnerable import token_key


def key_of(app) -> bytes:
    return token_key(app._env.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignTest(Record):
    token: Annotated[bytes, AtMost(69)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed(Record):
    token: Annotated[bytes, Fixed(69)]


class SigningOracle(KeystoreApp):
    """A factory test command that was left in signs what it is given (the bug of path 1)."""

    FINDS = ("token.oracle",)

    def create(self, env) -> None:
        super().create(env)
        self.handle(Command(93, SignTest, Signed), self._sign)

    def _sign(self, _session, request):
        token = AuthToken.from_bytes(request.token.ljust(69, b"\0"))
        fields = {f: getattr(token, f) for f in AuthToken.__slots__ if f != "mac"}
        return Signed(token=AuthToken.sign(key_of(self), **fields).to_bytes())


class IgnoresType(KeystoreApp):
    """Takes any valid token, whatever made it (path 2)."""

    FINDS = ("token.type-for-pin", "token.type-for-biometric")

    def _allowed(self, key, token, *, operation):
        loose = replace(key.authorizations, auth_types=0xFFFF_FFFF)
        return super()._allowed(replace(key, authorizations=loose), token, operation=operation)


class PrintsKey(KeystoreApp):
    """Prints the key byte by byte when a check fails (path 3)."""

    FINDS = ("token.key-in-logs",)

    def _allowed(self, key, token, *, operation):
        error = super()._allowed(key, token, operation=operation)
        if error is not KeystoreError.OK:
            for i, byte in enumerate(key_of(self)):
                print(f"hmac key[{i}] = 0x{byte:02x}")  # noqa: T201
        return error


class LogsKey(KeystoreApp):
    """Logs the key in hexadecimal when a check fails (path 3)."""

    FINDS = ("token.key-in-logs",)

    def _check_token(self, session, request):
        reply = super()._check_token(session, request)
        if reply.error is not KeystoreError.OK:
            logging.getLogger("keystore").debug("mac mismatch, key %s", key_of(self).hex())
        return reply


class LeaksMemory(KeystoreApp):
    """A fragment command believes the caller's length (path 4)."""

    FINDS = ("token.length",)

    def invoke(self, session, command, params):
        if command != 77:
            return super().invoke(session, command, params)
        memory = b"fragment buffer".ljust(64, b"\0") + key_of(self)
        try:
            offset, length = decode(params[0].buffer)
        except (TeeError, TypeError, ValueError):
            offset, length = 0, 0
        return (params[0], params[1].filled(memory[offset : offset + length]), Param.none(), Param.none())


class DiesOnGarbage(KeystoreApp):
    """Indexes into a message before looking at it."""

    FINDS = ("channel.malformed",)

    def invoke(self, session, command, params):
        params[0].buffer[1]
        return super().invoke(session, command, params)


class _LooseToken(KeystoreApp):
    def repair(self, token: bytes) -> bytes:
        """What each variant forgives; this base forgives nothing."""
        return token

    def _allowed(self, key, token, *, operation):
        return super()._allowed(key, self.repair(token), operation=operation)


class ShortMac(_LooseToken):
    """Compares four bytes of the MAC."""

    FINDS = ("token.bit-flip-keystore",)

    def repair(self, token):
        if len(token) != 69:
            return token
        good = AuthToken.from_bytes(b"\0" + token[1:])
        fields = {f: getattr(good, f) for f in AuthToken.__slots__ if f != "mac"}
        real = AuthToken.sign(key_of(self), **fields).to_bytes()
        return real if token[:1] == b"\0" and token[37:41] == real[37:41] else token


class NoLength(_LooseToken):
    """Reads the first 69 bytes of whatever comes."""

    FINDS = ("token.truncated-keystore",)

    def repair(self, token):
        return token[:69]


class ZeroMac(_LooseToken):
    """Takes an all-zero MAC, as the soft Gatekeeper writes it."""

    FINDS = ("token.unsigned-keystore",)

    def repair(self, token):
        if len(token) != 69 or token[37:] != bytes(32) or token[0]:
            return token
        good = AuthToken.from_bytes(token)
        fields = {f: getattr(good, f) for f in AuthToken.__slots__ if f != "mac"}
        return AuthToken.sign(key_of(self), **fields).to_bytes()


class NoTokenNeeded(KeystoreApp):
    """Treats a missing token as permission."""

    FINDS = ("key.no-token",)

    def _allowed(self, key, token, *, operation):
        return super()._allowed(key, token, operation=operation) if token else KeystoreError.OK


class AnyUser(KeystoreApp):
    """Does not look at secure ids."""

    FINDS = ("key.other-user",)

    def _allowed(self, key, token, *, operation):
        ids = (AuthToken.from_bytes(token).user_id,) if len(token) == 69 and token[0] == 0 else (1,)
        loose = replace(key.authorizations, secure_ids=ids)
        return super()._allowed(replace(key, authorizations=loose), token, operation=operation)


class NeverExpires(KeystoreApp):
    """Forgets the timeout, as the soft Keymaster does."""

    FINDS = ("key.expired",)

    def _allowed(self, key, token, *, operation):
        if key.authorizations.timeout_s:
            key = replace(key, authorizations=replace(key.authorizations, timeout_s=1_000_000))
        return super()._allowed(key, token, operation=operation)


class AnyChallenge(KeystoreApp):
    """Does not compare the challenge with the operation."""

    FINDS = ("key.challenge", "key.replay")

    def _allowed(self, key, token, *, operation):
        return super()._allowed(key, token, operation=None)


class KeepsOperations(KeystoreApp):
    """An operation can be finished again and again."""

    FINDS = ("key.replay",)

    def _finish(self, session, request):
        operation = self._operations.get(request.operation)
        reply = super()._finish(session, request)
        if operation is not None:
            self._operations[request.operation] = operation
        return reply


class CountsOperations(KeystoreApp):
    """Operation handles count up."""

    FINDS = ("key.predictable",)
    count = 0

    def _begin(self, session, request):
        reply = super()._begin(session, request)
        self.count += 1
        if reply.operation:
            self._operations[self.count] = self._operations.pop(reply.operation)
        return replace(reply, operation=self.count)


class SharedOperations(KeystoreApp):
    """Any session may finish any operation."""

    FINDS = ("key.session",)

    def _finish(self, session, request):
        operation = self._operations.get(request.operation)
        return super()._finish(operation.session if operation else session, request)


class AcceptsBoth(KeystoreApp):
    """Makes keys that are bound and open at once."""

    FINDS = ("key.open-and-bound",)

    def _generate(self, session, request):
        auth = request.authorizations
        if auth.no_auth_required and auth.secure_ids:
            request = replace(request, authorizations=replace(auth, secure_ids=()))
        return super()._generate(session, request)


class BoundToNobody(KeystoreApp):
    """Binds a key to id 0 and finds it in every Gatekeeper token."""

    FINDS = ("key.nobody",)

    def _generate(self, session, request):
        if request.authorizations.secure_ids == (0,):
            open_key = Authorizations(no_auth_required=True)
            request = commands.GenerateKey(algorithm=request.algorithm, authorizations=open_key)
        return super()._generate(session, request)


class FirstTokenForever(KeystoreApp):
    """Remembers tokens it has seen good, over a reboot too."""

    FINDS = ("token.replay-boot",)
    seen: ClassVar[set[bytes]] = set()

    def _begin(self, session, request):
        reply = super()._begin(session, request)
        if reply.error is KeystoreError.OK:
            self.seen.add(request.token)
        return reply

    def _allowed(self, key, token, *, operation):
        return KeystoreError.OK if token in self.seen else super()._allowed(key, token, operation=operation)


VARIANTS = [c for c in list(globals().values()) if isinstance(c, type) and "FINDS" in vars(c)]
