"""`fault play`: knobs of a sensor or session stand in front and act, later ones are refused by name.

What was set and did nothing is said at the end.
"""

import pytest

from bioguard.errors import InputRefused
from bioguard.records.modality import Modality
from bioguard.simulate.faults.scenario import Scenario
from bioguard.simulate.knobs.properties import SensorProperties
from bioguard.simulate.knobs.table import KNOBS, ActsOn, ReadAt
from bioguard.simulate.virtual_hal.script_player import PlayedScript, run_script


def play(words: str, kind: Modality = Modality.FINGERPRINT, **saved: str) -> PlayedScript:
    return run_script(kind, Scenario(SensorProperties(saved)), words.split())


def told(words: str, kind: Modality = Modality.FINGERPRINT) -> list[tuple[str, dict[str, object]]]:
    return [(one.name, one.fields) for one in play(words, kind).callbacks]


def test_leading_words_act_on_the_sensor_and_its_session() -> None:
    assert told("knob:enrollments=1 knob:enrollment_hit=1 authenticate touch")[-1][0] == "AuthenticationSucceeded"
    locked = "knob:lockout_enable=true knob:lockout_timed_threshold=2 knob:lockout_timed_duration=3000 "
    assert told(locked + "knob:enrollments=1 authenticate touch touch")[-1] == ("LockoutTimed", {"remaining_ms": 3000})
    assert told("knob:detect_interaction=true detect touch")[-1][0] == "InteractionDetected"
    full = told("knob:max_enrollments=1 challenge enroll touch enroll touch")
    assert (full[-1][0], full[-1][1]["error"]) == ("OperationError", "NO_SPACE")
    weak = "knob:sensor_strength=1 knob:enrollments=1 knob:enrollment_hit=1 authenticate=5 touch"
    assert told(weak)[-1] == ("AuthenticationSucceeded", {"enrollment_id": 1, "token": None})
    face = told("knob:enrollments=1 knob:enrollment_hit=1 authenticate look", Modality.FACE)
    assert face[-1][0] == "AuthenticationSucceeded"


VALUES = {"type": "side", "face_type": "IR", "sensor_location": "1:2:3"}


@pytest.mark.parametrize("name", [n for n, k in KNOBS.items() if k.read_at is not ReadAt.USE])
def test_a_later_word_about_the_sensor_is_refused_by_name(name: str) -> None:
    kind = KNOBS[name].kinds[-1]
    value = VALUES.get(name, "1")
    with pytest.raises(InputRefused, match=f"^{name} is read {KNOBS[name].read_at.value}, before this step$") as late:
        play(f"challenge knob:{name}={value}", kind)
    assert late.value.code == "fault.too_late"
    play(f"knob:{name}={value} challenge", kind)


@pytest.mark.parametrize("name", [n for n, k in KNOBS.items() if k.acts_on is ActsOn.DEVICE])
def test_a_knob_of_devices_is_refused_by_name(name: str) -> None:
    value = {"storage": "read: eio", "pipe": "cut", "ta_panic": "enroll"}.get(name, "1")
    with pytest.raises(InputRefused, match=f"^{name} acts on a device only") as refused:
        play(f"knob:{name}={value} challenge")
    assert refused.value.code == "fault.no_effect"


def test_knobs_and_codes_of_the_other_kind_of_sensor() -> None:
    with pytest.raises(InputRefused, match=r"^face_type is no knob of a fingerprint sensor$"):
        play("knob:face_type=IR challenge")
    for word in ("quality_sequence=21", "operation_authenticate_acquired=1,20", "next_enrollment=1:5-[25]:true"):
        with pytest.raises(InputRefused, match=r"^cannot use this value for "):
            play(f"knob:{word} challenge")
        play(f"knob:{word} challenge", Modality.FACE)
    with pytest.raises(InputRefused, match=r"^cannot use this value for quality_sequence$"):
        play("challenge", quality_sequence="21")


def test_what_did_nothing_is_said() -> None:
    assert play("knob:quality_sequence=1,2,5 authenticate touch").unused == (
        "quality_sequence: its last 2 codes were not played",
    )
    assert play("knob:operation_enroll_error=3 knob:wrong_finger=1 authenticate touch").unused == (
        "operation_enroll_error: nothing has asked for it",
    )
    assert play("knob:lockout_timed_duration=5 authenticate touch").unused == (
        "lockout_timed_duration: nothing has asked for it",
    )
    assert play("challenge knob:challenge=7 challenge").unused == ()


UNKNOWN = {
    "operation_authenticate_error": ("99", "1000"), "operation_enroll_error": ("10",),
    "quality_sequence": ("300", "27"),
    "operation_detect_interaction_acquired": ("1,999",), "enrollments": ("0", "2147483648"), "features": ("3",),
    "sensor_id": ("16",), "max_enrollments": ("0", "11"), "sensor_strength": ("3",),
    "sensor_location": ("bad", "1:2", "1:2:3:\u00e4", "1:2:3:" + "x" * 6_000),
    "lockout_timed_threshold": ("1001",), "operation_enroll_latency": ("60001", "1,2,3"), "type": ("front",),
    "operation_authenticate_duration": ("60001",), "ta_panic": ("fly", "999"), "pipe": ("leak",),
    "storage": ("ta.call@1: panic", "commit: fly"),
    "next_enrollment": ("1:60001:true", "1:5-[300]:true", "1:5-[" + "1," * 3_000 + "1]:true"),
    "clock_step_ms": ("35184372088833",), "authenticator_id": ("9223372036854775808",), "sensor_noise": ("1.1",),
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in UNKNOWN.items() for value in values])
def test_a_value_that_a_knob_does_not_have_is_refused_when_it_is_set(name: str, value: str) -> None:
    with pytest.raises(InputRefused) as refused:
        SensorProperties({name: value})
    assert refused.value.code == "fault.value"
    assert refused.value.hint


def test_a_command_is_named_or_numbered() -> None:
    for written in ("authenticate", "11", "Authenticate"):
        assert SensorProperties({"ta_panic": written}).changed() == {"ta_panic": "authenticate"}
    assert SensorProperties({"ta_panic": "verify_pin"}).text("ta_panic") == "verify-pin"
    assert SensorProperties({"ta_panic": "0"}).changed() == {}
    commands = KNOBS["ta_panic"].choices
    assert len(set(commands)) == len(commands) > 40
