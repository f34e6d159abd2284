"""Any text, and any value in any field of any method, is a scenario or refused with its place."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioguard.errors import InputRefused
from bioguard.serve.scenario.references import Heard
from bioguard.serve.scenario.run import Source, check
from bioguard.serve.v2.table import METHODS, MethodEntry
from bioguard.simulate.scenario.document import ScenarioFile, parse_scenario
from bioguard.simulate.scenario.steps import Input
from bioguard.simulate.scenario.writer import scenario_text
from tee_sim.shared.manifest_values import ManifestError
from tee_sim.shared.schema import record_fields
from tests.serve.scenario.test_examples import EXAMPLES

ODD: tuple[Any, ...] = (
    True, 5, -1, 1 << 63, 1.5, float("nan"), "", "alice", "0x", "00ff", "ä", [], [1], [[1]], [{}], ["x"], {}, {"x": 1},
    {"from": 5}, {"from": "x"}, {"from": "verify_pin"}, {"from": "verify_pin.token", "nth": "1"},
    {"from": "records.records.x"},
    {"file": 5}, {"file": "../../no"}, {"hex": "zz"}, {"person": 1}, {"person": -1, "position": 2, "impression": 3},
    {"person": 1, "position": 11, "impression": 3}, {"person": "1", "position": 2, "impression": 3},
)  # fmt: skip


def checked(scenario: ScenarioFile) -> str:
    """The code of the refusal; empty for none."""
    text = scenario_text(scenario).encode()
    try:
        check(Source(parse_scenario(text, "x.toml"), text, Path("x.toml")))
    except InputRefused as refused:
        assert refused.message.startswith("x.toml")
        return refused.code
    return ""


@pytest.mark.parametrize("method", METHODS, ids=[method.name for method in METHODS])
def test_any_value_in_any_field_is_taken_or_refused(method: MethodEntry) -> None:
    codes = {
        checked(ScenarioFile(inputs=(Input(method.name, {field.name: odd}),)))
        for field in record_fields(method.request)
        for odd in ODD
        if odd == odd or not isinstance(odd, float)  # noqa: PLR0124 - a NaN is written as TOML has it, and not equal
    }
    assert codes <= {"", *(f"scenario.{w}" for w in ("missing_key", "out_of_range", "wrong_type", "wrong_value"))}


def test_a_file_is_a_plain_one_beside_the_scenario(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "in").mkdir(parents=True)
    for path in (tmp_path / "secret", folder / "near", folder / "in" / "near"):
        path.write_bytes(b"FMR")
    for name, to in (("out", "../secret"), ("within", "near"), ("circle", "circle")):
        (folder / name).symlink_to(to)
    os.mkfifo(folder / "pipe")

    def refusal(name: str) -> str:
        text = scenario_text(
            ScenarioFile(inputs=(Input("present", {"session": 1, "form": "canonical", "sample": {"file": name}}),))
        ).encode()
        try:
            check(Source(parse_scenario(text, "x.toml"), text, folder / "x.toml"))
        except InputRefused as refused:
            return refused.message.split(": ", 2)[2]
        return ""

    assert [refusal(name) for name in ("near", "in/near", "in/../near", "within")] == [""] * 4
    for name in ("../secret", str(tmp_path / "secret"), "out", "/etc/hostname", "pipe", "", "in", ".."):
        assert refusal(name).endswith("' is no file beside the scenario"), name
    for name in ("circle", "absent", "a\0b", "n" * 300):
        assert refusal(name).startswith(f"{name}: ")


LONGEST = max((path.read_bytes() for path in EXAMPLES), key=len)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 3000), st.integers(0, 8), st.binary(max_size=8))
def test_any_change_of_a_scenario_is_read_or_refused(at: int, length: int, new: bytes) -> None:
    changed = LONGEST[:at] + new + LONGEST[at + length : 6000]
    try:
        found = parse_scenario(changed, "x.toml")
    except InputRefused as refused:
        assert refused.code.startswith("scenario.")
        assert refused.message.startswith("x.toml")
    else:
        assert parse_scenario(scenario_text(found).encode(), "x.toml") == found


HURTING = (
    "[" * 5000, "a = " + "[" * 5000, "x = " + "9" * 9000, "a.b." * 60_000 + "c = 1", "[" + "a . b . " * 60_000 + "c]",
    "a" * 200_000 + " = 1", '"' + "a." * 200_000, "\x00", "=",
)  # fmt: skip


@pytest.mark.parametrize("text", HURTING, ids=[f"{number}" for number in range(len(HURTING))])
def test_text_that_is_made_to_hurt(text: str) -> None:
    began_s = time.process_time()
    with pytest.raises(InputRefused) as refused:
        parse_scenario(text.encode(), "x.toml")
    assert refused.value.code.startswith("scenario.")
    assert time.process_time() - began_s < 2


@pytest.mark.parametrize("step", ["1", "01", "00", "\u0660", "\u00b2", "-1", "9" * 5_000])
def test_an_item_is_named_by_its_number_alone(step: str) -> None:
    heard = Heard()
    heard.add("users", [[b"alice"]])
    heard.add("records", [[[bytes(16), 0, 2, 7, 0]]])
    assert heard.resolve({"from": "users.names.0"}) == b"alice"
    assert heard.resolve({"from": "records.records.0.enrollment_id"}) == 7
    for way in (f"users.names.{step}", f"records.records.{step}.enrollment_id"):
        with pytest.raises(ManifestError, match="there is no"):
            heard.resolve({"from": way})
