"""Decide when a key may be used, by the KeyMint tags USER_SECURE_ID, USER_AUTH_TYPE, AUTH_TIMEOUT, NO_AUTH_REQUIRED.

| key              | token is needed at | and must have                                              |
|------------------|--------------------|------------------------------------------------------------|
| NO_AUTH_REQUIRED | never              |                                                            |
| timeout          | begin              | right MAC, one secure id, a type bit, age below the timeout |
| per operation    | finish             | right MAC, one secure id, a type bit, challenge = operation |

Every mismatch is the same KEY_USER_NOT_AUTHENTICATED (-26): the answer does not say which check failed.
Verifying with a public key never needs a token.
"""

from enum import Enum, unique

from bioguard.commands.keystore import Authorizations, KeyAlgorithm, KeyPurpose
from bioguard.commands.status import KeystoreError
from bioguard.records.tokens import Check, TokenUnusable, verified_token


@unique
class AuthMoment(Enum):
    """When a token is looked at."""

    NEVER = "never"
    BEGIN = "begin"
    FINISH = "finish"


def check_authorizations(auth: Authorizations) -> KeystoreError:
    """Whether a key may be made like this. Both or neither of secure ids and NO_AUTH_REQUIRED is an invalid key."""
    if auth.no_auth_required:
        return KeystoreError.INVALID_KEY_BLOB if auth.secure_ids else KeystoreError.OK
    if not auth.secure_ids or not auth.auth_types or 0 in auth.secure_ids:
        return KeystoreError.INVALID_KEY_BLOB
    return KeystoreError.INVALID_AUTHORIZATION_TIMEOUT if auth.timeout_s == 0 else KeystoreError.OK


def auth_moment(auth: Authorizations, algorithm: KeyAlgorithm, purpose: KeyPurpose) -> AuthMoment:
    """When this use of the key needs a token."""
    if auth.no_auth_required or (algorithm is KeyAlgorithm.ED25519 and purpose is KeyPurpose.VERIFY):
        return AuthMoment.NEVER
    return AuthMoment.FINISH if auth.timeout_s is None else AuthMoment.BEGIN


def token_allows(
    auth: Authorizations, token: bytes, check: Check, *, now_ms: int, operation: int | None
) -> KeystoreError:
    """Check a token for a key: OK or KEY_USER_NOT_AUTHENTICATED.

    Args:
        check: whether a MAC is that of this boot.
        operation: the handle that a per-operation token must carry; None for a timeout key.
    """
    # 1. Of this boot's key and not from the future: before that no field means anything.
    try:
        seen = verified_token(token, check, now_ms=now_ms)
    except TokenUnusable:
        return KeystoreError.KEY_USER_NOT_AUTHENTICATED
    # 2. All the rest at once, and one answer: which of them failed would help whoever tries tokens of others.
    ids = {seen.user_id, seen.authenticator_id} - {0}
    fresh = auth.timeout_s is None or now_ms - seen.timestamp_ms < auth.timeout_s * 1000
    bound = operation is None or seen.challenge == operation
    if fresh and bound and ids & set(auth.secure_ids) and seen.authenticator_type & auth.auth_types:
        return KeystoreError.OK
    return KeystoreError.KEY_USER_NOT_AUTHENTICATED
