"""From a picture to a decision through a locked sensor: what comes back, what is counted, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from stub_engine import DIE, DRY, FACE, LIE, RAISE, Stub, picture, touches

from bioguard.commands import biometric as commands
from bioguard.device import Device, DeviceOptions, consent, pins
from bioguard.device.captures import SensorSample
from bioguard.errors import BioguardError, NotAcquired, TeeUnavailable, WrongUsage
from bioguard.evidence.device_checks import look_at
from bioguard.exit_codes import ExitCode
from bioguard.match.thresholds import builtin_profile
from bioguard.proofs.device_claims import AttestedHosts, attested_sensors
from bioguard.proofs.psa_token import Claims
from bioguard.records.audit_events import Cause, Event
from bioguard.records.locks import Lock
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import SENSOR_IDS
from bioguard.report.model import Status
from tee_sim.normal.sandbox_verdict.level import Level
from tests.sensors.conftest import agreed

FINGER = Modality.FINGERPRINT


def see(device: Device, person: int, touch: int = 0, act: int = 0) -> SensorSample:
    return device.capture(FINGER, picture(person, touch, act), dpi=500)


def code_of(wanted: str, call: object, *args: object, **named: object) -> BioguardError:
    with pytest.raises(BioguardError) as caught:
        call(*args, **named)  # type: ignore[operator]
    assert caught.value.code == wanted
    return caught.value


@pytest.fixture(scope="module")
def enrolled(device: Device) -> Device:
    device.enroll("alice", [see(device, 1, touch) for touch in range(3)], finger="right-index")
    return device


def test_pictures_enroll_unlock_and_find_and_the_record_says_by_which_extractor(enrolled: Device) -> None:
    device = enrolled
    assert device.running.verdict.level.meets(Level.ENFORCED)
    assert device.running.processes["fingerprint sensor"] == 4
    assert device.authenticate("alice", see(device, 1, 4)).match
    assert device.identify(see(device, 1, 5)).user == "alice"
    assert not device.authenticate("alice", see(device, 2, 4)).match
    (record,) = device.records()
    assert (record.extractor, record.extractor_is) == (Stub.identity.model, "captured")
    assert [sensor.extractor for sensor in device.sensors] == [Stub.identity]


def test_attestation_and_log_name_the_sensor(enrolled: Device) -> None:
    nonce = bytes(32)
    claims, _ = Claims.verify(consent.attest(enrolled, nonce), consent.signed_log(enrolled).attestation_key, nonce)
    assert attested_sensors(claims) == (("fingerprint", bytes.fromhex(enrolled.running.sensors["fingerprint"])),)
    assert {name for name, _ in AttestedHosts.of(claims).processes} == {"biometric", "gatekeeper", "keystore"}
    entries = [item.entry for item in consent.signed_log(enrolled).items if item.entry]
    assert [e.digest for e in entries if e.event is Event.SENSOR_SEALED] == [Stub.identity.sha256]
    assert {e.cause for e in entries if e.event is Event.RECORD_STORED} == {Cause.MODEL_CAPTURED}


@pytest.mark.parametrize(("act", "said"), [(DRY, "too bright"), (RAISE, "vendor"), (DIE, "vendor")])
def test_what_gave_no_sample_is_a_no_and_no_attempt_and_the_next_capture_works(
    enrolled: Device, act: int, said: str
) -> None:
    for _ in range(6):  # five failed attempts lock
        with pytest.raises(NotAcquired, match=said) as caught:
            see(enrolled, 1, 3, act)
        assert caught.value.exit_code is ExitCode.NO
        if act == DIE:
            break
    assert pins.lock_info(enrolled, "alice", FINGER).lock is Lock.NONE
    assert enrolled.authenticate("alice", see(enrolled, 1, 4)).match


def test_when_every_process_of_a_sensor_has_died_it_is_started_again_with_its_world(enrolled: Device) -> None:
    for _ in range(enrolled.running.processes["fingerprint sensor"] + 1):
        try:
            see(enrolled, 1, 3, DIE)
        except BioguardError as error:
            assert error.code in ("sample.not_acquired", "tee.panic", "tee.dead")
    assert enrolled.authenticate("alice", see(enrolled, 1, 4)).match


def test_what_an_engine_lies_is_no_attempt_either(enrolled: Device) -> None:
    lie = see(enrolled, 1, 3, LIE)
    assert code_of("sample.not_acquired", enrolled.authenticate, "alice", lie).exit_code is ExitCode.NO
    assert code_of("sample.unknown_capture", enrolled.authenticate, "alice", lie)
    code_of("sample.not_acquired", enrolled.authenticate, "alice", see(enrolled, 1, 3, FACE))
    lies = [see(enrolled, 1, touch, LIE) for touch in range(3)]
    code_of("sample.not_acquired", enrolled.enroll, "alice", lies, finger="left-index")


def test_a_capture_is_used_once_by_whomever_and_also_by_a_refused_request(enrolled: Device) -> None:
    device = enrolled
    if "bob" not in device.users():
        agreed(device, "bob")
    used = see(device, 1, 4)
    assert device.authenticate("alice", used).match
    for call in (device.identify, lambda s: device.authenticate("alice", s)):
        code_of("sample.unknown_capture", call, used)
    refused = see(device, 1, 4)
    code_of("match.not_enrolled", device.authenticate, "bob", refused)
    code_of("sample.unknown_capture", device.authenticate, "alice", refused)
    twice = see(device, 2, 1)
    code_of("sample.unknown_capture", device.enroll, "bob", [twice, twice], finger="left-index")
    unknown, behind = SensorSample(capture_id=bytes(16), modality=FINGER), see(device, 1, 4)
    code_of("sample.unknown_capture", device.enroll, "bob", [unknown, behind], finger="left-index")
    code_of("sample.unknown_capture", device.authenticate, "alice", behind)


def test_every_comparison_of_a_capture_is_counted(device: Device, enrolled: Device) -> None:
    before = device.authenticate("alice", see(device, 1, 4)).match
    assert before
    for touch in range(5):
        assert not device.authenticate("alice", see(device, 3, touch)).match
    code_of("lockout.timed", device.authenticate, "alice", see(device, 1, 4))


def test_features_of_the_normal_world_are_refused_where_there_is_a_sensor(enrolled: Device) -> None:
    device = enrolled
    calls = (
        lambda: device.authenticate("alice", touches(1)[4]),
        lambda: device.identify(touches(1)[4], model=Stub.identity.model),
        lambda: device.enroll("alice", touches(2)[:3], finger="left-index"),
    )
    for call in calls:
        assert code_of("sample.sensor_only", call).exit_code is ExitCode.INPUT_REFUSED
    searched, enrolled_beside, of_no_face = (see(device, 1) for _ in range(3))
    both = commands.Identify(sensor=SENSOR_IDS[FINGER], sample=touches(1)[0].to_bytes(), capture=searched.capture_id)
    code_of("request", device.ask, commands.IDENTIFY, both)
    enroll = commands.Enroll(
        user=device.user_handle("alice"),
        sensor=SENSOR_IDS[FINGER],
        position=7,
        samples=(touches(1)[0].to_bytes(),),
        captures=(enrolled_beside.capture_id,),
    )
    code_of("request", device.ask, commands.ENROLL, enroll)
    captures = (of_no_face.capture_id,)
    of_a_face = replace(enroll, sensor=SENSOR_IDS[Modality.FACE], position=0, samples=(), captures=captures)
    code_of("request", device.ask, commands.ENROLL, of_a_face)
    for used in (searched, enrolled_beside, of_no_face):  # also by what is malformed
        code_of("sample.unknown_capture", device.authenticate, "alice", used)


def test_what_is_no_picture_or_too_small_is_refused_before_it_is_sent(enrolled: Device) -> None:
    code_of("picture.format", enrolled.capture, FINGER, b"no picture", dpi=500)
    code_of("picture.size", enrolled.capture, FINGER, b"P5\n63 200\n255\n" + bytes(63 * 200), dpi=500)
    code_of("picture.dpi", enrolled.capture, FINGER, picture(1))
    code_of("sample.no_sensor", enrolled.capture, Modality.FACE, picture(1))


def test_the_next_version_of_an_extractor_is_another_one(tmp_path: Path) -> None:
    """What is enrolled was seen by the first; the device was made with it, and takes nothing of another."""
    profile = replace(builtin_profile(FINGER), name="stub", model=Stub.identity.model)
    made = {"comparison_profiles": [profile], "require_pin": False}
    with pytest.raises(BioguardError) as caught:
        Device.init(tmp_path / "none", sensors=["fingerprint=stub_engine:Newer"], **made)
    assert caught.value.code == "match.not_calibrated"
    assert "'stub' is of 'stub 1.0'" in caught.value.message
    for kind, made_by in (("fingerprint", "bench calibrate --fingerprints"), ("face", "bench calibrate --faces")):
        with pytest.raises(BioguardError, match="no comparison profile is of the extractor stub_engine:Stub") as caught:
            Device.init(tmp_path / "never", sensors=[f"{kind}=stub_engine:Stub"])
        assert made_by in caught.value.hint
    assert not (tmp_path / "never").exists()
    with Device.init(tmp_path / "phone", sensors=["fingerprint=stub_engine:Stub"], for_testing=True, **made) as device:
        agreed(device, "alice")
        device.enroll("alice", [see(device, 1, touch) for touch in range(3)], finger="right-index")
        assert device.authenticate("alice", touches(1)[4]).match  # for testing: a file of the same model is taken
    file = tmp_path / "phone" / "sensors.json"
    file.write_text(file.read_text().replace("stub_engine:Stub", "stub_engine:Newer"))
    with Device.open(tmp_path / "phone") as device:
        assert [sensor.runs for sensor in device.sensors] == [False]
        code_of("sample.other_extractor", device.authenticate, "alice", see(device, 1, 4))
    (check,) = (check for check in look_at(tmp_path / "phone", DeviceOptions()) if check.id == "BG-DOC-047")
    assert (check.status, "stub 1.0" in check.summary) == (Status.FAIL, True)
    file.write_text(file.read_text().replace("stub_engine", "no_engine"))
    notes: list[str] = []
    with Device.open(tmp_path / "phone", DeviceOptions(note=notes.append)) as device:
        assert "no_engine" in notes[0]
        code_of("tee.sensor", device.capture, FINGER, picture(1), dpi=500)
        assert len(list(device.records())) == 1
    for broken, why in (("stub_engine:Broken", "cannot be made"), ("no engine", "there is no engine")):
        file.write_text(file.read_text().replace("no_engine:Newer", broken).replace("stub_engine:Broken", broken))
        with Device.open(tmp_path / "phone", DeviceOptions(note=notes.append)) as device:
            assert why in notes[-1]
            code_of("tee.sensor", device.capture, FINGER, picture(1), dpi=500)
            assert len(list(device.records())) == 1  # can be shown and erased
    too_long = {"modality": "fingerprint", "engine": "nbis", "argument": "a" * 5000, "folder": ""}
    file.write_text(json.dumps({"format": 1, "sensors": [too_long]}))
    with Device.open(tmp_path / "phone", DeviceOptions(note=notes.append)):
        assert "aaa is not there" in notes[-1]
    file.write_text(json.dumps({"format": 1, "sensors": [too_long, too_long]}))
    assert "put it back" in code_of("device.sensors_file", Device.open, tmp_path / "phone").hint


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nbis", "device.sensor"),
        ("iris=nbis", "device.sensor"),
        ("fingerprint=", "device.sensor"),
        ("fingerprint=nobody", "capture.engine"),
        ("fingerprint=no_such_module:Engine", "capture.missing"),
        (f"fingerprint={'long' * 99}:Engine", "capture.missing"),
        (f"face={'long' * 99}.toml", "capture.missing"),
    ],
)
def test_what_names_no_sensor_is_refused_and_leaves_no_device(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(WrongUsage) as caught:
        Device.init(tmp_path / "phone", sensors=[text])
    assert caught.value.code == code
    assert not (tmp_path / "phone").exists()


def test_code_of_ones_own_that_is_no_python_is_named_as_what_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_written_engine.py").write_text("import numpy\nclass Engine(:\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(TeeUnavailable, match="sensor fingerprint: SyntaxError"):
        Device.init(tmp_path / "phone", sensors=["fingerprint=half_written_engine:Engine"], uncalibrated=True)
    assert not (tmp_path / "phone").exists()
