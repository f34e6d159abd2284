"""KeyMint's authorization rules (docs/android-contract.md) as pure functions."""

import hmac

import pytest

from bioguard.commands.keystore import Authorizations, KeyAlgorithm, KeyPurpose
from bioguard.commands.status import KeystoreError
from bioguard.device.key_framework import KeyVerdict, binding_ids, key_verdict
from bioguard.errors import NotPermitted
from bioguard.records.tokens import AuthToken
from bioguard.trusted.keystore.rules import AuthMoment, auth_moment, check_authorizations, token_allows

KEY = bytes(range(32))
DENIED = KeystoreError.KEY_USER_NOT_AUTHENTICATED
TIMEOUT = Authorizations(secure_ids=(11, 22), auth_types=3, timeout_s=3)
PER_OP = Authorizations(secure_ids=(11, 22), auth_types=2)


def token(**changes: int) -> bytes:
    fields = {"challenge": 5, "user_id": 11, "authenticator_id": 0, "authenticator_type": 2, "timestamp_ms": 10_000}
    return AuthToken.sign(KEY, **{**fields, **changes}).to_bytes()


def is_genuine(data: bytes) -> bool:
    return hmac.compare_digest(hmac.digest(KEY, data[:37], "sha256"), data[37:])


def allows(auth: Authorizations, data: bytes, *, now: int = 10_000, operation: int | None = None) -> KeystoreError:
    return token_allows(auth, data, is_genuine, now_ms=now, operation=operation)


def test_error_numbers_are_keymints() -> None:
    assert (int(DENIED), int(KeystoreError.INVALID_KEY_BLOB), int(KeystoreError.INVALID_OPERATION_HANDLE)) == (
        -26,
        -33,
        -28,
    )


def test_secure_id_and_no_auth_required_exclude_each_other() -> None:
    assert (
        check_authorizations(Authorizations(secure_ids=(1,), no_auth_required=True)) is KeystoreError.INVALID_KEY_BLOB
    )
    assert check_authorizations(Authorizations()) is KeystoreError.INVALID_KEY_BLOB
    assert check_authorizations(Authorizations(secure_ids=(1,))) is KeystoreError.INVALID_KEY_BLOB
    assert check_authorizations(Authorizations(secure_ids=(0,), auth_types=2)) is KeystoreError.INVALID_KEY_BLOB
    zero = Authorizations(secure_ids=(1,), auth_types=2, timeout_s=0)
    assert check_authorizations(zero) is KeystoreError.INVALID_AUTHORIZATION_TIMEOUT
    assert check_authorizations(Authorizations(no_auth_required=True)) is KeystoreError.OK
    assert check_authorizations(PER_OP) is KeystoreError.OK


def test_public_verify_never_needs_a_token() -> None:
    ed, mac = KeyAlgorithm.ED25519, KeyAlgorithm.HMAC_SHA256
    assert auth_moment(PER_OP, ed, KeyPurpose.VERIFY) is AuthMoment.NEVER
    assert auth_moment(PER_OP, ed, KeyPurpose.SIGN) is AuthMoment.FINISH
    assert auth_moment(PER_OP, mac, KeyPurpose.VERIFY) is AuthMoment.FINISH
    assert auth_moment(TIMEOUT, ed, KeyPurpose.SIGN) is AuthMoment.BEGIN
    assert auth_moment(Authorizations(no_auth_required=True), mac, KeyPurpose.SIGN) is AuthMoment.NEVER


@pytest.mark.parametrize("sid", [{"user_id": 11}, {"user_id": 22}, {"user_id": 9, "authenticator_id": 22}])
def test_any_one_secure_id_by_user_or_authenticator_is_enough(sid: dict[str, int]) -> None:
    assert allows(TIMEOUT, token(**sid)) is KeystoreError.OK


def test_timeout_key() -> None:
    """AuthTest: a 3 s key; right token works, after 4 s it does not."""
    assert allows(TIMEOUT, token(), now=12_999) is KeystoreError.OK
    assert allows(TIMEOUT, token(), now=13_000) is DENIED
    assert allows(TIMEOUT, token(), now=14_000) is DENIED
    assert allows(TIMEOUT, token(), now=9_999) is DENIED


def test_per_operation_key_wants_the_operation_as_challenge() -> None:
    assert allows(PER_OP, token(challenge=5), operation=5) is KeystoreError.OK
    assert allows(PER_OP, token(challenge=6), operation=5) is DENIED
    assert allows(PER_OP, token(challenge=0), operation=5) is DENIED
    assert allows(PER_OP, b"", operation=5) is DENIED


def test_type_mask() -> None:
    """AuthTest: a PASSWORD token on a FINGERPRINT-only key fails; type 2 does not pass for type 1."""
    assert allows(PER_OP, token(authenticator_type=1), operation=5) is DENIED
    pin_only = Authorizations(secure_ids=(11,), auth_types=1, timeout_s=9)
    assert allows(pin_only, token(authenticator_type=2)) is DENIED
    assert allows(pin_only, token(authenticator_type=1)) is KeystoreError.OK
    assert allows(PER_OP, token(authenticator_type=0), operation=5) is DENIED


def test_wrong_ids_never_match_and_zero_is_nobody() -> None:
    assert allows(TIMEOUT, token(user_id=12)) is DENIED
    odd = Authorizations(secure_ids=(0,), auth_types=3, timeout_s=3)
    assert allows(odd, token(user_id=5, authenticator_id=0)) is DENIED


def test_each_flipped_bit_is_minus_26() -> None:
    good = token()
    for bit in range(552):
        changed = bytearray(good)
        changed[bit // 8] ^= 1 << bit % 8
        assert allows(TIMEOUT, bytes(changed)) is DENIED


def test_which_ids_go_into_a_key() -> None:
    ids = {"root_sid": 1, "authenticator_ids": [7, 8]}
    assert binding_ids(**ids, biometric_only=False, invalidated_by_enrollment=True) == (1,)
    assert binding_ids(**ids, biometric_only=True, invalidated_by_enrollment=True) == (7, 8)
    assert binding_ids(**ids, biometric_only=True, invalidated_by_enrollment=False) == (1,)
    with pytest.raises(NotPermitted, match=r"^a key for biometrics only needs an enrollment$"):
        binding_ids(root_sid=1, authenticator_ids=[0, 0], biometric_only=True, invalidated_by_enrollment=True)


@pytest.mark.parametrize(
    ("secure_ids", "current", "verdict"),
    [
        ((1,), [7], KeyVerdict.USABLE),
        ((7, 8), [7, 8], KeyVerdict.USABLE),
        ((7, 8), [7], KeyVerdict.USABLE),
        ((7, 8), [7, 9], KeyVerdict.PERMANENTLY_INVALIDATED),
        ((7,), [9], KeyVerdict.PERMANENTLY_INVALIDATED),
        ((7,), [], KeyVerdict.PERMANENTLY_INVALIDATED),
        ((7,), [0], KeyVerdict.PERMANENTLY_INVALIDATED),
    ],
)
def test_invalidation_verdict(secure_ids: tuple[int, ...], current: list[int], verdict: KeyVerdict) -> None:
    assert key_verdict(secure_ids, root_sid=1, authenticator_ids=current) is verdict
