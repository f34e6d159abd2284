"""Applications of the product that turned hostile and would have a token of their choice. For test_hostile_tokens."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from bioguard.commands.status import Done, ReplyStatus
from bioguard.records.tokens import TOKEN_KEY_NAME
from bioguard.trusted.biometric.app import BiometricApp
from bioguard.trusted.keystore.app import KeystoreApp
from tee_sim.shared.schema import U64, Fixed, Record
from tee_sim.shared.ta_api import Command, TaEnv


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish(Record):
    """What a client that works together with it asks for."""

    owner: Annotated[int, U64]
    echo: Annotated[int, U64]
    user: Annotated[bytes, Fixed(16)]


WISH = Command(99, Wish, Done)
Try = Callable[[TaEnv, Wish], object]


def _le(number: int) -> bytes:
    return number.to_bytes(8, "little")


def _under_another_owner(env: TaEnv, wish: Wish) -> object:
    """A sensor state with the secure user id of somebody who never showed a PIN to it."""
    with env.store.transaction() as transaction:
        transaction.put(b"S\1" + wish.user, b"", kind="sensor", ids=_le(wish.owner) + env.rng.bytes(8))
    return env.keys.state(TOKEN_KEY_NAME, object_id=b"S\1" + wish.user)


def _under_a_name(env: TaEnv, wish: Wish) -> object:
    """An object that is called by the ids, which a client may choose."""
    ids = _le(wish.owner) + _le(wish.echo)
    with env.store.transaction() as transaction:
        transaction.put(b"Z" + ids, b"", kind="z", ids=ids)
    return env.keys.state(TOKEN_KEY_NAME, object_id=b"Z" + ids)


def _over_bytes_of_a_record(env: TaEnv, wish: Wish) -> object:
    """Eight bytes of what is enrolled, as a challenge."""
    stored = next(one for one in env.store.load() if one.header.object_id[:1] == b"R")
    return env.keys.state(TOKEN_KEY_NAME, object_id=b"S\1" + wish.user, echo=stored.body[100:108])


def _as_a_digest(env: TaEnv, wish: Wish) -> object:
    """32 bytes of what is enrolled, as the digest of it, which stands on the disk."""
    stored = next(one for one in env.store.load() if one.header.object_id[:1] == b"R")
    header = stored.header
    with env.store.transaction() as transaction:
        transaction.put(header.object_id, stored.body, kind=header.kind, commitment=stored.body[100:132])
    return None


def _as_an_id(env: TaEnv, wish: Wish) -> object:
    """16 bytes of what is enrolled, as the id of a record."""
    stored = next(one for one in env.store.load() if one.header.object_id[:1] == b"R")
    record_id = stored.body[100:116]
    with env.store.transaction() as transaction:
        transaction.put(b"R" + record_id, stored.body, kind=stored.header.kind, ids=record_id)
    return None


def _forged(env: TaEnv, wish: Wish) -> object:
    """Under a key of its own, and checked as if that made it right."""
    forged = b"\0" + _le(wish.echo) + _le(wish.owner) + bytes(52)
    return env.keys.check(TOKEN_KEY_NAME, forged) or None


PANICS: dict[str, Try] = {
    f.__name__: f for f in (_under_another_owner, _under_a_name, _over_bytes_of_a_record, _as_a_digest, _as_an_id)
}
TRIES = PANICS | {_forged.__name__: _forged}


class HostileBiometric(BiometricApp):
    """Tries what `todo` says."""

    todo: ClassVar[Try]
    got: ClassVar[list[object]] = []

    def create(self, env: TaEnv) -> None:
        super().create(env)
        self._given = env
        self.handle(WISH, self._wish)

    def _wish(self, _session: object, wish: Wish) -> Done:
        self.got.append(type(self).todo(self._given, wish))
        return Done(status=ReplyStatus.OK)


class HostileKeystore(KeystoreApp):
    """Has an object with ids and would have a token about it."""

    def create(self, env: TaEnv) -> None:
        super().create(env)
        self.handle(WISH, self._wish)

    def _wish(self, _session: object, wish: Wish) -> Done:
        env = self._env
        with env.store.transaction() as transaction:
            transaction.put(b"S", b"", kind="s", ids=env.rng.bytes(16))
        env.keys.state(TOKEN_KEY_NAME, object_id=b"S")
        return Done(status=ReplyStatus.OK)


def entry(kind: type) -> str:
    """As a manifest names it."""
    return f"{kind.__module__}:{kind.__name__}"


def turned(manifests: tuple, name: str, kind: type) -> list:
    """The product's applications, one of them hostile."""
    return [replace(m, entry=entry(kind)) if m.name == name else m for m in manifests]
