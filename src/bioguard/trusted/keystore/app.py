"""Answer the commands of the Keystore TA: sealed keys, a bounded table of operations, the rules of `rules`.

Enforces: a key that is bound to a person is used only with a token that fits it, and never leaves. Does not promise: to
know what is signed: it has no display (Android calls that ConfirmationUI).
"""

import hmac
from typing import Annotated, Any

import nacl.exceptions
import nacl.signing

from bioguard.commands import keystore as commands
from bioguard.commands.keystore import Authorizations, KeyAlgorithm, KeyPurpose
from bioguard.commands.status import KeystoreDone, KeystoreError
from bioguard.records.tokens import TOKEN_KEY_NAME, TokenUnusable, verified_token
from bioguard.trusted.keystore.rules import AuthMoment, auth_moment, check_authorizations, token_allows
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.rng import nonzero_u64
from tee_sim.shared.schema import Fixed, Record
from tee_sim.shared.ta_api import CommandApp, TaEnv, find_record

MAX_OPERATIONS = 16
"""KeyMint asks for at least 15 concurrent operations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredKey(Record):
    algorithm: KeyAlgorithm
    authorizations: Authorizations
    secret: Annotated[bytes, Fixed(32)]


@dataclass(frozen=True, slots=True)
class _Operation:
    session: object
    key_id: bytes
    purpose: KeyPurpose
    moment: AuthMoment


class KeystoreApp(CommandApp):
    """The Keystore trusted application."""

    def create(self, env: TaEnv) -> None:
        """Keys stay in the sealed store; only operations live in memory."""
        self._env = env
        self._operations: dict[int, _Operation] = {}
        self.handle(commands.GENERATE_KEY, self._generate)
        self.handle(commands.BEGIN, self._begin)
        self.handle(commands.FINISH, self._finish)
        self.handle(commands.ABORT, self._abort)
        self.handle(commands.DELETE_KEY, self._delete)
        self.handle(commands.CHECK_TOKEN, self._check_token)

    def close_session(self, session: Any) -> None:
        """Drop the session's operations."""
        self._operations = {k: v for k, v in self._operations.items() if v.session is not session}

    def _generate(self, _session: Any, request: commands.GenerateKey) -> commands.Generated:
        error = check_authorizations(request.authorizations)
        if error is not KeystoreError.OK:
            return commands.Generated(error=error)
        key_id = self._env.rng.bytes(16)
        stored = _StoredKey(
            algorithm=request.algorithm, authorizations=request.authorizations, secret=self._env.rng.bytes(32)
        )
        with self._env.store.transaction() as transaction:
            transaction.put(b"K" + key_id, stored.to_bytes(), kind="key", ids=key_id)
        public = bytes(nacl.signing.SigningKey(stored.secret).verify_key) if _is_public(stored) else None
        return commands.Generated(error=KeystoreError.OK, key_id=key_id, public_key=public)

    def _key(self, key_id: bytes) -> _StoredKey | None:
        return find_record(self._env.store, b"K" + key_id, _StoredKey)

    def _begin(self, session: Any, request: commands.Begin) -> commands.Begun:
        key = self._key(request.key_id)
        if key is None:
            return commands.Begun(error=KeystoreError.INVALID_KEY_BLOB)
        moment = auth_moment(key.authorizations, key.algorithm, request.purpose)
        if moment is AuthMoment.BEGIN:
            error = self._allowed(key, request.token, operation=None)
            if error is not KeystoreError.OK:
                return commands.Begun(error=error)
        if len(self._operations) >= MAX_OPERATIONS:
            return commands.Begun(error=KeystoreError.TOO_MANY_OPERATIONS)
        operation = nonzero_u64(self._env.rng, self._operations)
        self._operations[operation] = _Operation(session, request.key_id, request.purpose, moment)
        return commands.Begun(error=KeystoreError.OK, operation=operation)

    def _finish(self, session: Any, request: commands.Finish) -> commands.Finished:
        operation = self._operations.get(request.operation)
        if operation is None or operation.session is not session:
            return commands.Finished(error=KeystoreError.INVALID_OPERATION_HANDLE)
        del self._operations[request.operation]
        key = self._key(operation.key_id)
        if key is None:
            return commands.Finished(error=KeystoreError.INVALID_KEY_BLOB)
        if operation.moment is AuthMoment.FINISH:
            error = self._allowed(key, request.token, operation=request.operation)
            if error is not KeystoreError.OK:
                return commands.Finished(error=error)
        if operation.purpose is KeyPurpose.VERIFY:
            right = _verified(key, request.message, request.signature)
            return commands.Finished(error=KeystoreError.OK if right else KeystoreError.VERIFICATION_FAILED)
        if _is_public(key):
            signature = nacl.signing.SigningKey(key.secret).sign(request.message).signature
            return commands.Finished(error=KeystoreError.OK, signature=signature)
        return commands.Finished(error=KeystoreError.OK, mac=hmac.digest(key.secret, request.message, "sha256"))

    def _abort(self, session: Any, request: commands.Abort) -> KeystoreDone:
        operation = self._operations.get(request.operation)
        if operation is None or operation.session is not session:
            return KeystoreDone(error=KeystoreError.INVALID_OPERATION_HANDLE)
        del self._operations[request.operation]
        return KeystoreDone(error=KeystoreError.OK)

    def _delete(self, _session: Any, request: commands.DeleteKey) -> KeystoreDone:
        if self._key(request.key_id) is not None:
            with self._env.store.transaction() as transaction:
                transaction.erase(b"K" + request.key_id)
        return KeystoreDone(error=KeystoreError.OK)

    def _check_token(self, _session: Any, request: commands.CheckToken) -> KeystoreDone:
        try:
            verified_token(request.token, self._is_genuine, now_ms=self._env.clock.boot_ms())
        except TokenUnusable:
            return KeystoreDone(error=KeystoreError.VERIFICATION_FAILED)
        return KeystoreDone(error=KeystoreError.OK)

    def _is_genuine(self, token: bytes) -> bool:
        return self._env.keys.check(TOKEN_KEY_NAME, token)

    def _allowed(self, key: _StoredKey, token: bytes, *, operation: int | None) -> KeystoreError:
        return token_allows(
            key.authorizations,
            token,
            self._is_genuine,
            now_ms=self._env.clock.boot_ms(),
            operation=operation,
        )


def _is_public(key: _StoredKey) -> bool:
    return key.algorithm is KeyAlgorithm.ED25519


def _verified(key: _StoredKey, message: bytes, signature: bytes) -> bool:
    if not _is_public(key):
        return hmac.compare_digest(hmac.digest(key.secret, message, "sha256"), signature)
    try:
        nacl.signing.SigningKey(key.secret).verify_key.verify(message, signature)
    except (nacl.exceptions.BadSignatureError, ValueError):
        return False
    return True
