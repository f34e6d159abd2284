"""A scenario file is read strictly, with the line and the key of each mistake, and written in one form."""

import tomllib
from pathlib import Path

import pytest

from bioguard.commands.configuration import LockoutChoice
from bioguard.errors import InputRefused
from bioguard.records.modality import Modality, Profile
from bioguard.records.strength import SensorStrength
from bioguard.serve.v2.machine import FaultEntry, FaultsAnswer
from bioguard.simulate.faults.scenario import MAX_FILE_BYTES, Scenario
from bioguard.simulate.knobs.grammar import Latency
from bioguard.simulate.knobs.properties import SensorProperties
from bioguard.simulate.knobs.table import KNOBS, Form
from bioguard.simulate.scenario.document import MAX_BYTES, ScenarioFile, parse_scenario, read_scenario
from bioguard.simulate.scenario.writer import scenario_text

FULL = """\
format = "bioguard-scenario 2"
seed = 7

[device]
seed = "seven"
clock = "fixed:2026-01-31T12:00:00Z"
profile = "digest-only"
lockout = "apple"
lockout_cascade = true
require_pin = false
for_testing = true
fmr = "1/100000"
fpir = "1/1000"

[[sensor]]
kind = "fingerprint"
type = "under-display-optical"
location = { x = 400, y = 1600, radius = 150, display = "inner" }
latency_ms = { capture = [200, 300], match = 40 }

[[sensor]]
kind = "face"
strength = "weak"

[latency_ms]
storage = 2
rpmb = [5, 9]

[faults]
lockout = true
"udfps.display_touch" = false
sensor_noise = 0.25
quality_sequence = [2, 5, 1]
operation_authenticate_latency = [100, 200]
storage = ["commit@3: die-before", "read: flip(40) objects"]
next_enrollment = "2:1000-[5,1],500:true"
"""


def test_every_table_is_read() -> None:
    scenario = parse_scenario(FULL.encode(), "full.toml")
    device, (finger, face) = scenario.device, scenario.sensors
    assert (scenario.seed, scenario.played) == (7, 0)
    assert (device.seed, device.clock_ms, device.profile) == ("seven", 1_769_860_800_000, Profile.DIGEST_ONLY)
    assert (device.lockout, device.lockout_cascade) == (LockoutChoice.APPLE, True)
    assert (device.require_pin, device.for_testing, device.fmr_inverse, device.fpir_inverse) == (
        False, True, 100_000, 1_000,
    )  # fmt: skip
    assert [props.sensor_id for props in scenario.sensor_table] == [0, 1]
    assert finger.props.location is not None
    assert (finger.props.location.y, finger.props.location.display) == (1600, "inner")
    assert finger.props.under_display
    assert (face.props.kind, face.props.strength, face.props.max_enrollments) == (
        Modality.FACE, SensorStrength.WEAK, 2,
    )  # fmt: skip
    latencies = scenario.latencies
    assert (latencies.of(0).capture, latencies.of(0).match) == (Latency(200, 300), Latency(40, 40))
    assert (latencies.of(1).capture, latencies.of(7).match) == (Latency(0, 0), Latency(0, 0))
    assert (latencies.storage, latencies.rpmb) == (Latency(2, 2), Latency(5, 9))
    assert scenario.faults == {
        "next_enrollment": "2:1000-[5,1],500-[1]:true",
        "operation_authenticate_latency": "100,200",
        "udfps.display_touch": "false",
        "lockout": "true",
        "sensor_noise": "0.25",
        "quality_sequence": "2,5,1",
        "storage": "commit@3: die-before; read: flip(40) objects",
    }


def test_what_is_written_reads_the_same_and_is_written_the_same() -> None:
    scenario = parse_scenario(FULL.encode(), "full.toml")
    text = scenario_text(scenario)
    again = parse_scenario(text.encode(), "full.toml")
    assert again == scenario
    assert scenario_text(again) == text
    assert tomllib.loads(text)["faults"]["storage"] == ["commit@3: die-before", "read: flip(40) objects"]


def test_an_empty_scenario_is_its_head() -> None:
    assert scenario_text(ScenarioFile()) == 'format = "bioguard-scenario 2"\nseed = 0\n'
    assert parse_scenario(b'format = "bioguard-scenario 2"', "x") == ScenarioFile()


MISTAKES = (
    ('kind = "face"', 'kind = "nose"', "wrong_value", "22: sensor.1.kind: 'nose' is not fingerprint or face"),
    ('kind = "face"', "", "missing_key", "21: sensor.1.kind: missing"),
    ('strength = "weak"', "strength = 1", "wrong_type", "23: sensor.1.strength: expected a string, found an integer"),
    ('strength = "weak"', 'strenght = "weak"', "unknown_key", "23: sensor.1.strenght: unknown key"),
    ('strength = "weak"', 'type = "rear"', "wrong_value", "23: sensor.1.type: is no type of a face sensor"),
    (
        'strength = "weak"',
        "navigation_gestures = false",
        "wrong_value",
        "23: sensor.1.navigation_gestures: is of fingerprint sensors",
    ),
    ('strength = "weak"', "max_enrollments = 0", "out_of_range", "23: sensor.1.max_enrollments: expected 1 to 10"),
    ("radius = 150, ", "", "missing_key", "18: sensor.0.location: lacks radius"),
    ("[200, 300]", "[300, 200]", "out_of_range", "19: sensor.0.latency_ms.capture: the lowest is above the highest"),
    ("[200, 300]", "[200]", "out_of_range", "19: sensor.0.latency_ms.capture: 1 numbers, expected two: lowest and"),
    ("match = 40", "match = 60001", "out_of_range", "19: sensor.0.latency_ms.match: expected 0 to 60000"),
    ("match = 40", "match = true", "wrong_type", "19: sensor.0.latency_ms.match: expected milliseconds or a list"),
    ("storage = 2", "disk = 2", "unknown_key", "26: latency_ms.disk: unknown key"),
    ('"1/1000"', "1000", "wrong_type", "13: device.fpir: expected a rate in quotes, found an integer"),
    ('"1/1000"', '"2/1000"', "wrong_value", "13: device.fpir: '2/1000' is not a rate"),
    ("fixed:2026-01-31T", "2026-01-31T", "wrong_value", "6: device.clock: '2026-01-31T12:00:00Z' is not a clock"),
    ("lockout_cascade = true", "lockout_cascade = 1", "wrong_type", "9: device.lockout_cascade: expected true or"),
    ("seed = 7", "seed = -1", "out_of_range", "2: seed: expected 0 to 9223372036854775807"),
    ("seed = 7", "seed = 7\nseed = 8", "syntax", '3: not TOML: Cannot overwrite a value'),
    ("scenario 2", "scenario 3", "wrong_value", "1: format: 'bioguard-scenario 3' is not bioguard-scenario 2"),
    ("[2, 5, 1]", '["good"]', "wrong_type", "33: faults.quality_sequence: expected an integer, found a string"),
    ("lockout = true\n", 'lockout = "true"\n', "wrong_type", "30: faults.lockout: expected true or false"),
    ("sensor_noise = 0.25", "sensor_noise = 1.5", "wrong_value", "32: faults.sensor_noise: cannot use this value"),
    ("sensor_noise = 0.25", "sensor_nose = 0.25", "unknown_key", "32: faults.sensor_nose: unknown key"),
    ("commit@3: die", "commit@3; die", "wrong_value", "35: faults.storage: fault rule 'commit@3': expected point"),
)  # fmt: skip


@pytest.mark.parametrize(("old", "new", "misfit", "said"), MISTAKES)
def test_a_mistake_is_named_with_its_line(old: str, new: str, misfit: str, said: str) -> None:
    assert old in FULL
    with pytest.raises(InputRefused) as refused:
        parse_scenario(FULL.replace(old, new, 1).encode(), "full.toml")
    assert refused.value.message.startswith(f"full.toml:{said}")
    assert refused.value.code == f"scenario.{misfit}"
    assert refused.value.hint
    assert "manifest" not in refused.value.message + refused.value.hint


def test_too_many_sensors() -> None:
    with pytest.raises(InputRefused, match="9 tables, expected at most 8"):
        parse_scenario(('format = "bioguard-scenario 2"\n' + '[[sensor]]\nkind = "face"\n' * 9).encode(), "x")


def test_what_is_no_text_or_too_long() -> None:
    for data, said in ((b"\xff", "x: not UTF-8"), (b"#" * (MAX_BYTES + 1), "x: longer than 16777216 characters")):
        with pytest.raises(InputRefused, match=said) as refused:
            parse_scenario(data, "x")
        assert refused.value.code == "scenario.syntax"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="No such file") as refused:
        read_scenario(tmp_path / "no.toml")
    assert refused.value.code == "input.unreadable"


LONGEST = {
    Form.NUMBERS: lambda knob: ",".join([str(knob.numbers.ranges[-1][-1])] * min(1_000, 6_000 // 11)),
    Form.RATE: lambda _knob: "0.00001",
    Form.ENROLLMENT: lambda _knob: f"1:1-[{','.join(['1'] * 2_900)}]:true",
    Form.PLAN: lambda _knob: "; ".join(f"commit@{number}:\n  enospc" for number in range(1, 64)),
}


def test_a_device_reads_back_and_tells_the_longest_and_smallest_values_that_it_was_given() -> None:
    given = {knob.name: LONGEST[knob.form](knob) for knob in KNOBS.values() if knob.form in LONGEST}
    made = Scenario(SensorProperties(given | {"quality_sequence": ",".join(["66535"] * 1_000)}))
    text = made.to_text().encode()
    assert len(text) < MAX_FILE_BYTES
    kept = Scenario.from_bytes(text).knobs.changed()
    assert kept == made.knobs.changed()
    assert (kept["sensor_noise"], len(kept["quality_sequence"])) == ("0.00001", 5_999)
    assert kept["storage"].startswith("commit@1: enospc; commit@2: enospc; ")
    assert SensorProperties(kept).changed() == kept
    entries = tuple(FaultEntry(name=name, value=value) for name, value in kept.items())
    answer = FaultsAnswer(seed=0, changed=entries)
    assert FaultsAnswer.from_plain(answer.to_plain()) == answer
