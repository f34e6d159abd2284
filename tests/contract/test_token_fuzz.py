"""Every single-bit change of a valid token, at each of its three consumers: 552 x 3 refusals by the applications."""

import pytest

from bioguard.commands import biometric
from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.status import ReplyStatus
from bioguard.device.applications import manifests
from bioguard.evidence.attack.kit import Kit, flipped
from bioguard.evidence.attack.target import Target

BITS = 8 * 69


@pytest.fixture
def kit(fast_pins: None) -> Kit:
    return Kit(Target(manifests()))


def test_a_removed_user_leaves_no_sensor_state(kit: Kit) -> None:
    person = kit.person(enrolled=True)
    objects = kit.target.disk.objects[BIOMETRIC_UUID.bytes]
    assert [i for i in objects if i.startswith(b"S") and i.endswith(person.user)]
    kit.target.call(
        BIOMETRIC_UUID,
        biometric.REMOVE_USER,
        biometric.RemoveUser(user=person.user, leave=biometric.EraseAuthorization(by_operator=True)),
    )
    objects = kit.target.disk.objects[BIOMETRIC_UUID.bytes]
    assert [i for i in objects if i.startswith(b"S") and i.endswith(person.user)] == []


def test_keystore_refuses_all_552_and_takes_the_good_one(kit: Kit) -> None:
    person = kit.person(enrolled=True)
    key, token = kit.key(person.secure_user_id), kit.match_token(person)
    assert [bit for bit in range(BITS) if kit.uses(key, flipped(token, bit))] == []
    assert kit.uses(key, token)


def test_enrollment_refuses_all_552_and_takes_the_good_one(kit: Kit) -> None:
    person = kit.person()
    token = kit.pin_token(person, kit.challenge(person))
    answers = {kit.enroll(person, flipped(token, bit)) for bit in range(BITS)}
    assert answers == {ReplyStatus.TOKEN_REFUSED}
    assert kit.enroll(person, token) is ReplyStatus.OK


def test_lockout_reset_refuses_all_552_and_takes_the_good_one(kit: Kit) -> None:
    person = kit.person(enrolled=True)
    for _ in range(5):
        kit.authenticate(person, kit.sample(kit.direction()))
    token = kit.pin_token(person)
    assert kit.locked(person)
    assert [bit for bit in range(BITS) if kit.reset_lockout(person, flipped(token, bit))] == []
    assert kit.locked(person)
    assert kit.reset_lockout(person, token)
    assert not kit.locked(person)
