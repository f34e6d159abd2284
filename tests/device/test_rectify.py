"""Corrections: which finger a record is of, and the name of a person."""

import pytest

from bioguard.device import Device
from bioguard.device.consent import grant_all, requests, signed_log
from bioguard.device.pins import enrollment_token, set_pin, verify_pin
from bioguard.device.rectify import relabel, rename
from bioguard.errors import BioguardError
from bioguard.records.audit_events import Cause, Event
from bioguard.records.modality import Modality, Profile
from bioguard.simulate.people import finger_impressions

FINGER = finger_impressions(1, person=0, count=6)
PIN = b"2580"


def _finger(device: Device, name: str):  # type: ignore[no-untyped-def]
    return next(r for r in device.records(name) if r.modality == "fingerprint")


def _refused(device: Device, record_id: str, finger: str, **more: bytes) -> str:
    before = list(device.records())
    with pytest.raises(BioguardError) as caught:
        relabel(device, "alice", record_id, finger, **more)
    assert list(device.records()) == before
    return caught.value.code


def test_a_relabeled_record_is_the_same_under_another_finger(populated: Device) -> None:
    device, old = populated, _finger(populated, "alice")
    assert device.identify(FINGER[5]).record_id == old.record_id
    new = relabel(device, "alice", old.record_id, "left-thumb")
    assert (new.position, new.views, new.enrolled_s, new.user) == ("left-thumb", old.views, old.enrolled_s, "alice")
    assert new.record_id != old.record_id
    assert new.digest != old.digest
    assert device.authenticate("alice", FINGER[5]).record_id == new.record_id
    assert device.identify(FINGER[5]).record_id == new.record_id
    entries = [i.entry for i in signed_log(device).items if i.entry]
    assert [(e.event, e.cause) for e in entries[-4:-2]] == [
        (Event.RECORD_ERASED, Cause.REPLACED), (Event.RECORD_STORED, None),
    ]  # fmt: skip


def test_what_cannot_be_relabeled_says_why_and_stays(populated: Device) -> None:
    device, old = populated, _finger(populated, "alice")
    other = finger_impressions(3, person=8, count=3)
    device.enroll("alice", other, finger="left-thumb")
    face = next(r for r in device.records("alice") if r.modality == "face")
    assert _refused(device, old.record_id, "left-thumb") == "enroll.already_enrolled"
    assert _refused(device, old.record_id, "right-index") == "enroll.already_enrolled"
    assert _refused(device, old.record_id, "sixth") == "enroll.finger"
    assert _refused(device, face.record_id, "left-ring") == "request"
    assert _refused(device, "00" * 16, "left-ring") == "record.unknown"
    assert _refused(device, _finger(device, "bob").record_id, "left-ring") == "record.unknown"


def test_a_digest_only_record_cannot_be_relabeled(directory) -> None:  # type: ignore[no-untyped-def]
    with Device.init(directory, profile=Profile.DIGEST_ONLY, require_pin=False) as device:
        device.add_user("alice")
        grant_all(device, "alice", of_age=True)
        made = device.enroll("alice", FINGER[:3], finger="right-index")
        assert _refused(device, made.record_id, "left-thumb") == "request.not_supported"
        assert device.authenticate("alice", FINGER[5]).match


def test_a_person_with_a_pin_is_asked_for_it_and_every_request_is_answered(directory) -> None:  # type: ignore[no-untyped-def]
    with Device.init(directory, require_pin=False) as device:
        device.add_user("alice")
        device.add_user("bob")
        set_pin(device, "alice", PIN)
        grant_all(device, "alice", of_age=True, token=verify_pin(device, "alice", PIN))
        permit = enrollment_token(device, "alice", Modality.FINGERPRINT, PIN)
        made = device.enroll("alice", FINGER[:3], finger="right-index", token=permit)
        token = verify_pin(device, "alice", PIN)
        assert _refused(device, made.record_id, "left-thumb") == "token.refused"
        assert _refused(device, made.record_id, "left-thumb", token=token[:-1] + b"\0") == "token.refused"
        relabel(device, "alice", made.record_id, "left-thumb", token=token)
        with pytest.raises(BioguardError) as taken:
            rename(device, "alice", "bob", token=token)
        assert taken.value.code == "user.exists"
        rename(device, "alice", "alicia", token=token)
        assert device.users() == ["alicia", "bob"]
        assert [(r.kind, r.state.name) for r in requests(device)] == [
            (Cause.RECTIFICATION, "FULFILLED"), (Cause.RECTIFICATION, "REFUSED"), (Cause.RECTIFICATION, "FULFILLED"),
        ]  # fmt: skip
    with Device.open(directory) as again:
        assert again.authenticate("alicia", FINGER[5]).match
