"""Whose leave an erasure needs, what the log tells of it, and the receipt, on a real device."""

from pathlib import Path

import pytest

from bioguard.commands.biometric import EraseAuthorization
from bioguard.device import Device
from bioguard.device.consent import attest, grant, mark_underage, signed_log
from bioguard.device.pins import enrollment_token, set_pin, verify_pin
from bioguard.device.receipts import erasure_receipt
from bioguard.errors import BioguardError, IntegrityFailure
from bioguard.log.erasure_receipt import ErasureReceipt
from bioguard.log.store_copy import check_image
from bioguard.records.audit_events import Cause, Event
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from bioguard.simulate.people import face_views, finger_impressions
from tests.device.conftest import PEOPLE

PIN, OTHER_PIN = b"2580", b"1379"
BY_OPERATOR = EraseAuthorization(by_operator=True)


def _record(device: Device, name: str) -> str:
    return next(device.records(name)).record_id


def _refusal(device: Device, name: str, leave: EraseAuthorization) -> str:
    before = list(device.records())
    with pytest.raises(BioguardError) as caught:
        device.erase(name, _record(device, name), leave)
    with pytest.raises(BioguardError) as removal:
        device.remove_user(name, leave)
    assert removal.value.code == caught.value.code
    assert list(device.records()) == before
    return caught.value.code


def _causes(device: Device) -> list[Cause | None]:
    return [i.entry.cause for i in signed_log(device).items if i.entry and i.entry.event is Event.RECORD_ERASED]


@pytest.fixture
def with_pins(directory: Path):  # type: ignore[no-untyped-def]
    """alice consented with her PIN; bob only enrolled with his; carol has none."""
    with Device.init(directory, require_pin=False) as device:
        for person, (name, pin) in enumerate((("alice", PIN), ("bob", OTHER_PIN), ("carol", b""))):
            device.add_user(name)
            if pin:
                set_pin(device, name, pin)
            token = verify_pin(device, name, pin) if name == "alice" else b""
            grant(device, name, Modality.FACE, Purpose.UNLOCK, of_age=True, token=token)
            permit = enrollment_token(device, name, Modality.FACE, pin) if pin else b""
            device.enroll(name, face_views(1, person=person, count=3), token=permit)
        yield device


def test_a_person_with_a_pin_is_erased_with_it_or_by_the_operator_who_is_logged(with_pins: Device) -> None:
    device = with_pins
    of_bob = EraseAuthorization(token=verify_pin(device, "bob", OTHER_PIN))
    for name in ("alice", "bob"):
        assert _refusal(device, name, EraseAuthorization()) == "token.refused"
        assert _refusal(device, name, EraseAuthorization(token=b"x" * 69)) == "token.refused"
    assert _refusal(device, "alice", of_bob) == "token.refused"
    device.erase("bob", _record(device, "bob"), of_bob)
    device.erase("carol", _record(device, "carol"))
    device.remove_user("alice", BY_OPERATOR)
    assert _causes(device) == [Cause.REQUESTED, Cause.REQUESTED, Cause.BY_OPERATOR]
    assert device.users() == ["bob", "carol"]


def test_after_a_reset_of_the_pin_only_the_operator_can_erase(with_pins: Device) -> None:
    device = with_pins
    set_pin(device, "bob", b"0000")
    assert _refusal(device, "bob", EraseAuthorization(token=verify_pin(device, "bob", b"0000"))) == "pin.not_owner"
    device.erase("bob", _record(device, "bob"), BY_OPERATOR)
    assert not list(device.records("bob"))


def test_a_pin_whose_records_are_gone_owns_nothing_any_more(with_pins: Device) -> None:
    """A finger of the old PIN was erased; the face that the new one enrolled is the new one's to erase."""
    device = with_pins
    device.add_user("dave")
    for modality in Modality:
        grant(device, "dave", modality, Purpose.UNLOCK, of_age=True)
    set_pin(device, "dave", PIN)
    permit = enrollment_token(device, "dave", Modality.FINGERPRINT, PIN)
    device.enroll("dave", finger_impressions(1, person=4, count=3), finger="right-index", token=permit)
    set_pin(device, "dave", OTHER_PIN)
    device.erase("dave", _record(device, "dave"), BY_OPERATOR)
    permit = enrollment_token(device, "dave", Modality.FACE, OTHER_PIN)
    device.enroll("dave", face_views(1, person=4, count=3), token=permit)
    device.erase("dave", _record(device, "dave"), EraseAuthorization(token=verify_pin(device, "dave", OTHER_PIN)))
    assert not list(device.records("dave"))


def test_a_receipt_for_several_people_holds_against_the_store_and_outlives_the_next_change(populated: Device) -> None:
    device, erased = populated, list[str]()
    for name in PEOPLE:
        erased.append(device.erase(name, _record(device, name)))
    receipt = erasure_receipt(device, erased)
    head = receipt.verify(signed_log(device).key)
    left = len(list(device.records()))
    assert (head.size, len(receipt.erasures)) == (left + 2, 2) == (4, 2)
    store = device.directory / "storage.db"
    assert check_image(store, ErasureReceipt.parse(receipt.to_text()), head) == store.stat().st_size
    mark_underage(device, "alice")
    with pytest.raises(IntegrityFailure, match="of another moment"):
        check_image(store, receipt, head)
    assert receipt.verify() == head
    later = erasure_receipt(device, erased)
    assert later.verify().size == 3
    assert check_image(store, later, later.verify()) > 0


def test_no_receipt_for_what_is_there(populated: Device) -> None:
    there = next(populated.records("alice")).digest
    for digest, code in ((there, "receipt.none"), ("00" * 32, "receipt.none"), ("zz", "receipt.digest")):
        with pytest.raises(BioguardError) as caught:
            erasure_receipt(populated, [digest])
        assert caught.value.code == code


def test_the_secure_world_attests_what_it_is_not_what_it_is_told(populated: Device) -> None:
    """The token is put together from what the launcher saw; with another measurement it does not verify."""
    nonce = bytes(32)
    assert attest(populated, nonce)
    seen = dict(populated.running.measurements)
    populated.running.measurements["biometric"] = "00" * 32
    with pytest.raises(IntegrityFailure, match="signature"):
        attest(populated, nonce)
    populated.running.measurements.update(seen)
    assert attest(populated, nonce)
