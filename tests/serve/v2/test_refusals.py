"""Refusals of protocol 2: every code that the code can raise is on the page, and no hint sends a program to a shell."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bioguard.device import errors, refusals
from bioguard.errors import InputRefused
from bioguard.serve.hints import FAMILIES, HINTS, OWN, hint_of, speaks_of_the_command_line

ROOT = Path(__file__).parents[3]
LOADED = """
import sys
import bioguard.serve.v2.conversation
import bioguard.simulate.faults.device_faults
import bioguard.simulate.faults.live
import bioguard.simulate.faults.session_sensor
print(*sorted(sys.modules))
"""
NEVER = {
    "making a device": {
        "device.exists", "device.limits", "device.sensor", "device.sensor_table", "comparison_profile.no_fallback",
        "comparison_profile.several", "comparison_profile.refused", "device.not_configurable", "clock.format",
        "extractor.identity", "sensor.props", "capture.missing", "capture.engine",
    },
    "the start, before hello": {
        "device.in_use", "device.options", "device.native", "device.no_budget", "device.free_replies",
        "fault.not_played", "usage", "request.not_supported",
    },
    "commands that no method asks": {
        "device.wipe_left", "incident.damaged", "incident.unknown", "receipt.digest", "receipt.empty", "record.id",
        "request.unknown", "sensor.no_feature", "capture.pose",
        "clock.duration", "convert.kind", "convert.one_view", "convert.view", "token.sharing",
        "match.fmr_not_measurable", "log.entry", "log.forked", "log.root", "log.shrunk", "receipt.listed",
        "receipt.none", "output.directory", "fault.too_late",
        "fault.story", "fault.assignment", "attest.profile", "log.key", "log.number",
    },
    "records that only the secure world reads": {"pin.handle", "pin.record"},
    "classes that others are made of": {"error", "input", "permission", "tee", "integrity"},
    "numbers that a seeded population is made with": {"synthetic.seed"},
}  # fmt: skip
"""Codes in modules that are loaded, and why none of them is an answer to a frame."""


def _codes(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "code" and isinstance(node.value, ast.Constant):
            yield str(node.value.value)
        if isinstance(node, ast.ClassDef):
            for one in node.body:
                if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "code":
                    yield str(ast.literal_eval(one.value))


@pytest.fixture(scope="module")
def raised() -> set[str]:
    """Codes of the tables, and those that stand in any module of the product that serving loads."""
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    names = [name for name in done.stdout.split() if name.startswith("bioguard")]
    paths = [ROOT / "src" / Path(*name.split(".")).with_suffix(".py") for name in names]
    found = {code for path in paths if path.exists() for code in _codes(ast.parse(path.read_bytes()))}
    found |= {row[1] for table in refusals.VOCABULARIES.values() for row in table.values()}
    found |= {row[1] for row in (*errors._RESULTS.values(), *errors._BY_ORIGIN.values())}
    return {code for code in found if "." in code} | {"request"}


def test_every_code_that_can_come_is_on_the_page(raised: set[str]) -> None:
    never = set().union(*NEVER.values())
    families = tuple(FAMILIES)
    assert sorted(code for code in raised - set(HINTS) - never if not code.startswith(families)) == []


def test_no_code_on_the_page_is_one_that_never_comes(raised: set[str]) -> None:
    never = set().union(*NEVER.values())
    assert sorted(never & set(HINTS)) == []
    assert sorted(set(HINTS) - raised - {"device.over_budget"}) == []


def test_no_hint_speaks_of_the_command_line() -> None:
    for code, hint in {**HINTS, **FAMILIES}.items():
        assert not speaks_of_the_command_line(hint), code
        assert len(hint) <= 400
        assert hint.isascii()


def test_a_hint_that_comes_with_the_error_is_for_programs_too() -> None:
    rows = [row for table in refusals.VOCABULARIES.values() for row in table.values()]
    for _, code, _, hint in rows:
        if HINTS.get(code) == OWN:
            assert not speaks_of_the_command_line(hint), code


@pytest.mark.parametrize(
    ("code", "hint", "said"),
    [
        ("pin.wait", "wait 30 s, then try again", "wait 30 s, then try again"),
        ("consent.missing", "run: bioguard consent grant USER", HINTS["consent.missing"]),
        ("format.truncated", "use --lenient", FAMILIES["format."]),
        ("capture.too_dark", "capture again", FAMILIES["capture."]),
        ("pin.length", "run: bioguard pin set", HINTS["log.gap"]),
        ("new.code", "press harder", "press harder"),
    ],
)
def test_which_hint_is_said(code: str, hint: str, said: str) -> None:
    assert hint_of(InputRefused("no", hint=hint, code=code)) == said
