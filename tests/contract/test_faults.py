"""The mini-language: grammar, knob table, scenario files."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.device.hooks import no_hooks
from bioguard.errors import InputRefused, NotPermitted
from bioguard.hal.scripting import Waiting
from bioguard.records import FaceEmbedding
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import Location
from bioguard.simulate.faults import scripted
from bioguard.simulate.faults.device_faults import DeviceFaults
from bioguard.simulate.faults.presentation import SensorScript
from bioguard.simulate.faults.scenario import Scenario
from bioguard.simulate.faults.scripted_sensor import ScriptedSensor
from bioguard.simulate.knobs import grammar
from bioguard.simulate.knobs.grammar import EnrollmentStep, Latency, NextEnrollment, int_sequence, next_enrollment
from bioguard.simulate.knobs.properties import SensorProperties, knob
from bioguard.simulate.knobs.table import KNOBS, ActsOn, Form
from tee_sim.shared.errors import Origin, TeeResult
from tee_sim.shared.rng import SeededRng
from tee_sim.shared.wire import Invoke, Message, Return


def test_parse_int_sequence() -> None:
    assert int_sequence("") == ()
    assert int_sequence("2") == (2,)
    assert int_sequence("2,3, 5") == (2, 3, 5)
    assert int_sequence("0,22,123,456") == (0, 22, 123, 456)
    assert int_sequence("5:6:7", ":") == (5, 6, 7)
    for bad in ("a", "1,b", "1,,2", "-1", "1,2,", "99999999999", "\u0661"):
        assert int_sequence(bad) == (), bad


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("1:100:true", [(100, (1,))]),
        ("1:100,20:true", [(100, (1,)), (20, (1,))]),
        ("1:100-[5],20:1", [(100, (5,)), (20, (1,))]),
        ("2:1000-[5,1],500:true", [(1000, (5, 1)), (500, (1,))]),
        ("4:0,5-[12,1013]:true", [(0, (1,)), (5, (12, 1013))]),
        ("1: 100 - [5, 6] , 3 :true", [(100, (5, 6)), (3, (1,))]),
    ],
)
def test_parse_enrollment_capture_ok(text: str, steps: list[tuple[int, tuple[int, ...]]]) -> None:
    parsed = next_enrollment(text)
    assert [(s.duration_ms, s.codes) for s in parsed.steps] == steps
    assert parsed.succeeds


@pytest.mark.parametrize(
    "text",
    ["", "1", "1:2", "1:2:true:4", "1::true", "1:a:true", "1:100-[x]:true", "1:100-[:true", "1:100-[]:true",
     "1:100,:true", "1:100[5]:true", "0:100:true", "x:100:true", "1:-5:true", "1:100-5:true"],
)  # fmt: skip
def test_parse_enrollment_capture_fail(text: str) -> None:
    with pytest.raises(InputRefused) as caught:
        next_enrollment(text)
    assert caught.value.code == "fault.grammar"
    assert caught.value.hint == "write it like 2:1000-[5,1],500:true"


@pytest.mark.parametrize(
    ("result", "good"), [("true", True), ("1", True), ("false", False), ("0", False), ("yes", False)]
)
def test_result_is_true_only_for_1_and_true(result: str, good: bool) -> None:
    assert next_enrollment(f"1:5:{result}").succeeds is good


def test_the_face_default_parses_and_renders() -> None:
    script = next_enrollment(grammar.FACE_DEFAULT_ENROLLMENT)
    assert (script.enrollment_id, len(script.steps), script.steps[0].codes) == (1, 4, (21, 7, 1, 1103))
    assert str(script) == grammar.FACE_DEFAULT_ENROLLMENT


CODES = st.lists(st.integers(0, 2000), min_size=1, max_size=4).map(tuple)
STEPS = st.lists(st.builds(EnrollmentStep, st.integers(0, 10_000), CODES), min_size=1, max_size=5).map(tuple)


@given(st.builds(NextEnrollment, st.integers(1, 1000), STEPS, st.booleans()))
def test_scripts_round_trip(script: NextEnrollment) -> None:
    assert next_enrollment(str(script)) == script


@given(st.text(max_size=60))
def test_any_text_is_a_script_or_our_error(text: str) -> None:
    try:
        assert next_enrollment(str(next_enrollment(text))) == next_enrollment(text)
    except InputRefused as error:
        assert error.code == "fault.grammar"


def test_latency() -> None:
    assert grammar.latency(()) == grammar.latency((1, 2, 3)) == Latency(400, 400)
    assert grammar.latency((7,)) == Latency(7, 7)
    assert grammar.latency((1000, 1)) == Latency(1, 1000)
    assert {Latency(1, 3).draw(n) for n in range(50)} == {1, 2, 3}


def test_location() -> None:
    udfps = Location.of(400, 1600, 150)
    assert grammar.location("100:200:30", udfps) == Location.of(100, 200, 30)
    assert grammar.location("100:200:30:screen1", udfps) == Location.of(100, 200, 30, "screen1")
    for bad in ("", "100", "100:200", "a:b:c", "100:200:30:s:5", "100:-1:30"):
        assert grammar.location(bad, udfps) == udfps


def test_acquired_codes() -> None:
    assert grammar.acquired_code(1, Modality.FINGERPRINT) == (1, 0)
    assert grammar.acquired_code(1013, Modality.FINGERPRINT) == (7, 13)
    assert grammar.acquired_code(1013, Modality.FACE) == (23, 13)
    with pytest.raises(InputRefused, match=r"^cannot read acquired code 20$"):
        grammar.acquired_code(20, Modality.FINGERPRINT)
    assert grammar.acquired_code(20, Modality.FACE) == (20, 0)


def test_android_names_work_with_their_prefix() -> None:
    assert knob("persist.vendor.fingerprint.virtual.lockout_timed_threshold").name == "lockout_timed_threshold"
    assert knob("vendor.face.virtual.operation_authenticate_fails").name == "operation_authenticate_fails"
    assert knob("persist.vendor.face.virtual.strength").name == "sensor_strength"
    assert knob("persist.vendor.face.virtual.type").name == "face_type"
    with pytest.raises(InputRefused, match=r"^there is no knob 'nonsense'$"):
        knob("nonsense")


@pytest.mark.parametrize("name", sorted(KNOBS))
def test_every_default_is_a_value_and_setting_it_changes_nothing(name: str) -> None:
    knobs = SensorProperties()
    knobs.set(name, KNOBS[name].default)
    assert knobs.changed() == {}
    assert KNOBS[name].meaning


class Answers:
    """A secure world that answers anything with nothing."""

    def exchange(self, message: Message, *, timeout_ms: int = 0) -> Return:
        return Return(result=TeeResult.SUCCESS, origin=Origin.TEE)

    def kill(self) -> None: ...


class PlayedOnce:
    """`Played` of a device, for what a session's sensor reads."""

    plays_whole_enrollments = False

    def __init__(self, knobs: SensorProperties) -> None:
        self.knobs = knobs

    def next(self) -> SensorScript:
        return SensorScript(Modality.FACE, self.knobs, SeededRng(b"x"))

    def enrollment(self) -> None: ...
    def codes(self) -> None: ...
    def nobody(self) -> bool:
        return False

    def delivered(self, sample: object, who: object, script: object) -> object:
        return sample

    def forget(self, knob: str) -> None: ...
    def capture_ms(self) -> int:
        return 0

    def match_ms(self) -> int:
        return 0


def test_the_knobs_that_act_on_a_device_are_those_that_it_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a command, or by a session."""
    scenario = Scenario(SensorProperties({"spoof_score": "0.1"}))
    scenario.save(tmp_path)
    read, text = set[str](), SensorProperties.text
    monkeypatch.setattr(SensorProperties, "text", lambda self, name: (read.add(name), text(self, name))[1])
    faults = DeviceFaults(tmp_path)
    faults.disk()
    for operation in ("authenticate", "enroll"):
        faults.present(operation, FaceEmbedding.from_features(np.arange(1.0, 129.0)))
    faults.transport(Answers()).exchange(Invoke(session=0, command=1, params=()))
    sensor = ScriptedSensor(Modality.FACE, PlayedOnce(faults.knobs))
    for waiting in Waiting:
        list(sensor.captures(waiting, object(), None))
    assert read == {k.name for k in KNOBS.values() if k.acts_on is not ActsOn.VIRTUAL_HAL}


BAD = {
    Form.FLAG: "maybe", Form.NUMBER: "-1", Form.NUMBERS: "1,x", Form.LATENCY: "1,2,3", Form.RATE: "1.5",
    Form.PLAN: "commit: fly", Form.ENROLLMENT: "1:2",
}  # fmt: skip


@pytest.mark.parametrize("name", [n for n, k in KNOBS.items() if k.form in BAD])
def test_bad_values_are_refused_and_the_old_one_stays(name: str) -> None:
    knobs = SensorProperties()
    with pytest.raises(InputRefused) as caught:
        knobs.set(name, BAD[KNOBS[name].form])
    assert caught.value.code in ("fault.value", "fault.grammar")
    assert knobs.changed() == {}


def test_negative_latencies_are_refused() -> None:
    knobs = SensorProperties({"operation_authenticate_latency": "5"})
    with pytest.raises(InputRefused, match=r"^cannot use this value for operation_authenticate_latency$"):
        knobs.set("operation_authenticate_latency", "-5")
    assert knobs.text("operation_authenticate_latency") == "5"


@given(st.sampled_from(sorted(KNOBS)), st.one_of(st.text(max_size=30), st.integers(0, 1 << 70).map(str)))
def test_any_value_is_taken_or_refused_and_a_taken_one_is_canonical(name: str, value: str) -> None:
    knobs = SensorProperties()
    try:
        knobs.set(name, value)
    except InputRefused:
        assert knobs.changed() == {}
        return
    again = SensorProperties({name: knobs.text(name)})
    assert again.changed() == knobs.changed()


@pytest.mark.parametrize("value", ["9" * 5000, "0." + "9" * 5000 + "x", "1:" + "9" * 5000 + ":true"])
@pytest.mark.parametrize("name", ["enrollment_hit", "enrollments", "next_enrollment", "sensor_noise"])
def test_endless_numbers_are_refused(name: str, value: str) -> None:
    with pytest.raises(InputRefused):
        SensorProperties({name: value})


def test_clear_one_and_all() -> None:
    knobs = SensorProperties({"enrollment_hit": "3", "lockout": "1"})
    assert knobs.changed() == {"enrollment_hit": "3", "lockout": "true"}
    knobs.clear("lockout")
    assert not knobs.flag("lockout")
    knobs.clear()
    assert knobs.changed() == {}


def test_a_device_keeps_its_scenario_in_one_file(tmp_path: Path) -> None:
    scenario = Scenario(
        SensorProperties({"storage": "commit@3: die-before", "next_enrollment": "2: 1000-[5,1],500:true"}), seed=7
    )
    scenario.save(tmp_path)
    assert (tmp_path / "scenario.toml").read_text() == (
        'format = "bioguard-scenario 2"\nseed = 7\n\n[faults]\nnext_enrollment = "2:1000-[5,1],500-[1]:true"\n'
        'storage = ["commit@3: die-before"]\n'
    )
    again = Scenario.load(tmp_path)
    assert (again.to_text(), again.seed, again.knobs.changed()) == (scenario.to_text(), 7, scenario.knobs.changed())
    Scenario().save(tmp_path)
    assert not (tmp_path / "scenario.toml").exists()
    assert Scenario.load(tmp_path).knobs.changed() == {}


def test_a_device_does_not_take_what_it_is_made_as_from_its_scenario(tmp_path: Path) -> None:
    (tmp_path / "scenario.toml").write_text('format = "bioguard-scenario 2"\n[device]\nrequire_pin = false\n')
    with pytest.raises(InputRefused, match=r"^scenario.toml: a device that is made takes no \[device\]$"):
        Scenario.load(tmp_path)


def test_the_file_of_an_older_version_is_refused_and_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "faults.scenario").write_text("bioguard-scenario 1\nseed = 7\nplayed = 0\nlockout = true\n")
    for opens in (Scenario.load, scripted):
        with pytest.raises(InputRefused, match=r"^faults.scenario is a scenario of 0.1$") as refused:
            opens(tmp_path)
        assert refused.value.code == "scenario.old"
    with pytest.raises(NotPermitted) as not_played:
        no_hooks(tmp_path)
    assert not_played.value.code == "fault.not_played"


def test_every_knob_is_read_somewhere() -> None:
    folder = Path(grammar.__file__).parent.parent
    parts = ("faults", "knobs", "virtual_hal")
    files = [p for part in parts for p in (folder / part).glob("*.py") if p.name != "table.py"]
    sources = "".join(p.read_text("utf-8") for p in files)
    patterns = ("operation_{operation}_", "lockout_{tier}_threshold")
    unread = [
        name
        for name in KNOBS
        if f'"{name}"' not in sources
        and not (name.startswith("operation_") and patterns[0] + name.rsplit("_", 1)[1] in sources)
        and not (name.endswith("_threshold") and patterns[1] in sources)
    ]
    assert unread == []
