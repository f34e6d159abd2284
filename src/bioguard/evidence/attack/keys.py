"""Attacks on keys that wait for a token."""

import itertools
from collections.abc import Callable

from bioguard.commands import keystore
from bioguard.commands.keystore import KEYSTORE_UUID, Authorizations, KeyAlgorithm
from bioguard.commands.status import KeystoreError
from bioguard.evidence.attack.kit import Attack, Kit

KEYMINT = "KeyMint, USER_SECURE_ID and AUTH_TIMEOUT"


def no_token(kit: Kit) -> str | None:
    """Use a bound key without a token."""
    victim = kit.person()
    if kit.uses(kit.key(victim.secure_user_id), b""):
        return "a timeout key signs without a token"
    begun = kit.begin(kit.key(victim.secure_user_id, timeout_s=None))
    return "a per-operation key signs without a token" if kit.finish(begun.operation).mac else None


def other_user(kit: Kit) -> str | None:
    """Use the victim's key with the attacker's token."""
    victim, attacker = kit.person(), kit.person()
    return (
        "another user's token releases a key"
        if kit.uses(kit.key(victim.secure_user_id), kit.pin_token(attacker))
        else None
    )


def expired(kit: Kit) -> str | None:
    """Use a three-second key after four seconds."""
    victim = kit.person()
    key, token = kit.key(victim.secure_user_id, timeout_s=3), kit.pin_token(victim)
    kit.target.clock.advance(4_000)
    return "a token is taken after the key's timeout" if kit.uses(key, token) else None


def wrong_challenge(kit: Kit) -> str | None:
    """Finish an operation with a token for another challenge."""
    victim = kit.person()
    key = kit.key(victim.secure_user_id, timeout_s=None)
    for challenge in (0, 4711):
        begun = kit.begin(key)
        if kit.finish(begun.operation, kit.pin_token(victim, challenge)).mac:
            return "a per-operation key takes a token for another challenge"
    return None


def replayed(kit: Kit) -> str | None:
    """Use one per-operation token twice."""
    victim = kit.person()
    key = kit.key(victim.secure_user_id, timeout_s=None)
    first = kit.begin(key)
    token = kit.pin_token(victim, first.operation)
    kit.finish(first.operation, token)
    again = kit.finish(first.operation, token)
    second = kit.finish(kit.begin(key).operation, token)
    return "one token finishes two operations" if again.mac or second.mac else None


def predictable_operation(kit: Kit) -> str | None:
    """Get a token for an operation before it is begun."""
    victim = kit.person()
    key = kit.key(victim.secure_user_id, timeout_s=None)
    handles = [kit.begin(key).operation for _ in range(4)]
    steps = {b - a for a, b in itertools.pairwise(handles)}
    return "operation handles can be predicted" if len(steps) == 1 or max(handles) < 1 << 40 else None


def other_session(kit: Kit) -> str | None:
    """Finish another session's operation."""
    victim = kit.person()
    begun = kit.begin(kit.key(victim.secure_user_id), kit.pin_token(victim))
    request = keystore.Finish(operation=begun.operation, message=b"message")
    stranger = kit.target.session(KEYSTORE_UUID, fresh=True).call(keystore.FINISH, request)
    return "a session finishes another session's operation" if stranger.mac else None


def open_and_bound(kit: Kit) -> str | None:
    """Make a key that is bound and open at once."""
    both = Authorizations(secure_ids=(1,), no_auth_required=True, auth_types=3)
    neither = Authorizations()
    for authorizations in (both, neither):
        request = keystore.GenerateKey(algorithm=KeyAlgorithm.HMAC_SHA256, authorizations=authorizations)
        if kit.target.call(KEYSTORE_UUID, keystore.GENERATE_KEY, request).error is KeystoreError.OK:
            return "a key is made that is bound and open, or neither"
    return None


def nobody(kit: Kit) -> str | None:
    """Use a Gatekeeper token, whose authenticator id is 0, on a key bound to 0."""
    request = keystore.GenerateKey(
        algorithm=KeyAlgorithm.HMAC_SHA256,
        authorizations=Authorizations(secure_ids=(0,), auth_types=3, timeout_s=60),
    )
    made = kit.target.call(KEYSTORE_UUID, keystore.GENERATE_KEY, request)
    if made.key_id is None:
        return None
    return "a key bound to nobody takes anybody's token" if kit.uses(made.key_id, kit.pin_token(kit.person())) else None


_TABLE: tuple[tuple[str, str, Callable[[Kit], str | None]], ...] = (
    ("key.no-token", "use a bound key without a token", no_token),
    ("key.other-user", "use a key with another user's token", other_user),
    ("key.expired", "use a key after its timeout", expired),
    ("key.challenge", "finish an operation with a token for another", wrong_challenge),
    ("key.replay", "finish two operations with one token", replayed),
    ("key.predictable", "predict operation handles", predictable_operation),
    ("key.session", "finish another session's operation", other_session),
    ("key.open-and-bound", "make a key that is bound and open at once", open_and_bound),
    ("key.nobody", "use a key bound to id 0 with any token", nobody),
)
ATTACKS = tuple(Attack(name, title, KEYMINT, play) for name, title, play in _TABLE)
