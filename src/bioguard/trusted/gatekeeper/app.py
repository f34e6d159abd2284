"""Answer the commands of the Gatekeeper TA: the pure `Gatekeeper` over the TA's own storage, keys and clock.

Enforces: every attempt is written where a rollback shows before its PIN is compared (CDD 9.11 C-0-2). Does not promise:
to hold against guesses once the fuses are known; then Argon2id alone stands between the disk and a short PIN.
"""

from typing import Any

import nacl.pwhash

from bioguard.commands import gatekeeper as commands
from bioguard.commands.status import GatekeeperDone, GatekeeperStatus
from bioguard.records.tokens import TOKEN_KEY_NAME
from bioguard.trusted.gatekeeper.gatekeeper import Gatekeeper, PinRecord
from tee_sim.shared.reserve import Reserve
from tee_sim.shared.ta_api import CommandApp, Store, TaEnv, find_record

ARGON2_PASSES = 3
ARGON2_MEMORY_BYTES = 64 * 1024 * 1024
"""RFC 9106 section 4, second recommended choice (t = 3, m = 64 MiB); libsodium has one lane, the RFC four."""


def _argon2id(pin: bytes, salt: bytes) -> bytes:
    return nacl.pwhash.argon2id.kdf(32, pin, salt, opslimit=ARGON2_PASSES, memlimit=ARGON2_MEMORY_BYTES)


def _pin_object(user: bytes) -> bytes:
    return b"P" + user


class _StoredPins:
    """`PinRecords` over the secure store: object `P` + user, whose id is the secure user id, as a token has it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self, user: bytes) -> PinRecord | None:
        return find_record(self._store, _pin_object(user), PinRecord)

    def save(self, user: bytes, record: PinRecord) -> None:
        # Of what is kept for erasures: a person shows the PIN before. Only where it is anchored, or a rollback of the
        # disk would give every attempt back.
        with self._store.transaction(Reserve.ANCHORED) as transaction:
            transaction.put(_pin_object(user), record.to_bytes(), kind="pin", owner=user, ids=record.ids)

    def delete(self, user: bytes) -> None:
        if self.load(user) is not None:
            with self._store.transaction() as transaction:
                transaction.erase(_pin_object(user))


class GatekeeperApp(CommandApp):
    """The Gatekeeper trusted application."""

    def create(self, env: TaEnv) -> None:
        """Derive the password key. The key of tokens is the core's, who makes them."""
        self._keys = env.keys
        self._gatekeeper = Gatekeeper(
            records=_StoredPins(env.store),
            clock=env.clock,
            rng=env.rng,
            salts=env.system_rng,
            password_key=env.keys.derive("pin handle"),
            make_token=self._token,
            stretch=_argon2id,
        )
        self.handle(commands.ENROLL_PIN, self._enroll)
        self.handle(commands.VERIFY_PIN, self._verify)
        self.handle(commands.DELETE_USER, self._delete)
        self.handle(commands.HAS_PIN, self._has_pin)

    def _token(self, user: bytes, challenge: int) -> bytes:
        return self._keys.state(TOKEN_KEY_NAME, object_id=_pin_object(user), echo=challenge.to_bytes(8, "little"))

    def _enroll(self, _session: Any, request: commands.EnrollPin) -> commands.PinEnrolled:
        return self._gatekeeper.enroll(request)

    def _verify(self, _session: Any, request: commands.VerifyPin) -> commands.PinVerified:
        return self._gatekeeper.verify(request)

    def _has_pin(self, _session: Any, request: commands.HasPin) -> commands.PinHeld:
        return self._gatekeeper.has_pin(request)

    def _delete(self, _session: Any, request: commands.DeleteUser) -> GatekeeperDone:
        self._gatekeeper.delete_user(request.user)
        return GatekeeperDone(status=GatekeeperStatus.OK)
