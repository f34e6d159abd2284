"""Users and records: who may have what, and what a decision says."""

from dataclasses import replace
from pathlib import Path

import pytest

from bioguard.commands import biometric as commands
from bioguard.device import Device, keys, pins
from bioguard.device.clock import advance
from bioguard.device.consent import attest, grant_all
from bioguard.device.receipts import erasure_receipt
from bioguard.errors import BioguardError, InputRefused, NotPermitted
from bioguard.records import FaceEmbedding, FingerprintTemplate
from bioguard.simulate.people import face_views, finger_impressions

FACE = face_views(1, person=0, count=1, first=5)[0]
FINGER = finger_impressions(1, person=0, count=1, first=5)[0]
STRANGER_FACE = face_views(1, person=9, count=1)[0]
STRANGER_FINGER = finger_impressions(1, person=9, count=1)[0]


def state(device: Device) -> list[str]:
    return [r.record_id for r in device.records()]


def refused(device: Device, call: object, kind: type[BioguardError], code: str) -> None:
    before = state(device)
    with pytest.raises(kind) as caught:
        call()  # type: ignore[operator]
    assert (caught.value.code, bool(caught.value.hint)) == (code, True)
    assert state(device) == before


def test_decisions(populated: Device) -> None:
    device = populated
    assert device.authenticate("alice", FACE).match
    assert device.authenticate("alice", FINGER).match
    assert not device.authenticate("bob", FACE).match
    assert not device.authenticate("bob", FINGER).match
    assert device.identify(FACE).user == "alice"
    assert device.identify(FINGER).user == "alice"
    assert not device.identify(STRANGER_FACE).match
    assert not device.identify(STRANGER_FINGER).match
    face = next(r for r in device.records("alice") if r.modality == "face")
    assert (face.views, face.position, face.profile) == (3, "face", "standard")
    assert device.authenticate("alice", FACE).record_id == face.record_id
    assert device.show(face.record_id) == face

    device.erase("alice", face.record_id)
    assert not device.identify(FACE).match
    assert device.identify(FINGER).user == "alice"
    refused(device, lambda: device.authenticate("alice", FACE), InputRefused, "match.not_enrolled")
    refused(device, lambda: device.show(face.record_id), InputRefused, "record.unknown")
    refused(device, lambda: device.erase("alice", face.record_id), InputRefused, "record.unknown")

    device.remove_user("bob")
    assert device.users() == ["alice"]
    assert not device.identify(face_views(1, person=1, count=1, first=5)[0]).match
    assert [r.user for r in device.records()] == ["alice"]


def test_refusals_change_nothing(populated: Device) -> None:
    device = populated
    other = finger_impressions(1, person=7, count=3)
    faces = face_views(1, person=0, count=3)
    none = FingerprintTemplate.from_minutiae([], [], [], width_px500=300, height_px500=400)
    wrong = FaceEmbedding.from_features(range(1, 129))
    cases = [
        (lambda: device.enroll("carol", faces), InputRefused, "user.unknown"),
        (lambda: device.enroll("alice", other, finger="right-index"), NotPermitted, "enroll.already_enrolled"),
        (lambda: device.enroll("alice", [none], finger="left-index"), InputRefused, "enroll.poor_quality"),
        (lambda: device.enroll("alice", [wrong]), InputRefused, "enroll.dimension"),
        (lambda: device.enroll("alice", []), InputRefused, "enroll.no_sample"),
        (lambda: device.enroll("alice", [*faces, *other]), InputRefused, "enroll.modality"),
        (lambda: device.enroll("alice", other), InputRefused, "enroll.finger"),
        (lambda: device.enroll("alice", other, finger="right-indx"), InputRefused, "enroll.finger"),
        (lambda: device.enroll("alice", faces, finger="left-index"), InputRefused, "enroll.modality"),
        (lambda: device.enroll("alice", faces * 6), InputRefused, "enroll.too_many_samples"),
        (
            lambda: device.enroll("alice", finger_impressions(1, person=0, count=3, first=8), finger="left-ring"),
            NotPermitted,
            "enroll.duplicate_finger",
        ),
        (lambda: device.authenticate("carol", FACE), InputRefused, "user.unknown"),
        (lambda: device.show("zz"), InputRefused, "record.id"),
        (lambda: device.show("00" * 16), InputRefused, "record.unknown"),
        (lambda: device.add_user("alice"), NotPermitted, "user.exists"),
        (lambda: device.add_user("no spaces"), InputRefused, "user.name"),
        (lambda: device.remove_user("carol"), InputRefused, "user.unknown"),
    ]
    for call, kind, code in cases:
        refused(device, call, kind, code)
    assert device.authenticate("alice", FACE).match


def test_limits_and_replacement(populated: Device) -> None:
    device = populated
    device.enroll("alice", face_views(2, person=5, count=3))
    third = face_views(2, person=6, count=3)
    refused(device, lambda: device.enroll("alice", third), NotPermitted, "enroll.user_full")
    old = next(r for r in device.records("alice") if r.modality == "fingerprint")
    new = device.enroll("alice", finger_impressions(3, person=0, count=3), finger="right-index", replace=True)
    ids = [r.record_id for r in device.records("alice")]
    assert old.record_id not in ids
    assert new.record_id in ids
    assert device.authenticate("alice", finger_impressions(3, person=0, count=1, first=4)[0]).match
    assert not device.authenticate("alice", FINGER).match


def test_many_records_are_listed_in_pages(in_memory: Path) -> None:
    with Device.init(in_memory, max_faces=10, require_pin=False) as device:
        for person in range(7):
            name = f"p{person}"
            device.add_user(name)
            grant_all(device, name, of_age=True)
            for face in range(10):
                device.enroll(name, face_views(face + 2, person=person, count=1))
        assert commands.PAGE < 70
        ids = [r.record_id for r in device.records()]
        assert len(ids) == 70
        assert ids == sorted(set(ids))
        assert len(list(device.records("p3"))) == 10


def test_a_name_that_is_no_text_is_refused(populated: Device) -> None:
    for name in (None, 5, b"alice", ["alice"]):
        for call in (
            lambda name=name: populated.authenticate(name, FACE),
            lambda name=name: populated.add_user(name),
            lambda name=name: populated.rename_user("alice", name),
            lambda name=name: populated.remove_user(name),
            lambda name=name: populated.enroll(name, [FACE]),
            lambda name=name: pins.set_pin(populated, name, b"1234"),
        ):
            refused(populated, call, InputRefused, "user.name")


def test_what_is_no_sample_is_refused_by_its_type(populated: Device) -> None:
    for sample in (None, b"", "x", 5, [], [FACE], FACE.to_bytes(), FACE.vector):
        for call in (
            lambda sample=sample: populated.authenticate("alice", sample),
            lambda sample=sample: populated.identify(sample),
            lambda sample=sample: populated.enroll("alice", [sample], finger="left-index"),
        ):
            refused(populated, call, InputRefused, "request.argument")
    assert populated.identify(FACE).user == "alice"


def test_arguments_of_a_wrong_type_are_refused(populated: Device) -> None:
    pins.set_pin(populated, "alice", b"1234")
    for call, code in (
        (lambda: populated.enroll("alice", None), "request.argument"),
        (lambda: populated.enroll("alice", FACE.vector), "request.argument"),
        (lambda: populated.enroll("alice", [FINGER], finger=5), "enroll.finger"),
        (lambda: populated.show(None), "record.id"),
        (lambda: populated.erase("alice", 5), "record.id"),
        (lambda: pins.set_pin(populated, "alice", "1234"), "pin.length"),
        (lambda: pins.verify_pin(populated, "alice", 1234), "pin.length"),
        (lambda: pins.unlock(populated, "alice", None), "pin.length"),
        (lambda: pins.check_token(populated, None), "request.argument"),
        (lambda: advance(populated, None), "clock.range"),
        (lambda: erasure_receipt(populated, [5]), "receipt.digest"),
        *((lambda d=d: erasure_receipt(populated, d), "request.argument") for d in (None, 5, "ab" * 32, b"ab", {1})),
        *((lambda p=p: attest(populated, bytes(32), p), "request.argument") for p in (None, "tfm", 5, True)),
        *((lambda n=n: attest(populated, n), "request.argument") for n in (None, 32, "ab" * 32, [0] * 32)),
    ):
        refused(populated, call, InputRefused, code)
    with pytest.raises(InputRefused, match="limits are 1 to 10"):
        Device.init(populated.directory.parent / "other", max_fingers="5")
    assert populated.authenticate("alice", FACE).match


def test_what_is_no_key_is_refused(populated: Device) -> None:
    pins.set_pin(populated, "alice", b"1234")
    key = keys.make_key(populated, "alice")
    for other in (None, 5, key.key_id, key.key_id.hex(), [key], "alice"):
        for call in (
            lambda other=other: keys.begin(populated, other),
            lambda other=other: keys.delete_key(populated, other),
            lambda other=other: keys.verdict(populated, "alice", other),
        ):
            refused(populated, call, InputRefused, "request.argument")
    for call in (
        lambda: keys.make_key(populated, "alice", algorithm="hmac"),
        lambda: keys.make_key(populated, "alice", timeout_s="5"),
        lambda: keys.begin(populated, key, token=None),
        lambda: keys.begin(populated, replace(key, key_id=5)),
        lambda: keys.finish(populated, None, b"m"),
        lambda: keys.finish(populated, 1, "m"),
    ):
        with pytest.raises(InputRefused):
            call()
    assert keys.begin(populated, key)


def test_a_hint_about_a_rate_names_no_option(populated: Device) -> None:
    """It reaches callers of the frame protocol and of Python too."""
    for call in (
        lambda: populated.authenticate("alice", FACE, fmr_inverse=4),
        lambda: populated.identify(FACE, fpir_inverse=4),
        lambda: populated.enroll("alice", [FACE], finger="left-index"),
        lambda: populated.enroll("alice", [FINGER]),
    ):
        with pytest.raises(InputRefused) as caught:
            call()
        assert "--" not in caught.value.hint
