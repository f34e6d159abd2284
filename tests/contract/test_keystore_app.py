"""The Keystore application: keys, operations and tokens end to end with Gatekeeper and the biometric application."""

import nacl.signing
import pytest

from bioguard.commands import keystore as k
from bioguard.commands.keystore import KEYSTORE_UUID, Authorizations, KeyAlgorithm, KeyPurpose
from bioguard.commands.status import KeystoreError, ReplyStatus
from bioguard.device.applications import manifests
from bioguard.evidence.attack.kit import Kit, flipped
from bioguard.evidence.attack.target import Target

DENIED = KeystoreError.KEY_USER_NOT_AUTHENTICATED


@pytest.fixture
def kit(fast_pins: None) -> Kit:
    return Kit(Target(manifests()))


def call(kit: Kit, command, request):
    return kit.target.call(KEYSTORE_UUID, command, request)


def test_timeout_key_begins_only_with_a_fresh_token(kit: Kit) -> None:
    person = kit.person()
    key = kit.key(person.secure_user_id, timeout_s=3)
    assert kit.begin(key).error is DENIED
    token = kit.pin_token(person)
    assert kit.begin(key, token).error is KeystoreError.OK
    kit.target.clock.advance(2_999)
    assert kit.begin(key, token).error is KeystoreError.OK
    kit.target.clock.advance(1)
    assert kit.begin(key, token).error is DENIED


def test_per_operation_key_begins_without_and_finishes_with(kit: Kit) -> None:
    person = kit.person(enrolled=True)
    key = kit.key(person.secure_user_id, types=2, timeout_s=None)
    begun = kit.begin(key)
    assert begun.error is KeystoreError.OK
    assert kit.finish(begun.operation).error is DENIED
    begun = kit.begin(key)
    done = kit.finish(begun.operation, kit.match_token(person, begun.operation))
    assert (done.error, len(done.mac)) == (KeystoreError.OK, 32)
    assert kit.finish(begun.operation).error is KeystoreError.INVALID_OPERATION_HANDLE


def test_a_key_bound_to_the_enrollments_dies_with_a_new_one_and_survives_a_deletion(kit: Kit) -> None:
    from bioguard.commands import biometric
    from bioguard.commands.biometric import BIOMETRIC_UUID

    person = kit.person(enrolled=True)
    key = kit.key(kit.authenticator_id(person), types=2)
    assert kit.uses(key, kit.match_token(person))
    token = kit.pin_token(person, kit.challenge(person))
    assert kit.enroll(person, token, face=kit.direction()) is ReplyStatus.OK
    assert not kit.uses(key, kit.match_token(person))

    second = kit.key(kit.authenticator_id(person), types=2)
    page = kit.target.call(BIOMETRIC_UUID, biometric.LIST, biometric.ListRecords(user=person.user))
    kept = kit.authenticate(person, kit.sample(person.face)).record_id
    victim = next(r for r in page.records if r.record_id != kept)
    erase = biometric.Erase(
        user=person.user, record_id=victim.record_id, leave=biometric.EraseAuthorization(token=kit.pin_token(person))
    )
    assert kit.target.call(BIOMETRIC_UUID, biometric.ERASE, erase).status is ReplyStatus.OK
    assert kit.uses(second, kit.match_token(person))


def test_ed25519_signs_with_a_token_and_verifies_without(kit: Kit) -> None:
    person = kit.person()
    auth = Authorizations(secure_ids=(person.secure_user_id,), auth_types=1, timeout_s=60)
    made = call(kit, k.GENERATE_KEY, k.GenerateKey(algorithm=KeyAlgorithm.ED25519, authorizations=auth))
    begun = kit.begin(made.key_id, kit.pin_token(person))
    signature = kit.finish(begun.operation).signature
    nacl.signing.VerifyKey(made.public_key).verify(b"message", signature)

    def verify(signature: bytes) -> KeystoreError:
        begin = k.Begin(key_id=made.key_id, purpose=KeyPurpose.VERIFY)
        operation = call(kit, k.BEGIN, begin).operation
        return call(kit, k.FINISH, k.Finish(operation=operation, message=b"message", signature=signature)).error

    assert verify(signature) is KeystoreError.OK
    assert verify(flipped(signature, 7)) is KeystoreError.VERIFICATION_FAILED
    assert verify(b"short") is KeystoreError.VERIFICATION_FAILED


def test_hmac_verifies_only_with_a_token(kit: Kit) -> None:
    person = kit.person()
    key, token = kit.key(person.secure_user_id), kit.pin_token(person)
    mac = kit.finish(kit.begin(key, token).operation).mac
    assert call(kit, k.BEGIN, k.Begin(key_id=key, purpose=KeyPurpose.VERIFY)).error is DENIED
    begun = call(kit, k.BEGIN, k.Begin(key_id=key, purpose=KeyPurpose.VERIFY, token=token))
    finish = k.Finish(operation=begun.operation, message=b"message", signature=mac)
    assert call(kit, k.FINISH, finish).error is KeystoreError.OK


def test_operations_are_bounded_and_abort_makes_room(kit: Kit) -> None:
    key = call(
        kit,
        k.GENERATE_KEY,
        k.GenerateKey(algorithm=KeyAlgorithm.HMAC_SHA256, authorizations=Authorizations(no_auth_required=True)),
    ).key_id
    handles = [kit.begin(key).operation for _ in range(16)]
    assert kit.begin(key).error is KeystoreError.TOO_MANY_OPERATIONS
    assert call(kit, k.ABORT, k.Abort(operation=handles[0])).error is KeystoreError.OK
    assert call(kit, k.ABORT, k.Abort(operation=handles[0])).error is KeystoreError.INVALID_OPERATION_HANDLE
    assert kit.begin(key).error is KeystoreError.OK


def test_deleted_and_unknown_keys(kit: Kit) -> None:
    key = kit.key(1)
    for _ in range(2):
        assert call(kit, k.DELETE_KEY, k.DeleteKey(key_id=key)).error is KeystoreError.OK
    assert kit.begin(key).error is KeystoreError.INVALID_KEY_BLOB


def test_keys_and_tokens_over_restart_and_reboot(kit: Kit) -> None:
    person = kit.person(enrolled=True)
    key, token = kit.key(person.secure_user_id), kit.match_token(person)
    check = k.CheckToken(token=token)
    kit.target.restart()
    assert kit.uses(key, token)
    assert call(kit, k.CHECK_TOKEN, check).error is KeystoreError.OK
    kit.target.reboot()
    kit.target.clock.advance(1)
    assert call(kit, k.CHECK_TOKEN, check).error is KeystoreError.VERIFICATION_FAILED
    assert not kit.uses(key, token)
    assert kit.uses(key, kit.match_token(person))
